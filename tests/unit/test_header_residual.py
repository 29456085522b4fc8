"""The search for the source's own identifiers in what stays."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from updp_node.header import Profile, compile_profile, deidentify
from updp_node.header.residual import collect_identifiers
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
RULES = compile_profile(Profile.model_validate({"name": "t", "version": "1"}))


def _source() -> Dataset:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.SOPInstanceUID = "1.2.3.4"
    source.StudyInstanceUID = "1.2.3.5"
    source.SeriesInstanceUID = "1.2.3.6"
    source.PatientName = "Müllerovich^Long^Field"
    source.PatientID = "MRN-0042-77"
    source.AccessionNumber = "A4711"
    source.PatientBirthDate = "19500203"
    source.InstitutionName = "Hospital of Springfield"
    source.OperatorsName = "Technikus^Eva"
    return source


@pytest.mark.parametrize(
    "text",
    [
        "seen by MUELLEROVICH",
        "Mullerovich",
        "MÜLLEROVICH protocol",
        "long scan of field",
        "mrn004277",
        "id MRN 0042 77 v2",
        "case a4711",
        "born 1950-02-03",
        "born 03.02.1950",
        "born 03-Feb-1950",
        "HospitalOfSpringfield",
        "made by Technikus",
    ],
)
def test_an_identifier_is_found_in_every_usual_spelling(text: str) -> None:
    assert collect_identifiers(_source(), RULES, ("ascii",)).found_in(text)


@pytest.mark.parametrize(
    "text",
    ["long axis", "field of view", "A47110", "hospital", "1950", "ORIGINAL PRIMARY AXIAL", ""],
)
def test_common_words_and_other_numbers_are_let_through(text: str) -> None:
    assert not collect_identifiers(_source(), RULES, ("ascii",)).found_in(text)


def test_an_identifier_in_bytes_is_found_in_two_encodings() -> None:
    found = collect_identifiers(_source(), RULES, ("ascii",)).found_in_bytes
    assert found(b"\0\1Technikus\0")
    assert found(b"\0" + "technikus".encode("utf-16-le"))
    assert not found(b"\0\1\2\3")


def test_a_kept_attribute_that_tells_an_identifier_is_treated_by_its_type() -> None:
    source = _source()
    source.ManufacturerModelName = "Scanner of Technikus"  # Type 3
    source.Manufacturer = "Maker for MRN-0042-77"  # Type 2
    source.ImageType = ["ORIGINAL", "TECHNIKUS"]  # Type 1
    source.SoftwareVersions = ["1.0", "2.0"]
    out = deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)
    assert "ManufacturerModelName" not in out
    assert out.Manufacturer == ""
    assert list(out.ImageType) == ["REMOVED", "REMOVED"]  # its least multiplicity
    assert out.SoftwareVersions == ["1.0", "2.0"]


def test_cleaned_text_is_searched_again() -> None:
    rules = compile_profile(
        Profile.model_validate({"name": "t", "version": "1", "options": ["Clean Descriptors"]})
    )
    source = _source()
    source.StudyDescription = "Thorax for Technikus"
    source.SeriesDescription = "Thorax"
    out = deidentify(source, rules, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda text: text)
    assert "StudyDescription" not in out
    assert out.SeriesDescription == "Thorax"


def test_names_in_nested_items_are_collected() -> None:
    source, item = _source(), Dataset()
    item.PersonName = "Verborgener^Name"
    source.ReferencedPatientSequence = [item]
    assert collect_identifiers(source, RULES, ("ascii",)).found_in("for Verborgener")


def test_a_retained_institution_is_no_residue() -> None:
    rules = compile_profile(
        Profile.model_validate(
            {"name": "t", "version": "1", "options": ["Retain Institution Identity"]}
        )
    )
    found = collect_identifiers(_source(), rules, ("ascii",))
    assert not found.found_in("Hospital of Springfield")
