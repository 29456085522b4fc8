"""Identifiers and PDUs that are none."""

from __future__ import annotations

import os
import random
import struct


def _element(group: int, element: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", group, element, len(value) if length is None else length) + value


def _nested(levels: int, *, closed: bool) -> bytes:
    """Procedure Code Sequences in each other (pydicom cannot write so many)."""
    opened = _element(8, 0x1032, b"", length=0xFFFFFFFF) + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    ended = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return opened * levels + _element(8, 0x100, b"x ") + ended * levels * closed


_LEVEL = _element(8, 0x52, b"STUDY ")
MALFORMED: dict[str, bytes] = {
    "cut amid a tag": _LEVEL + b"\x20\x00",
    "cut amid a value": _LEVEL + _element(0x10, 0x20, b"ab", length=4000),
    "length of 4 GB": _LEVEL + _element(0x10, 0x20, b"ab", length=0xFFFFFFFE),
    "undefined length of text": _LEVEL + _element(0x10, 0x20, b"ab", length=0xFFFFFFFF),
    "tags in descending order": _element(0x10, 0x20, b"") + _LEVEL + _element(8, 0x20, b""),
    "twice the same tag": _LEVEL + _LEVEL + _element(0x20, 0xD, b""),
    "rubbish": random.Random(1).randbytes(5000),
    "zeros": bytes(4096),
    "group 2": _element(2, 0x10, b"1.2.840.10008.1.2\0") + _LEVEL,
    "unknown character set": _element(8, 5, b"KLINGON ") + _LEVEL + _element(0x10, 0x10, b"a\xff*"),
    "odd bytes for a character set": _element(8, 5, b"ISO_IR 192")
    + _LEVEL + _element(0x10, 0x10, b"\xff\xfe\x80*"),
    "sequence that never ends": _LEVEL + _element(0x40, 0x275, b"", length=0xFFFFFFFF)
    + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 50,
    "sequences in sequences": _LEVEL + _nested(20000, closed=False),
    "sequences 100 deep": _LEVEL + _nested(100, closed=True),
    "sequences 1000 deep": _LEVEL + _nested(1000, closed=True),
}  # fmt: skip


RUBBISH: dict[str, bytes] = {
    "random bytes": random.Random(2).randbytes(100_000),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a PDU of 4 GB": struct.pack(">BxI", 1, 0xFFFFFFFF) + bytes(100_000),
    "P-DATA before an association": struct.pack(">BxI", 4, 6) + struct.pack(">IBB", 2, 1, 3),
    "half an A-ASSOCIATE-RQ": struct.pack(">BxI", 1, 200) + bytes(50),
    "an A-ASSOCIATE-RQ of zeros": struct.pack(">BxI", 1, 68) + bytes(68),
    "an A-ASSOCIATE-RQ of rubbish items": struct.pack(">BxI", 1, 1068)
    + b"\0\1\0\0" + b"RESEARCH_QR     REQ_A           " + bytes(32)
    + random.Random(3).randbytes(1000),
    "nothing": b"",
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + os.urandom(190),
}  # fmt: skip
