"""What the text stage must leave: codes as written, services, words beside a name."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.factories import code, content_item, text_sr
from tests.factories.reports import policy
from tests.integration.text_templates import shared_scrubber
from updp_node.header import Profile, compile_profile, deidentify
from updp_node.standard import safe_private
from updp_node.standard.meanings import speaks_vocabulary
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.text.coded import rewrite_code
from updp_node.text.identity import RETAINED_WITH, Identity, read_identity
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")


def _clean(text: str, identity: Identity) -> str:
    return shared_scrubber().scrub(text, identity, None, Replacement.TAG).text


def _rewritten(value: str, scheme: str, meaning: str) -> str:
    made = rewrite_code(code(value, scheme, meaning), lambda text: "cleaned", lambda text: False)
    return str(made.CodeMeaning)


@pytest.mark.parametrize(
    ("value", "scheme", "meaning", "expected"),
    [
        ("51185008", "SCT", "Chest", "Chest"),
        ("399368009", "SCT", "Mediolateral oblique", "Mediolateral oblique"),
        ("51185008", "SCT", "Chest of Drommelhart", "Thoracic structure"),
        ("51185008", "SCT", "Chest 4711233", "Thoracic structure"),
        ("51185008", "SCT", "", "Thoracic structure"),
        ("CTCHWO", "99RIS", "CT Chest", "cleaned"),
    ],
)
def test_a_senders_meaning_of_a_published_code_stays_where_it_tells_of_the_code_alone(
    value: str, scheme: str, meaning: str, expected: str
) -> None:
    assert _rewritten(value, scheme, meaning) == expected


def test_a_meaning_that_names_somebody_of_the_header_is_replaced() -> None:
    made = rewrite_code(code("51185008", "SCT", "Chest"), str, lambda text: text == "Chest")
    assert made.CodeMeaning == "Thoracic structure"


def test_a_vocabulary_has_words_and_short_numbers_only() -> None:
    assert speaks_vocabulary("Left lobe 3")
    assert not speaks_vocabulary("Left lobe 1234")
    assert not speaks_vocabulary("")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CT HEAD - Laura Parker", "CT HEAD - [NAME]"),
        ("PARKER CAP", "[NAME] CAP"),
        ("SAG 3x3 Parker, Laura", "SAG 3x3 [NAME]"),
        ("Parker ThoraxRoutine", "[NAME] ThoraxRoutine"),
        ("elevated LFTs - Laura Parker", "elevated LFTs - [NAME]"),
        ("*tfl3d1_ns - Laura Parker", "*tfl3d1_ns - [NAME]"),
        ("Parker called at 555-017-7391. 30 degree LAO", "[NAME] called at [PHONE]. 30 degree LAO"),
        ("Rose Parker was seen", "[NAME] was seen"),
        ("CHEST 2 VIEWS Dr. Parker", "CHEST 2 VIEWS Dr. [NAME]"),
        ("Lives at 12 Elm Dr. in Ohio", "Lives at [ADDRESS] in Ohio"),
    ],
)
def test_words_of_a_protocol_beside_a_name_stay(text: str, expected: str) -> None:
    assert _clean(text, Identity(names=("Parker^Laura",))) == expected


def test_a_service_alone_is_no_institution() -> None:
    identity = Identity(institutions=("Nuclear Medicine", "Neuroradiology", "Ashford Clinic"))
    assert _clean("Nuclear Medicine scan", identity) == "Nuclear Medicine scan"
    assert _clean("seen in Neuroradiology", identity) == "seen in Neuroradiology"
    assert "Ashford" not in _clean("at Ashford Clinic", identity)


def test_what_the_profile_retains_is_no_identifier_in_text() -> None:
    source = Dataset()
    source.StationName, source.InstitutionName = "MAMMO_1", "Ashford Clinic"
    retained = RETAINED_WITH["Retain Device Identity"]
    assert set(read_identity([source]).institutions) == {"Ashford Clinic", "MAMMO_1"}
    assert read_identity([source], retained).institutions == ("Ashford Clinic",)


def _scrub(*items: Dataset) -> ReportContent:
    report = text_sr("Lungs clear.")
    report.ContentSequence = Sequence(items)
    return scrub_content(
        report, shared_scrubber(), Identity(), SUBJECT, UidMap(SUBJECT, "d"), Replacement.TAG,
        policy=policy(),
    )  # fmt: skip


def test_a_uid_that_names_a_referenced_instance_stays_the_same_as_the_reference() -> None:
    inner, outer = Dataset(), Dataset()
    inner.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.11.1"
    inner.ReferencedSOPInstanceUID = "1.2.3.7"
    outer.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    outer.ReferencedSOPInstanceUID = "1.2.3.4"
    outer.ReferencedSOPSequence = Sequence([inner])
    concept = code("121112", "DCM", "Source of Measurement")
    image = content_item("IMAGE", concept, ReferencedSOPSequence=[outer])
    named = content_item("UIDREF", code("112002", "DCM", "Series Instance UID"), UID="1.2.3.4")
    content = _scrub(image, named).content
    assert content is not None
    made = content[0].ReferencedSOPSequence[0]
    assert made.ReferencedSOPInstanceUID == content[1].UID
    assert made.ReferencedSOPSequence[0].ReferencedSOPInstanceUID.startswith("2.25.")


def test_text_of_a_safe_private_element_is_cleaned_with_descriptors() -> None:
    source = Dataset()
    source.SOPClassUID, source.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    source.StudyInstanceUID, source.SeriesInstanceUID = "1.2.3.5", "1.2.3.6"
    row = next(row for row in safe_private() if row.vr == "LO" and row.creator == "GEMS_ACQU_01")
    block = source.private_block(row.group, row.creator, create=True)
    block.add_new(row.element, "LO", "for Dr. Walker")
    for options, expected in (([], "for Dr. Walker"), (["Clean Descriptors"], "cleaned")):
        rules = compile_profile(
            Profile(name="t", version="1", options=("Retain Safe Private", *options))
        )
        out = deidentify(
            source, rules, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda text: "cleaned"
        )
        made = out.private_block(row.group, row.creator)
        assert made[row.element].value == expected


def test_the_uid_of_a_coding_scheme_stays() -> None:
    stated = code("1", "99X", "Some")
    stated.CodingSchemeUID = "2.16.840.1.113883.6.96"
    assert rewrite_code(stated, str, lambda text: False).CodingSchemeUID == stated.CodingSchemeUID
    for own in ("1.2.276.0.7230010.3.0.0.1", "2.16.840.1.113883.6.96.20231117", "Walker"):
        stated.CodingSchemeUID = own
        assert "CodingSchemeUID" not in rewrite_code(stated, str, lambda text: False)
