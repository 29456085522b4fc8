"""Query parameters of QIDO-RS read into queries."""

from __future__ import annotations

import pytest

from updp_node.query import Level, QueryError
from updp_node.query.levels import tag_of
from updp_node.query.web import Search, read_search


def read(*params: tuple[str, str], level: Level = Level.STUDY, **uids: str) -> Search:
    named = {Level[name.upper()]: uid for name, uid in uids.items()}
    return read_search(params, level, named, most=100)


def key(search: Search, keyword: str):
    return next((each for each in search.query.keys if each.tag == tag_of(keyword)), None)


def test_keywords_and_tags_name_the_same_attribute():
    for name in ("StudyDate", "00080020"):
        assert key(read((name, "20200101-")), "StudyDate").values == ("20200101-",)


def test_lists_of_uids_are_parted_by_comma_and_backslash():
    search = read(("StudyInstanceUID", "1.2,1.3\\1.4"))
    assert key(search, "StudyInstanceUID").values == ("1.2", "1.3", "1.4")
    assert key(read(("PatientName", "Doe,J")), "PatientName").values == ("Doe,J",)


def test_dots_lead_into_sequences():
    search = read(
        ("RequestAttributesSequence.RequestedProcedureID", "R1"),
        ("00400275.00400009", "S1"),
        level=Level.SERIES,
    )
    items = {each.tag: each.values for each in key(search, "RequestAttributesSequence").items}
    assert items == {0x00400009: ("S1",), 0x00401001: ("R1",)}


@pytest.mark.parametrize("value", ["", "*", "**"])
def test_nothing_and_an_asterisk_match_everything(value: str):
    assert key(read(("PatientID", value)), "PatientID").is_universal


def test_the_path_fixes_unique_keys_and_spares_their_attributes():
    within = read(level=Level.SERIES, study="1.2")
    assert key(within, "StudyInstanceUID").values == ("1.2",)
    assert key(within, "PatientName") is None
    assert key(read(level=Level.SERIES), "PatientName").is_universal
    with pytest.raises(QueryError):
        read(("StudyInstanceUID", "1.3"), level=Level.SERIES, study="1.2")


def test_the_usual_attributes_are_returned_unasked():
    for keyword in ("StudyDate", "ModalitiesInStudy", "NumberOfStudyRelatedInstances", "PatientID"):
        assert key(read(), keyword).is_universal
    assert key(read(level=Level.IMAGE), "Rows").is_universal


def test_pages_ask_for_one_answer_more():
    for asked, page, is_cut in ((None, 100, True), ("7", 7, False), ("500", 100, True)):
        search = read(*([("limit", asked)] if asked else []))
        assert (search.page, search.query.limit, search.is_cut) == (page, page + 1, is_cut)
    assert read(("offset", "30")).query.offset == 30
    assert read().query.ordered


@pytest.mark.parametrize(
    "name", ["Modality", "SOPInstanceUID", "00091001", "00189999", "NumberOfStudyRelatedSeries"]
)
def test_what_the_level_does_not_hold_is_left_out_and_said_so(name: str):
    search = read((name, "1.2"))
    assert search.is_unsupported
    assert search.query.ignored


def test_includefield_is_repeated_or_listed():
    search = read(("includefield", "PatientAge,StudyID"), ("includefield", "00101030"))
    for keyword in ("PatientAge", "StudyID", "PatientWeight"):
        assert key(search, keyword).is_universal
    assert read(("includefield", "all")).query.all_attributes


@pytest.mark.parametrize(
    "params",
    [
        [("limit", "x")], [("limit", "-1")], [("limit", "1"), ("limit", "1")], [("offset", "")],
        [("fuzzymatching", "1")], [("Nonsense", "1")], [("", "1")], [("..", "1")],
        [("PatientID", "1"), ("00100020", "2")], [("StudyDate", "x")], [("StudyTime", "25x")],
        [("StudyInstanceUID", "1.2*")], [("PatientID.PatientName", "x")],
        [("PatientID", "*a" * 20)], [("PatientID", "x" * 2000)],
        [("StudyInstanceUID", "1.2," * 2000)], [("includefield", "PatientID," * 300)],
        [(".".join(["RequestAttributesSequence"] * 40), "x")], [("PatientWeight", "heavy")],
    ],
)  # fmt: skip
def test_malformed_parameters_are_refused_in_words_of_our_own(params: list[tuple[str, str]]):
    with pytest.raises(QueryError) as refused:
        read(*params)
    assert "Nonsense" not in refused.value.reason
    assert "heavy" not in refused.value.reason
