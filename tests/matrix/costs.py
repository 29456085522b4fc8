"""What the gate costs for one instance, in CPU time of this process and of `dciodvfy`."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydicom import Dataset

from tests import factories
from tests.matrix.cells import line
from updp_node import verify
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.reading import read_source
from updp_node.verify import Evidence

ROUNDS = 10


def large_report() -> Dataset:
    """A report of 125 nested items."""
    report = factories.text_sr({"Findings": "The heart is normal."})
    section = report.ContentSequence[-1]
    section.ContentSequence.extend(copy.deepcopy(section.ContentSequence[0]) for _ in range(119))
    return report


INSTANCES: dict[str, Callable[[], Dataset]] = {
    "CT 512 x 512": lambda: factories.ct_series(1)[0],
    "DX 2500 x 2048": lambda: factories.chest_dx(rows=2500, columns=2048),
    "SR of 125 items": large_report,
}


def measure(name: str, folder: Path) -> dict[str, float]:
    """Milliseconds by what the gate does."""
    path = factories.write(INSTANCES[name](), folder / "source.dcm")
    action = examine(ExamineTask(path, line())).action
    task = ReleaseTask(path=path, line=line(), action=action, generation=1, folder=folder,
                       created=datetime(2026, 1, 1, tzinfo=UTC), replace=True)  # fmt: skip
    encoded = release_instance(task).path.read_bytes()
    source = read_source(path)
    evidence, allow = verify.read_evidence([source]), line().allowances(line().subject_of(source))

    def check(*, file: bool = False, pixels: bool = False) -> None:
        verify.verify(
            encoded, evidence, allow=allow, source=source, source_file=path if file else None,
            reads_pixels=pixels,
        )  # fmt: skip

    search = _time(check)
    pixels = {"OCR": _time(lambda: check(pixels=True)) - search} if "PixelData" in source else {}
    return {
        "reading the source": _time(lambda: _read(path)) - _time(lambda: read_source(path)),
        "search": search,
        "dciodvfy": _time(lambda: check(file=True)) - search,
    } | pixels


def _read(path: Path) -> Evidence:
    return verify.read_evidence([read_source(path)])


def _time(work: Callable[[], object]) -> float:
    work()
    before = os.times()
    for _ in range(ROUNDS):
        work()
    return (
        1e3 * sum(now - then for now, then in zip(os.times()[:4], before[:4], strict=True)) / ROUNDS
    )
