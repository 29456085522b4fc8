"""What the gate reads out of a source for itself."""

from __future__ import annotations

from datetime import date

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.tag import Tag

from tests import factories
from updp_node.errors import InstanceError
from updp_node.verify import keywords, read_evidence
from updp_node.verify.walking import walk

PERSON = factories.patient()
SOURCES = {
    "cr": factories.chest_cr(rows=16, columns=16),
    "sr": factories.text_sr(references=[factories.chest_cr(rows=16, columns=16)]),
    "us": factories.ultrasound(1),
}


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_names_numbers_dates_and_uids_are_gathered_at_every_depth(kind: str) -> None:
    source = SOURCES[kind]
    evidence = read_evidence([dcmread(DicomBytesIO(factories.encode(source)))])
    for name in (
        PERSON.name,
        PERSON.reader,
        PERSON.requester,
        PERSON.referring,
        PERSON.mother_name,
    ):
        surname = name.split("^", maxsplit=1)[0].lower()
        assert surname in evidence.names
    assert {"7738201946", "zqx5590817", "acqv8830172", "5550177391", "0177391"} <= evidence.codes
    assert "snqv339177" in evidence.devices
    assert date(1951, 6, 23) in evidence.birth_dates
    assert date(2023, 11, 17) in evidence.dates
    assert {source.StudyInstanceUID, source.SeriesInstanceUID} <= evidence.uids
    assert ("wexmoorton", "royal", "infirmary") in evidence.places
    assert ("wexmoorton", "90817") in evidence.contacts


def test_dates_and_mail_addresses_of_text_are_gathered() -> None:
    sr = factories.text_sr("Compared with 3 March 2019. Mail o.k@bernholt.example about it.")
    evidence = read_evidence([sr])
    assert date(2019, 3, 3) in evidence.dates
    assert ("o", "k", "bernholt", "example") in evidence.contacts


def test_code_systems_products_and_dummies_are_no_evidence() -> None:
    source = Dataset()
    source.Manufacturer = source.InstitutionName = "Thoraxia Systems"
    source.SoftwareVersions = "2019-03-03"
    source.StudyDate = "19000101"
    source.PatientName = "Test^Patient"
    source.SOPClassUID = "1.3.6.1.4.1.99991.5"
    source.ConceptNameCodeSequence = [factories.code("1", "99X", "x")]
    source.ConceptNameCodeSequence[0].CodingSchemeVersion = "20190303"
    assert read_evidence([source]) == read_evidence([])


def test_short_numbers_and_bare_words_count_in_identifying_attributes_only() -> None:
    source = Dataset()
    source.StudyID, source.AdmissionID, source.StationName = "20481", "12", "BRIDGEWING"
    evidence = read_evidence([source])
    assert evidence.weak_codes == {"20481", "bridgewing"}
    assert not evidence.codes
    assert not evidence.devices


def test_every_keyword_of_the_lists_is_one_of_the_dictionary() -> None:
    for name, listed in vars(keywords).items():
        if isinstance(listed, frozenset):
            unknown = [keyword for keyword in listed if tag_for_keyword(keyword) is None]
            assert not unknown, name


def _with_odd(tag: str, vr: str, value: bytes) -> Dataset:
    source = Dataset()
    source.PatientName = "Qvistorpe^Zebediahn"
    number = Tag(tag_for_keyword(tag))
    source._dict[number] = RawDataElement(number, vr, len(value), value, 0, False, True)
    return source


def test_an_unreadable_attribute_of_a_source_does_not_stop_the_reading() -> None:
    source = _with_odd("AcquisitionDuration", "FD", b"abcdef")
    evidence = read_evidence([source])
    assert "qvistorpe" in evidence.names
    with pytest.raises(InstanceError, match="unreadable-attribute"):
        list(walk(source))


def test_an_unreadable_identifier_is_searched_by_its_bytes() -> None:
    evidence = read_evidence([_with_odd("AccessionNumber", "FD", b"ACQ8830172")])
    assert "acq8830172" in evidence.codes
