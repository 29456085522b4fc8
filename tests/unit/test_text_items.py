"""Content items by the options of the profile: kept, cleaned, dummies, removed."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.factories import code, content_item, ct_series, make_uid, text_sr
from tests.factories.reports import policy
from tests.integration.text_templates import shared_scrubber
from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.text.identity import Identity
from updp_node.text.items import ContentPolicy, item_action
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
UIDS = UidMap(SUBJECT, "d")
CHARACTERISTICS = "Retain Patient Characteristics"
DEVICE = "Retain Device Identity"


def _scrub(
    *items: Dataset, rules: ContentPolicy | None = None, report: Dataset | None = None
) -> ReportContent:
    source = report or text_sr("Lungs clear.")
    source.ContentSequence = Sequence(items)
    return scrub_content(source, shared_scrubber(), Identity(names=("Walker^Alice",)), SUBJECT,
                         UIDS, Replacement.TAG, policy=rules or policy())  # fmt: skip


def _only(*items: Dataset, rules: ContentPolicy | None = None) -> Dataset:
    content = _scrub(*items, rules=rules).content
    assert content is not None
    return content[0]


def _text(value: str, scheme: str, meaning: str, text: str = "Clear.") -> Dataset:
    return content_item("TEXT", code(value, scheme, meaning), TextValue=text)


def _age(value: object, unit: str = "a") -> Dataset:
    measured = Dataset()
    measured.add_new("NumericValue", "DS", value)
    measured.MeasurementUnitsCodeSequence = Sequence([code(unit, "UCUM", "year")])
    return content_item(
        "NUM", code("121033", "DCM", "Subject Age"), MeasuredValueSequence=[measured]
    )


def test_the_age_of_the_subject_goes_and_stays_with_patient_characteristics() -> None:
    assert _scrub(_age("72")).removed == 1
    kept = _only(_age("72"), rules=policy("shift", CHARACTERISTICS))
    assert kept.MeasuredValueSequence[0].NumericValue == 72


def test_an_age_over_89_years_becomes_90() -> None:
    rules = policy("shift", CHARACTERISTICS)
    assert _only(_age("97"), rules=rules).MeasuredValueSequence[0].NumericValue == 90
    months = _only(_age("97", "mo"), rules=rules)
    assert months.MeasuredValueSequence[0].NumericValue == 97


def test_the_sex_of_the_subject_goes_and_stays_with_patient_characteristics() -> None:
    sex = content_item("CODE", code("121032", "DCM", "Subject Sex"),
                       ConceptCodeSequence=[code("M", "DCM", "Male")])  # fmt: skip
    assert _scrub(sex).removed == 1
    assert _only(sex, rules=policy("shift", CHARACTERISTICS)).ValueType == "CODE"


@pytest.mark.parametrize(
    ("options", "expected"), [((), "X"), ((DEVICE,), "K"), (("Retain Institution Identity",), "X")]
)
def test_a_device_stays_with_the_option_that_retains_it(
    options: tuple[str, ...], expected: str
) -> None:
    item = _text("121013", "DCM", "Device Observer Name")
    assert item_action(item, "TEXT", policy("shift", *options)) == expected


def test_what_an_option_retains_is_cleaned_where_it_tells_a_person() -> None:
    rules = policy("shift", DEVICE)
    said = [_text("121013", "DCM", "Device Observer Name", text) for text in
            ("Scanner 7", "Alice Walker's scanner")]  # fmt: skip
    content = _scrub(*said, rules=rules).content
    assert content is not None
    assert content[0].TextValue == "Scanner 7"
    assert "Walker" not in content[1].TextValue


def test_uids_are_relinked_whatever_else_is_retained() -> None:
    item = content_item("UIDREF", code("121012", "DCM", "Device Observer UID"), UID="1.2.3.9")
    assert UIDS.other("1.2.3.9") == _only(item, rules=policy("shift", DEVICE)).UID


def test_a_finding_told_as_text_is_a_dummy_without_clean_descriptors() -> None:
    rules = ContentPolicy(frozenset({"Clean Structured Content"}))
    finding = _text("121071", "DCM", "Finding", "Small effusion.")
    assert _only(finding, rules=rules).TextValue == "REMOVED"
    assert _only(finding).TextValue == "Small effusion."


def test_without_clean_structured_content_structure_stays_and_values_are_dummies() -> None:
    length = content_item("NUM", code("410668003", "SCT", "Length"),
                          MeasuredValueSequence=_age("12").MeasuredValueSequence)  # fmt: skip
    coded = content_item(
        "CODE",
        code("121071", "DCM", "Finding"),
        ConceptCodeSequence=[code("60046008", "SCT", "Pleural effusion")],
    )
    region = content_item("SCOORD", code("111030", "DCM", "Image Region"), GraphicType="POINT",
                          GraphicData=[1.0, 2.0])  # fmt: skip
    inner = _text("121071", "DCM", "Finding", "Small effusion.")
    section = content_item("CONTAINER", code("121070", "DCM", "Findings"),
                           ContinuityOfContent="SEPARATE", ContentSequence=[inner])  # fmt: skip
    made = _scrub(length, coded, region, section, rules=ContentPolicy(frozenset())).content
    assert made is not None
    assert [item.ValueType for item in made] == ["NUM", "CODE", "CONTAINER"]
    assert len(made[0].MeasuredValueSequence) == 0
    assert made[1].ConceptCodeSequence[0].CodeMeaning == "Unknown"
    assert made[2].ConceptNameCodeSequence[0].CodeMeaning == "Findings"
    assert made[2].ContentSequence[0].TextValue == "REMOVED"


@pytest.mark.parametrize(
    ("value", "scheme", "meaning", "expected"),
    [
        ("121008", "DCM", "Person Observer Name", "REMOVED"),
        ("X1", "99RIS", "Recording observer", "REMOVED"),
        ("X2", "99RIS", "Name of the hospital", "REMOVED"),
        ("X3", "99RIS", "Lesion", "Clear."),
        ("112039", "DCM", "Tracking Identifier", "Clear."),
    ],
)
def test_text_whose_concept_names_somebody_is_a_dummy(
    value: str, scheme: str, meaning: str, expected: str
) -> None:
    assert _only(_text(value, scheme, meaning)).TextValue == expected


def test_a_uid_of_the_evidence_names_the_same_instance() -> None:
    image = ct_series(1, rows=16)[0]
    report = text_sr("Lungs clear.", references=[image])
    event = content_item("UIDREF", code("113769", "DCM", "Irradiation Event UID"),
                         UID=image.SOPInstanceUID)  # fmt: skip
    content = _scrub(event, report=report).content
    assert content is not None
    assert UIDS.instance(image.SOPInstanceUID) == content[0].UID


def test_a_moment_that_a_waveform_is_pointed_at_is_moved() -> None:
    span = content_item("TCOORD", code("X1", "99A", "Span"), TemporalRangeType="POINT",
                        ReferencedDateTime=["20210314141253"])  # fmt: skip
    made = _only(span)
    assert made.ReferencedDateTime != "20210314141253"
    assert str(made.ReferencedDateTime).endswith("141200")


@pytest.mark.parametrize("value", ["Walker", "1e", "12 Walker"])
def test_a_number_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InstanceError, match="unreadable-attribute"):
        _scrub(_number(value))


def test_an_empty_number_says_nothing() -> None:
    assert len(_only(_number("")).MeasuredValueSequence) == 0


def _number(value: str) -> Dataset:
    measured = Dataset()
    measured.add_new("FloatingPointValue", "LO", value)
    return content_item("NUM", code("410668003", "SCT", "Length"), MeasuredValueSequence=[measured])


def _reference(*place: int) -> Dataset:
    item = Dataset()
    item.RelationshipType = "INFERRED FROM"
    item.ReferencedContentItemIdentifier = list(place)
    return item


def test_a_relationship_by_reference_follows_its_target() -> None:
    gone = _text("121022", "DCM", "Accession Number")
    source = _text("121071", "DCM", "Finding")
    source.ContentSequence = Sequence([_reference(1, 3)])
    content = _scrub(gone, source, _text("121073", "DCM", "Impression")).content
    assert content is not None
    assert list(content[0].ContentSequence[0].ReferencedContentItemIdentifier) == [1, 2]


def test_a_relationship_by_reference_goes_with_its_target() -> None:
    source = _text("121071", "DCM", "Finding")
    source.ContentSequence = Sequence([_reference(1, 1), _reference(1, 3)])
    made = _scrub(
        _text("121022", "DCM", "Accession Number"), source, _text("121073", "DCM", "Impression")
    )
    assert made.content is not None
    (left,) = made.content[0].ContentSequence
    assert list(left.ReferencedContentItemIdentifier) == [1, 2]
    assert made.removed == 2


def test_a_second_run_leaves_the_surrogates_of_the_first() -> None:
    item = _text("121071", "DCM", "Finding", "Effusion, seen by Dr. Alice Walker.")
    report = text_sr("Lungs clear.")
    report.ContentSequence = Sequence([item])

    def scrub(source: Dataset, known: frozenset[str]) -> ReportContent:
        return scrub_content(
            source, shared_scrubber(), Identity(names=("Walker^Alice",)), SUBJECT, UIDS,
            Replacement.SURROGATE, policy=policy(), known=known,
        )  # fmt: skip

    first = scrub(report, frozenset())
    report.ContentSequence = first.content
    assert first.issued
    assert scrub(report, first.issued).content == first.content
    assert scrub(report, frozenset()).content != first.content


def test_an_instance_uid_never_stays() -> None:
    assert make_uid("x") not in str(_only(
        content_item("UIDREF", code("112040", "DCM", "Tracking Unique Identifier"),
                     UID=make_uid("x"))
    ))  # fmt: skip
