"""What operators look at: jobs, quarantine, the mapping of a source to its release. No PHI."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session, aliased

from updp_node.errors import NodeError
from updp_node.storage.database import reading
from updp_node.storage.tables import (
    DeliveryRow,
    InstanceRow,
    QuarantineRow,
    ReleaseRow,
    RunRow,
    StudyRow,
    WorkRow,
)


@dataclass(frozen=True, slots=True)
class Job:
    """A run with the counts of its outcomes and deliveries."""

    run_id: str
    route: str
    profile: str
    state: str
    started_at: float
    ended_at: float | None
    outcomes: dict[str, int]
    deliveries: dict[str, dict[str, int]]
    codes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """An instance in quarantine. ``detail`` holds tags, codes and counts."""

    id: int
    instance_id: int
    run_id: str | None
    code: str
    detail: str
    state: str
    created_at: float
    modality: str | None
    sop_class_uid: str


class ReviewIndex:
    """The identified index as an operator sees it.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reading(engine)

    def jobs(self, *, limit: int = 50, run_id: str | None = None) -> list[Job]:
        """The newest runs, or one."""
        query = select(RunRow).order_by(RunRow.started_at.desc()).limit(limit)
        if run_id is not None:
            query = query.where(RunRow.id == run_id)
        with Session(self._reader) as session:
            return [_to_job(session, row) for row in session.scalars(query)]

    def held(self, *, state: str | None = "open", id_: int | None = None) -> list[Held]:
        """Quarantined instances, oldest first."""
        query = select(QuarantineRow, InstanceRow).join(
            InstanceRow, InstanceRow.id == QuarantineRow.instance_id
        )
        if id_ is not None:
            query = query.where(QuarantineRow.id == id_)
        elif state is not None:
            query = query.where(QuarantineRow.state == state)
        with Session(self._reader) as session:
            return [
                Held(held.id, instance.id, held.run_id, held.code, held.detail, held.state,
                     held.created_at, instance.modality, instance.sop_class_uid)
                for held, instance in session.execute(query.order_by(QuarantineRow.id))
            ]  # fmt: skip

    def release_held(self, id_: int, *, now: float) -> None:
        """Send a quarantined instance through the line again; the gate has the last word.

        Raises
        ------
        NodeError
            There is no open entry of that number.
        """
        with Session(self._engine) as session, session.begin():
            held = _open_entry(session, id_)
            instance = session.get_one(InstanceRow, held.instance_id)
            held.state, held.resolved_at = "released", now
            if instance.study_id is None:
                instance.state = "received"
                _supersede_earlier(session, instance)
            else:
                instance.state = "pending"

    def reject_held(self, id_: int, *, now: float) -> str | None:
        """Give a quarantined instance up; returns its staged file, to be deleted.

        Raises
        ------
        NodeError
            There is no open entry of that number.
        """
        with Session(self._engine) as session, session.begin():
            held = _open_entry(session, id_)
            instance = session.get_one(InstanceRow, held.instance_id)
            held.state, held.resolved_at = "rejected", now
            instance.state = "rejected"
            file, instance.file = instance.file, None
            return file

    def expired_files(self, before: float, limit: int = 500) -> list[tuple[int, str]]:
        """Staged files of ended instances received before a time, that no study at work needs."""
        other = aliased(InstanceRow)
        at_work = exists().where(
            other.study_id == InstanceRow.study_id,
            other.state.in_(("pending", "waiting", "running")),
        )
        running = exists().where(RunRow.study_id == InstanceRow.study_id, RunRow.state == "running")
        with Session(self._reader) as session:
            rows = session.execute(
                select(InstanceRow.id, InstanceRow.file)
                .where(~at_work, ~running)
                .where(InstanceRow.received_at < before, InstanceRow.file.is_not(None))
                .where(InstanceRow.state.in_(("done", "duplicate", "rejected")))
                .limit(limit)
            )
            return [(id_, file) for id_, file in rows if file is not None]

    def forget_file(self, instance_id: int) -> None:
        """Note that a staged file was deleted."""
        with Session(self._engine) as session, session.begin():
            session.get_one(InstanceRow, instance_id).file = None

    def mapping(self) -> dict[str, str]:
        """Source SOP Instance UID to the released file of its newest generation."""
        with Session(self._reader) as session:
            rows = session.execute(
                select(ReleaseRow.source_uid, ReleaseRow.file).order_by(ReleaseRow.generation)
            )
            return {source_uid: file for source_uid, file in rows}

    def backlog(self) -> dict[str, int]:
        """Counts an operator watches: instances by state, open quarantine, deliveries by state."""
        with Session(self._reader) as session:
            counts: Counter[str] = Counter()
            for state, count in session.execute(
                select(InstanceRow.state, func.count()).group_by(InstanceRow.state)
            ):
                counts[f"instances {state}"] = count
            for state, count in session.execute(
                select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
            ):
                counts[f"deliveries {state}"] = count
            counts["studies"] = session.scalar(select(func.count()).select_from(StudyRow)) or 0
            return dict(counts)


def _open_entry(session: Session, id_: int) -> QuarantineRow:
    held = session.get(QuarantineRow, id_)
    if held is None or held.state != "open":
        raise NodeError(f"quarantine has no open entry {id_}")
    return held


def _supersede_earlier(session: Session, instance: InstanceRow) -> None:
    """An operator let a conflicting instance in: it comes after the one it conflicts with."""
    earlier = session.scalar(
        select(InstanceRow.id)
        .where(InstanceRow.sop_instance_uid == instance.sop_instance_uid)
        .where(InstanceRow.id < instance.id)
        .where(InstanceRow.state.not_in(("duplicate", "rejected")))
        .order_by(InstanceRow.id.desc())
    )
    instance.supersedes = earlier


def _to_job(session: Session, row: RunRow) -> Job:
    outcomes = {
        outcome or "open": count
        for outcome, count in session.execute(
            select(WorkRow.outcome, func.count())
            .where(WorkRow.run_id == row.id)
            .group_by(WorkRow.outcome)
        )
    }
    deliveries: dict[str, dict[str, int]] = {}
    codes: dict[str, str] = {}
    for destination, state, code, count in session.execute(
        select(DeliveryRow.destination, DeliveryRow.state, DeliveryRow.code, func.count())
        .where(DeliveryRow.run_id == row.id)
        .group_by(DeliveryRow.destination, DeliveryRow.state, DeliveryRow.code)
    ):
        states = deliveries.setdefault(destination, {})
        states[state] = states.get(state, 0) + count
        if code:
            codes[destination] = code
    return Job(row.id, row.route, row.profile, row.state, row.started_at, row.ended_at,
               outcomes, deliveries, codes)  # fmt: skip
