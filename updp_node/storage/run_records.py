"""What the run index takes and gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One instance of a run with all that is known of it."""

    instance_id: int
    file: str | None
    sop_instance_uid: str
    sop_class_uid: str
    state: str
    supersedes: int | None
    findings: list[dict[str, str]] | None
    outcome: str | None
    action: str | None
    generation: int | None
    prompt: list[str] | None
    unrendered: list[str] | None
    seed: str | None
    references: list[str]
    attempts: int
    withheld: list[str] | None = None
    k_map: int | None = None
    k_released: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as its workflow needs it."""

    id: str
    study_id: str
    route: str
    profile: str
    profile_digest: str
    started_at: float
    state: str


@dataclass(frozen=True, slots=True)
class WorkDecision:
    """What `RunIndex.decide` records before anything is written.

    ``outcome`` is None for what goes down the line; dropped, unchanged, waiting (with ``code``
    where it waits for others to share its prompt) or quarantined (with ``code``) for what does
    not.
    """

    instance_id: int
    outcome: str | None
    code: str
    action: str
    generation: int
    prompt: list[str] | None
    unrendered: list[str] | None
    seed: str | None
    references: list[str]
    findings: list[dict[str, str]] | None
    withheld: list[str] | None = None
    k_map: int | None = None
    k_released: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A released instance, as it is recorded."""

    instance_id: int
    source_uid: str
    generation: int
    action: str
    prompt: list[str] | None
    references: list[str]
    sop_instance_uid: str
    sop_class_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """The newest release of a source instance under one profile."""

    instance_id: int
    generation: int
    action: str
    prompt: list[str] | None
    references: list[str]
    sop_instance_uid: str
    sop_class_uid: str
