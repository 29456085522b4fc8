"""Private elements: removed, or kept by creator and VR."""

from __future__ import annotations

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from updp_node.header import CompiledProfile, Profile, compile_profile, deidentify
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
MODIFIED = "Retain Longitudinal Temporal Information With Modified Dates"


def _rules(**keys: object) -> CompiledProfile:
    return compile_profile(Profile.model_validate({"name": "t", "version": "1", **keys}))


def _source() -> Dataset:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.SOPInstanceUID = "1.2.3.4"
    source.StudyInstanceUID = "1.2.3.5"
    source.SeriesInstanceUID = "1.2.3.6"
    source.PatientName = "Quastenflosser^Amalia"
    return source


def _stage(source: Dataset, rules: CompiledProfile | None = None) -> Dataset:
    uids = UidMap(SUBJECT, "digest")
    return deidentify(source, rules or _rules(), SUBJECT, uids, clean_text=None)


def test_private_elements_stay_by_creator_where_they_are_safe() -> None:
    source = _source()
    block = source.private_block(0x2001, "Philips Imaging DD 001", create=True)
    block.add_new(0x03, "FL", 1.5)  # known to be safe
    block.add_new(0x99, "LO", "unknown")
    source.add_new(0x20031001, "LO", "no creator")
    safe = _rules(options=["Retain Safe Private"])
    out = _stage(source, safe)
    kept = out.private_block(0x2001, "Philips Imaging DD 001")
    assert kept[0x03].value == 1.5
    assert 0x99 not in kept
    assert 0x20031001 not in out
    (item,) = out.PrivateDataElementCharacteristicsSequence
    assert item.PrivateGroupReference == 0x2001
    assert item.PrivateCreatorReference == "Philips Imaging DD 001"
    assert item.BlockIdentifyingInformationStatus == "SAFE"
    assert not [tag for tag in _stage(source).keys() if tag.is_private]  # noqa: SIM118
    block.add_new(0x04, "LO", "x")
    source[0x2001, 0x1003] = DataElement(0x20011003, "LO", "Quastenflosser")
    assert 0x20011003 not in _stage(source, safe)


def test_a_private_element_stays_where_the_site_says_so() -> None:
    source = _source()
    source.private_block(0x0011, "SITE", create=True).add_new(0x05, "LO", "Value")
    override = {"creator": "SITE", "element": "0011,05", "action": "K", "why": "harmless"}
    out = _stage(source, _rules(overrides=[override]))
    assert out[0x00111005].value == "Value"


def test_a_block_number_that_differs_makes_no_difference() -> None:
    source = _source()
    source.add_new(0x200100E1, "LO", "Philips Imaging DD 001")
    source.add_new(0x2001E103, "FL", 2.5)
    out = _stage(source, _rules(options=["Retain Safe Private"]))
    assert out[0x2001E103].value == 2.5
    assert out[0x200100E1].value == "Philips Imaging DD 001"


def test_a_safe_element_with_another_vr_is_not_safe() -> None:
    source = _source()
    source.private_block(0x2001, "Philips Imaging DD 001", create=True).add_new(0x03, "LO", "x")
    assert 0x20011003 not in _stage(source, _rules(options=["Retain Safe Private"]))


def test_private_dates_move_and_private_uids_are_mapped() -> None:
    source = _source()
    block = source.private_block(0x0011, "SITE", create=True)
    block.add_new(0x01, "DA", "20200115")
    block.add_new(0x02, "UI", "1.2.3.4")
    block.add_new(0x03, "PN", "Somebody^Else")
    overrides = [
        {"creator": "SITE", "element": f"0011,0{n}", "action": "K", "why": "test"}
        for n in (1, 2, 3)
    ]
    out = _stage(source, _rules(overrides=overrides, options=[MODIFIED]))
    assert out[0x00111001].value not in {"", "20200115"}
    assert out[0x00111002].value.startswith("2.25.")
    assert 0x00111003 not in out
    assert 0x00111001 not in _stage(source, _rules(overrides=overrides))


def test_private_items_are_walked_with_the_same_rules() -> None:
    source, item = _source(), Dataset()
    item.PatientName = "Quastenflosser^Amalia"
    item.Rows = 5
    source.private_block(0x0011, "SITE", create=True).add_new(0x05, "SQ", [item])
    override = {"creator": "SITE", "element": "0011,05", "action": "K", "why": "test"}
    (kept,) = _stage(source, _rules(overrides=[override]))[0x00111005].value
    assert kept.Rows == 5
    assert kept.PatientName == SUBJECT.pseudonym
