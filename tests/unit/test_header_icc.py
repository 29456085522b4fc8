"""ICC profiles (0028,2000): numbers stay, nothing else does."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from updp_node.header import Profile, compile_profile, deidentify
from updp_node.header.icc import blank_texts
from updp_node.subject import ProjectKey, UidMap, identify_subject

CANARY = b"QVSERIAL77"
COLOURS = struct.pack(">4s4x3i", b"XYZ ", 1, 2, 3)
SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")


def _profile(*tags: tuple[bytes, bytes], between: bytes = b"") -> bytes:
    """A profile with header texts, the tags given, and bytes between them."""
    header = bytearray(128)
    header[24:36] = struct.pack(">6H", 2023, 11, 17, 14, 12, 53)
    header[36:40] = b"acsp"
    header[48:56] = b"QVMKQVMD"
    header[80:84] = b"QVCR"
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags:
        table += struct.pack(">4sII", name, start + len(body), len(content))
        body += content + between
    return bytes(header) + table + body


def _unicode(text: str) -> bytes:
    raw = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(raw), 28) + raw


@pytest.mark.parametrize(
    "content",
    [
        b"text\0\0\0\0" + CANARY + b"\0",
        b"desc\0\0\0\0" + struct.pack(">I", 11) + CANARY + b"\0" + bytes(78),
        b"desc\0\0\0\0" + struct.pack(">I", 1) + b"\0" + b"\0\0en" + CANARY,
        _unicode(CANARY.decode()),
        b"mmod\0\0\0\0" + b"APPL" + CANARY,
        b"dtim\0\0\0\0" + struct.pack(">6H", 2023, 11, 17, 14, 12, 53),
        b"data\0\0\0\0\0\0\0\0" + CANARY,
        b"ncl2\0\0\0\0" + bytes(12) + CANARY.ljust(32, b"\0"),
        b"QVXX\0\0\0\0" + CANARY,
    ],
    ids=["text", "desc", "desc beyond its length", "mluc", "model and serial", "date", "data",
         "named colour", "unknown"],
)  # fmt: skip
def test_nothing_but_numbers_stays(content: bytes) -> None:
    source = _profile((b"rXYZ", COLOURS), (b"qvqv", content), between=CANARY)
    blanked = blank_texts(source)
    assert blanked is not None
    assert len(blanked) == len(source)
    for wanted in (CANARY, CANARY.decode().encode("utf-16-be"), b"QVMK", b"QVMD", b"QVCR"):
        assert wanted not in blanked
    assert struct.pack(">3H", 2023, 11, 17) not in blanked
    assert COLOURS in blanked
    assert content[:4] in blanked


def test_numbers_that_reach_into_a_text_do_not_keep_it() -> None:
    text = b"text\0\0\0\0" + CANARY + b"\0"
    source = bytearray(_profile((b"rXYZ", COLOURS), (b"cprt", text)))
    struct.pack_into(">I", source, 128 + 4 + 8, len(COLOURS) + len(text))
    assert CANARY not in (blank_texts(bytes(source)) or b"")


def test_a_real_profile_keeps_every_number() -> None:
    profile = Path(get_testdata_file("crayons.icc")).read_bytes()  # type: ignore[arg-type]
    blanked = blank_texts(profile)
    assert blanked is not None
    (count,) = struct.unpack_from(">I", profile, 128)
    for place in range(count):
        _, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * place)
        if profile[offset : offset + 4] in {b"XYZ ", b"curv", b"sf32", b"chrm"}:
            assert blanked[offset : offset + size] == profile[offset : offset + size]


@pytest.mark.parametrize("value", [b"", b"no profile", bytes(36) + b"acsp" + b"\xff" * 200])
def test_what_is_no_profile_goes(value: bytes) -> None:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    source.StudyInstanceUID = source.SeriesInstanceUID = source.SOPInstanceUID = "1.2.3"
    source.ICCProfile = value
    rules = compile_profile(Profile(name="t", version="1"))
    out = deidentify(source, rules, SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)
    assert out.get("ICCProfile") in (None, b"", b"\0\0")
