"""Dates, actions, dummies and ICC texts."""

from __future__ import annotations

import struct

import pytest
from pydicom.data import get_testdata_file

from updp_node.header.actions import resolve_action
from updp_node.header.dates import cap_age, is_offset, keep_time, shift_date, shift_datetime
from updp_node.header.icc import blank_texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20200301", "20200220"),
        ("2020.03.01", "20200220"),
        ("", ""),
        ("20200301-20200311", "20200220-20200301"),
        ("20200301-", "20200220-"),
        ("-20200301", "-20200220"),
        ("20201301", None),
        ("20200230", None),
        ("yesterday", None),
        ("20200301 JOHN", None),
        ("00010101", None),
        ("-", None),
    ],
)
def test_a_date_is_shifted_or_refused(text: str, expected: str | None) -> None:
    assert shift_date(text, -10) == expected


@pytest.mark.parametrize(
    ("text", "times", "expected"),
    [
        ("20200301102233.123456+0100", "keep", "20200220102233.123456+0100"),
        ("20200301102233.123456+0100", "coarsen", "202002201022+0100"),
        ("20200301102233", "remove", "20200220"),
        ("20200301", "keep", "20200220"),
        ("202003", "keep", "202002"),
        ("2020", "keep", "2019"),
        ("2020-0500", "keep", "2019-0500"),
        ("20200301-20200311", "keep", "20200220-20200301"),
        ("20200301102233-0500", "keep", "20200220102233-0500"),
        ("2020030110JOHN", "keep", None),
        ("", "keep", ""),
    ],
)
def test_a_datetime_is_shifted_or_refused(text: str, times: str, expected: str | None) -> None:
    assert shift_datetime(text, -10, times) == expected


@pytest.mark.parametrize(
    ("text", "times", "expected"),
    [
        ("101112.123", "keep", "101112.123"),
        ("10:11:12", "keep", "101112"),
        ("101112.123", "coarsen", "101100"),
        ("1011", "coarsen", "1011"),
        ("10", "coarsen", "10"),
        ("101112", "remove", None),
        ("1011-1213", "keep", "1011-1213"),
        ("251112", "keep", None),
        ("noon", "keep", None),
    ],
)
def test_a_time_follows_the_profile(text: str, times: str, expected: str | None) -> None:
    assert keep_time(text, times) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("012M", "012M"), ("old", None)],
)
def test_an_age_over_89_years_is_capped(text: str, expected: str | None) -> None:
    assert cap_age(text) == expected


def test_an_offset_from_utc_is_recognized() -> None:
    assert is_offset("+0100")
    assert is_offset("")
    assert not is_offset("CET")
    assert not is_offset("+9900")


@pytest.mark.parametrize(
    ("action", "kind", "known", "expected"),
    [
        ("X/Z/D", "1", True, "D"), ("X/Z/D", "2", True, "Z"), ("X/Z/D", "3", True, "X"),
        ("X/Z/D", "", True, "X"), ("X/Z/D", "", False, "D"), ("X/Z/D", "1C", True, "D"),
        ("X/Z", "2C", True, "Z"), ("X/Z", "3", True, "X"), ("X/Z", "1", True, "D"),
        ("X/Z", "", False, "Z"), ("X/D", "1", True, "D"), ("X/D", "2", True, "D"),
        ("X/D", "3", True, "X"), ("Z/D", "1", True, "D"), ("Z/D", "2", True, "Z"),
        ("Z/D", "3", True, "Z"), ("X/Z/U*", "1", True, "U"), ("X/Z/U*", "1C", True, "U"),
        ("X/Z/U*", "2", True, "Z"), ("X/Z/U*", "3", True, "X"), ("X/Z/U*", "", False, "U"),
        ("X", "1", True, "D"), ("X", "2", True, "Z"), ("X", "1C", True, "X"),
        ("X", "3", True, "X"), ("Z", "1", True, "D"), ("Z", "2", True, "Z"), ("U", "1", True, "U"),
    ],
)  # fmt: skip
def test_a_code_is_resolved_by_type(action: str, kind: str, known: bool, expected: str) -> None:
    assert resolve_action(action, kind, known=known) == expected


def test_the_texts_of_an_icc_profile_are_blanked_and_its_colours_stay() -> None:
    path = get_testdata_file("crayons.icc")
    with open(path, "rb") as file:  # noqa: PTH123
        profile = file.read()
    blanked = blank_texts(profile)
    assert blanked is not None
    assert len(blanked) == len(profile)
    (count,) = struct.unpack_from(">I", profile, 128)
    kinds = set()
    for place in range(count):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * place)
        kind = profile[offset : offset + 4]
        kinds.add(kind)
        if kind in {b"text", b"desc", b"mluc"}:
            words = blanked[offset + 8 : offset + size]
            assert words != profile[offset + 8 : offset + size]
        else:
            assert blanked[offset : offset + size] == profile[offset : offset + size], name
    assert kinds & {b"text", b"desc", b"mluc"}


def test_an_icc_profile_that_cannot_be_parsed_is_refused() -> None:
    assert blank_texts(b"no profile") is None
    assert blank_texts(b"\0" * 36 + b"acsp" + b"\xff" * 200) is None
