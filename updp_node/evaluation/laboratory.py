"""What every part of an evaluation works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from updp_node.evaluation.effort import Effort
from updp_node.evaluation.features import Encoder

Watch = Callable[[int, str], AbstractContextManager[Callable[[], None]]]
"""Total and name of a long task to a context that yields what is called after each step."""


@contextmanager
def watch_nothing(_total: int, _name: str) -> Iterator[Callable[[], None]]:
    """No progress bar."""
    yield lambda: None


@dataclass(frozen=True)
class Laboratory:
    """Encoder, effort, seed, cache of trained networks, progress bars."""

    encoder: Encoder
    effort: Effort
    seed: int = 0
    cache: Path | None = None
    watch: Watch = watch_nothing


def limit_threads(count: int) -> None:
    """CPU threads of torch, for the whole process: another number may round differently."""
    import torch  # noqa: PLC0415 - heavy

    torch.set_num_threads(count)
