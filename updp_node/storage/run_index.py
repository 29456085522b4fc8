"""Runs: what was decided for each instance, what became of it, what was released.

Every method is one transaction and can be repeated: a step that is run again after a
crash finds what it has done already.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

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
    attempts: int


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
    """What `RunIndex.decide` records before anything is written."""

    instance_id: int
    action: str
    generation: int
    prompt: list[str] | None
    unrendered: list[str] | None
    seed: str | None
    findings: list[dict[str, str]] | None


@dataclass(frozen=True, slots=True)
class Release:
    """A released instance, as it is recorded."""

    instance_id: int
    source_uid: str
    generation: int
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
    prompt: list[str] | None
    references: list[str]
    sop_instance_uid: str
    sop_class_uid: str


class RunIndex:
    """The identified index as a run sees it.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def running(self) -> list[str]:
        """Runs that are not ended, oldest first; taken up again at every start."""
        with Session(self._engine) as session:
            query = select(RunRow.id).where(RunRow.state == "running")
            return list(session.scalars(query.order_by(RunRow.started_at)))

    def run(self, run_id: str) -> Run:
        """One run."""
        with Session(self._engine) as session:
            row = session.get_one(RunRow, run_id)
            return Run(row.id, row.study_id, row.route, row.profile, row.profile_digest,
                       row.started_at, row.state)  # fmt: skip

    def works(self, run_id: str, *, open_only: bool = False) -> list[Work]:
        """The instances of a run in the order they were received."""
        query = (
            select(WorkRow, InstanceRow)
            .join(InstanceRow, InstanceRow.id == WorkRow.instance_id)
            .where(WorkRow.run_id == run_id)
        )
        if open_only:
            query = query.where(WorkRow.outcome.is_(None))
        with Session(self._engine) as session:
            rows = session.execute(query.order_by(WorkRow.instance_id))
            return [_to_work(work, instance) for work, instance in rows]

    def study_findings(self, study_id: str) -> list[dict[str, str]]:
        """Findings of every report of a study that was read before."""
        with Session(self._engine) as session:
            rows = session.scalars(
                select(InstanceRow.findings)
                .where(InstanceRow.study_id == study_id, InstanceRow.findings.is_not(None))
                .where(InstanceRow.state.not_in(("duplicate", "rejected", "quarantined")))
            )
            return [finding for findings in rows for finding in findings or []]

    def has_report(self, study_id: str) -> bool:
        """Whether a report of the study was read before."""
        query = select(InstanceRow.id).where(
            InstanceRow.study_id == study_id, InstanceRow.findings.is_not(None)
        )
        with Session(self._engine) as session:
            return session.scalar(query.limit(1)) is not None

    def known(self, source_uids: Iterable[str], profile_digest: str) -> dict[str, Known]:
        """Newest releases under a profile, by source SOP Instance UID."""
        wanted = sorted(set(source_uids))
        found: dict[str, Known] = {}
        with Session(self._engine) as session:
            for start in range(0, len(wanted), 500):
                rows = session.scalars(
                    select(ReleaseRow)
                    .where(ReleaseRow.source_uid.in_(wanted[start : start + 500]))
                    .where(ReleaseRow.profile_digest == profile_digest)
                    .order_by(ReleaseRow.generation)
                )
                for row in rows:
                    found[row.source_uid] = _to_known(row)
        return found

    def study_releases(self, study_id: str, profile_digest: str) -> dict[str, Known]:
        """Newest releases of a whole study under a profile, by source SOP Instance UID."""
        with Session(self._engine) as session:
            uids = session.scalars(
                select(InstanceRow.sop_instance_uid).where(InstanceRow.study_id == study_id)
            ).all()
        return self.known(uids, profile_digest)

    def decide(self, run_id: str, decisions: Sequence[WorkDecision]) -> None:
        """Record every decision of a run at once, before anything is written."""
        with Session(self._engine) as session, session.begin():
            for decision in decisions:
                key = (run_id, decision.instance_id)
                work = session.get(WorkRow, key)
                if work is None:
                    work = WorkRow(run_id=run_id, instance_id=decision.instance_id, attempts=0)
                    session.add(work)
                work.action = decision.action
                work.generation = decision.generation
                work.prompt = decision.prompt
                work.unrendered = decision.unrendered
                work.seed = decision.seed
                if decision.findings is not None:
                    instance = session.get_one(InstanceRow, decision.instance_id)
                    instance.findings = decision.findings

    def wait_for_report(self, run_id: str, instance_ids: Sequence[int], deadline: float) -> None:
        """Put images back to wait for the report of their study."""
        with Session(self._engine) as session, session.begin():
            run = session.get_one(RunRow, run_id)
            study = session.get_one(StudyRow, run.study_id)
            study.report_deadline = deadline
            for instance_id in instance_ids:
                session.get_one(InstanceRow, instance_id).state = "waiting"
                session.get_one(WorkRow, (run_id, instance_id)).outcome = "waiting"

    def close_work(self, run_id: str, instance_id: int, outcome: str) -> None:
        """Note that an instance left the run without a release: dropped or unchanged."""
        with Session(self._engine) as session, session.begin():
            session.get_one(WorkRow, (run_id, instance_id)).outcome = outcome
            session.get_one(InstanceRow, instance_id).state = "done"

    def release(
        self, run_id: str, releases: Sequence[Release], *, destinations: Sequence[str], now: float
    ) -> None:
        """Record released instances and what is owed to each destination, in one commit.

        From this commit on the files are immutable.
        """
        with Session(self._engine) as session, session.begin():
            run = session.get_one(RunRow, run_id)
            for each in releases:
                if not _is_released(session, each):
                    _add_release(session, run, each, destinations, now)
                session.get_one(WorkRow, (run_id, each.instance_id)).outcome = "released"
                session.get_one(InstanceRow, each.instance_id).state = "done"

    def is_released(self, sop_instance_uid: str) -> bool:
        """Whether a released SOP Instance UID was recorded, so that its file is immutable."""
        query = select(ReleaseRow.id).where(ReleaseRow.sop_instance_uid == sop_instance_uid)
        with Session(self._engine) as session:
            return session.scalar(query) is not None

    def quarantine(
        self, run_id: str, instance_id: int, *, code: str, detail: str, now: float
    ) -> None:
        """Hold an instance of a run back with its reason; its bytes are kept."""
        with Session(self._engine) as session, session.begin():
            session.get_one(WorkRow, (run_id, instance_id)).outcome = "quarantined"
            instance = session.get_one(InstanceRow, instance_id)
            instance.state = "quarantined"
            session.add(
                QuarantineRow(instance_id=instance_id, run_id=run_id, code=code,
                              detail=detail[:500], state="open", created_at=now)
            )  # fmt: skip

    def count_attempt(self, run_id: str, instance_id: int) -> int:
        """Count one more attempt at an instance, durably before it is made; returns the count."""
        with Session(self._engine) as session, session.begin():
            work = session.get_one(WorkRow, (run_id, instance_id))
            work.attempts += 1
            return work.attempts

    def end(self, run_id: str, *, state: str, now: float) -> None:
        """End a run."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(RunRow).where(RunRow.id == run_id).values(state=state, ended_at=now)
            )


def _to_work(work: WorkRow, instance: InstanceRow) -> Work:
    return Work(
        instance.id, instance.file, instance.sop_instance_uid, instance.sop_class_uid,
        instance.state, instance.supersedes, instance.findings, work.outcome, work.action,
        work.generation, work.prompt, work.unrendered, work.seed, work.attempts,
    )  # fmt: skip


def _to_known(row: ReleaseRow) -> Known:
    return Known(row.instance_id, row.generation, row.prompt, list(row.references or ()),
                 row.sop_instance_uid, row.sop_class_uid)  # fmt: skip


def _is_released(session: Session, release: Release) -> bool:
    query = select(ReleaseRow.id).where(ReleaseRow.sop_instance_uid == release.sop_instance_uid)
    return session.scalar(query) is not None


def _add_release(
    session: Session, run: RunRow, release: Release, destinations: Sequence[str], now: float
) -> None:
    row = ReleaseRow(
        instance_id=release.instance_id, run_id=run.id, source_uid=release.source_uid,
        profile_digest=run.profile_digest, generation=release.generation, prompt=release.prompt,
        references=release.references or None, sop_instance_uid=release.sop_instance_uid,
        sop_class_uid=release.sop_class_uid, study_uid=release.study_uid,
        series_uid=release.series_uid, transfer_syntax_uid=release.transfer_syntax_uid,
        file=release.file, sha256=release.sha256, released_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    for destination in destinations:
        session.add(
            DeliveryRow(release_id=row.id, destination=destination, run_id=run.id,
                        state="pending", attempts=0, next_try_at=now)
        )  # fmt: skip
