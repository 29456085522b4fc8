"""Header de-identification beside its peers: prints tables in Markdown.

Run in the repository root::

    python -m tests.benchmarks.header                              # median of 5 rounds
    python -m tests.benchmarks.header --peers ENV/bin/python       # with the Python peers
    python -m tests.benchmarks.header --quick                      # does it work?

The peers (dicom-anonymizer, deid, dicognito) are no dependencies of this project: install them
into an environment of their own. Every way reads a file and writes a file, on one core; rounds
alternate between them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pydicom import Dataset, dcmread

from tests.benchmarks.header_orthanc import measure_orthanc
from tests.benchmarks.header_samples import write_samples

_SCRIPT = Path(__file__).with_name("header_peers.py")
_REPEATS = {"CT": 30, "DX": 10, "SR": 20}
_NAMES = {
    "bytes": "reading and writing the bytes",
    "pydicom": "pydicom{version}, reading and writing, nothing changed",
    "header": "**updp_node, header stage** (Basic Profile)",
    "walked": "**updp_node, header stage**, content tree walked too",
    "dicom-anonymizer": "dicom-anonymizer{version}",
    "dicognito": "dicognito{version}",
    "deid": "deid{version}",
    "Orthanc": "Orthanc{version}, `/instances/{id}/anonymize` over HTTP",
    "line": "updp_node, the whole `release_instance` (text engine, assembly, gate, fsync)",
    "gate": "of that, the gate",
}
_PROGRAMS = ("dcmanon", "gdcmanon")
_DISTRIBUTIONS = {
    "dicom-anonymizer": "dicom_anonymizer", "dicognito": "dicognito", "deid": "deid"
}  # fmt: skip
Figures = dict[tuple[str, str], list[tuple[float, float]]]


def main() -> None:
    """Measure what the command line asks for and print the tables."""
    options = _options()
    figures: Figures = defaultdict(list)
    left: dict[str, int] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        samples = write_samples(folder / "source")
        sizes = {each: path.stat().st_size for each, path in samples.items()}
        for _ in range(options.rounds):
            for way in _ways(options.peers):
                for each, path in samples.items():
                    if way == "walked" and each != "SR":
                        continue
                    target = folder / "out" / path.name
                    target.parent.mkdir()
                    repeats = 3 if options.quick else _REPEATS[each]
                    measured = _measure(way, options.peers, path, target, repeats)
                    figures[way, each].extend(measured)
                    if each == "SR":
                        left[way] = _content_items(target.parent)
                    shutil.rmtree(target.parent)
    _print(figures, sizes, left, options.peers)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", help="Python that has the peers")
    parser.add_argument("--folder", type=Path, help="where files are read and written")
    parser.add_argument("--quick", action="store_true", help="one round of few repeats")
    options = parser.parse_args()
    if options.quick:
        options.rounds = 1
    return options


def _ways(peers: str | None) -> Iterator[str]:
    yield from ("bytes", "pydicom", "header", "walked")
    if peers:
        yield from ("dicom-anonymizer", "dicognito", "deid")
    if shutil.which("Orthanc"):
        yield "Orthanc"
    yield from ("line", "gate")


def _measure(
    way: str, peers: str | None, source: Path, target: Path, repeats: int
) -> list[tuple[float, float]]:
    if way == "Orthanc":
        return measure_orthanc(source, target, 5 * repeats)  # its clock ticks in 10 ms
    if way in _DISTRIBUTIONS:
        command = [str(peers), str(_SCRIPT)]
    elif way in {"bytes", "pydicom"}:
        command = [sys.executable, str(_SCRIPT)]
    else:
        command = [sys.executable, "-m", "tests.benchmarks.header_ours"]
    done = subprocess.run(
        [*command, way, str(source), str(target), str(repeats)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{way}: {done.stderr[-2000:]}")
    return [(wall, cpu) for wall, cpu in json.loads(done.stdout.strip().splitlines()[-1])]


def _content_items(folder: Path) -> int:
    """How many content items the report has that a way wrote."""
    written = [path for path in folder.rglob("*") if path.is_file()]
    return _count(dcmread(written[0])) if written else 0


def _count(item: Dataset) -> int:
    children = item.get("ContentSequence") or ()
    return len(children) + sum(_count(child) for child in children)


def _print(
    figures: Figures, sizes: dict[str, int], left: dict[str, int], peers: str | None
) -> None:
    size = ", ".join(f"{each} {count / 1e6:.2f} MB" for each, count in sizes.items())
    print(f"{size}. Median milliseconds of processor time per instance (wall clock).\n")
    print("| way | CT | DX | SR | x bytes | x pydicom | content items left of 125 |")
    print("|---|---|---|---|---|---|---|")
    for way in dict.fromkeys(way for way, _ in figures):
        cells = [_cell(figures.get((way, each))) for each in sizes]
        ratios = [_ratios(figures, way, base, sizes) for base in ("bytes", "pydicom")]
        name = _NAMES[way].replace("{version}", _version(way, peers))
        print(f"| {name} | {' | '.join((*cells, *ratios))} | {left.get(way, '')} |")
    for program in _PROGRAMS:
        state = "here, but not measured" if shutil.which(program) else "not available here"
        print(f"| {program} | {state} | | | | | |")
    if not peers:
        print("| dicom-anonymizer, dicognito, deid | not available here | | | | | |")


def _cell(measured: list[tuple[float, float]] | None) -> str:
    if not measured:
        return ""
    wall, cpu = (statistics.median(part) for part in zip(*measured, strict=True))
    return f"{cpu:.1f} ({wall:.1f})"


def _ratios(figures: Figures, way: str, base: str, sizes: dict[str, int]) -> str:
    """Of processor time, for each kind of instance."""
    told = []
    for each in sizes:
        if (way, each) not in figures:
            told.append("")
            continue
        ours, others = (
            statistics.median(cpu for _, cpu in figures[name, each]) for name in (way, base)
        )
        told.append(f"{ours / others:.2f}" if ours < 10 * others else f"{ours / others:.0f}")
    return " / ".join(told)


def _version(way: str, peers: str | None) -> str:
    if way == "pydicom":
        return f" {importlib.metadata.version('pydicom')}"
    if way == "Orthanc":
        done = subprocess.run(["Orthanc", "--version"], capture_output=True, text=True, check=True)
        return f" {done.stdout.split()[1]}"
    if way not in _DISTRIBUTIONS:
        return ""
    asked = f"import importlib.metadata as m; print(m.version('{_DISTRIBUTIONS[way]}'))"
    done = subprocess.run([str(peers), "-c", asked], capture_output=True, text=True, check=True)
    return f" {done.stdout.strip()}"


if __name__ == "__main__":
    main()
