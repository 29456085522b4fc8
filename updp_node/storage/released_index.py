"""The index of the released zone as the node writes it. Knows nothing of the sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from updp_node.query.levels import Level
from updp_node.storage.description import Attributes, Description, dump
from updp_node.storage.ledger import Ledger, LedgerEntry
from updp_node.storage.released_tables import (
    InstanceEntity,
    PatientEntity,
    SeriesEntity,
    StudyEntity,
    SyntaxEntity,
)

LEDGER_NAME = "ledger.jsonl"
_BATCH = 500


@dataclass(frozen=True, slots=True)
class ReleasedInstance:
    """A released instance: what the ledger keeps of it, and what its file says."""

    entry: LedgerEntry
    description: Description


class ReleasedIndex:
    """Writes the index of the released zone.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the released index.
    root : pathlib.Path
        The released zone.
    """

    def __init__(self, engine: Engine, root: Path) -> None:
        self._engine = engine
        self.ledger = Ledger(root / LEDGER_NAME)

    def add(self, instances: list[ReleasedInstance]) -> None:
        """Make released instances findable; what is there already stays as it is.

        Raises
        ------
        SpoolError
            Ledger or index cannot be written.
        """
        known = self.known({each.entry.sop_instance_uid for each in instances})
        new = [each for each in instances if each.entry.sop_instance_uid not in known]
        self.ledger.append([each.entry for each in new])
        self.put(instances)

    def put(self, instances: Iterable[ReleasedInstance]) -> None:
        """Write rows alone."""
        with Session(self._engine) as session, session.begin():
            writer = _Writer(session)
            for each in instances:
                writer.put(each)

    def entries(self) -> Iterator[LedgerEntry]:
        """All that the ledger names, oldest first, each once."""
        seen = set()
        for entry in self.ledger.read():
            if entry.sop_instance_uid not in seen:
                seen.add(entry.sop_instance_uid)
                yield entry

    def complete_ledger(self) -> None:
        """Write into the ledger what only the rows know: an index from before the ledger.

        Raises
        ------
        SpoolError
            The ledger cannot be written.
        """
        named = {entry.sop_instance_uid for entry in self.ledger.read()}
        self.ledger.append([each for each in self._rows() if each.sop_instance_uid not in named])

    def named(self, uids: Collection[str]) -> set[str]:
        """Of SOP Instance UIDs those that the released zone names, in a row or in the ledger.

        Raises
        ------
        SpoolError
            The ledger is damaged.
        """
        wanted = set(uids)
        named = set(self.known(wanted))
        if named != wanted:
            named |= {entry.sop_instance_uid for entry in self.ledger.read()} & wanted
        return named

    def known(self, uids: Collection[str]) -> dict[str, str]:
        """Of SOP Instance UIDs those that have a row, with their SHA-256."""
        wanted, found = sorted(uids), dict[str, str]()
        columns = (InstanceEntity.sop_instance_uid, InstanceEntity.sha256)
        with Session(self._engine) as session:
            for start in range(0, len(wanted), _BATCH):
                chosen = InstanceEntity.sop_instance_uid.in_(wanted[start : start + _BATCH])
                rows = session.execute(select(*columns).where(chosen))
                found |= {uid: sha256 for uid, sha256 in rows}
        return found

    def count_unread(self) -> int:
        """Instances that cannot be found because their file was never read."""
        query = select(func.count()).where(InstanceEntity.series_key.is_(None))
        with Session(self._engine) as session:
            return session.scalar(query) or 0

    def replace(self, read: Callable[[list[LedgerEntry]], list[ReleasedInstance]]) -> None:
        """Make every row again, from the ledger, in one transaction.

        Until it is committed researchers find what they found before; a crash leaves that. Who
        releases meanwhile waits, and adds to what was made. The ledger is read under the lock:
        its line comes before its row, so that no row is lost. The tokens stay.

        Parameters
        ----------
        read : callable
            From entries to those that can be indexed.
        """
        with Session(self._engine) as session, session.begin():
            for table in (InstanceEntity, SeriesEntity, StudyEntity, PatientEntity, SyntaxEntity):
                session.execute(delete(table))
            writer = _Writer(session)
            entries = self.entries()
            while batch := list(islice(entries, _BATCH)):
                for each in read(batch):
                    writer.put(each)
                session.flush()
                session.expunge_all()

    def _rows(self) -> list[LedgerEntry]:
        with Session(self._engine) as session:
            rows = list(
                session.scalars(select(InstanceEntity).order_by(InstanceEntity.released_at))
            )
        before = {row.superseded_by: row.sop_instance_uid for row in rows if row.superseded_by}
        return [
            LedgerEntry(row.sop_instance_uid, row.project, row.file, row.sha256,
                        row.released_at, before.get(row.sop_instance_uid))
            for row in rows
        ]  # fmt: skip


class _Writer:
    """Puts instances under their series, studies and patients within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, instance: ReleasedInstance) -> None:
        entry, description = instance.entry, instance.description
        patient = self._patient(entry.project, description)
        study = self._study(entry.project, patient, description)
        series = self._series(study, description)
        row = self._session.scalar(
            select(InstanceEntity).where(InstanceEntity.sop_instance_uid == entry.sop_instance_uid)
        )
        if row is None:
            row = InstanceEntity(
                sop_instance_uid=entry.sop_instance_uid, project=entry.project, file=entry.file,
                sha256=entry.sha256, released_at=entry.released_at,
            )  # fmt: skip
            self._session.add(row)
        row.series_key = series.id
        row.sop_class_uid = description.sop_class_uid
        row.transfer_syntax_uid = description.transfer_syntax_uid
        row.number_of_frames = description.number_of_frames
        row.size_bytes = description.size_bytes
        row.attributes = dump(description.attributes[Level.IMAGE])
        syntax = (entry.project, description.sop_class_uid, description.transfer_syntax_uid)
        if self._session.get(SyntaxEntity, syntax) is None:
            self._session.add(
                SyntaxEntity(
                    project=syntax[0], sop_class_uid=syntax[1], transfer_syntax_uid=syntax[2]
                )
            )
        if entry.supersedes is not None:
            self._session.execute(
                update(InstanceEntity)
                .where(InstanceEntity.sop_instance_uid == entry.supersedes)
                .values(superseded_by=entry.sop_instance_uid)
            )

    def _patient(self, project: str, description: Description) -> PatientEntity:
        row = self._session.scalar(
            select(PatientEntity).where(
                PatientEntity.project == project,
                PatientEntity.patient_id == description.patient_id,
            )
        )
        if row is None:
            row = PatientEntity(project=project, patient_id=description.patient_id, attributes="{}")
            self._session.add(row)
        row.name_alphabetic, row.name_ideographic, row.name_phonetic = description.names()
        row.attributes = _merge(row.attributes, description.attributes[Level.PATIENT])
        self._session.flush()
        return row

    def _study(self, project: str, patient: PatientEntity, description: Description) -> StudyEntity:
        row = self._session.scalar(
            select(StudyEntity).where(
                StudyEntity.project == project, StudyEntity.study_uid == description.study_uid
            )
        )
        if row is None:
            row = StudyEntity(project=project, study_uid=description.study_uid, attributes="{}",
                              patient_key=patient.id)  # fmt: skip
            self._session.add(row)
        row.patient_key = patient.id
        row.study_date = description.moment(Level.STUDY, "00080020")
        row.study_time = description.moment(Level.STUDY, "00080030")
        row.accession_number = description.text(Level.STUDY, "00080050")
        row.attributes = _merge(row.attributes, description.attributes[Level.STUDY])
        self._session.flush()
        return row

    def _series(self, study: StudyEntity, description: Description) -> SeriesEntity:
        row = self._session.scalar(
            select(SeriesEntity).where(
                SeriesEntity.study_key == study.id,
                SeriesEntity.series_uid == description.series_uid,
            )
        )
        if row is None:
            row = SeriesEntity(
                study_key=study.id, series_uid=description.series_uid, attributes="{}"
            )
            self._session.add(row)
        row.modality = description.text(Level.SERIES, "00080060")
        row.attributes = _merge(row.attributes, description.attributes[Level.SERIES])
        self._session.flush()
        return row


def _merge(held: str, found: Attributes) -> str:
    """What an entity holds after a further instance of it: the newest value that is one."""
    old: Attributes = json.loads(held)
    filled = {tag: element for tag, element in found.items() if "Value" in element}
    merged = {**{tag: element for tag, element in found.items()}, **old, **filled}
    return held if merged == old else dump(merged)
