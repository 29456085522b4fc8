"""The durable workflows around the line. Only this module knows DBOS.

One workflow per run of a settled study, one per attempt at a delivery. DBOS keeps the
arguments, results and errors of workflows and steps: opaque ids, counts and reason codes
only. A step that was interrupted is run again from its start; `updp_node.runs` tells why
that is harmless.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar

from dbos import DBOS, DBOSConfiguredInstance, Queue, SetWorkflowID
from dbos._error import DBOSMaxStepRetriesExceeded

from updp_node.delivery import Deliveries
from updp_node.errors import NodeError
from updp_node.log import get_logger
from updp_node.runs import RunSteps
from updp_node.storage.database import open_workflow_engine, sqlite_url

EXECUTOR_ID = "worker"
APPLICATION_VERSION = "1"
"""Raised only when the order of steps changes; the worker is then drained before an upgrade."""
STUDY_QUEUE = "updp studies"
_POLL_S = 0.2
_ENDED = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS")

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class StepError(NodeError):
    """A step failed; names the kind of error and nothing of its text."""


def _opaque(step: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Keep the text of an unexpected error out of DBOS's tables: it may hold values."""

    @functools.wraps(step)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return step(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # the boundary of the workflow
            kind = type(error).__name__
            get_logger().error("step-failed", stage=step.__name__, error_type=kind)
            raise StepError(kind) from None

    return call


def _kind_of(error: DBOSMaxStepRetriesExceeded) -> str:
    """The kind of the last error of a step that was tried too often."""
    return str(error.errors[-1]) if error.errors else type(error).__name__


@DBOS.dbos_class()
class Workflows(DBOSConfiguredInstance):
    """The workflows of one worker.

    Parameters
    ----------
    runs : RunSteps
    deliveries : Deliveries
    """

    def __init__(self, runs: RunSteps, deliveries: Deliveries) -> None:
        super().__init__(config_name="worker")
        self._runs = runs
        self._deliveries = deliveries

    @DBOS.workflow()
    def run_study(self, run_id: str) -> None:
        """One settled study from the staged bytes to the released zone."""
        try:
            for _ in range(self.prepare(run_id)):
                self.release_batch(run_id)
            self.end(run_id)
        except DBOSMaxStepRetriesExceeded as error:  # attempts are capped: then quarantine
            self.fail(run_id, _kind_of(error))

    @DBOS.step(retries_allowed=True, max_attempts=5, interval_seconds=2)
    @_opaque
    def prepare(self, run_id: str) -> int:
        """See `RunSteps.prepare`."""
        return self._runs.prepare(run_id)

    @DBOS.step(retries_allowed=True, max_attempts=5, interval_seconds=2)
    @_opaque
    def release_batch(self, run_id: str) -> None:
        """See `RunSteps.release_batch`."""
        self._runs.release_batch(run_id)

    @DBOS.step(retries_allowed=True, max_attempts=5, interval_seconds=2)
    @_opaque
    def end(self, run_id: str) -> None:
        """See `RunSteps.end`."""
        self._runs.end(run_id)

    @DBOS.step(retries_allowed=True, max_attempts=100, interval_seconds=2)
    @_opaque
    def fail(self, run_id: str, error_type: str) -> None:
        """See `RunSteps.fail`."""
        self._runs.fail(run_id, error_type)

    @DBOS.workflow()
    def deliver(self, run_id: str, destination: str) -> None:
        """One attempt to bring what a destination is owed of a run."""
        try:
            self.attempt(run_id, destination)
        except Exception:  # noqa: BLE001  # tried again later, like a destination that is down
            self.postpone(run_id, destination)

    @DBOS.step()
    @_opaque
    def attempt(self, run_id: str, destination: str) -> None:
        """See `Deliveries.attempt`."""
        self._deliveries.attempt(run_id, destination)

    @DBOS.step(retries_allowed=True, max_attempts=100, interval_seconds=2)
    @_opaque
    def postpone(self, run_id: str, destination: str) -> None:
        """See `Deliveries.postpone`."""
        self._deliveries.postpone(run_id, destination, "unexpected-error")


class Engine:
    """DBOS as the scheduler uses it.

    Parameters
    ----------
    folder : pathlib.Path
        Of the identified zone; DBOS's own tables lie in it.
    workflows : Workflows
    studies_at_once : int
    """

    def __init__(self, folder: Path, workflows: Workflows, *, studies_at_once: int = 2) -> None:
        url = sqlite_url(folder / "workflows.sqlite")
        DBOS(
            config={
                "name": "updp-node",
                "system_database_url": url,
                "system_database_engine": open_workflow_engine(url),
                "executor_id": EXECUTOR_ID,
                "application_version": APPLICATION_VERSION,
                "log_level": "CRITICAL",
                "run_migrations": True,
            }
        )
        self._workflows = workflows
        self._studies_at_once = studies_at_once
        self._queues: dict[str, Queue] = {}

    def launch(self, destinations: Iterable[str]) -> None:
        """Start; whatever a crash interrupted is taken up again."""
        DBOS.launch()
        widths = dict.fromkeys(destinations, 1) | {STUDY_QUEUE: self._studies_at_once}
        for name, width in widths.items():
            self._queues[name] = DBOS.register_queue(
                name, worker_concurrency=width, polling_interval_sec=_POLL_S
            )

    def start_run(self, run_id: str) -> bool:
        """Start the workflow of a run, or find it started; False where it ended already."""
        status = DBOS.get_workflow_status(run_id)
        if status is not None:
            return status.status not in _ENDED
        with SetWorkflowID(run_id):
            self._queues[STUDY_QUEUE].enqueue(self._workflows.run_study, run_id)
        return True

    def deliver(self, run_id: str, destination: str, due_ms: int) -> None:
        """Start one attempt at a delivery; destinations wait for their own attempts only."""
        with SetWorkflowID(f"{run_id}-{destination}-{due_ms}"):
            self._queues[destination].enqueue(self._workflows.deliver, run_id, destination)

    def close(self) -> None:
        """Stop; a step under way is run again at the next start."""
        DBOS.destroy()
