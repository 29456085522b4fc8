"""Codes, enumerated values and templates of content items: nothing in them is free text."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.factories import code, content_item, text_sr
from tests.factories.reports import policy
from tests.integration.text_templates import shared_scrubber
from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.text.coded import enumerated, known_template
from updp_node.text.identity import read_identity
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
TOLD = "Alice Walker tel 0171 5550199"


def _scrub(*items: Dataset) -> ReportContent:
    report = text_sr("Lungs clear.")
    report.ContentSequence = Sequence([*report.ContentSequence, *items])
    return scrub_content(
        report, shared_scrubber(), read_identity([report]), SUBJECT, UidMap(SUBJECT, "d"),
        Replacement.TAG, policy=policy(),
    )  # fmt: skip


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    return content_item(
        "CODE", code("121071", "DCM", "Finding"), ConceptCodeSequence=[code(value, scheme, meaning)]
    )


def _meaning(value: str, scheme: str, meaning: str) -> str:
    content = _scrub(_coded(value, scheme, meaning)).content
    assert content is not None
    return str(content[-1].ConceptCodeSequence[0].CodeMeaning)


def test_a_published_code_gets_its_published_meaning() -> None:
    assert _meaning("121071", "DCM", TOLD) == "Finding"


@pytest.mark.parametrize("scheme", ["DCM", "SCT", "RADLEX", "99HOSP"])
def test_the_meaning_of_an_unpublished_code_is_scrubbed(scheme: str) -> None:
    meaning = _meaning("X1", scheme, TOLD)
    assert "Walker" not in meaning
    assert "5550199" not in meaning


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("RelationshipType", "SEEN BY WALKER"), ("ContinuityOfContent", "WALKER"),
        ("GraphicType", "ALICE"), ("TemporalRangeType", "ALICE"),
        ("PixelOriginInterpretation", "ALICE"),
    ],
)  # fmt: skip
def test_a_value_that_the_standard_does_not_enumerate_is_refused(keyword: str, value: str) -> None:
    item = Dataset()
    setattr(item, keyword, value)
    with pytest.raises(InstanceError, match="unknown-value-type"):
        enumerated(item, keyword)


def test_a_report_with_an_invented_relationship_is_refused() -> None:
    item = content_item("TEXT", code("121071", "DCM", "Finding"), TextValue="ok")
    item.RelationshipType = "SEEN BY WALKER"
    with pytest.raises(InstanceError, match="unknown-value-type: RelationshipType"):
        _scrub(item)


@pytest.mark.parametrize(
    ("resource", "identifier", "stays"),
    [("DCMR", "2000", True), ("DCMR", "ALICE", False), ("WALKER", "2000", False),
     ("99HOSP", "4711A", True)],
)  # fmt: skip
def test_a_template_stays_where_it_has_the_form_of_one(
    resource: str, identifier: str, stays: bool
) -> None:
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = resource, identifier
    assert (known_template(template) is not None) is stays
