# ruff: noqa: E501 - rows of cases are easier to read unbroken
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from updp_node.text.identity import Identity, read_identity


def make_header() -> Dataset:
    header = Dataset()
    header.PatientName = "HOLLOWAY^MARGARET^A"
    header.PatientID = "ZX88120Q"
    header.PatientBirthDate = "19610314"
    header.AccessionNumber = "RAD-2024-0098213"
    header.ReferringPhysicianName = "Baek^Young-Ho"
    header.OperatorsName = ["Kim^Lee", "Poe^Sam"]
    header.PatientTelephoneNumbers = "212-555-7788"
    header.InstitutionName = "Marlowe General Hospital"
    observer = Dataset()
    observer.VerifyingObserverName = "Raghunathan^Priya"
    observer.VerifyingOrganization = "Kettering Imaging"
    observer.VerificationDateTime = "20240315081200"
    header.VerifyingObserverSequence = Sequence([observer])
    item = Dataset()
    item.ValueType = "PNAME"
    item.PersonName = "Okonkwo^Thomas"
    outer = Dataset()
    outer.ContentSequence = Sequence([item])
    header.ContentSequence = Sequence([outer])
    return header


def test_identifiers_are_read_from_every_depth():
    found = read_identity([make_header()])
    assert set(found.names) == {
        "HOLLOWAY^MARGARET^A", "Baek^Young-Ho", "Kim^Lee", "Poe^Sam", "Raghunathan^Priya", "Okonkwo^Thomas",
    }  # fmt: skip
    assert set(found.ids) == {"ZX88120Q", "RAD-2024-0098213"}
    assert set(found.dates) == {"19610314", "20240315"}
    assert found.phones == ("212-555-7788",)
    assert set(found.institutions) == {"Marlowe General Hospital", "Kettering Imaging"}


def test_several_headers_are_joined_and_the_sources_unchanged():
    header = make_header()
    before = header.to_json()
    assert read_identity([header, header]) == read_identity([header])
    assert header.to_json() == before


def test_empty_headers_tell_nothing():
    empty = Dataset()
    empty.PatientName = ""
    empty.PatientID = None
    assert read_identity([empty, Dataset()]) == Identity()


def test_an_unreadable_attribute_is_read_by_its_bytes_or_passed_over():
    header = make_header()
    for keyword, value in (
        ("AcquisitionDuration", b"\1\2\3\4\5\6"),
        ("PatientAddress", b"4711 Quxbury"),
    ):
        tag = Tag(tag_for_keyword(keyword))
        header._dict[tag] = RawDataElement(tag, "FD", len(value), value, 0, False, True)
    found = read_identity([header])
    assert "HOLLOWAY^MARGARET^A" in found.names
    assert "4711 Quxbury" in found.addresses
