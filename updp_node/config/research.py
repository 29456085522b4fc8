"""The research side's section: who may query and retrieve, and where to.

It may stand in the node's file, or alone in a file of its own where the research side runs as
another operating-system user.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from updp_node.config.sections import AeTitle, Name, Network, Port, Section, Tls
from updp_node.errors import ConfigError

Sha256 = Annotated[
    str, StringConstraints(to_lower=True, pattern=r"^[0-9A-Fa-f]{64}$", strip_whitespace=True)
]


class AccessRule(Section):
    """Which requesters see which projects; what is not given is not asked."""

    ae_title: AeTitle | None = None
    networks: tuple[Network, ...] = ()
    certificate_sha256: tuple[Sha256, ...] = ()
    projects: tuple[Name, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        if self.ae_title is None and not self.networks and not self.certificate_sha256:
            raise ValueError("a rule needs ae_title, networks, certificate_sha256 or several")
        return self


class MoveDestination(Section):
    """An application entity that C-MOVE may send to."""

    ae_title: AeTitle
    host: str
    port: Port
    projects: tuple[Name, ...] = ()
    tls: Tls | None = None
    timeout_s: float = Field(default=30, gt=0)


class WebAccessRule(Section):
    """Which client certificates see which projects by DICOMweb."""

    certificate_sha256: tuple[Sha256, ...] = Field(min_length=1)
    projects: tuple[Name, ...] = Field(min_length=1)


class Web(Section):
    """DICOMweb: bearer tokens (``updp-node token add``), or client certificates."""

    host: str = "127.0.0.1"
    port: Port = 8043
    tls: Tls | None = None
    access: tuple[WebAccessRule, ...] = ()
    max_page: int = Field(default=1000, ge=1, le=100_000)
    public_url: str | None = Field(default=None, pattern=r"^https?://\S+$")

    @model_validator(mode="after")
    def _asks_certificates(self) -> Self:
        if self.access and (self.tls is None or self.tls.ca is None):
            raise ValueError("access by certificate needs tls with the clients' ca")
        if self.tls is not None and self.tls.certificate is None:
            raise ValueError("a TLS server needs tls.certificate and tls.key")
        return self


class Research(Section):
    """Query and retrieve for researchers: C-FIND, C-MOVE, C-GET and DICOMweb."""

    ae_title: AeTitle = "UPDP_RESEARCH"
    host: str = "127.0.0.1"
    port: Port = 11113
    tls: Tls | None = None
    access: tuple[AccessRule, ...] = ()
    destinations: tuple[MoveDestination, ...] = ()
    max_answers: int = Field(default=100_000, ge=1)
    max_associations: int = Field(default=50, ge=1)
    max_associations_per_peer: int = Field(default=10, ge=1)
    acse_timeout_s: float = Field(default=5, gt=0)
    dimse_timeout_s: float = Field(default=30, gt=0)
    network_timeout_s: float = Field(default=60, gt=0)
    max_pdu_bytes: int = Field(default=1 << 20, ge=0)
    released: Path | None = None
    database: str | None = None
    web: Web | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.tls is not None and self.tls.certificate is None:
            raise ValueError("a TLS server needs tls.certificate and tls.key")
        asks = any(rule.certificate_sha256 for rule in self.access)
        if asks and (self.tls is None or not self.tls.require_client_certificate):
            raise ValueError("access by certificate needs tls with require_client_certificate")
        titles = [destination.ae_title for destination in self.destinations]
        if len(set(titles)) != len(titles):
            raise ValueError("two destinations have one AE title")
        return self


class ReleasedStorage(Section):
    """All that the research side reads of the section ``storage``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    root: Path | None = None
    released_database: str | None = None


class ResearchFile(Section):
    """What the research process reads of a configuration file; the rest is not its business."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    research: Research
    storage: ReleasedStorage = ReleasedStorage()

    @property
    def released(self) -> Path:
        """Folder of the released zone.

        Raises
        ------
        ConfigError
            Neither ``research.released`` nor ``storage.root`` says where it is.
        """
        if self.research.released is not None:
            return self.research.released
        if self.storage.root is None:
            raise ConfigError("say where the released zone is", key="research.released")
        return self.storage.root / "released"

    @property
    def database(self) -> str:
        """URL of the released index, SQLite in the released zone by default."""
        configured = self.research.database or self.storage.released_database
        return configured or f"sqlite:///{self.released / 'index.sqlite'}"
