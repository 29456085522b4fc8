"""A thousand hostile files: each is released clean or quarantined with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tests.hostile import MUTATIONS, Case, make_cases
from tests.hostile.run import Run, find_faults, run_command, write_cases

_FILES = 1000
_LONGEST_S = 10.0
_MOST_MB = 1024
_SUITE = "hostile files"


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Case]]:
    folder = tmp_path_factory.mktemp("hostile") / "in"
    return folder, write_cases(make_cases(_FILES), folder)


@pytest.fixture(scope="module")
def run(
    cases: tuple[Path, dict[str, Case]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        yield run_command(cases[0], tmp_path_factory.mktemp("hostile-out"), patch)


def test_every_hostile_file_is_released_or_quarantined_with_a_reason(
    run: Run, cases: tuple[Path, dict[str, Case]]
) -> None:
    assert run.exit_code == 1, run.output
    assert set(run.outcomes) == set(cases[1])
    fates = Counter(each["outcome"] for each in run.outcomes.values())
    codes = Counter(each["code"] for each in run.outcomes.values() if each["code"])
    assert set(fates) == {"released", "quarantined"}, fates
    assert sum(codes.values()) == fates["quarantined"]
    assert not {"worker-died", "worker-hung"} & set(codes), codes
    record(_SUITE, "files", _FILES, "")
    record(_SUITE, "kinds of damage", len(MUTATIONS), "")
    for fate, count in sorted(fates.items()):
        record(_SUITE, fate, count, "")
    record(_SUITE, "reasons met", len(codes), "")
    record(_SUITE, "quarantined as unexpected-error", codes["unexpected-error"], "")


def test_what_is_released_of_hostile_files_is_clean_and_readable(run: Run) -> None:
    released = list(run.released())
    faults = {name: found for name, path in released if (found := find_faults(path))}
    record(_SUITE, "released with a canary or unreadable", len(faults), "")
    assert len(released) > _FILES / 10
    assert not faults


def test_no_hostile_file_hangs_the_line(run: Run) -> None:
    wall, idle, cpu = (max(run.seconds(clock).values()) for clock in ("wall_s", "idle_s", "cpu_s"))
    record(_SUITE, "longest, wall clock", round(wall, 1), "s")
    record(_SUITE, "longest, wall clock, share of a busy machine", round(idle, 1), "s")
    record(_SUITE, "longest, processor time", round(cpu, 1), "s")
    assert cpu < _LONGEST_S
    assert idle < _LONGEST_S


def test_no_hostile_file_takes_a_gigabyte(run: Run) -> None:
    peak = max(step.peak_mb for step in run.steps)
    record(_SUITE, "peak memory of a worker", round(peak), "MB")
    assert peak < _MOST_MB
