"""The steps of a run: each can be repeated after a crash and finds what it has done already.

    prepare         every instance examined and decided; decisions recorded
    release_batch   counterparts made, instances taken down the line, releases recorded
    end             released instances made findable, the run closed
    deliver         one attempt to bring what a destination is owed

The workflow around them is `updp_node.workflow`; the line itself `updp_node.pipeline`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from updp_node.config import Config
from updp_node.crew import Crew
from updp_node.errors import InstanceError, SpoolError
from updp_node.line import Line, finding_from_record
from updp_node.log import get_logger
from updp_node.model import Counterpart, PixelAction
from updp_node.pipeline import ExamineTask, ReleasedFile, ReleaseTask, examine, release_instance
from updp_node.pixels.anonymity import tell_anonymity
from updp_node.pixels.workshop import SynthesisTask, synthesize
from updp_node.plan import Examined, History
from updp_node.publication import publish, second_contents
from updp_node.run_mapping import make_plan, map_references, to_earlier, to_prompt, to_release
from updp_node.storage.outgoing import Outgoing
from updp_node.storage.released_index import ReleasedIndex
from updp_node.storage.run_index import RunIndex
from updp_node.storage.run_records import Run, Work

_SPACE_WAIT_S = 10.0
Result = TypeVar("Result")
CRASHES_PER_ATTEMPT = 10  # a crash of the whole node is rarely an instance's fault


@dataclass(frozen=True)
class RunSteps:
    """The steps of a run over the two zones.

    Attributes
    ----------
    config : Config
    index : RunIndex
    released : ReleasedIndex
    crew : Crew
    lines : Mapping[str, Line]
        The compiled line of every profile that a route names.
    """

    config: Config
    index: RunIndex
    released: ReleasedIndex
    crew: Crew
    lines: Mapping[str, Line]

    def prepare(self, run_id: str) -> int:
        """Examine and decide every instance of a run; returns the number of batches."""
        return self._patiently(partial(self._prepare, run_id))

    def release_batch(self, run_id: str) -> None:
        """Take the next instances of a run down the line and record their release."""
        batch = self._patiently(partial(self._claim_batch, run_id))
        if batch:
            self._patiently(partial(self._release_batch, run_id, batch))

    def end(self, run_id: str) -> None:
        """Make what a run released findable for researchers and close the run."""
        self._patiently(partial(self._end, run_id))

    def fail(self, run_id: str, error_type: str) -> None:
        """Give a run up after its attempts: what is open in it is quarantined."""
        count = self._patiently(partial(self._fail, run_id))
        get_logger().error("run-failed", run_id=run_id, count=count, error_type=error_type)

    def give_back(self, run_id: str, reason: str) -> None:
        """End a run that cannot go on as planned; what is open in it is planned anew."""
        self._publish(self.index.run(run_id))
        self.index.give_back(run_id, now=time.time())
        get_logger().warning("run-given-back", run_id=run_id, reason=reason)

    def _patiently(self, step: Callable[[], Result]) -> Result:
        """Do a step; wait as long as the disk is full or the index cannot be written."""
        while True:
            try:
                return step()
            except SpoolError:
                get_logger().error("no-space-to-work", duration_s=_SPACE_WAIT_S)
                time.sleep(_SPACE_WAIT_S)

    def _prepare(self, run_id: str) -> int:
        run = self.index.run(run_id)
        if run.state != "running":
            return 0
        line = self._line(run)
        if line is None:
            self.give_back(run_id, "configuration-changed")
            return 0
        works = self.index.works(run_id, open_only=True)
        if any(work.action is None for work in works):
            self._decide(run, line, works)
        still_open = len(self.index.works(run_id, open_only=True))
        return -(-still_open // self.config.work.batch_instances)

    def _line(self, run: Run) -> Line | None:
        """The line a run was planned for; None if configuration or node changed since."""
        line = self.lines.get(run.profile)
        routed = any(route.name == run.route for route in self.config.routes)
        if line is None or line.profile_digest != run.profile_digest or not routed:
            return None
        return line

    def _claim_batch(self, run_id: str) -> list[Work]:
        """The next open instances of a run, with one more attempt counted for each."""
        run = self.index.run(run_id)
        if run.state != "running":
            return []
        if self._line(run) is None:  # a recorded `prepare` is not made again after an upgrade
            self.give_back(run_id, "configuration-changed")
            return []
        works = self.index.works(run_id, open_only=True)[: self.config.work.batch_instances]
        return self._count_attempts(run, works)

    def _release_batch(self, run_id: str, batch: Sequence[Work]) -> None:
        run = self.index.run(run_id)
        tasks = self._make_tasks(run, self.index.works(run_id), batch)
        releases = []
        for work, result in zip(batch, self.crew.map_cpu(_release_or_error, tasks), strict=True):
            if isinstance(result, InstanceError):
                self._quarantine(run_id, work.instance_id, result)
            else:
                releases.append(to_release(work, result, self.outgoing.root))
        for each in second_contents(releases, index=self.index, released=self.released):
            releases.remove(each)
            self.outgoing.discard(each.file)
            self._quarantine(run_id, each.instance_id, InstanceError("released-instance-differs"))
        route = next(route for route in self.config.routes if route.name == run.route)
        waiting = self.index.release(
            run_id, releases, destinations=route.destinations, now=time.time()
        )
        for each in releases:
            if each.instance_id in waiting:
                self.outgoing.discard(each.file)  # drawn anew once enough others share its prompt
        count = len(releases) - len(waiting)
        get_logger().info("batch-released", run_id=run_id, count=count)
        if waiting:
            get_logger().info("prompt-shared-by-too-few", run_id=run_id, count=len(waiting))

    def _end(self, run_id: str) -> None:
        run = self.index.run(run_id)
        if run.state == "running":
            count = self._publish(run)
            self.index.end(run_id, state="done", now=time.time())
            duration_s = round(time.time() - run.started_at, 3)
            get_logger().info("run-done", run_id=run_id, count=count, duration_s=duration_s)

    def _fail(self, run_id: str) -> int:
        self._publish(self.index.run(run_id))
        return self.index.fail(run_id, code="run-failed", now=time.time())

    def _publish(self, run: Run) -> int:
        """Bring what a run released to the released zone, findable; returns how many."""
        return publish(
            run, index=self.index, released=self.released, crew=self.crew,
            outgoing=self.outgoing, project=self.config.project.name,
        )  # fmt: skip

    def _decide(self, run: Run, line: Line, works: Sequence[Work]) -> None:
        """Examine the instances, decide, and record it all at once."""
        tasks = [ExamineTask(self._staged(work), line) for work in works]
        examined: dict[int, Examined] = {}
        for work, result in zip(works, self.crew.map_cpu(examine, tasks), strict=True):
            if isinstance(result, InstanceError):
                self._quarantine(run.id, work.instance_id, result)
            else:
                examined[work.instance_id] = result
        known = [work for work in works if work.instance_id in examined]
        deadline = self._deadline(run, line)
        plan = make_plan(
            line, self.crew, [(work, examined[work.instance_id]) for work in known],
            self._history(run, known), may_wait=time.time() < deadline,
            threads=self.config.work.torch_threads,
        )  # fmt: skip
        records = self.index.decide(run.id, plan, report_deadline=deadline, now=time.time())
        for fate, count in Counter(each.outcome or "release" for each in records).items():
            get_logger().info("instances-decided", run_id=run.id, status=fate, count=count)

    def _deadline(self, run: Run, line: Line) -> float:
        """Until when images of this run's study wait for their report (Unix seconds)."""
        if not line.wait_for_report:
            return 0.0
        return self.index.first_arrival(run.study_id) + self.config.settling.report_wait_s

    def _history(self, run: Run, works: Sequence[Work]) -> History:
        by_uid = {work.sop_instance_uid: work for work in works}
        releases = self.index.study_releases(run.study_id, run.profile_digest)
        earlier = {uid: to_earlier(known, by_uid.get(uid)) for uid, known in releases.items()}
        findings = tuple(
            finding_from_record(each) for each in self.index.study_findings(run.study_id)
        )
        actions = frozenset(map(PixelAction, self.index.released_actions(run.study_id)))
        return History(earlier, actions, findings, self.index.has_report(run.study_id))

    def _count_attempts(self, run: Run, batch: Sequence[Work]) -> list[Work]:
        """Count an attempt at each instance; quarantine what was attempted too often."""
        counts = self.index.count_attempts(run.id, [work.instance_id for work in batch])
        limit = self.config.work.attempts * CRASHES_PER_ATTEMPT
        kept = []
        for work in batch:
            if counts[work.instance_id] > limit:
                error = InstanceError("attempts-exhausted", f"{limit} attempts")
                self._quarantine(run.id, work.instance_id, error)
            else:
                kept.append(work)
        return kept

    def _make_tasks(
        self, run: Run, everything: Sequence[Work], batch: Sequence[Work]
    ) -> list[ReleaseTask | InstanceError]:
        """The release tasks of a batch; an error stands for an instance without counterpart."""
        line = self.lines[run.profile]
        counterparts = self._synthesize(line, batch)
        named = {uid for work in batch for uid in work.references}
        known = self.index.known(
            {*named, *(work.sop_instance_uid for work in everything)}, run.profile_digest
        )
        witnesses = tuple(self._root / file for file in self.index.witnesses(run.study_id))
        generations, classes = map_references(everything, known)
        make = partial(
            ReleaseTask, line=line, generations=generations, replaced_classes=classes,
            witnesses=witnesses, folder=self.outgoing.files, replace=True,
            created=datetime.fromtimestamp(run.started_at, UTC),
        )  # fmt: skip
        tasks: list[ReleaseTask | InstanceError] = []
        for work in batch:
            counterpart = counterparts.get(work.instance_id)
            if isinstance(counterpart, InstanceError):
                tasks.append(counterpart)
                continue
            tasks.append(
                make(path=self._root / (work.file or ""), generation=work.generation or 1,
                     action=PixelAction(work.action or ""), counterpart=counterpart,
                     anonymity=tell_anonymity(line.anonymity.gate, k_map=work.k_map,
                                              k_released=work.k_released))
            )  # fmt: skip
        return tasks

    def _synthesize(
        self, line: Line, batch: Sequence[Work]
    ) -> dict[int, Counterpart | InstanceError]:
        """Counterparts of the instances that have a prompt, by instance id."""
        wanted = [work for work in batch if work.prompt is not None]
        tasks = [
            SynthesisTask(
                line.tools, to_prompt(work), int(work.seed or "0"), line.max_candidates,
                self.config.work.torch_threads,
            )
            for work in wanted
        ]  # fmt: skip
        results = self.crew.map_synthesis(synthesize, tasks)
        return {work.instance_id: each for work, each in zip(wanted, results, strict=True)}

    def _quarantine(self, run_id: str, instance_id: int, error: InstanceError) -> None:
        self.index.quarantine(
            run_id, instance_id, code=error.code, detail=error.detail, now=time.time()
        )
        get_logger().warning(
            "instance-quarantined", run_id=run_id, instance_id=instance_id, code=error.code
        )

    def _staged(self, work: Work) -> Path:
        return self._root / (work.file or "")

    @property
    def outgoing(self) -> Outgoing:
        """Where files wait for the record of their release."""
        return Outgoing(self._root / "outgoing", self.config.released)

    @property
    def _root(self) -> Path:
        return self.config.identified


def _release_or_error(task: ReleaseTask | InstanceError) -> ReleasedFile:
    """Take one instance down the line; an instance without counterpart keeps its reason."""
    if isinstance(task, InstanceError):
        raise task
    return release_instance(task)
