"""One way to take a file through, many times over: ``header_peers.py NAME IN OUT REPEATS``.

Run by path, with the Python of an environment that has the peer; imports nothing of the project.
Prints the milliseconds of each repeat, wall clock and processor, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

Step = Callable[[str, str], object]


def make_bytes() -> Step:
    """Read and write the bytes."""
    return lambda source, target: Path(target).write_bytes(Path(source).read_bytes())


def make_pydicom() -> Step:
    """Read and write with pydicom, nothing changed."""
    from pydicom import dcmread, dcmwrite  # noqa: PLC0415

    return lambda source, target: dcmwrite(target, dcmread(source))


def make_dicom_anonymizer() -> Step:
    """dicom-anonymizer with its defaults."""
    from dicomanonymizer import anonymize_dicom_file  # type: ignore[import-not-found]  # noqa: PLC0415

    return anonymize_dicom_file  # type: ignore[no-any-return]


def make_dicognito() -> Step:
    """Dicognito with its defaults."""
    from dicognito.anonymizer import Anonymizer  # type: ignore[import-not-found]  # noqa: PLC0415
    from pydicom import dcmread  # noqa: PLC0415

    anonymizer = Anonymizer(seed="benchmark")

    def step(source: str, target: str) -> None:
        with dcmread(source) as dataset:
            anonymizer.anonymize(dataset)
            dataset.save_as(target)

    return step


def make_deid() -> Step:
    """Deid with its own recipe for DICOM."""
    from deid.config import DeidRecipe  # type: ignore[import-not-found]  # noqa: PLC0415
    from deid.dicom import replace_identifiers  # type: ignore[import-not-found]  # noqa: PLC0415

    recipe = DeidRecipe()

    def step(source: str, target: str) -> None:
        replace_identifiers(
            dicom_files=[source], deid=recipe, save=True, overwrite=True,
            output_folder=str(Path(target).parent), remove_private=True,
        )  # fmt: skip

    return step


PEERS: dict[str, Callable[[], Step]] = {
    "bytes": make_bytes,
    "pydicom": make_pydicom,
    "dicom-anonymizer": make_dicom_anonymizer,
    "dicognito": make_dicognito,
    "deid": make_deid,
}


def measure(step: Step, source: str, target: str, repeats: int) -> list[tuple[float, float]]:
    """Wall clock and processor milliseconds of each repeat, after two that do not count."""
    times = []
    for number in range(repeats + 2):
        wall, cpu = time.perf_counter(), time.process_time()
        step(source, target)
        figure = (1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))
        if number > 1:
            times.append(figure)
    return times


def main(makers: dict[str, Callable[[], Step]]) -> None:
    """Measure what the command line names, on one processor core."""
    name, source, target, repeats = sys.argv[1:]
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    figures = measure(makers[name](), source, target, int(repeats))
    sys.__stdout__.write("\n" + json.dumps(figures) + "\n")  # type: ignore[union-attr]


if __name__ == "__main__":
    main(PEERS)
