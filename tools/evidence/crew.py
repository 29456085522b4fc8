"""Two processes of one thread each, and one place where their progress is shown.

Threads of one process would wait for each other at every small product; processes need not, and
each figure comes from one thread whatever else the machine does.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any, ParamSpec, TypeVar

from rich.progress import Progress

P = ParamSpec("P")
T = TypeVar("T")
_told: Any = None
_numbers = count()


class Crew:
    """Workers; leave it as a context manager.

    Parameters
    ----------
    workers : int
    threads : int
        Of torch in each worker: another number may round differently.
    progress : rich.progress.Progress
        A bar for every long task.
    """

    def __init__(self, workers: int, threads: int, progress: Progress) -> None:
        context = multiprocessing.get_context("spawn")
        self._manager = context.Manager()
        self._queue = self._manager.Queue()
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin, initargs=(self._queue, threads)
        )
        self._listener = threading.Thread(target=_listen, args=(self._queue, progress), daemon=True)
        self._listener.start()

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._queue.put(None)
        self._listener.join()
        self._manager.shutdown()

    def ask(self, task: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Have a task done by the next worker that is free."""
        return self._pool.submit(task, *arguments, **named)


@contextmanager
def watch(total: int, name: str) -> Iterator[Callable[[], None]]:
    """In a worker: a bar where the crew was called; see `laboratory.Watch`."""
    number = (multiprocessing.current_process().pid, next(_numbers))
    _told.put((number, total, name))
    yield lambda: _told.put((number, 0, ""))
    _told.put((number, -1, ""))


def _begin(queue: Any, threads: int) -> None:
    from updp_node.evaluation.laboratory import limit_threads  # noqa: PLC0415 - torch

    global _told  # noqa: PLW0603 - a process has one
    _told = queue
    limit_threads(threads)


def _listen(queue: Any, progress: Progress) -> None:
    """Draw what the workers tell until there is nothing more."""
    bars: dict[Any, Any] = {}
    while (told := queue.get()) is not None:
        number, total, name = told
        if total > 0:
            bars[number] = progress.add_task(name, total=total)
        elif total == 0:
            progress.advance(bars[number])
        else:
            progress.stop_task(bars[number])
