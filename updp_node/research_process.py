"""The research process: one port for DIMSE, one for DICOMweb, the released zone read-only.

It imports nothing and opens nothing of the identified zone, so that who breaks into it finds
nothing but what was released.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from updp_node.config.research import MoveDestination, Research, ResearchFile
from updp_node.dicomweb.app import make_app
from updp_node.dicomweb.server import WebServer
from updp_node.dimse.archive import Stored as Named
from updp_node.dimse.outgoing import MoveTarget
from updp_node.dimse.research_server import ResearchSettings, start_research
from updp_node.errors import ConfigError
from updp_node.log import get_logger
from updp_node.query import Query, Selection
from updp_node.research.access import projects_of
from updp_node.research.files import StoredFile, open_stored
from updp_node.research.transcode import transcode
from updp_node.storage.answers import Answer
from updp_node.storage.research_engine import open_research_engine
from updp_node.storage.research_index import ResearchIndex, Stored
from updp_node.storage.tokens import Tokens


@dataclass(frozen=True, slots=True)
class ReleasedArchive:
    """The released zone as the DIMSE side asks it; `updp_node.dimse.archive.Archive`.

    Attributes
    ----------
    index : ResearchIndex
    root : pathlib.Path
        The released zone.
    section : Research
    """

    index: ResearchIndex
    root: Path
    section: Research

    def admit(
        self, calling_ae_title: str, address: str, certificate: bytes | None
    ) -> frozenset[str]:
        """Projects that a peer may see; empty refuses the association."""
        return projects_of(self.section.access, calling_ae_title, address, certificate)

    def stored_syntaxes(self, projects: frozenset[str]) -> dict[str, list[str]]:
        """Transfer syntaxes of the instances of each SOP Class."""
        return self.index.stored_syntaxes(projects)

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Answer | None]:
        """Entities that meet a query; None now and then where nothing does."""
        return self.index.scan(query, projects)

    def select(self, selection: Selection, projects: frozenset[str]) -> Iterator[Stored]:
        """Instances that are selected, in the same order each time."""
        return self.index.select(selection, projects)

    def open(self, stored: Named) -> StoredFile:
        """Find the data set of an instance.

        Raises
        ------
        InstanceError
            The file cannot be read.
        """
        return open_stored(self.root, stored)

    def transcode(
        self, stored: Named, accepted: Sequence[str]
    ) -> AbstractContextManager[StoredFile]:
        """Make a data set in one of the accepted transfer syntaxes, for a while.

        Raises
        ------
        InstanceError
            It cannot be done.
        """
        return transcode(open_stored(self.root, stored).path, accepted)


def run_research(config: ResearchFile, stop: threading.Event) -> None:
    """Serve researchers until an event is set.

    Raises
    ------
    ConfigError
        There is no released zone, or certificates cannot be used.
    NodeError, OSError
        A port cannot be listened on.
    """
    section = config.research
    if not config.released.is_dir():
        raise ConfigError("there is no released zone yet: start the node first",
                          key="research.released")  # fmt: skip
    engine = open_research_engine(config.database)
    index = ResearchIndex(engine)
    web = None
    if section.web is not None:
        web = WebServer(make_app(index, Tokens(engine), config.released, section.web), section.web)
    server = start_research(
        research_settings(section), ReleasedArchive(index, config.released, section)
    )
    if web is not None:
        web.start()
    while not stop.wait(1.0):
        if web is not None and web.wait(0.0):
            get_logger().error("web-ended")
            break
    if web is not None:
        web.stop()
    server.stop()
    engine.dispose()


def research_settings(section: Research) -> ResearchSettings:
    """The settings of the DIMSE side."""
    return ResearchSettings(
        ae_title=section.ae_title,
        host=section.host,
        port=section.port,
        tls=section.tls.settings() if section.tls else None,
        require_client_certificate=bool(section.tls and section.tls.require_client_certificate),
        max_associations=section.max_associations,
        per_peer_associations=section.max_associations_per_peer,
        acse_timeout_s=section.acse_timeout_s,
        dimse_timeout_s=section.dimse_timeout_s,
        network_timeout_s=section.network_timeout_s,
        max_pdu_size=section.max_pdu_bytes,
        max_answers=section.max_answers,
        destinations={each.ae_title.strip(): _target(each) for each in section.destinations},
    )


def _target(destination: MoveDestination) -> MoveTarget:
    return MoveTarget(
        ae_title=destination.ae_title,
        host=destination.host,
        port=destination.port,
        tls=destination.tls.settings() if destination.tls else None,
        connect_timeout_s=destination.timeout_s,
        projects=frozenset(destination.projects) or None,
    )
