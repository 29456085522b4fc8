"""The benchmark in the shape of MIDI-B, a thousand instances, through ``updp-node deidentify``."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tools.midi.generate import generate
from tools.midi.key import KINDS
from tools.midi.score import NOT_RELEASED, Score, failures_by_cause, score

ROOT = Path(__file__).parents[2]
INSTANCES = 1000
SEED = 1
CERTAIN = ("text_removed", "date_shifted", "uid_changed", "uid_consistent", "patid_consistent")
RETAINED = ("tag_retained", "text_notnull", "text_retained")
RETAINED_AIM = 0.999


@dataclass
class Run:
    """What came of the benchmark."""

    score: Score
    seconds: float
    told: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("midi-b")
    generate(folder, instances=INSTANCES, seed=SEED)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "updp_node", "deidentify", folder / "files", "--out", folder / "out",
         "--profile", ROOT / "profiles" / "midi-b.yaml", "--map", folder / "map.json"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    seconds = time.monotonic() - started
    result = score(folder, folder / "out", folder / "map.json")
    print(result.table())
    for name, count, example in failures_by_cause(result.failures):
        print(count, name, example)
    return Run(result, seconds, done.stdout)


@pytest.mark.timeout(1800)
def test_a_thousand_instances_are_scored_by_kind_of_action(run: Run) -> None:
    for kind in KINDS:
        passed, total = run.score.passed[kind], run.score.total[kind]
        record("midi-b", f"{kind}, instances", f"{passed}/{total}", "")
        series = f"{run.score.series_passed[kind]}/{run.score.series_total[kind]}"
        record("midi-b", f"{kind}, series", series, "")
        held = sum(each.kind == kind and each.found == NOT_RELEASED for each in run.score.failures)
        if held:
            record("midi-b", f"{kind}, of what is released", f"{passed}/{total - held}", "")
        assert total > 0, kind
    record("midi-b", "not released", run.score.missing, "of 1000")
    record("midi-b", "two processes", round(run.seconds / INSTANCES, 3), "s/instance")


@pytest.mark.parametrize("kind", CERTAIN)
def test_no_identifier_of_what_is_released_stays(run: Run, kind: str) -> None:
    wrong = [each for each in run.score.failures if each.kind == kind]
    assert [each for each in wrong if each.found != NOT_RELEASED] == []


@pytest.mark.parametrize("kind", RETAINED)
def test_what_a_curator_keeps_is_kept(run: Run, kind: str) -> None:
    assert run.score.passed[kind] >= RETAINED_AIM * run.score.total[kind]
