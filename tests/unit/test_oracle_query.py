"""The oracle of C-FIND answers, held to examples of PS3.4 C.2.2.2 itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.oracle_query import (
    ADMISSIBLE,
    DEVIATING,
    STRICT,
    Information,
    Instance,
    answer,
    matches,
    same_under_every_reading,
)


def _element(keyword: str, value: object) -> DataElement:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return DataElement(tag, dictionary_VR(tag), value)


def _matches(keyword: str, wanted: object, held: object) -> bool:
    return matches(_element(keyword, wanted), _element(keyword, held))


@pytest.mark.parametrize(
    ("keyword", "wanted", "held", "expected"),
    [
        ("StudyID", "7", "7", True), ("StudyID", "a", "A", False),
        ("StudyDescription", "Chest*", "Chest CT", True),
        ("StudyDescription", "chest*", "Chest CT", False),
        ("StudyDescription", "C?est", "Chest", True),
        ("StudyDescription", "C?est", "Cest", False),
        ("StudyDescription", "*100%", "head 100%", True),
        ("StudyDescription", "a_b", "axb", False), ("StudyDescription", "a[b]", "a[b]", True),
        ("StudyInstanceUID", ["1.2", "1.3"], "1.3", True),
        ("StudyInstanceUID", ["1.2", "1.3"], "1.4", False),
        ("ImageType", "AXIAL", ["DERIVED", "PRIMARY", "AXIAL"], True),
        ("StudyDate", "20060705-20060707", "20060706", True),
        ("StudyDate", "20060705-20060707", "20060708", False),
        ("StudyDate", "-20060707", "20060707", True), ("StudyDate", "20060707-", "20060706", False),
        ("StudyTime", "2230", "223000", True), ("StudyTime", "1000-1800", "175959.5", True),
        ("StudyTime", "1000-1800", "0959", False),
        ("AcquisitionDateTime", "19980128103000.0000", "19980128103000", True),
        ("AcquisitionDateTime", "19980128103000+0000", "19980128073000-0300", True),
        ("AcquisitionDateTime", "19980128100000-0300-19980128110000-0300", "19980128133000+0000",
         True),
        ("PatientWeight", "70.5", "70.5", True), ("InstanceNumber", "2", "12", False),
    ],
)  # fmt: skip
def test_attributes_match_as_the_standard_says(
    keyword: str, wanted: object, held: object, expected: bool
) -> None:
    assert _matches(keyword, wanted, held) is expected


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        ("muller^jorg", "Müller^Jörg", True), ("MÜLLER^JÖRG", "Muller^Jorg", True),
        ("muller", "Müller^Jörg", False), ("mull*", "Müller^Jörg", True),
        ("Müller^Jörg^^", "Müller^Jörg", True), ("山田^太郎", "Yamada^Tarou=山田^太郎", True),
        ("yamada^tarou", "Yamada^Tarou=山田^太郎", True),
        ("=山田*", "Yamada^Tarou=山田^太郎", True),
        ("=Yamada*", "Yamada^Tarou=山田^太郎", False), ("?uller*", "Müller^Jörg", True),
        ("Nguyen^Van^An", "Nguyễn^Văn^An", True),
    ],
)  # fmt: skip
def test_names_match_without_case_and_diacritics_and_in_any_group(
    wanted: str, held: str, expected: bool
) -> None:
    assert _matches("PatientName", wanted, held) is expected


def test_an_unknown_value_of_a_required_key_matches_every_key() -> None:
    for keyword, wanted in (("PatientName", "A*"), ("StudyDate", "2020-")):
        for held in (None, _element(keyword, "")):
            assert all(matches(_element(keyword, wanted), held, each) for each in ADMISSIBLE)
            assert not matches(_element(keyword, wanted), held, DEVIATING)


def test_an_unknown_value_of_an_optional_key_is_left_to_the_reading() -> None:
    key = _element("StudyDescription", "Chest")
    assert [matches(key, None, each) for each in ADMISSIBLE] == [False, True]
    assert matches(_element("StudyDescription", "*"), None, DEVIATING)


def _study(number: int, date: str, codes: list[str], **more: str) -> Instance:
    header = Dataset()
    header.PatientID, header.PatientName = "P1", "Müller^Jörg"
    header.StudyInstanceUID, header.SeriesInstanceUID = f"1.{number}", f"1.{number}.1"
    header.SOPInstanceUID, header.StudyDate = f"1.{number}.1.1", date
    header.StudyTime, header.Modality = more.get("time", "101500"), "CT"
    items = []
    for code in codes:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator = code, "LN"
        items.append(item)
    header.ProcedureCodeSequence = Sequence(items)
    return Instance(more.get("project", "a"), header, Path("x"), superseded="superseded" in more)


def _asked(level: str, **keys: object) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return identifier


def test_of_a_sequence_the_matching_items_are_returned_with_what_was_asked() -> None:
    item = _asked("STUDY", CodeValue="3*")
    del item.QueryRetrieveLevel
    identifier = _asked("STUDY", StudyInstanceUID="", ProcedureCodeSequence=Sequence([item]))
    information = Information([_study(1, "20200101", ["36643-5", "24627-2"])])
    (found,) = answer(information, identifier, ["a"])
    assert found[0x00081032] == (((0x00080100, ("36643-5",)),),)
    whole = _asked("STUDY", ProcedureCodeSequence=Sequence([]))
    assert len(answer(information, whole, ["a"])[0][0x00081032]) == 2


def test_date_and_time_are_one_moment_where_that_is_negotiated() -> None:
    """The example of C.2.2.2.5.4: from 10:00 on 5 July until 18:00 on 7 July."""
    information = Information([
        _study(1, "20060705", [], time="0930"), _study(2, "20060706", [], time="0930"),
        _study(3, "20060707", [], time="1730"), _study(4, "20060707", [], time="1930"),
    ])  # fmt: skip
    identifier = _asked("STUDY", StudyDate="20060705-20060707", StudyTime="1000-1800")

    def found(*, combined: bool) -> list[object]:
        answers = answer(information, identifier, ["a"], combined=combined)
        return [each[0x0020000D][0] for each in answers]

    assert found(combined=True) == ["1.2", "1.3"]
    assert found(combined=False) == ["1.3"]


def test_counts_and_lists_cover_what_may_be_seen_and_is_the_newest() -> None:
    information = Information([
        _study(1, "20200101", []), _study(2, "20200102", []),
        _study(3, "20200103", [], project="b"), _study(4, "20200104", [], superseded="yes"),
    ])  # fmt: skip
    identifier = _asked("PATIENT", PatientID="", NumberOfPatientRelatedStudies="",
                        NumberOfPatientRelatedInstances="")  # fmt: skip
    (found,) = answer(information, identifier, ["a"])
    assert found[0x00201200] == (2,)
    assert found[0x00201204] == (2,)
    assert answer(information, identifier, ["c"]) == []


def test_a_question_that_hangs_on_the_implementer_is_known_as_unfair() -> None:
    information = Information([_study(1, "20200101", [], time="101530")])
    for time, fair in (("1015", False), ("101530", True), ("10-11", True), ("09-1015", False)):
        identifier = _asked("STUDY", StudyTime=time)
        assert same_under_every_reading(information, identifier, ["a"], combined=False) is fair


def test_readings_differ_where_they_say() -> None:
    key, held = _element("StudyTime", "09-1015"), _element("StudyTime", "101530")
    assert matches(key, held, STRICT)
    assert not matches(key, held, replace(STRICT, precision="point"))
