"""Received instances gathered into studies: indexing, settling and the claim of a run.

Every method is one transaction. The states of an instance are told in
`updp_node.storage.tables.InstanceRow`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from updp_node.model import HeaderFacts
from updp_node.storage.database import reading
from updp_node.storage.prompt_index import withdraw
from updp_node.storage.tables import (
    AssociationRow,
    InstanceRow,
    QuarantineRow,
    ReleaseRow,
    RunRow,
    StudyRow,
    WorkRow,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A received instance that another one with its SOP Instance UID may equal."""

    instance_id: int
    file: str | None
    sha256: str
    transfer_syntax_uid: str
    demographics_sha256: str | None
    is_done: bool


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What the routes ask of one instance."""

    calling_ae_title: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run is started with. ``profile`` names it, ``profile_digest`` pins its content."""

    route: str
    profile: str
    profile_digest: str


class StudyIndex:
    """The identified index as the scheduler sees it.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index.
    association_expiry_s : float
        An association that was not seen for so long no longer holds its studies open.
    """

    def __init__(self, engine: Engine, *, association_expiry_s: float = 120) -> None:
        self._engine = engine
        self._reader = reading(engine)
        self._expiry_s = association_expiry_s

    def close_associations(self, now: float) -> None:
        """Note that no association is open; called when the receiver starts."""
        with Session(self._engine) as session, session.begin():
            open_ones = AssociationRow.closed_at.is_(None)
            session.execute(update(AssociationRow).where(open_ones).values(closed_at=now))

    def staged_files(self) -> set[str]:
        """Every staged file that a row knows, relative to the identified zone."""
        with Session(self._reader) as session:
            files = session.scalars(select(InstanceRow.file).where(InstanceRow.file.is_not(None)))
            return {file for file in files if file is not None}

    def unread(self, limit: int) -> list[InstanceRow]:
        """Received instances whose header was not read yet, oldest first."""
        with Session(self._reader, expire_on_commit=False) as session:
            rows = select(InstanceRow).where(InstanceRow.state == "received")
            return list(session.scalars(rows.order_by(InstanceRow.id).limit(limit)))

    def candidates(self, instance_id: int, sop_instance_uid: str) -> list[Candidate]:
        """Earlier accepted instances of the same SOP Instance UID, newest first."""
        row = InstanceRow
        with Session(self._reader) as session:
            found = session.scalars(
                select(row)
                .where(row.sop_instance_uid == sop_instance_uid, row.id < instance_id)
                .where(row.state.not_in(("duplicate", "rejected", "received")))
                .order_by(row.id.desc())
            )
            return [
                Candidate(
                    each.id, each.file, each.sha256, each.transfer_syntax_uid,
                    each.demographics_sha256, each.state == "done",
                )
                for each in found
            ]  # fmt: skip

    def accept(self, instance_id: int, facts: HeaderFacts) -> str | None:
        """File an instance under its study, to wait until that settles.

        Returns
        -------
        str or None
            The study's id; None, and nothing filed, where the study is another patient's.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get_one(InstanceRow, instance_id)
            study = session.scalar(select(StudyRow).where(StudyRow.study_uid == facts.study_uid))
            if study is None:
                study = StudyRow(
                    id=uuid.uuid4().hex, study_uid=facts.study_uid, generation=0,
                    patient_sha256=facts.patient_sha256, last_arrival_at=row.received_at,
                )  # fmt: skip
                session.add(study)
                session.flush()
            if study.patient_sha256 != facts.patient_sha256:
                return None
            study.last_arrival_at = max(study.last_arrival_at, row.received_at)
            _note_facts(row, facts)
            row.study_id = study.id
            row.state = "pending"
            return study.id

    def drop_duplicate(self, instance_id: int) -> str | None:
        """Mark an instance as equal to an earlier one; returns the staged file to delete."""
        with Session(self._engine) as session, session.begin():
            row = session.get_one(InstanceRow, instance_id)
            row.state = "duplicate"
            file, row.file = row.file, None
            return file

    def quarantine(
        self, instance_id: int, *, code: str, detail: str = "", now: float,
        facts: HeaderFacts | None = None,
    ) -> None:  # fmt: skip
        """Hold an instance back before it joined a run; its bytes are kept."""
        with Session(self._engine) as session, session.begin():
            row = session.get_one(InstanceRow, instance_id)
            row.state = "quarantined"
            if facts is not None:
                _note_facts(row, facts)
            session.add(
                QuarantineRow(instance_id=row.id, code=code, detail=detail[:500],
                              state="open", created_at=now)
            )  # fmt: skip

    def settled(self, now: float, quiet_s: float) -> list[str]:
        """Studies that are quiet, held open by no association and by no run.

        A study with nothing but images that wait for a report counts once its deadline passed.
        """
        instance = aliased(InstanceRow)
        mine = instance.study_id == StudyRow.id
        open_association = exists().where(
            mine,
            AssociationRow.id == instance.association_id,
            AssociationRow.closed_at.is_(None),
            AssociationRow.seen_at > now - self._expiry_s,
        )
        running = exists().where(RunRow.study_id == StudyRow.id, RunRow.state == "running")
        pending = exists().where(mine, instance.state == "pending")
        overdue = and_(
            exists().where(mine, instance.state == "waiting"), StudyRow.report_deadline <= now
        )
        with Session(self._reader) as session:
            query = select(StudyRow.id).where(
                StudyRow.last_arrival_at <= now - quiet_s,
                or_(pending, overdue), ~running, ~open_association,
            )  # fmt: skip
            return list(session.scalars(query.order_by(StudyRow.last_arrival_at)))

    def route_facts(self, study_id: str) -> list[RouteFacts]:
        """What the routes ask, of every accepted instance of a study."""
        with Session(self._reader) as session:
            rows = session.execute(
                select(InstanceRow.calling_ae_title, InstanceRow.attributes)
                .where(InstanceRow.study_id == study_id)
                .distinct()
            )
            return [RouteFacts(title, dict(attributes or {})) for title, attributes in rows]

    def hold_study(self, study_id: str, *, code: str, now: float) -> None:
        """Quarantine what waits of a study, e.g. because no route takes it."""
        with Session(self._engine) as session, session.begin():
            for row in _open_rows(session, study_id):
                row.state = "quarantined"
                withdraw(session, [row.sop_instance_uid])
                session.add(
                    QuarantineRow(instance_id=row.id, code=code, state="open", created_at=now)
                )

    def claim(
        self, study_id: str, claim: Claim, *, now: float, quiet_s: float,
        is_report: Callable[[InstanceRow], bool],
    ) -> str | None:  # fmt: skip
        """Take a settled study for a run, atomically; None if it stirred meanwhile.

        A report among the new instances takes along the study's counterparts, whose prompts
        it may change, and everything released that refers to them is left to the run.
        """
        with Session(self._engine) as session, session.begin():
            study = session.get_one(StudyRow, study_id)
            rows = _open_rows(session, study_id)
            if not rows or study.last_arrival_at > now - quiet_s:
                return None
            study.generation += 1
            study.report_deadline = None
            run = RunRow(
                id=f"{study.id}-{study.generation}", study_id=study.id, route=claim.route,
                profile=claim.profile, profile_digest=claim.profile_digest,
                state="running", started_at=now, attempts=0,
            )  # fmt: skip
            session.add(run)
            session.flush()
            again: Collection[int] = ()
            if any(is_report(row) for row in rows):
                again = _released_before(session, study_id, claim.profile_digest)
            for row in rows:
                row.state = "running"
            for instance_id in {row.id for row in rows} | set(again):
                session.add(WorkRow(run_id=run.id, instance_id=instance_id, attempts=0))
            return run.id

    def counts(self) -> dict[str, int]:
        """Number of instances by state."""
        with Session(self._reader) as session:
            query = select(InstanceRow.state, func.count()).group_by(InstanceRow.state)
            return {state: count for state, count in session.execute(query)}


def _note_facts(row: InstanceRow, facts: HeaderFacts) -> None:
    row.series_uid = facts.series_uid
    row.modality = facts.modality
    row.attributes = dict(facts.attributes)
    row.demographics_sha256 = facts.demographics_sha256


def _open_rows(session: Session, study_id: str) -> Sequence[InstanceRow]:
    """Instances of a study that wait for a run."""
    rows = session.scalars(
        select(InstanceRow)
        .where(InstanceRow.study_id == study_id, InstanceRow.state.in_(("pending", "waiting")))
        .order_by(InstanceRow.id)
    )
    firsts: dict[str, InstanceRow] = {}
    for row in rows:  # a second content of one UID is the next run's, a generation later
        firsts.setdefault(row.sop_instance_uid, row)
    return list(firsts.values())


def _released_before(session: Session, study_id: str, profile_digest: str) -> Sequence[int]:
    """Released instances that a new report may change: counterparts, and what refers to them."""
    later = aliased(InstanceRow)
    superseded = exists().where(later.supersedes == InstanceRow.id, later.state != "rejected")
    return session.scalars(
        select(InstanceRow.id)
        .where(~superseded)
        .join(ReleaseRow, ReleaseRow.instance_id == InstanceRow.id)
        .where(InstanceRow.study_id == study_id, InstanceRow.state == "done")
        .where(InstanceRow.file.is_not(None), ReleaseRow.profile_digest == profile_digest)
        .where(or_(ReleaseRow.prompt.is_not(None), ReleaseRow.references.is_not(None)))
        .distinct()
    ).all()
