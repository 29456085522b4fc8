"""Matching as PS3.4 C.2.2.2 describes it."""

import time

import pytest

from updp_node.query.keys import Key, QueryError, check_key, glob_matches, matches
from updp_node.query.levels import tag_of
from updp_node.query.times import read_range


def element(vr, *values):
    return {"vr": vr, "Value": list(values)}


def name(alphabetic, ideographic=None):
    groups = {"Alphabetic": alphabetic}
    if ideographic:
        groups["Ideographic"] = ideographic
    return element("PN", groups)


@pytest.mark.parametrize(
    ("vr", "wanted", "held", "expected"),
    [
        ("CS", "CT", "CT", True),
        ("CS", "ct", "CT", False),
        ("LO", "CHEST*", "CHEST PA", True),
        ("LO", "C?EST", "CHEST", True),
        ("LO", "C?EST", "CEST", False),
        ("LO", "[ab]*", "a", False),
        ("DA", "20200101", "20200101", True),
        ("DA", "20200101-20200131", "20200131", True),
        ("DA", "20200101-20200131", "20200201", False),
        ("DA", "-20200131", "19990101", True),
        ("DA", "20200101-", "20191231", False),
        ("DA", "20200101", "2020.01.01", True),
        ("TM", "10", "100000.000", True),
        ("TM", "1000-1030", "103059.9", True),
        ("TM", "1000-1030", "103100", False),
        ("DT", "2020-2021", "20211231235959", True),
        ("DT", "20200101120000+0100-", "20200101110000+0000", True),
        ("DT", "20200101120000+0100-", "20200101105959+0000", False),
        ("IS", "1", 1, True),
        ("DS", "1.50", 1.5, True),
        ("IS", "1", 11, False),
        ("UI", "1.2.3", "1.2.3", True),
        ("SH", " 7 ", "7", True),
    ],
)
def test_a_value_matches_as_its_vr_says(vr, wanted, held, expected):
    assert matches(Key(1, vr, (wanted,)), element(vr, held)) is expected


@pytest.mark.parametrize(
    ("wanted", "held", "expected"),
    [
        ("doe^john", "DOE^JOHN", True),
        ("müller*", "MULLER^ANNA", True),
        ("MULLER^ANNA", "Müller^Anna", True),
        ("DOE", "DOE^JOHN", False),
        ("Yamada^Tarou", "YAMADA^TAROU", True),
        ("山田*", "YAMADA^TAROU", True),
        ("=山田^太郎", "YAMADA^TAROU", True),
        ("X*=山田^太郎", "YAMADA^TAROU", False),
    ],
)
def test_a_name_matches_without_case_accents_and_in_any_group(wanted, held, expected):
    assert matches(Key(1, "PN", (wanted,)), name(held, "山田^太郎")) is expected


def test_a_key_without_value_matches_what_is_not_there():
    assert matches(Key(1, "LO"), None)
    assert not matches(Key(1, "LO", ("X",)), None)
    assert not matches(Key(1, "LO", ("X",)), {"vr": "LO"})


def test_one_of_several_values_suffices_on_both_sides():
    assert matches(Key(1, "UI", ("1.2", "1.3")), element("UI", "1.3"))
    assert matches(Key(1, "CS", ("B",)), element("CS", "A", "B"))


def test_all_keys_of_a_sequence_meet_in_one_item():
    first, second = tag_of("CodeValue"), tag_of("CodingSchemeDesignator")
    key = Key(1, "SQ", items=(Key(first, "SH", ("A",)), Key(second, "SH", ("S",))))

    def item(value, scheme):
        return {f"{first:08X}": element("SH", value), f"{second:08X}": element("SH", scheme)}

    assert matches(key, element("SQ", item("B", "S"), item("A", "S")))
    assert not matches(key, element("SQ", item("A", "T"), item("B", "S")))


def test_many_asterisks_cost_no_exponential_time():
    started = time.monotonic()
    assert not glob_matches("*a" * 16 + "*b", "a" * 10_000)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("vr", "value"),
    [
        ("DA", "yesterday"),
        ("DA", "20201399"),
        ("DA", "20209999-"),
        ("DA", "20200101-2020"),
        ("TM", "25:xx"),
        ("UI", "1.2*"),
        ("IS", "one"),
    ],
)
def test_a_value_that_is_none_of_its_vr_is_refused_without_repeating_it(vr, value):
    with pytest.raises(QueryError) as caught:
        check_key(Key(0x00080020, vr, (value,)))
    assert caught.value.status == 0xA900
    assert caught.value.tag == 0x00080020
    assert value not in caught.value.reason


def test_a_lone_hyphen_is_no_range():
    assert read_range("-", "DA") is None


def test_an_unknown_value_of_a_required_key_matches_every_value():
    key = Key(tag_of("StudyDate"), "DA", ("20200101-",))
    assert matches(key, None)
    assert matches(key, {"vr": "DA"})
    assert not matches(Key(tag_of("StudyDescription"), "LO", ("X",)), None)
