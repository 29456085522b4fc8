"""Runs: what was decided for each instance, what became of it, what was released.

Every method is one transaction; a step that is run again finds what it has done already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import Engine, func, or_, select, update
from sqlalchemy.orm import Session

from updp_node.storage.database import reading
from updp_node.storage.prompt_index import PromptDesk, pass_barrier, withdraw
from updp_node.storage.run_records import Known, Release, Run, Work, WorkDecision
from updp_node.storage.run_rows import (
    add_release,
    hold,
    is_released,
    to_known,
    to_release,
    to_work,
)
from updp_node.storage.tables import (
    InstanceRow,
    ReleaseRow,
    RunRow,
    StudyRow,
    WorkRow,
)

_DECIDED = (
    "action", "generation", "prompt", "unrendered", "withheld", "k_map", "k_released", "seed",
    "outcome",
)  # fmt: skip


class RunIndex:
    """The identified index as a run sees it.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reading(engine)

    def running(self) -> list[str]:
        """Runs that are not ended, oldest first; taken up again at every start."""
        with Session(self._reader) as session:
            query = select(RunRow.id).where(RunRow.state == "running")
            return list(session.scalars(query.order_by(RunRow.started_at)))

    def run(self, run_id: str) -> Run:
        """One run."""
        with Session(self._reader) as session:
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
        with Session(self._reader) as session:
            rows = session.execute(query.order_by(WorkRow.instance_id))
            return [to_work(work, instance) for work, instance in rows]

    def study_findings(self, study_id: str) -> list[dict[str, str]]:
        """Findings of every report of a study that was read before."""
        with Session(self._reader) as session:
            rows = session.scalars(
                select(InstanceRow.findings)
                .where(InstanceRow.study_id == study_id, InstanceRow.findings.is_not(None))
                .where(InstanceRow.state.not_in(("duplicate", "rejected", "quarantined")))
            )
            return [finding for findings in rows for finding in findings or []]

    def has_report(self, study_id: str) -> bool:
        """Whether a report of the study was read before."""
        query = select(InstanceRow.id).where(
            InstanceRow.study_id == study_id,
            InstanceRow.findings.is_not(None),
            InstanceRow.state.not_in(("duplicate", "rejected", "quarantined")),
        )
        with Session(self._reader) as session:
            return session.scalar(query.limit(1)) is not None

    def known(self, source_uids: Iterable[str], profile_digest: str) -> dict[str, Known]:
        """Newest releases under a profile, by source SOP Instance UID."""
        wanted = sorted(set(source_uids))
        found: dict[str, Known] = {}
        with Session(self._reader) as session:
            for start in range(0, len(wanted), 500):
                rows = session.scalars(
                    select(ReleaseRow)
                    .where(ReleaseRow.source_uid.in_(wanted[start : start + 500]))
                    .where(ReleaseRow.profile_digest == profile_digest)
                    .order_by(ReleaseRow.generation)
                )
                for row in rows:
                    found[row.source_uid] = to_known(row)
        return found

    def study_releases(self, study_id: str, profile_digest: str) -> dict[str, Known]:
        """Newest releases of a whole study under a profile, by source SOP Instance UID."""
        with Session(self._reader) as session:
            uids = session.scalars(
                select(InstanceRow.sop_instance_uid).where(InstanceRow.study_id == study_id)
            ).all()
        return self.known(uids, profile_digest)

    def released_actions(self, study_id: str) -> set[str]:
        """Pixel actions of everything released of a study, under whatever profile."""
        query = (
            select(ReleaseRow.action)
            .join(InstanceRow, InstanceRow.id == ReleaseRow.instance_id)
            .where(InstanceRow.study_id == study_id)
            .distinct()
        )
        with Session(self._reader) as session:
            return set(session.scalars(query))

    def decide(
        self, run_id: str, plan: Callable[[PromptDesk], Sequence[WorkDecision]], *,
        report_deadline: float, now: float,
    ) -> Sequence[WorkDecision]:  # fmt: skip
        """Plan a run and record every decision in one commit, before anything is written.

        Parameters
        ----------
        plan : callable
            Decides, with the desk where prompts are reserved: what it reserves and what it
            decides become durable together. Quick, since it holds the write lock.
        report_deadline : float
            Until when what waits for a report waits (Unix seconds).
        """
        with Session(self._engine) as session, session.begin():
            run = session.get_one(RunRow, run_id)
            decisions = plan(PromptDesk(session, run.study_id, now=now))
            given_up = []
            for decision in decisions:
                work = session.get_one(WorkRow, (run_id, decision.instance_id))
                instance = session.get_one(InstanceRow, decision.instance_id)
                for name in _DECIDED:
                    setattr(work, name, getattr(decision, name))
                work.references = decision.references or None
                if decision.findings is not None:
                    instance.findings = decision.findings
                if decision.outcome == "waiting":
                    deadline = None if decision.code else report_deadline
                    session.get_one(StudyRow, run.study_id).report_deadline = deadline
                    instance.state = "waiting"
                elif decision.outcome == "quarantined":
                    hold(session, run_id, instance, code=decision.code, detail="", now=now)
                elif decision.outcome is not None:
                    instance.state = "done"
                if decision.prompt is None and not (decision.outcome and decision.code):
                    given_up.append(instance.sop_instance_uid)
            withdraw(session, given_up)
            return decisions

    def release(
        self, run_id: str, releases: Sequence[Release], *, destinations: Sequence[str], now: float
    ) -> list[int]:
        """Record released instances and what is owed to each destination, in one commit.

        From this commit on the files are immutable. A counterpart whose prompt too few others
        have come down the line with goes back to waiting; its file is not recorded, and comes
        nowhere.

        Returns
        -------
        list of int
            Instances that wait.
        """
        waiting = []
        with Session(self._engine) as session, session.begin():
            run = session.get_one(RunRow, run_id)
            for each in releases:
                work = session.get_one(WorkRow, (run_id, each.instance_id))
                instance = session.get_one(InstanceRow, each.instance_id)
                if not pass_barrier(session, each.source_uid, now=now):
                    session.get_one(StudyRow, run.study_id).report_deadline = None
                    work.outcome = instance.state = "waiting"
                    waiting.append(each.instance_id)
                    continue
                if not is_released(session, each):
                    add_release(session, run, each, destinations, now)
                work.outcome, instance.state = "released", "done"
        return waiting

    def recorded(self, uids: Collection[str]) -> dict[str, str]:
        """Of released SOP Instance UIDs those that are recorded, with their SHA-256."""
        wanted, found = sorted(uids), dict[str, str]()
        columns = (ReleaseRow.sop_instance_uid, ReleaseRow.sha256)
        with Session(self._reader) as session:
            for start in range(0, len(wanted), 500):
                chosen = ReleaseRow.sop_instance_uid.in_(wanted[start : start + 500])
                rows = session.execute(select(*columns).where(chosen))
                found |= {uid: sha256 for uid, sha256 in rows}
        return found

    def quarantine(
        self, run_id: str, instance_id: int, *, code: str, detail: str, now: float
    ) -> None:
        """Hold an instance of a run back with its reason; its bytes are kept."""
        with Session(self._engine) as session, session.begin():
            session.get_one(WorkRow, (run_id, instance_id)).outcome = "quarantined"
            instance = session.get_one(InstanceRow, instance_id)
            hold(session, run_id, instance, code=code, detail=detail, now=now)

    def fail(self, run_id: str, *, code: str, now: float) -> int:
        """Quarantine whatever is open in a run and end it; returns how many were open."""
        with Session(self._engine) as session, session.begin():
            open_works = session.scalars(
                select(WorkRow).where(WorkRow.run_id == run_id, WorkRow.outcome.is_(None))
            ).all()
            for work in open_works:
                work.outcome = "quarantined"
                instance = session.get_one(InstanceRow, work.instance_id)
                hold(session, run_id, instance, code=code, detail="", now=now)
            run = session.get_one(RunRow, run_id)
            run.state, run.ended_at = "failed", now
            return len(open_works)

    def count_attempts(self, run_id: str, instance_ids: Sequence[int]) -> dict[int, int]:
        """Count one more attempt, durably before it is made; returns the counts."""
        with Session(self._engine) as session, session.begin():
            works = [session.get_one(WorkRow, (run_id, id_)) for id_ in instance_ids]
            for work in works:
                work.attempts += 1
            return {work.instance_id: work.attempts for work in works}

    def witnesses(self, study_id: str, limit: int = 20) -> list[str]:
        """Staged files whose identifiers stand for a study: its reports, one file a series."""
        row = InstanceRow
        mine = (row.study_id == study_id, row.file.is_not(None), row.state != "rejected")
        firsts = select(func.min(row.id)).where(*mine).group_by(row.series_uid)
        chosen = or_(row.findings.is_not(None), row.modality == "SR", row.id.in_(firsts))
        with Session(self._reader) as session:
            files = session.scalars(select(row.file).where(*mine, chosen).limit(limit))
            return [file for file in files if file is not None]

    def give_back(self, run_id: str, *, now: float) -> None:
        """End a run that cannot go on as it was planned; its study is claimed again."""
        with Session(self._engine) as session, session.begin():
            for work in session.scalars(
                select(WorkRow).where(WorkRow.run_id == run_id, WorkRow.outcome.is_(None))
            ):
                work.outcome = "given back"
                instance = session.get_one(InstanceRow, work.instance_id)
                if instance.state == "running":
                    instance.state = "pending"
            run = session.get_one(RunRow, run_id)
            run.state, run.ended_at = "failed", now

    def releases(self, run_id: str) -> list[Release]:
        """What a run released."""
        with Session(self._reader) as session:
            rows = session.scalars(select(ReleaseRow).where(ReleaseRow.run_id == run_id))
            return [to_release(row) for row in rows]

    def first_arrival(self, study_id: str) -> float:
        """When the first instance of a study that is not done arrived (Unix seconds)."""
        query = select(func.min(InstanceRow.received_at)).where(
            InstanceRow.study_id == study_id, InstanceRow.state.in_(("running", "waiting"))
        )
        with Session(self._reader) as session:
            return session.scalar(query) or 0.0

    def superseded_uid(self, release: Release, profile_digest: str) -> str | None:
        """Released SOP Instance UID of the generation before a release."""
        query = select(ReleaseRow.sop_instance_uid).where(
            ReleaseRow.source_uid == release.source_uid,
            ReleaseRow.generation == release.generation - 1,
            ReleaseRow.profile_digest == profile_digest,
        )
        with Session(self._reader) as session:
            return session.scalar(query)

    def end(self, run_id: str, *, state: str, now: float) -> None:
        """End a run."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(RunRow).where(RunRow.id == run_id).values(state=state, ended_at=now)
            )
