"""The whole line: from the last instance sent to the last one arrived, settle time aside.

Run in the repository root::

    python -m tests.benchmarks.line             # median of 3
    python -m tests.benchmarks.line --quick     # does it work?
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydicom import Dataset

from tests.benchmarks.scratch import make_node
from tests.benchmarks.servers import Launch, Server
from tests.contracts.peers import free_port
from tests.factories import chest_cr, chest_picture, ct_series, make_uid, text_sr, write

STORESCU = "/usr/bin/storescu"
QUIET_S = 1.0
TIMEOUT_S = 300.0


def make_ct(count: int, rows: int) -> list[Dataset]:
    """A CT series."""
    return list(ct_series(count, rows=rows))


def make_chest() -> list[Dataset]:
    """A chest radiograph of 2048 x 2048 and its report."""
    image = chest_cr(chest_picture(rows=2048, columns=2048))
    return [image, text_sr(references=[image])]


def send(files: Sequence[Path], port: int) -> float:
    """Send files over one association; returns the time of the last response."""
    command = [STORESCU, "-aec", "UPDP", "127.0.0.1", str(port), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {"TCP_NODELAY": "1"})
    return time.monotonic()


def await_files(folder: Path, count: int) -> float:
    """Wait until so many files have arrived; returns when."""
    until = time.monotonic() + TIMEOUT_S
    while len(list(folder.glob("*/*.dcm"))) < count:
        if time.monotonic() > until:
            raise RuntimeError(f"only {len(list(folder.glob('*/*.dcm')))} of {count} arrived")
        time.sleep(0.02)
    return time.monotonic()


def measure(
    profile: str, instances: Sequence[Dataset], warm: Sequence[Dataset]
) -> tuple[float, float]:
    """Seconds from the last response to the last arrival, and peak memory of the node in MB.

    A first study warms the node up, as one that has been running is.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder, port = Path(scratch), free_port()
        config = make_node(
            folder / "node", port=port, profile=profile, quiet_s=QUIET_S, ae_title="UPDP"
        )
        command = (sys.executable, "-m", "updp_node", "serve", "--config", str(config))
        server = Server(Launch(command), port, folder / "log")
        try:
            arrived = folder / "node" / "research"
            send(write_all(warm, folder / "warm"), port)
            await_files(arrived, len(warm))
            sent_at = send(write_all(instances, folder / "study"), port)
            seconds = await_files(arrived, len(warm) + len(instances)) - sent_at
        finally:
            server.stop()
        return seconds - QUIET_S, server.peak_bytes / 1e6


def write_all(instances: Sequence[Dataset], folder: Path) -> list[Path]:
    """The instances as files."""
    folder.mkdir()
    paths = [folder / f"{number:05}.dcm" for number in range(len(instances))]
    for instance, path in zip(instances, paths, strict=True):
        write(instance, path)
    return paths


def time_synthesis(count: int) -> tuple[float, float]:
    """Seconds and peak memory (MB) of one counterpart, in a process of its own, two threads."""
    program = (
        "import resource, time\n"
        "from updp_node.model import Prompt\n"
        "from updp_node.pixels.generator import load_generator\n"
        "from updp_node.pixels.synthesis import synthesize\n"
        "generator = load_generator('default', threads=2)\n"
        "prompt = generator.vocabulary.list_prompts()[0]\n"
        "synthesize(generator, prompt, seed=1)\n"
        "started = time.monotonic()\n"
        f"for seed in range({count}):\n"
        "    synthesize(generator, prompt, seed=seed)\n"
        f"print((time.monotonic() - started) / {count})\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    seconds, megabytes = run.stdout.split()
    return float(seconds), float(megabytes)


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    runs, slices, rows = (1, 20, 64) if arguments.quick else (arguments.runs, 300, 512)
    other = {"study_uid": make_uid("warm")}
    studies: dict[str, tuple[str, Callable[[], list[Dataset]]]] = {
        f"CT, {slices} slices of {rows} x {rows}": (
            "pixel-passthrough", lambda: make_ct(slices, rows)
        ),
        "chest radiograph 2048 x 2048 and its report": ("research-cxr", make_chest),
    }  # fmt: skip
    print("| study | profile | seconds (median) | runs | peak memory of the node, MB |")
    print("|---|---|---|---|---|")
    for name, (profile, make) in studies.items():
        warm = [chest_cr(**other), text_sr(**other)]
        figures = [measure(profile, make(), warm) for _ in range(runs)]
        seconds = [figure[0] for figure in figures]
        said = " ".join(f"{each:.1f}" for each in seconds)
        peak = max(figure[1] for figure in figures)
        print(f"| {name} | {profile} | {statistics.median(seconds):.1f} | {said} | {peak:.0f} |")
    seconds_each, peak = time_synthesis(3 if arguments.quick else 20)
    print(f"\nOne counterpart, two threads: {seconds_each:.3f} s; peak {peak:.0f} MB.")


if __name__ == "__main__":
    main()
