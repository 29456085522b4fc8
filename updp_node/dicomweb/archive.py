"""What the routes work with: index, files, settings; and who asks.

References
----------
RFC 6750: Bearer Token Usage. PS3.18 8.2 (security is of the transport and the origin server).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi import Path as PathParameter
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from updp_node.config.research import Web
from updp_node.dicomweb.faults import WebError, not_found, unauthorized
from updp_node.query import Level, Query, Selection
from updp_node.research.access import projects_of_certificate
from updp_node.research.files import StoredFile, open_stored
from updp_node.storage.answers import Answer
from updp_node.storage.research_index import Stored
from updp_node.storage.tokens import Token

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:]{2,45}\](:[0-9]{1,5})?")
_WITH_PORT = re.compile(r":[0-9]+$")
_PORTS = {"http": 80, "https": 443}
_UID = r"^[0-9.]{1,64}$"
_LONGEST_TOKEN = 512
_MOST_INSTANCES = 100_000
_LEVELS = (Level.STUDY, Level.SERIES, Level.IMAGE)

Uid = Annotated[str, PathParameter(pattern=_UID, examples=["1.2.840.113619.2.1"])]
"""A UID of a path; whatever else stands there is refused before it is used."""


class Index(Protocol):
    """The part of `updp_node.storage.research_index.ResearchIndex` that is used."""

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Answer]:
        """Entities that match."""
        ...

    def select(self, selection: Selection, projects: frozenset[str]) -> Iterator[Stored]:
        """Instances of a selection."""
        ...


class TokenCheck(Protocol):
    """The part of `updp_node.storage.tokens.Tokens` that is used."""

    def check(self, token: str, *, now: float) -> Token | None:
        """The token, if it is valid now."""
        ...


@dataclass(frozen=True, slots=True)
class Archive:
    """The released zone as DICOMweb sees it.

    Attributes
    ----------
    index : Index
    tokens : TokenCheck
    root : pathlib.Path
        The released zone.
    settings : updp_node.config.research.Web
    """

    index: Index
    tokens: TokenCheck
    root: Path
    settings: Web

    def select(self, projects: frozenset[str], *uids: str) -> list[Stored]:
        """The instances of a study, a series, or one instance.

        They are listed before anything is sent: no transaction of the index stays open while
        a slow client reads.

        Parameters
        ----------
        projects : frozenset of str
        *uids : str
            Of study, series and instance, from the top.

        Raises
        ------
        WebError
            404: none that the requester may see; 413: too many.
        """
        lists = [(uid,) for uid in uids] + [()] * (3 - len(uids))
        selection = Selection(_LEVELS[len(uids) - 1], (), *lists)
        found: list[Stored] = []
        for stored in self.index.select(selection, projects):
            if len(found) >= _MOST_INSTANCES:
                raise WebError(413, "too many instances; retrieve the series one by one")
            found.append(stored)
        if not found:
            raise not_found()
        return found

    def open(self, stored: Stored) -> StoredFile:
        """The file of an instance.

        Raises
        ------
        InstanceError
            It cannot be read.
        """
        return open_stored(self.root, stored)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, by what shows it.

    Attributes
    ----------
    projects : frozenset of str
    token_id : str or None
    """

    projects: frozenset[str]
    token_id: str | None = None


async def _archive(request: Request) -> Archive:
    archive: Archive = request.app.state.archive
    return archive


ArchiveOf = Annotated[Archive, Depends(_archive)]
_bearer = HTTPBearer(auto_error=False, description="A token of `updp-node token add`")


def _requester(
    request: Request,
    archive: ArchiveOf,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Requester:
    """Who asks, told anew at every request, so that a revoked token ends at once."""
    if "authorization" in request.headers:
        requester = _by_token(archive, credentials)
    else:
        requester = _by_certificate(archive, getattr(request.state, "client_certificate", None))
    request.state.token_id = requester.token_id
    request.state.projects = len(requester.projects)
    return requester


def _by_token(archive: Archive, credentials: HTTPAuthorizationCredentials | None) -> Requester:
    if credentials is None or not 0 < len(credentials.credentials) <= _LONGEST_TOKEN:
        raise unauthorized("a bearer token is needed")
    token = archive.tokens.check(credentials.credentials, now=time.time())
    if token is None:
        raise unauthorized("the bearer token is not valid")
    return Requester(frozenset({token.project}), token.id)


def _by_certificate(archive: Archive, certificate_der: bytes | None) -> Requester:
    if certificate_der is None:
        raise unauthorized("a bearer token or a client certificate is needed")
    projects = projects_of_certificate(archive.settings.access, certificate_der)
    if not projects:
        raise unauthorized("the client certificate has no access")
    return Requester(projects)


async def _base_url(request: Request, archive: ArchiveOf) -> str:
    """What the URLs of an answer begin with.

    Some clients leave the port out of Host; without ``public_url`` it is the one that they
    reached.
    """
    if archive.settings.public_url:
        return archive.settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise WebError(400, "Host is malformed")
    scheme = request.url.scheme
    port = (request.scope.get("server") or ("", None))[1]
    if port not in {None, _PORTS[scheme]} and not _WITH_PORT.search(host):
        host = f"{host}:{port}"
    return f"{scheme}://{host}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with all that a route needs.

    Attributes
    ----------
    request : fastapi.Request
    archive : Archive
    requester : Requester
    base_url : str
    """

    request: Request
    archive: Archive
    requester: Requester
    base_url: str

    def select(self, *uids: str) -> list[Stored]:
        """As `Archive.select`, of what the requester may see."""
        return self.archive.select(self.requester.projects, *uids)

    def url_of(self, stored: Stored) -> str:
        """Where an instance is."""
        return (
            f"{self.base_url}/studies/{stored.study_uid}/series/{stored.series_uid}"
            f"/instances/{stored.sop_instance_uid}"
        )


async def _call(
    request: Request,
    archive: ArchiveOf,
    requester: Annotated[Requester, Depends(_requester)],
    base_url: Annotated[str, Depends(_base_url)],
) -> Call:
    return Call(request, archive, requester, base_url)


CallOf = Annotated[Call, Depends(_call)]
