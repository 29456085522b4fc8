"""Code meanings and short text that nobody lists are free text."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from updp_node.header import Profile, compile_profile, deidentify
from updp_node.standard.meanings import find_meaning
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
TOLD = "Chest PA for Mrs Alice Walker"
CLEAN = "Clean Descriptors"


def _stage(options: list[str], codes: list[Dataset], **attributes: str) -> Dataset:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.SOPInstanceUID, source.StudyInstanceUID = "1.2.3.4", "1.2.3.5"
    source.SeriesInstanceUID, source.PatientID = "1.2.3.6", "MRN-0042-77"
    source.PatientName, source.Modality = "Quastenflosser^Amalia", "CT"
    source.ProcedureCodeSequence = codes
    for keyword, value in attributes.items():
        setattr(source, keyword, value)
    profile = Profile.model_validate({"name": "t", "version": "1", "options": options})
    return deidentify(
        source, compile_profile(profile), SUBJECT, UidMap(SUBJECT, "d"),
        clean_text=lambda text: text.replace("Alice Walker", "[NAME]"),
    )  # fmt: skip


def _code(value: str, scheme: str, meaning: str = TOLD) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _meaning(options: list[str], code: Dataset) -> str:
    return str(_stage(options, [code]).ProcedureCodeSequence[0].CodeMeaning)


@pytest.mark.parametrize("options", [[], [CLEAN]])
@pytest.mark.parametrize(
    ("value", "scheme", "meaning"),
    [
        ("121071", "DCM", "Finding"),
        ("51185008", "SCT", "Thoracic structure"),
        ("T-D3000", "SRT", "Thoracic structure"),
    ],
)
def test_a_published_code_gets_its_published_meaning(
    options: list[str], value: str, scheme: str, meaning: str
) -> None:
    assert _meaning(options, _code(value, scheme)) == meaning


def test_the_meaning_of_another_code_is_cleaned_as_text() -> None:
    assert _meaning([CLEAN], _code("XR1", "99HOSP")) == "Chest PA for Mrs [NAME]"


def test_without_clean_descriptors_the_code_value_is_its_meaning() -> None:
    assert _meaning([], _code("XR1", "99HOSP")) == "XR1"


def test_a_code_value_that_identifies_is_no_meaning() -> None:
    assert _meaning([], _code("MRN-0042-77", "99HOSP")) == "REMOVED"


def test_a_long_published_meaning_fits_its_vr() -> None:
    assert all(len(find_meaning("SCT", value) or "") <= 64 for value in ("51185008", "816094009"))
    assert find_meaning("99HOSP", "XR1") is None


@pytest.mark.parametrize("keyword", ["AcquisitionProtocolName", "WedgeID", "TransducerData"])
def test_short_text_that_nobody_lists_is_cleaned_with_clean_descriptors(keyword: str) -> None:
    out = _stage([CLEAN], [], **{keyword: "Alice Walker"})
    assert out[keyword].value == "[NAME]"


@pytest.mark.parametrize("keyword", ["AcquisitionProtocolName", "SequenceName", "TrackingID"])
def test_short_text_that_people_type_goes_without_clean_descriptors(keyword: str) -> None:
    assert keyword not in _stage([], [], **{keyword: "Alice Walker"})


@pytest.mark.parametrize("options", [[], [CLEAN]])
def test_the_words_of_devices_stay(options: list[str]) -> None:
    out = _stage(options, [], ConvolutionKernel="Alice Walker", Manufacturer="Siemens")
    assert (out.ConvolutionKernel, out.Manufacturer) == ("Alice Walker", "Siemens")


@pytest.mark.parametrize("policy", ["quarantine", "keep"])
def test_samples_in_an_item_stay_only_where_the_profile_keeps_other_objects(policy: str) -> None:
    inner = Dataset()
    inner.ContourData = ["1.25", "2", "3"]
    profile = compile_profile(
        Profile.model_validate({"name": "t", "version": "1", "other_objects": policy})
    )
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.SOPInstanceUID, source.StudyInstanceUID = "1.2.3.4", "1.2.3.5"
    source.SeriesInstanceUID, source.PatientID = "1.2.3.6", "N1"
    source.ProcedureCodeSequence = [inner]
    out = deidentify(source, profile, SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)
    assert ("ContourData" in out.ProcedureCodeSequence[0]) is (policy == "keep")
