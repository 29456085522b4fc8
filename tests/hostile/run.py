"""Take hostile files through the command ``deidentify``, and look at what comes out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from tests import factories
from tests.hostile.mutator import Case
from updp_node import crew
from updp_node.cli import app
from updp_node.errors import InstanceError

PROFILE = "pixel-passthrough"
_FEWEST_DIGITS = 8  # fewer occur by chance in UIDs and pixels


@dataclass(frozen=True, slots=True)
class Taken:
    """One step of one file.

    Attributes
    ----------
    wall_s, cpu_s : float
        Wall clock and processor seconds.
    peak_mb : float
        Most memory that its worker process had so far.
    share : float
        Part of a processor core that a task gets on a machine as busy as it was; at most 1.
    """

    file: str
    step: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    share: float

    @property
    def idle_s(self) -> float:
        """Wall clock seconds that the step takes on a machine that has nothing else to do."""
        return self.wall_s * self.share


@dataclass(frozen=True, slots=True)
class Run:
    """What the command did.

    Attributes
    ----------
    exit_code : int
    outcomes : dict of str to dict
        The report, by the name of the input file.
    steps : list of Taken
    out : pathlib.Path
    output : str
        All that it printed.
    """

    exit_code: int
    outcomes: dict[str, dict[str, Any]]
    steps: list[Taken]
    out: Path
    output: str

    def seconds(self, clock: str) -> dict[str, float]:
        """Seconds of each file over all its steps, by `wall_s`, `cpu_s` or `idle_s`."""
        spent = dict.fromkeys(self.outcomes, 0.0)
        for step in self.steps:
            spent[step.file] = spent.get(step.file, 0.0) + getattr(step, clock)
        return spent

    def released(self) -> Iterator[tuple[str, Path]]:
        """Name of each released input, and its output."""
        for name, outcome in self.outcomes.items():
            if outcome["outcome"] == "released":
                yield name, self.out / outcome["target"]


class _TimedCrew(crew.Crew):
    """The crew, each of whose tasks writes down what it took."""

    log = Path()

    def map_cpu(
        self, function: Callable[[Any], Any], tasks: Sequence[Any]
    ) -> Iterator[Any | InstanceError]:
        return super().map_cpu(partial(_timed, function, self.log), tasks)


def _timed(function: Callable[[Any], Any], log: Path, task: Any) -> Any:
    wall, cpu = time.monotonic(), time.process_time()
    try:
        return function(task)
    finally:
        path: Path = getattr(task, "path", None) or task.second
        taken = (path.name, function.__name__, time.monotonic() - wall,
                 time.process_time() - cpu, _peak_mb(), _share())  # fmt: skip
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(taken) + "\n")


def _peak_mb() -> float:
    """Most memory that this process had; getrusage would count its parent before the fork."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _share() -> float:
    return min((os.cpu_count() or 1) / max(os.getloadavg()[0], 0.1), 1.0)


def write_cases(cases: Iterable[Case], folder: Path) -> dict[str, Case]:
    """Write hostile files; by their names."""
    folder.mkdir()
    written = {}
    for case in cases:
        name = f"{case.number:04d}.dcm"
        (folder / name).write_bytes(case.content)
        written[name] = case
    return written


def run_command(folder: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``updp-node deidentify`` over a folder, with real worker processes."""
    monkeypatch.setattr(_TimedCrew, "log", scratch / "steps.jsonl")
    monkeypatch.setattr(crew, "Crew", _TimedCrew)
    out, report = scratch / "out", scratch / "report.json"
    command = ["deidentify", str(folder), "--out", str(out), "--profile", PROFILE,
               "--report", str(report)]  # fmt: skip
    result = CliRunner().invoke(app, command)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    outcomes = {Path(each["source"]).name: each for each in json.loads(report.read_text())}
    lines = _TimedCrew.log.read_text(encoding="utf-8").splitlines()
    steps = [Taken(*json.loads(line)) for line in lines]
    return Run(result.exit_code, outcomes, steps, out, result.output)


def find_faults(path: Path) -> list[str]:
    """What is wrong with a released file: unreadable, or a canary in it."""
    needles = [text for text in factories.canaries(factories.patient())
               if len(text) >= _FEWEST_DIGITS or not text.isdigit()]  # fmt: skip
    faults = [f"canary {text}" for _, text in factories.grep_canaries(path.read_bytes(), needles)]
    try:
        for element in dcmread(path).iterall():
            _ = element.value
    except Exception as error:  # noqa: BLE001  # whatever pydicom raises makes it unreadable
        faults.append(f"unreadable: {type(error).__name__}")
    return faults
