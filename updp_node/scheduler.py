"""The clock of the worker: read what arrived, claim what settled, start what is due.

Every tick is idempotent over the index; a tick that was cut off is simply made again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from updp_node.config import Config, Route
from updp_node.crew import Crew
from updp_node.errors import InstanceError, SpoolError
from updp_node.facts import FactsTask, PairTask, have_same_content, read_facts
from updp_node.line import Line
from updp_node.log import get_logger
from updp_node.model import HeaderFacts
from updp_node.runs import RunSteps
from updp_node.storage.delivery_index import DeliveryIndex
from updp_node.storage.review_index import ReviewIndex
from updp_node.storage.study_index import Candidate, Claim, RouteFacts, StudyIndex
from updp_node.storage.tables import InstanceRow
from updp_node.subject import ProjectKey
from updp_node.workflow import Engine

TICK_S = 0.25
_READ_AT_ONCE = 200
_HOUSEKEEPING_S = 60.0
_SPACE_WAIT_S = 5.0


@dataclass
class Scheduler:
    """Moves instances from received to claimed and deliveries from due to started.

    Attributes
    ----------
    config : Config
    studies : StudyIndex
    deliveries : DeliveryIndex
    review : ReviewIndex
    runs : RunSteps
    lines : Mapping[str, Line]
        By profile name.
    crew : Crew
    engine : Engine
    """

    config: Config
    studies: StudyIndex
    deliveries: DeliveryIndex
    review: ReviewIndex
    runs: RunSteps
    lines: Mapping[str, Line]
    crew: Crew
    engine: Engine
    _started: set[tuple[str, str, int]] = field(default_factory=set)
    _housekept_at: float = 0.0

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop` is set."""
        self.resume_runs()
        while not stop.is_set():
            try:
                pause_s = 0.0 if self.tick(time.time()) else TICK_S
            except SpoolError:
                get_logger().error("no-space-to-work", duration_s=_SPACE_WAIT_S)
                pause_s = _SPACE_WAIT_S
            stop.wait(pause_s)

    def tick(self, now: float) -> bool:
        """Do what is to be done at a time; returns whether more is waiting to be read."""
        count = self.read_arrivals()
        if count < _READ_AT_ONCE:
            self.claim_settled(now)
        self.start_deliveries(now)
        if now - self._housekept_at > _HOUSEKEEPING_S:
            self._housekept_at = now
            self.resume_runs()
            self.forget_expired(now)
        return count == _READ_AT_ONCE

    def resume_runs(self) -> None:
        """Start every claimed run that has no workflow; plan one anew whose workflow is lost."""
        for run_id in self.runs.index.running():
            if not self.engine.start_run(run_id) and run_id in self.runs.index.running():
                self.runs.give_back(run_id, "workflow-lost")

    def read_arrivals(self) -> int:
        """Read the headers of received instances and file them under their studies."""
        rows = self.studies.unread(_READ_AT_ONCE)
        keywords = self.config.route_keywords()
        tasks = [FactsTask(self._staged(row.file), keywords, self._key) for row in rows]
        for row, result in zip(rows, self.crew.map_reading(read_facts, tasks), strict=True):
            if isinstance(result, InstanceError):
                self._hold(row, result.code, result.detail)
            else:
                self._file(row, result)
        return len(rows)

    def claim_settled(self, now: float) -> None:
        """Claim every settled study and start its run."""
        quiet_s = self.config.settling.quiet_s
        for study_id in self.studies.settled(now, quiet_s):
            route = choose_route(self.config.routes, self.studies.route_facts(study_id))
            if route is None:
                self.studies.hold_study(study_id, code="no-route", now=now)
                get_logger().warning("study-held", study_id=study_id, code="no-route")
                continue
            claim = Claim(route.name, route.profile, self.lines[route.profile].profile_digest)
            run_id = self.studies.claim(
                study_id, claim, now=now, quiet_s=quiet_s, is_report=is_report_row
            )
            if run_id is not None:
                get_logger().info("run-started", run_id=run_id, route=route.name)
                self.engine.start_run(run_id)

    def start_deliveries(self, now: float) -> None:
        """Start the attempts whose time has come."""
        for due in self.deliveries.due(now):
            run_id, destination, due_ms = due
            if due in self._started:
                continue
            self._started.add(due)
            if destination in self.config.target_names:
                self.engine.deliver(run_id, destination, due_ms)
            else:
                get_logger().error("destination-gone", run_id=run_id, destination=destination)

    def forget_expired(self, now: float) -> None:
        """Delete staged originals that were kept for their time."""
        before = now - self.config.storage.retain_staged_days * 86_400
        expired = self.review.expired_files(before)
        for instance_id, file in expired:
            self.review.forget_file(instance_id)
            self._staged(file).unlink(missing_ok=True)
        if expired:
            get_logger().info("staged-originals-deleted", count=len(expired))

    def _file(self, row: InstanceRow, facts: HeaderFacts) -> None:
        """Accept an instance, or drop it as a duplicate, or keep it aside as a conflict."""
        if facts.sop_instance_uid != row.sop_instance_uid:
            self._hold(row, "uid-differs-from-request", "(0008,0018)")
            return
        earlier = [
            each
            for each in self.studies.candidates(row.id, row.sop_instance_uid)
            if each.is_done or self._staged(each.file).is_file()
        ]
        if not earlier or row.supersedes is not None:
            if not self.studies.accept(row.id, facts):
                self._hold(row, "patient-mismatch", "(0010,0020)", facts=facts)
        elif any(self._equals(row, each) for each in earlier):
            file = self.studies.drop_duplicate(row.id)
            get_logger().info("duplicate-dropped", instance_id=row.id)
            if file is not None:
                self._staged(file).unlink(missing_ok=True)
        else:
            known = {each.demographics_sha256 for each in earlier}
            merge = facts.demographics_sha256 not in known
            self._hold(row, "patient-merge" if merge else "conflicting-duplicate", facts=facts)

    def _equals(self, row: InstanceRow, earlier: Candidate) -> bool:
        """Whether two instances of one UID are one normalized data set."""
        same_syntax = row.transfer_syntax_uid == earlier.transfer_syntax_uid
        same_bytes = same_syntax and row.sha256 == earlier.sha256
        if earlier.file is None or same_bytes:
            return same_bytes
        pair = PairTask(self._staged(row.file), self._staged(earlier.file))
        (result,) = self.crew.map_reading(have_same_content, [pair])
        return result is True

    def _hold(
        self, row: InstanceRow, code: str, detail: str = "", facts: HeaderFacts | None = None
    ) -> None:
        self.studies.quarantine(row.id, code=code, detail=detail, now=time.time(), facts=facts)
        get_logger().warning("instance-quarantined", instance_id=row.id, code=code)

    @property
    def _key(self) -> ProjectKey:
        return next(iter(self.lines.values())).key

    def _staged(self, file: str | None) -> Path:
        return self.config.identified / (file or "")


def choose_route(routes: Sequence[Route], facts: Sequence[RouteFacts]) -> Route | None:
    """The first route that an instance of the study meets with all its conditions."""
    return next((route for route in routes if any(_matches(route, each) for each in facts)), None)


def _matches(route: Route, facts: RouteFacts) -> bool:
    titles = route.calling_ae_titles
    if titles and facts.calling_ae_title.strip() not in titles:
        return False
    return all(test.holds(facts.attributes.get(test.keyword, "")) for test in route.when)


def is_report_row(row: InstanceRow) -> bool:
    """Whether an instance is a report as far as its modality tells."""
    return row.modality == "SR" or row.findings is not None
