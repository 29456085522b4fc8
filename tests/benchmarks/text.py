"""The text engine: start-up, a report of 1,200 characters, peak memory.

``python -m tests.benchmarks.text [--quick]``; one core, torch locked out as in a worker.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import random
import resource
import statistics
import sys
import time

LENGTH = 1_200


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    reports = 40 if parser.parse_args().quick else 200
    sys.modules["torch"] = None  # type: ignore[assignment]  # thinc would import it
    sys.modules["transformers"] = None  # type: ignore[assignment]  # so would presidio
    started = time.perf_counter(), time.process_time()
    from updp_node.text.scrub import load_scrubber  # noqa: PLC0415  # what is measured

    scrubber = load_scrubber()
    start_s = time.perf_counter() - started[0], time.process_time() - started[1]
    from tests.integration.text_templates import TEMPLATES, TEST_NAMES, fill  # noqa: PLC0415
    from updp_node.text.findings import extract_findings  # noqa: PLC0415
    from updp_node.text.identity import Identity  # noqa: PLC0415

    rng = random.Random(3)
    identity = Identity(
        names=("HOLLOWAY^MARGARET^A", "Baek^Young-Ho"), ids=("ZX88120Q",), dates=("19610314",)
    )
    wall, cpu, extraction = [], [], []
    for _ in range(reports):
        text = ""
        while len(text) < LENGTH:
            text += fill(rng.choice(TEMPLATES), rng, TEST_NAMES).text
        before = time.perf_counter(), time.process_time()
        scrubber.find(text[:LENGTH], identity)
        wall.append((time.perf_counter() - before[0]) * 1000)
        cpu.append((time.process_time() - before[1]) * 1000)
        before_findings = time.process_time()
        extract_findings(text[:LENGTH])
        extraction.append((time.process_time() - before_findings) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = (
        ("start-up, warm-up included", f"{start_s[0]:.1f} s ({start_s[1]:.1f} s of processor)"),
        ("first report", f"{wall[0]:.0f} ms ({cpu[0]:.0f} ms of processor)"),
        ("median report", f"{statistics.median(wall):.0f} ms ({statistics.median(cpu):.0f} ms)"),
        ("95th percentile", f"{sorted(wall)[int(reports * 0.95)]:.0f} ms"),
        ("findings, median", f"{statistics.median(extraction):.1f} ms"),
        ("peak memory", f"{peak:.0f} MB"),
    )
    print(f"{reports} reports of {LENGTH} characters, one thread\n")
    print("| what | measured |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
