"""The sections of a node's configuration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydicom.datadict import tag_for_keyword

from updp_node.config.generators import SiteModel, refuse_ambiguous
from updp_node.config.research import Research
from updp_node.config.sections import AeTitle, Name, PeerRule, Port, Section, Tls
from updp_node.errors import ConfigError


class Receiver(Section):
    """The C-STORE side that the hospital routes studies to."""

    ae_title: AeTitle = "UPDP_NODE"
    host: str = "127.0.0.1"
    port: Port = 11112
    processes: int = Field(default=1, ge=1, le=16)
    peers: tuple[PeerRule, ...] = ()
    allow_any_peer: bool = False
    require_called_ae_title: bool = True
    max_associations: int = Field(default=100, ge=1)
    max_associations_per_peer: int = Field(default=20, ge=1)
    acse_timeout_s: float = Field(default=5, gt=0)
    dimse_timeout_s: float = Field(default=30, gt=0)
    network_timeout_s: float = Field(default=60, gt=0)
    max_pdu_bytes: int = Field(default=1 << 20, ge=0)
    tls: Tls | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.peers and not self.allow_any_peer:
            raise ValueError("name the peers, or say allow_any_peer: true")
        if self.tls is not None and self.tls.certificate is None:
            raise ValueError("a TLS server needs tls.certificate and tls.key")
        return self


class Storage(Section):
    """Where the two zones lie."""

    root: Path
    database: str | None = None
    released_database: str | None = None
    released_group: str | None = None
    reserve_mib: int = Field(default=1024, ge=0)
    retain_staged_days: float = Field(default=7, ge=0)


class Settling(Section):
    """When a study counts as complete."""

    quiet_s: float = Field(default=60, ge=0)
    report_wait_s: float = Field(default=6 * 3600, ge=0)


class Project(Section):
    """The research project that receives the studies."""

    name: Name
    key_file: Path
    pseudonym: str = "{project}-{code}"
    uid_root: str = Field(default="2.25", max_length=24, pattern=r"^[0-2](\.(0|[1-9][0-9]*))+$")

    @field_validator("pseudonym")
    @classmethod
    def _is_a_template(cls, template: str) -> str:
        try:
            length = len(template.format(project="", code="x" * 12))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("only {project} and {code} are filled in") from error
        if "{code}" not in template or length > 64:
            raise ValueError("needs {code} and at most 64 characters")
        return template


class Condition(Section):
    """One attribute of an instance: equals, in or regex (whole value), by keyword."""

    keyword: str
    equals: str | None = None
    one_of: tuple[str, ...] | None = Field(default=None, alias="in")
    regex: str | None = None

    @model_validator(mode="after")
    def _is_one_test(self) -> Self:
        if sum(test is not None for test in (self.equals, self.one_of, self.regex)) != 1:
            raise ValueError("a condition needs exactly one of equals, in, regex")
        if tag_for_keyword(self.keyword) is None:
            raise ValueError(f"no DICOM attribute has the keyword {self.keyword}")
        if self.regex is not None:
            try:
                re.compile(self.regex)
            except re.error as error:
                raise ValueError(f"regex: {error}") from error
        return self

    def holds(self, value: str) -> bool:
        """Whether one attribute value (multiple values joined by a backslash) meets the test."""
        values = value.split("\\")
        if self.regex is not None:
            return any(re.fullmatch(self.regex, each) for each in values)
        wanted = (self.equals,) if self.equals is not None else self.one_of or ()
        return any(each in wanted for each in values)


class Route(Section):
    """Which studies go where, and by which profile; the first that matches wins."""

    name: Name
    calling_ae_titles: tuple[AeTitle, ...] = ()
    when: tuple[Condition, ...] = ()
    profile: str
    destinations: tuple[Name, ...] = ()


class DimseTarget(Section):
    """A destination that is reached by C-STORE."""

    name: Name
    type: Literal["dimse"]
    host: str
    port: Port
    ae_title: AeTitle
    calling_ae_title: AeTitle = "UPDP_NODE"
    tls: Tls | None = None
    timeout_s: float = Field(default=30, gt=0)


class FolderTarget(Section):
    """A destination that is a folder."""

    name: Name
    type: Literal["folder"]
    path: Path


Target = Annotated[DimseTarget | FolderTarget, Field(discriminator="type")]


class Work(Section):
    """How the work is shared out and how often it is tried again."""

    cpu_processes: int = Field(default=2, ge=1, le=64)
    batch_instances: int = Field(default=50, ge=1, le=1000)
    attempts: int = Field(default=3, ge=1, le=20)
    torch_threads: int = Field(default=2, ge=1, le=64)
    retry_base_s: float = Field(default=5, gt=0)
    retry_cap_s: float = Field(default=600, gt=0)


class Config(Section):
    """The whole file. Relative paths are relative to it."""

    project: Project
    storage: Storage
    receiver: Receiver
    settling: Settling = Settling()
    routes: tuple[Route, ...] = Field(min_length=1)
    destinations: tuple[Target, ...] = ()
    profile_folders: tuple[Path, ...] = ()
    generators: tuple[SiteModel, ...] = ()
    work: Work = Work()
    research: Research | None = None

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        names = [target.name for target in self.destinations]
        if len(set(names)) != len(names):
            raise ValueError("two destinations have one name")
        refuse_ambiguous(self.generators)
        for route in self.routes:
            unknown = set(route.destinations) - set(names)
            if unknown:
                raise ValueError(f"route {route.name}: no destination {', '.join(sorted(unknown))}")
        return self

    @property
    def identified(self) -> Path:
        """Folder of the identified zone."""
        return self.storage.root / "identified"

    @property
    def released(self) -> Path:
        """Folder of the released zone."""
        return self.storage.root / "released"

    @property
    def target_names(self) -> frozenset[str]:
        """Names of the destinations."""
        return frozenset(target.name for target in self.destinations)

    def target(self, name: str) -> DimseTarget | FolderTarget:
        """The destination of that name.

        Raises
        ------
        ConfigError
            There is none.
        """
        for target in self.destinations:
            if target.name == name:
                return target
        raise ConfigError(f"no destination {name}", key="destinations")

    def route_keywords(self) -> tuple[str, ...]:
        """Keywords that the routes ask, sorted."""
        return tuple(sorted({test.keyword for route in self.routes for test in route.when}))
