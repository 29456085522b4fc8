"""Turns a pytest result and the figures that its tests recorded into a dated page."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET


@dataclass(frozen=True)
class Case:
    """One test of the run."""

    suite: str
    name: str
    seconds: float
    result: str


def read_cases(path: Path) -> list[Case]:
    """The tests of a JUnit file, in its order."""
    cases = []
    for element in ET.parse(path).getroot().iter("testcase"):  # noqa: S314 - written by pytest
        bad = any(element.find(tag) is not None for tag in ("failure", "error"))
        skipped = element.find("skipped") is not None
        cases.append(
            Case(
                suite=element.get("classname", "").rpartition(".")[2],
                name=element.get("name", "").removeprefix("test_").replace("_", " "),
                seconds=float(element.get("time", "0")),
                result="FAILED" if bad else "skipped" if skipped else "passed",
            )
        )
    return cases


def read_figures(path: Path) -> list[dict[str, Any]]:
    """Lines of ``{"suite", "name", "value", "unit"}``; none if no test recorded any."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def memory_gib() -> float:
    """Physical memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def commit() -> str:
    """The commit that was tested; marked where the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        check=False,
        capture_output=True,
        text=True,
    )
    return described.stdout.strip() or "unknown"


def render(cases: list[Case], figures: list[dict[str, Any]], now: datetime) -> str:
    """The page, in Markdown."""
    count = {result: 0 for result in ("passed", "FAILED", "skipped")}
    for case in cases:
        count[case.result] += 1
    lines = [
        f"# Acceptance, {now:%Y-%m-%d}",
        "",
        f"{now:%H:%M} UTC, commit {commit()}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"{memory_gib():.0f} GiB.",
        "",
        f"{count['passed']} passed, {count['FAILED']} failed, {count['skipped']} skipped, "
        f"{sum(case.seconds for case in cases):.0f} s.",
        "",
        "| suite | test | result | s |",
        "|---|---|---|---:|",
        *(f"| {case.suite} | {case.name} | {case.result} | {case.seconds:.1f} |" for case in cases),
    ]
    if figures:
        lines += ["", "## Figures", "", "| suite | figure | value | unit |", "|---|---|---:|---|"]
        lines += [
            f"| {each['suite']} | {each['name']} | {each['value']} | {each.get('unit', '')} |"
            for each in figures
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the page of a result file and a figures file."""
    results, figures = Path(sys.argv[1]), Path(sys.argv[2])
    print(render(read_cases(results), read_figures(figures), datetime.now(UTC)), end="")


if __name__ == "__main__":
    main()
