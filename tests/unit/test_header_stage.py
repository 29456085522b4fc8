"""The header stage on whole instances."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from updp_node.errors import ConfigError, InstanceError
from updp_node.header import CompiledProfile, Profile, compile_profile, deidentify, load_profile
from updp_node.subject import ProjectKey, UidMap, identify_subject

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
CT = "1.2.840.10008.5.1.4.1.1.2"
SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
MODIFIED = "Retain Longitudinal Temporal Information With Modified Dates"


def _rules(**keys: object) -> CompiledProfile:
    return compile_profile(Profile.model_validate({"name": "t", "version": "1", **keys}))


def _source() -> Dataset:
    source = Dataset()
    source.SOPClassUID = CT
    source.SOPInstanceUID = "1.2.3.4"
    source.StudyInstanceUID = "1.2.3.5"
    source.SeriesInstanceUID = "1.2.3.6"
    source.PatientName = "Quastenflosser^Amalia"
    source.PatientID = "MRN-0042-77"
    source.Modality = "CT"
    return source


def _stage(
    source: Dataset, rules: CompiledProfile | None = None, classes: dict[str, str] | None = None
) -> Dataset:
    uids = UidMap(SUBJECT, "digest", replaced_classes=classes or {})
    return deidentify(source, rules or _rules(), SUBJECT, uids, clean_text=lambda text: text)


def _read_back(source: Dataset, syntax: str) -> Dataset:
    """The data set as it comes from a file, every element raw."""
    buffer = BytesIO()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = syntax
    dcmwrite(buffer, source, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))


def _instances() -> Iterator[Path]:
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file() and path.suffix not in {".txt", ".json", ".dump", ".icc", ".gz"}:
            yield path


@pytest.mark.parametrize("name", ["basic", "research-longitudinal"])
def test_every_sample_of_pydicom_is_deidentified_or_refused_with_a_code(name: str) -> None:
    rules = compile_profile(load_profile(name))
    uids = UidMap(SUBJECT, rules.digest)
    done, refused = 0, set()
    for path in _instances():
        source = dcmread(path, force=True)
        names = str(source.get("PatientName", "")).lower().replace("^", " ").split()
        words = [word for word in names if len(word) > 4 and word.isalnum()]
        number = str(source.get("PatientID", "")).lower()
        try:
            out = deidentify(source, rules, SUBJECT, uids, clean_text=lambda text: text)
        except InstanceError as error:
            refused.add(error.code)
            continue
        done += 1
        assert out.PatientID == out.PatientName == SUBJECT.pseudonym
        text = "\n".join(str(element) for element in out.iterall()).lower()
        for word in [*words, *([number] if len(number) > 5 else [])]:
            assert word not in text, path.name
        assert str(source.SOPInstanceUID) not in text
        assert ("PixelData" in out) == ("PixelData" in source)
    assert done > 100
    assert refused <= {"missing-uid", "unknown-sop-class"}


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_kept_values_come_through_every_encoding_unharmed(syntax: str) -> None:
    source = _source()
    source.KVP = "120.5"
    source.Rows = 512
    source.PixelRepresentation = 1
    source.SmallestImagePixelValue = -3
    source["SmallestImagePixelValue"].VR = "SS"
    source.RescaleSlope = "1"
    source.BluePaletteColorLookupTableDescriptor = [256, 0, 16]
    source["BluePaletteColorLookupTableDescriptor"].VR = "US"
    source.ImagePositionPatient = [1, 2, -3.5]
    source.ManufacturerModelName = "Model One"
    source.SharedFunctionalGroupsSequence = [Dataset()]
    word = b"\x01\x02\x03\x04"
    source.add_new(0x00281201, "OW", word)
    out = _stage(_read_back(source, syntax))
    written = _read_back(out, ExplicitVRLittleEndian)
    for keyword in ("KVP", "Rows", "RescaleSlope", "ImagePositionPatient", "Modality"):
        assert written[keyword].value == source[keyword].value
    assert written.SmallestImagePixelValue == -3
    assert written.ManufacturerModelName == "Model One"
    expected = b"\x02\x01\x04\x03" if syntax == ExplicitVRBigEndian else word
    assert written.RedPaletteColorLookupTableData == expected


def test_the_source_is_never_changed() -> None:
    source = _read_back(_source(), ExplicitVRLittleEndian)
    before = {tag: copy.deepcopy(source.get_item(tag)) for tag in source.keys()}  # noqa: SIM118
    _stage(source)
    assert before == {tag: source.get_item(tag) for tag in source.keys()}  # noqa: SIM118


def test_pixel_data_is_carried_over_by_reference() -> None:
    source = dcmread(SAMPLES / "JPEG2000.dcm")
    raw = source.get_item("PixelData")
    kept = _stage(source).get_item("PixelData")
    assert kept.value is raw.value
    assert kept.length == raw.length == 0xFFFFFFFF


def test_references_and_instances_get_the_same_uid_everywhere() -> None:
    first, second, item, deep = _source(), _source(), Dataset(), Dataset()
    deep.ReferencedSOPClassUID, deep.ReferencedSOPInstanceUID = CT, "1.2.3.4"
    deep.PurposeOfReferenceCodeSequence = []
    item.ReferencedSOPSequence = [deep]
    item.SeriesInstanceUID = "1.2.3.6"
    second.SOPInstanceUID = "1.2.3.7"
    second.CurrentRequestedProcedureEvidenceSequence = [Dataset()]
    second.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence = [item]
    one, two = _stage(first), _stage(second)
    series = two.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    reference = series.ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert series.SeriesInstanceUID == one.SeriesInstanceUID == two.SeriesInstanceUID
    assert reference.ReferencedSOPClassUID == CT
    assert one.SOPInstanceUID != two.SOPInstanceUID
    replaced = _stage(second, classes={"1.2.3.4": "1.2.840.10008.5.1.4.1.1.7"})
    series = replaced.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    reference = series.ReferencedSOPSequence[0]
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.7"


def test_what_was_done_is_written_down() -> None:
    out = _stage(_source(), _rules(options=["Retain UIDs", MODIFIED]))
    assert out.PatientIdentityRemoved == "YES"
    assert out.LongitudinalTemporalInformationModified == "MODIFIED"
    codes = [item.CodeValue for item in out.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113110", "113107"]
    assert "updp_node" in out.DeidentificationMethod[0]
    assert _stage(_source()).LongitudinalTemporalInformationModified == "REMOVED"


@pytest.mark.parametrize("earlier", ["MODIFIED", "REMOVED"])
def test_dates_that_were_changed_before_are_never_called_unmodified(earlier: str) -> None:
    source = _source()
    full = "Retain Longitudinal Temporal Information With Full Dates"
    assert _stage(source, _rules(options=[full])).LongitudinalTemporalInformationModified == (
        "UNMODIFIED"
    )
    source.LongitudinalTemporalInformationModified = earlier
    out = _stage(source, _rules(options=[full]))
    assert earlier == out.LongitudinalTemporalInformationModified


def test_group_lengths_padding_overlays_icons_and_signatures_are_gone() -> None:
    source = _source()
    source.add_new(0x00080000, "UL", 100)
    source.add_new(0x60003000, "OW", b"\1\1")
    source.add_new(0x60000010, "US", 16)
    source.add_new(0x50003000, "OW", b"\1\1")
    source.add_new(0xFFFCFFFC, "OB", b"\0\0")
    source.IconImageSequence = [Dataset()]
    source.EncryptedAttributesSequence = [Dataset()]
    source.MACParametersSequence = [Dataset()]
    source.DigitalSignaturesSequence = [Dataset()]
    source.ContentSequence = [Dataset()]
    left = {int(tag) for tag in _stage(source).keys()}  # noqa: SIM118
    assert not left & {
        0x00080000, 0x60003000, 0x60000010, 0x50003000, 0xFFFCFFFC, 0x00880200, 0x04000500,
        0x4FFE0001, 0xFFFAFFFA, 0x0040A730,
    }  # fmt: skip


def test_a_sequence_in_un_is_walked() -> None:
    inner = (
        b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
        b"\x10\x00\x10\x00\x0e\x00\x00\x00Quastenflosser"
        b"\x08\x00\x50\x11\x1a\x00\x00\x001.2.840.10008.5.1.4.1.1.2\x00"
        b"\xfe\xff\x0d\xe0\x00\x00\x00\x00"
    )
    source = _source()
    source[0x00081115] = RawDataElement(
        pydicom.tag.Tag(0x00081115), "UN", len(inner), inner, 0, False, True
    )
    (item,) = _stage(source).ReferencedSeriesSequence
    assert "Quastenflosser" not in str(item)
    assert item.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"


def test_dates_move_together_at_every_depth() -> None:
    source, item = _source(), Dataset()
    source.StudyDate = "20200115"
    source.AcquisitionDateTime = "20200115101112.5"
    item.ContributionDateTime = "20200116"
    item.PurposeOfReferenceCodeSequence = []
    source.ContributingEquipmentSequence = [item]
    source.PatientBirthDate = "19500101"
    source.ContentDate = "garbage"
    out = _stage(source, _rules(options=[MODIFIED], times="keep"))
    shifted = (pydicom.valuerep.DA("20200115"), pydicom.valuerep.DA(out.StudyDate))
    assert (shifted[1] - shifted[0]).days == SUBJECT.shift_days
    assert out.AcquisitionDateTime.startswith(out.StudyDate)
    assert out.AcquisitionDateTime.endswith("101112.5")
    moved = pydicom.valuerep.DA(out.ContributingEquipmentSequence[0].ContributionDateTime)
    assert (moved - shifted[1]).days == 1
    assert out.PatientBirthDate == ""
    assert out.ContentDate == ""


def test_an_accession_number_gets_the_same_surrogate_wherever_it_stands() -> None:
    source, item = _source(), Dataset()
    source.AccessionNumber = item.AccessionNumber = "ACC12345"
    item.ReferencedSOPInstanceUID = "1.2"
    source.ReferencedSeriesSequence = [item]
    out = _stage(source)
    assert out.AccessionNumber == out.ReferencedSeriesSequence[0].AccessionNumber
    assert len(out.AccessionNumber) == 16
    assert "12345" not in out.AccessionNumber
    source.AccessionNumber = ""
    assert _stage(source).AccessionNumber == ""


def test_cleaning_needs_a_cleaner() -> None:
    rules = _rules(options=["Clean Descriptors"])
    with pytest.raises(ConfigError, match="cleaner"):
        deidentify(_source(), rules, SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)


def test_an_unknown_sop_class_is_quarantined_unless_the_profile_keeps_it() -> None:
    source = _source()
    source.SOPClassUID = "1.2.3.4.5"
    source.DeviceSerialNumber = "SER1"
    with pytest.raises(InstanceError, match="unknown-sop-class"):
        _stage(source)
    out = _stage(source, _rules(unknown_sop_class="keep"))
    assert out.DeviceSerialNumber == "REMOVED"


def test_a_missing_uid_is_quarantined() -> None:
    source = _source()
    del source.SOPInstanceUID
    with pytest.raises(InstanceError, match="missing-uid"):
        _stage(source)


def test_nesting_without_end_is_quarantined() -> None:
    source = item = _source()
    for _ in range(80):
        inner = Dataset()
        item.ReferencedSeriesSequence = [inner]
        item = inner
    with pytest.raises(InstanceError, match="nesting-too-deep"):
        _stage(source)


def test_a_sequence_of_rubbish_is_quarantined_without_its_value() -> None:
    source = _source()
    value = b"Quastenflosser in no sequence"
    source[0x00081115] = RawDataElement(
        pydicom.tag.Tag(0x00081115), "SQ", len(value), value, 0, False, True
    )
    with pytest.raises(InstanceError) as caught:
        _stage(source)
    assert caught.value.code == "unreadable-attribute"
    assert "Quastenflosser" not in str(caught.value)


def test_a_dummy_sequence_keeps_its_structure_and_no_value() -> None:
    source, item, code = _source(), Dataset(), Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    item.VerifyingOrganization = "General Hospital"
    item.VerificationDateTime = "20200101"
    item.VerifyingObserverName = "Doctor^Some"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "77", "99X", "Doctor Some"
    item.VerifyingObserverIdentificationCodeSequence = [code]
    source.VerifyingObserverSequence = [item]
    (new,) = _stage(source).VerifyingObserverSequence
    assert new.VerifyingObserverName == "REMOVED"
    assert new.VerifyingOrganization == "REMOVED"
    assert new.VerificationDateTime == "19000101000000"
    assert len(new.get("VerifyingObserverIdentificationCodeSequence", [])) == 0
