"""Tables of the released zone: patients, studies, series and instances as researchers see them.

Every attribute that a query may ask lies with the entity of its level as DICOM JSON; beside
it stand the columns that queries are narrowed by. Nothing here speaks of a source.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from updp_node.storage.naming import NAMING


class Released(DeclarativeBase):
    """Base of the tables of the released zone."""

    metadata = MetaData(naming_convention=NAMING)


class PatientEntity(Released):
    """A pseudonym within a project. Names are folded (`updp_node.query.names.fold_name`)."""

    __tablename__ = "released_patients"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    project: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str] = mapped_column(String(64))
    name_alphabetic: Mapped[str] = mapped_column(String(324), index=True)
    name_ideographic: Mapped[str] = mapped_column(String(324), index=True)
    name_phonetic: Mapped[str] = mapped_column(String(324), index=True)
    attributes: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("project", "patient_id"),
        Index(None, "patient_id"),
    )


class StudyEntity(Released):
    """A study. ``study_date`` is YYYYMMDD, ``study_time`` HHMMSSFFFFFF."""

    __tablename__ = "released_studies"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    patient_key: Mapped[int] = mapped_column(ForeignKey("released_patients.id"), index=True)
    project: Mapped[str] = mapped_column(String(64))
    study_uid: Mapped[str] = mapped_column(String(64))
    study_date: Mapped[str | None] = mapped_column(String(8), index=True)
    study_time: Mapped[str | None] = mapped_column(String(12))
    accession_number: Mapped[str | None] = mapped_column(String(64), index=True)
    attributes: Mapped[str] = mapped_column(Text)
    __table_args__ = (
        UniqueConstraint("project", "study_uid"),
        Index(None, "study_uid"),
    )


class SeriesEntity(Released):
    """A series."""

    __tablename__ = "released_series"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    study_key: Mapped[int] = mapped_column(ForeignKey("released_studies.id"))
    series_uid: Mapped[str] = mapped_column(String(64), index=True)
    modality: Mapped[str | None] = mapped_column(String(16), index=True)
    attributes: Mapped[str] = mapped_column(Text)
    __table_args__ = (UniqueConstraint("study_key", "series_uid"),)


class InstanceEntity(Released):
    """A released instance; ``file`` is relative to the released zone.

    One whose series is not known yet (an index from before the tables of the levels) is not
    found until ``index rebuild`` has read its file.
    """

    __tablename__ = "released_instances"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    sop_instance_uid: Mapped[str] = mapped_column(String(64), unique=True)
    series_key: Mapped[int | None] = mapped_column(ForeignKey("released_series.id"))
    project: Mapped[str] = mapped_column(String(64))
    sop_class_uid: Mapped[str] = mapped_column(String(64))
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64))
    number_of_frames: Mapped[int] = mapped_column(default=1)
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    file: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    released_at: Mapped[float]
    superseded_by: Mapped[str | None] = mapped_column(String(64))
    attributes: Mapped[str] = mapped_column(Text, default="{}")
    __table_args__ = (Index(None, "series_key", "superseded_by"),)


class SyntaxEntity(Released):
    """A transfer syntax that instances of a SOP Class have; says what C-GET should negotiate."""

    __tablename__ = "released_syntaxes"
    project: Mapped[str] = mapped_column(String(64), primary_key=True)
    sop_class_uid: Mapped[str] = mapped_column(String(64), primary_key=True)
    transfer_syntax_uid: Mapped[str] = mapped_column(String(64), primary_key=True)


class TokenEntity(Released):
    """A bearer token of the research side: its digest, never the token."""

    __tablename__ = "access_tokens"
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    project: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]
