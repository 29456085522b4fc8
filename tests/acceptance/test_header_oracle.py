"""Every row of Table E.1-1, every option, every SOP Class of a patient: the oracle's judgement."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_description, tag_for_keyword

from tests.acceptance.figures import record
from tests.oracle.engine import run_trials
from tests.oracle.reading import Reason
from tests.oracle.tables import rows, sop_classes
from tests.oracle.trial import COMBINED, SINGLE, Findings

SUITE = "oracle of Table E.1-1"


@pytest.fixture(scope="module")
def findings() -> Findings:
    started = time.monotonic()
    found = run_trials(sorted(sop_classes()), [*SINGLE, *COMBINED])
    record(SUITE, "SOP Classes", len(sop_classes()), "")
    record(SUITE, "settings (options singly, none, together)", len(SINGLE) + len(COMBINED), "")
    record(SUITE, "rows carried", len(found.rows), "")
    record(SUITE, "instances judged", found.instances, "")
    record(SUITE, "judgements", found.judgements, "")
    record(SUITE, "planted at depth 2 and more", _deep(found), "attributes")
    for reason in Reason:
        count = sum(each for (why, _), each in found.explained.items() if why is reason)
        record(SUITE, f"explained: {reason.value}", count, "")
    record(SUITE, "disagreements", sum(found.wrong.values()), "")
    record(SUITE, "duration", round(time.monotonic() - started), "s")
    return found


def test_no_disagreement_is_left(findings: Findings) -> None:
    assert [(fault, count) for fault, count in findings.wrong.most_common(20)] == []


def test_every_row_was_carried_by_many_classes_at_two_depths(findings: Findings) -> None:
    # written anew by the stage, or the text stage's: judged apart
    apart = {"ContentSequence", "EncapsulatedDocument"}
    assert set(rows()) - findings.rows == apart
    assert len(sop_classes()) >= 40
    assert findings.depths[0] > 600 * len(sop_classes())
    assert _deep(findings) > 600 * len(sop_classes())


def test_every_reason_that_is_explained_occurs(findings: Findings) -> None:
    assert {reason for reason, _ in findings.explained} == set(Reason)


def test_every_attribute_that_the_iod_keeps_is_named_on_the_page(findings: Findings) -> None:
    page = (Path(__file__).parents[2] / "docs/explanation/oracle.md").read_text(encoding="utf-8")
    kept = {keyword for why, keyword in findings.explained if why is Reason.REQUIRED}
    names = {dictionary_description(tag_for_keyword(keyword) or 0) for keyword in kept}
    assert [name for name in sorted(names) if name not in page] == []


def _deep(findings: Findings) -> int:
    return sum(count for depth, count in findings.depths.items() if depth >= 2)
