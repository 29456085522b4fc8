"""Tables of the identified zone: what was received and what became of it.

No table holds free text of a patient: UIDs, and the attributes that the routes ask.
"""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from updp_node.storage.naming import NAMING


class Identified(DeclarativeBase):
    """Base of the tables of the identified zone."""

    metadata = MetaData(naming_convention=NAMING)


class AssociationRow(Identified):
    """An association of the receiver; open until closed or expired. Times are Unix seconds."""

    __tablename__ = "associations"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    calling_ae_title: Mapped[str] = mapped_column(String(16))
    peer_address: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[float]
    seen_at: Mapped[float]
    closed_at: Mapped[float | None]


class StudyRow(Identified):
    """A study as received. ``id`` is opaque and goes into logs and workflow ids."""

    __tablename__ = "studies"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64), unique=True)
    last_arrival_at: Mapped[float] = mapped_column(index=True)
    patient_sha256: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(default=0)
    report_deadline: Mapped[float | None]


class InstanceRow(Identified):
    """A received instance.

    ``state``: received (not read yet), pending (waits for its study to settle), waiting
    (an image that waits for a report, or for others to share its prompt), running, done,
    duplicate, quarantined, rejected.
    """

    __tablename__ = "instances"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    state: Mapped[str] = mapped_column(String(16), index=True, default="received")
    file: Mapped[str | None] = mapped_column(String(255))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    sop_instance_uid: Mapped[str] = mapped_column(String(64), index=True)
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64))
    calling_ae_title: Mapped[str] = mapped_column(String(16))
    association_id: Mapped[str] = mapped_column(String(32), index=True)
    size_bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    received_at: Mapped[float]
    study_id: Mapped[str | None] = mapped_column(ForeignKey("studies.id"), index=True)
    series_uid: Mapped[str | None] = mapped_column(String(64))
    modality: Mapped[str | None] = mapped_column(String(16))
    attributes: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    demographics_sha256: Mapped[str | None] = mapped_column(String(64))
    findings: Mapped[list[dict[str, str]] | None] = mapped_column(JSON(none_as_null=True))
    supersedes: Mapped[int | None]


class RunRow(Identified):
    """One pass of a settled study through the line. ``state``: running, done, failed."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    route: Mapped[str] = mapped_column(String(64))
    profile: Mapped[str] = mapped_column(String(64))
    profile_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    started_at: Mapped[float]
    ended_at: Mapped[float | None]
    attempts: Mapped[int] = mapped_column(default=0)


class WorkRow(Identified):
    """One instance within one run, with what was decided for it before anything is written.

    ``outcome``: null until done; then released, dropped, quarantined, unchanged, waiting.
    ``prompt``, ``seed`` and the exact figures of k never leave the identified zone.
    """

    __tablename__ = "work"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    outcome: Mapped[str | None] = mapped_column(String(16))
    action: Mapped[str | None] = mapped_column(String(16))
    generation: Mapped[int | None]
    prompt: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    unrendered: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    withheld: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    k_map: Mapped[int | None]
    k_released: Mapped[int | None]
    seed: Mapped[str | None] = mapped_column(String(20))
    references: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    attempts: Mapped[int] = mapped_column(default=0)


class ReleaseRow(Identified):
    """A released instance and where it came from. Written once, never changed."""

    __tablename__ = "releases"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), index=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    source_uid: Mapped[str] = mapped_column(String(64), index=True)
    profile_digest: Mapped[str] = mapped_column(String(64))
    generation: Mapped[int]
    action: Mapped[str] = mapped_column(String(16))
    prompt: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    references: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    sop_instance_uid: Mapped[str] = mapped_column(String(64), unique=True)
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    study_uid: Mapped[str] = mapped_column(String(64))
    series_uid: Mapped[str] = mapped_column(String(64))
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    released_at: Mapped[float]
    __table_args__ = (UniqueConstraint("source_uid", "profile_digest", "generation"),)


class PromptProjectRow(Identified):
    """A project whose prompts are counted; changed first in every reservation, as its lock."""

    __tablename__ = "prompt_projects"
    project: Mapped[str] = mapped_column(String(64), primary_key=True)
    reservations: Mapped[int] = mapped_column(default=0)


class PromptRow(Identified):
    """A prompt that a source image waits for, holds, or was released with.

    ``state``: waiting (one of several that would do), held (granted, on its way down the line),
    ready (down the line, held back until enough others are), released. Subjects are counted,
    not images. ``k_min`` is 0 where this figure does not gate.
    """

    __tablename__ = "prompt_reservations"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project: Mapped[str] = mapped_column(String(64))
    prompt: Mapped[str] = mapped_column(String(1024))
    source_uid: Mapped[str] = mapped_column(String(64), index=True)
    subject_id: Mapped[str] = mapped_column(String(32))
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    state: Mapped[str] = mapped_column(String(16))
    k_min: Mapped[int]
    reserved_at: Mapped[float]
    __table_args__ = (UniqueConstraint("project", "prompt", "source_uid"),)


class DeliveryRow(Identified):
    """One released instance for one destination. ``state``: pending, delivered, failed."""

    __tablename__ = "deliveries"
    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    destination: Mapped[str] = mapped_column(String(64), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(48), index=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[float]
    code: Mapped[str | None] = mapped_column(String(64))
    delivered_at: Mapped[float | None]
    __table_args__ = (Index(None, "state", "next_try_at"),)


class QuarantineRow(Identified):
    """Why an instance was held back. ``state``: open, released, rejected."""

    __tablename__ = "quarantine"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    instance_id: Mapped[int] = mapped_column(ForeignKey("instances.id"), index=True)
    run_id: Mapped[str | None] = mapped_column(String(48))
    code: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[str] = mapped_column(String(16), default="open", index=True)
    created_at: Mapped[float]
    resolved_at: Mapped[float | None]
