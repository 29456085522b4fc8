"""The worker processes: a pool for CPU work without torch, and one with torch for synthesis.

Only here is an unexpected exception caught: whatever one instance does to its worker, it
alone is quarantined, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from updp_node.errors import InstanceError, NodeError
from updp_node.log import configure_log, get_logger, tell_crashes_without_values

TASK_TIMEOUT_S = 900.0

Task = TypeVar("Task")
Result = TypeVar("Result")
_Submitted = tuple[ProcessPoolExecutor, "Future[Result | InstanceError]"]


def _leave_with_parent() -> None:
    """End this process when its parent ends, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start_worker(with_torch: bool) -> None:
    """Prepare a worker process."""
    threading.Thread(target=_leave_with_parent, name="parent-watch", daemon=True).start()
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning beside other work: 25 x slower
    if not with_torch:
        sys.modules["torch"] = None  # type: ignore[assignment]  # thinc would import it: 300 MB
        sys.modules["transformers"] = None  # type: ignore[assignment]  # so would presidio
    configure_log()
    tell_crashes_without_values()


def _guard(function: Callable[[Task], Result], task: Task) -> Result | InstanceError:
    """Run one task; whatever it raises concerns its instance alone."""
    try:
        return function(task)
    except InstanceError as error:
        return error
    except NodeError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  # the worker boundary; decoders may panic
        return InstanceError("unexpected-error", type(error).__name__)


class Crew:
    """Runs tasks in worker processes.

    Parameters
    ----------
    cpu_processes : int
    attempts : int
        How often a task may kill its worker before its instance is given up.
    timeout_s : float
        A task that takes longer hangs: its worker is killed.
    """

    def __init__(
        self, *, cpu_processes: int = 1, attempts: int = 3, timeout_s: float = TASK_TIMEOUT_S
    ) -> None:
        self._attempts = attempts
        self._timeout_s = timeout_s
        self._cpu_processes = cpu_processes
        self._lock = threading.Lock()
        self._pools: dict[str, ProcessPoolExecutor] = {}

    def map_cpu(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[Result | InstanceError]:
        """Results in the order of `tasks`; an `InstanceError` stands for its instance."""
        return self._map("cpu", function, tasks)

    def map_synthesis(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[Result | InstanceError]:
        """As `map_cpu`, in the process that holds the generator."""
        return self._map("synthesis", function, tasks)

    def map_reading(
        self, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[Result | InstanceError]:
        """As `map_cpu`, in a process of its own that the line does not keep busy."""
        return self._map("reading", function, tasks)

    def warm_up(self, cpu: Callable[[], None], synthesis: Callable[[], None] | None) -> None:
        """Load what is slow to load in every worker process, without waiting for it."""
        for _ in range(self._cpu_processes):
            self._pool("cpu").submit(cpu)
        if synthesis is not None:
            self._pool("synthesis").submit(synthesis)

    def close(self) -> None:
        """End the worker processes."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)

    def _map(
        self, kind: str, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[Result | InstanceError]:
        """A window of tasks is under way: a worker that dies takes no more than that along."""
        window: deque[tuple[Task, _Submitted[Result]]] = deque()
        for task in tasks:
            window.append((task, self._submit(kind, function, task)))
            if len(window) > 2 * self._cpu_processes:
                yield self._await(kind, function, *window.popleft())
        while window:
            yield self._await(kind, function, *window.popleft())

    def _submit(
        self, kind: str, function: Callable[[Task], Result], task: Task
    ) -> _Submitted[Result]:
        while True:
            pool = self._pool(kind)
            try:
                return pool, pool.submit(_guard, function, task)
            except BrokenProcessPool:
                get_logger().warning("worker-died", role=kind)

    def _await(
        self, kind: str, function: Callable[[Task], Result], task: Task,
        submitted: _Submitted[Result],
    ) -> Result | InstanceError:  # fmt: skip
        pool, future = submitted
        try:
            return future.result(self._timeout_s)
        except TimeoutError:
            _kill(pool)
            return InstanceError("worker-hung", f"{self._timeout_s:g} s")
        except BrokenProcessPool:
            return self._isolate(kind, function, task)

    def _isolate(
        self, kind: str, function: Callable[[Task], Result], task: Task
    ) -> Result | InstanceError:
        """Run a task with nothing beside it, so that a dying worker tells who killed it."""
        for attempt in range(1, self._attempts + 1):
            get_logger().warning("worker-died", role=kind, attempt=attempt)
            with _new_pool(kind, 1) as pool:
                try:
                    future: Future[Result | InstanceError] = pool.submit(_guard, function, task)
                    return future.result(self._timeout_s)
                except TimeoutError:
                    _kill(pool)
                    return InstanceError("worker-hung", f"{self._timeout_s:g} s")
                except BrokenProcessPool:
                    continue
        return InstanceError("worker-died", f"{self._attempts} attempts")

    def _pool(self, kind: str) -> ProcessPoolExecutor:
        """The pool of a kind; a broken one is replaced."""
        with self._lock:
            pool = self._pools.get(kind)
            if pool is None or getattr(pool, "_broken", False):
                size = self._cpu_processes if kind == "cpu" else 1
                pool = self._pools[kind] = _make_pool(kind, size)
            return pool


def _make_pool(kind: str, size: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=size,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(kind == "synthesis",),
    )


def _kill(pool: ProcessPoolExecutor) -> None:
    """Kill the workers of a pool; what else they had at hand is done again elsewhere."""
    for process in list((pool._processes or {}).values()):
        process.kill()


@contextmanager
def _new_pool(kind: str, size: int) -> Iterator[ProcessPoolExecutor]:
    pool = _make_pool(kind, size)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
