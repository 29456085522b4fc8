"""Findings of real reports: found, and the same after scrubbing; nothing else is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tests.integration.text_templates import shared_scrubber
from tools.findings_figures import (
    Gold,
    Reports,
    Survival,
    commonest,
    micro,
    read_gold,
    read_reports,
    score,
    split,
    survive,
)
from updp_node.text.scrub import Replacement

pytestmark = [pytest.mark.shared_data, pytest.mark.timeout(1200)]
LEAST_MICRO = 0.90
LEAST_COMMON = 0.80
LEAST_SURVIVAL = 0.995
MOST_FALSE_REMOVAL = 0.03


@pytest.fixture(scope="module")
def folder() -> Path:
    root = Path(__file__).parents[2]
    shared = Path(os.environ.get("UPDP_SHARED", root.parent / "shared"))
    found = shared / "data" / "reports" / "openi"
    if not found.is_dir():
        pytest.skip(f"reports absent: {found}; set UPDP_SHARED to measure on them")
    return found


@pytest.fixture(scope="module")
def reports(folder: Path) -> Reports:
    return read_reports(folder)


@pytest.fixture(scope="module")
def gold(folder: Path) -> Gold:
    return read_gold(folder)


@pytest.fixture(scope="module", params=list(Replacement))
def survival(reports: Reports, request: pytest.FixtureRequest) -> Survival:
    return survive(reports, shared_scrubber(), request.param)


@pytest.mark.parametrize("part", ["whole", "figure half"])
def test_findings_agree_with_the_public_labels(reports: Reports, gold: Gold, part: str) -> None:
    known = sorted(gold.keys() & reports.keys())
    counts = score(reports, gold, known if part == "whole" else split(known)[1])
    record("findings", f"micro F1, {part}", round(micro(counts).f1, 4), "")
    for label in commonest(counts):
        record("findings", f"F1 {label}, {part}", round(counts[label].f1, 4), "")
    assert micro(counts).f1 >= LEAST_MICRO
    low = {label: counts[label].f1 for label in commonest(counts)}
    assert {label: f1 for label, f1 in low.items() if f1 < LEAST_COMMON} == {}


def test_scrubbing_turns_no_finding_round(survival: Survival) -> None:
    record("findings", "negation and certainty flips", survival.certainty_flips, "")
    record("findings", "laterality flips", survival.laterality_flips, "")
    assert survival.certainty_flips == 0
    assert survival.laterality_flips == 0
    lost = survival.labelled_lost / survival.labelled
    record("findings", "labelled findings that survive", round(1 - lost, 5), "")
    assert 1 - lost >= LEAST_SURVIVAL


def test_scrubbing_removes_little_else(survival: Survival) -> None:
    record("findings", "reports with a removal outside slots", survival.false_removal, "")
    assert survival.false_removal <= MOST_FALSE_REMOVAL
