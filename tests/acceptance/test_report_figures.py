"""How much of 2,000 generated reports is found: the figure split, on which nothing is tuned."""

from __future__ import annotations

import pytest

from tests.acceptance.figures import record
from tools.reports.fill import CATEGORIES
from tools.reports.measure import Result, measure
from tools.reports.mixture import make_reports
from tools.reports.spanish import read_marked
from updp_node.text.scrub import load_scrubber

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
REPORTS, SEED = 2_000, 1


@pytest.fixture(scope="module")
def result() -> Result:
    reports = make_reports("figure", REPORTS, SEED)
    assert len(reports) == REPORTS
    result = measure(reports, load_scrubber().find)
    for name, row in result.figures().items():
        if isinstance(row, dict):
            record("reports", name, round(row["share"], 5), "share")
            record("reports", f"{name}, of", row["of"], "spans or tokens")
    return result


def test_identifiers_are_found(result: Result) -> None:
    assert result.recall() >= 0.995, f"{result.gold.total() - result.found.total()} missed"


@pytest.mark.parametrize("category", CATEGORIES)
def test_identifiers_of_every_category_are_found(result: Result, category: str) -> None:
    assert result.gold[category] > 0
    assert result.recall(category) >= 0.99


def test_identifiers_that_the_header_has_are_all_found(result: Result) -> None:
    assert result.gold_in_header - result.found_in_header == 0


def test_what_is_removed_is_an_identifier(result: Result) -> None:
    assert result.precision() >= 0.97


def test_spanish_identifiers_are_found() -> None:
    result = measure(read_marked(), load_scrubber(language="es").find, "es")
    record("reports", "Spanish, recall", round(result.recall(), 5), "share")
    record("reports", "Spanish, token precision", round(result.precision(), 5), "share")
    assert result.recall() >= 0.95
