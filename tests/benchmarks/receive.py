"""Durable receive beside Orthanc and DCMTK: prints a table in Markdown.

Run in the repository root::

    python -m tests.benchmarks.receive                 # median of 5, alternated
    python -m tests.benchmarks.receive --quick         # does it work?

The sender is the same for all: DCMTK's storescu with ``TCP_NODELAY=1``, one process an
association. Every measurement starts a fresh server on an empty folder.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tests.benchmarks.servers import LAUNCHERS, Server
from tests.contracts.peers import free_port

STORESCU = "/usr/bin/storescu"  # pynetdicom installs a program of the same name


@dataclass(frozen=True)
class Workload:
    """Instances of one kind and size."""

    name: str
    sop_class_uid: str
    size_bytes: int
    count: int


WORKLOADS = (
    Workload("CT 512 KB", "1.2.840.10008.5.1.4.1.1.2", 512 * 1024, 300),
    Workload("DX 10 MB", "1.2.840.10008.5.1.4.1.1.1.1", 10_000_000, 20),
    Workload("SR 30 KB", "1.2.840.10008.5.1.4.1.1.88.11", 30_000, 500),
)


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    instances_per_s: float
    cpu_ms: float
    peak_mb: float


def main() -> None:
    """Measure what the command line asks for and print the table."""
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        print(f"One flush of this disk takes {_flush_ms(folder):.1f} ms (median of 20).\n")
        figures: dict[tuple[str, int, str], list[Figure]] = defaultdict(list)
        chosen = [work for work in WORKLOADS if options.only in work.name]
        for workload in chosen:
            files = _write_instances(folder / "source", workload, options.count)
            for _ in range(options.runs):
                for associations in options.associations:
                    for server in options.servers:
                        figure = _measure(folder / "server", server, files, associations)
                        figures[workload.name, associations, server].append(figure)
            shutil.rmtree(folder / "source")
        _print_table(figures, {work.name: work for work in chosen})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--count", type=int, help="instances of each kind")
    parser.add_argument("--only", default="", help="part of the name of a workload")
    parser.add_argument("--associations", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--servers", nargs="+", default=list(LAUNCHERS), choices=LAUNCHERS)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    parser.add_argument("--quick", action="store_true", help="one run of few instances")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.associations = 1, [1, 4]
        options.count = options.count or 24
    return options


def _measure(folder: Path, name: str, files: list[Path], associations: int) -> Figure:
    folder.mkdir()
    port = free_port()
    server = Server(LAUNCHERS[name](folder, port), port, folder / "log")
    try:
        before = server.cpu_s()
        started = time.perf_counter()
        senders = [
            _send(files[number::associations], port)
            for number in range(min(associations, len(files)))
        ]
        failed = [sender.args for sender in senders if sender.wait()]
        elapsed = time.perf_counter() - started
        time.sleep(0.2)  # children that end are counted by their parent
        cpu_s = server.cpu_s() - before
    finally:
        server.stop()
    if failed:
        raise RuntimeError(f"{name}: {len(failed)} senders failed; see {folder / 'log'}")
    shutil.rmtree(folder)
    return Figure(len(files) / elapsed, 1000 * cpu_s / len(files), server.peak_bytes / 1e6)


def _send(files: list[Path], port: int) -> subprocess.Popen[bytes]:
    command = [STORESCU, "-R", "-aec", "UPDP", "127.0.0.1", str(port), *map(str, files)]
    return subprocess.Popen(
        command, env=os.environ | {"TCP_NODELAY": "1"}, stderr=subprocess.DEVNULL
    )


def _write_instances(folder: Path, workload: Workload, count: int | None) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number}.dcm" for number in range(count or workload.count)]
    for path in paths:
        instance = Dataset()
        instance.SOPClassUID = workload.sop_class_uid
        instance.SOPInstanceUID = generate_uid()
        instance.StudyInstanceUID = "2.25.1"
        instance.SeriesInstanceUID = "2.25.2"
        instance.PatientID = instance.PatientName = "BENCHMARK"
        instance.Modality = workload.name[:2]
        _fill(instance, workload)
        instance.file_meta = FileMetaDataset()
        instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(path, instance, enforce_file_format=True)
    return paths


def _fill(instance: Dataset, workload: Workload) -> None:
    """Pixels, or the text of a report in 125 content items."""
    if workload.name.startswith("SR"):
        instance.ContentSequence = []
        for _ in range(125):
            item = Dataset()
            item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
            item.TextValue = os.urandom(workload.size_bytes // 300).hex()
            instance.ContentSequence.append(item)
        return
    instance.Rows = instance.Columns = int((workload.size_bytes / 2) ** 0.5)
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 1, "MONOCHROME2"
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 16, 16, 15
    instance.PixelRepresentation = 0
    instance.add_new("PixelData", "OW", os.urandom(instance.Rows * instance.Columns * 2))


def _flush_ms(folder: Path) -> float:
    """Time to make a small new file durable, in milliseconds."""
    times = []
    for number in range(20):
        started = time.perf_counter()
        handle = os.open(folder / f"flush{number}", os.O_WRONLY | os.O_CREAT)
        os.write(handle, bytes(4096))
        os.fsync(handle)
        os.close(handle)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def _print_table(
    figures: dict[tuple[str, int, str], list[Figure]], workloads: dict[str, Workload]
) -> None:
    print("| instances | associations | receiver | instances/s | MB/s | CPU ms each | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for (workload, associations, server), runs in figures.items():
        rate = statistics.median(run.instances_per_s for run in runs)
        cpu_ms = statistics.median(run.cpu_ms for run in runs)
        peak_mb = max(run.peak_mb for run in runs)
        mb = rate * workloads[workload].size_bytes / 1e6
        print(
            f"| {workload} | {associations} | {server} | {rate:.0f} | {mb:.0f} "
            f"| {cpu_ms:.1f} | {peak_mb:.0f} |"
        )


if __name__ == "__main__":
    main()
