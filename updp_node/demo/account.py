"""What became of every instance that was sent: from the node's index and from what arrived."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom

from updp_node.config import load_config
from updp_node.demo.scene import Source
from updp_node.storage.review_index import ReviewIndex
from updp_node.zones import Zones

_ENDED = ("done", "duplicate", "quarantined", "rejected")


@dataclass(frozen=True, slots=True)
class Account:
    """The books of a demonstration.

    Attributes
    ----------
    pairs : Mapping[str, pathlib.Path]
        Source SOP Instance UID to the file that arrived.
    held : Mapping[tuple of str, int]
        Modality and reason code to how many instances are in quarantine.
    dropped : int
        Instances that the profile leaves out.
    missing : int
        Instances of which nothing is known, or that were released and did not arrive.
    """

    pairs: Mapping[str, Path]
    held: Mapping[tuple[str, str], int]
    dropped: int
    missing: int


def open_review(config: Path) -> ReviewIndex:
    """The node's index as an operator sees it."""
    return ReviewIndex(Zones.of(load_config(config)).open_identified())


def await_end(
    review: ReviewIndex, expected: int, *, limit_s: float, on_progress: Callable[[int], None]
) -> bool:
    """Wait until every instance came to an end and nothing is owed; False if it took too long."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        counts = review.backlog()
        ended = sum(counts.get(f"instances {state}", 0) for state in _ENDED)
        owed = counts.get("deliveries pending", 0)
        on_progress(ended - owed if ended >= owed else 0)
        if ended >= expected and owed == 0:
            return True
        time.sleep(0.3)
    return False


def draw_up(review: ReviewIndex, sources: Sequence[Source], arrived: Path) -> Account:
    """Compare what was sent with what arrived, what is held and what was left out."""
    by_uid = {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID): path
              for path in sorted(arrived.iterdir())}  # fmt: skip
    released = {uid: Path(file).stem for uid, file in review.mapping().items()}
    pairs = {uid: by_uid[new] for uid, new in released.items() if new in by_uid}
    held = Counter((each.modality or "?", each.code) for each in review.held())
    dropped = sum(job.outcomes.get("dropped", 0) for job in review.jobs(limit=1000))
    missing = len(sources) - len(pairs) - sum(held.values()) - dropped
    return Account(pairs, held, dropped, missing)
