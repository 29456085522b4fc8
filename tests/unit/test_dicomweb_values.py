"""Values in the DICOM JSON model."""

from __future__ import annotations

import math
import struct

import pytest

from updp_node.dicomweb.values import read_encodings, to_json

LATIN = read_encodings(b"ISO_IR 100")


@pytest.mark.parametrize(
    ("vr", "raw", "value"),
    [
        ("LO", b" a \\ b", ["a", "b"]),
        ("LO", b"a\\\\b ", ["a", None, "b"]),
        ("UI", b"1.2.3\0", ["1.2.3"]),
        ("CS", b"A\\B ", ["A", "B"]),
        ("LT", b" kept\\as it is ", [" kept\\as it is"]),
        ("DS", b"1.50\\ 2e3 ", [1.5, 2000.0]),
        ("DS", b"1,5 ", ["1,5"]),
        ("IS", b"12\\-3 ", [12, -3]),
        ("IS", b"1.0 ", ["1.0"]),
        ("AT", b"\x18\x00\x63\x10", ["00181063"]),
        ("US", b"\x01\x00\xff\xff", [1, 65535]),
        ("SS", b"\xff\xff", [-1]),
        ("FD", struct.pack("<d", 0.1), [0.1]),
        ("PN", b"Doe^J\xf6rg", [{"Alphabetic": "Doe^Jörg"}]),
        ("PN", b"A\\\\B", [{"Alphabetic": "A"}, None, {"Alphabetic": "B"}]),
        ("SH", b"Gr\xf6\xdfe", ["Größe"]),
    ],
)
def test_values_are_given_by_their_vr(vr: str, raw: bytes, value: list):
    assert to_json(vr, raw, LATIN) == {"vr": vr, "Value": value}


@pytest.mark.parametrize(("vr", "raw"), [("LO", b""), ("LO", b"  "), ("UI", b"\0"), ("DS", b" ")])
def test_what_is_empty_has_no_value(vr: str, raw: bytes):
    assert to_json(vr, raw, LATIN) == {"vr": vr}


def test_names_have_three_groups():
    encodings = read_encodings(b"ISO_IR 192")
    raw = "Yamada^Tarou=山田^太郎=やまだ^たろう".encode()
    assert to_json("PN", raw, encodings)["Value"] == [
        {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}
    ]


def test_code_extensions_are_decoded():
    encodings = read_encodings(b"\\ISO 2022 IR 87")
    raw = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"
    assert to_json("PN", raw, encodings)["Value"][0]["Ideographic"] == "山田^太郎"


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_numbers_that_json_has_not_are_given_as_bytes(number: float):
    assert "InlineBinary" in to_json("FD", struct.pack("<d", number), LATIN)


def test_an_unknown_character_set_does_not_stop_anything():
    assert read_encodings(b"NO SUCH SET")
    assert to_json("LO", b"\xff\xfe", ("no-such-codec",))["vr"] == "LO"
