"""ICC profiles: numbers stay, all else is blanked in place, so that every offset stays.

What a profile describes its colours with is numbers of known types. Everything else can hold
text or a date: descriptions, copyright, the make, model and serial number of a display, vendors'
own types, the space between tags, the day it was made.

References
----------
ISO 15076-1 7.2 (header), 7.3 (tag table), 10 (tag types), 10.15 (multiLocalizedUnicodeType),
10.24 (textType); ICC.1:2001-04 6.5.17 (textDescriptionType); PS3.3 C.11.15.
"""

from __future__ import annotations

import struct

_NUMERIC = frozenset(
    {
        b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet", b"chrm",
        b"clro", b"sig ", b"meas", b"view", b"cicp",
    }
)  # fmt: skip
_HEADER_BYTES = 128
_LARGEST_TABLE = 512
_CREATED = slice(24, 36)
_SOME_DAY = struct.pack(">6H", 1900, 1, 1, 0, 0, 0)
_DEVICE = slice(48, 56)  # manufacturer and model
_CREATOR = slice(80, 128)  # creator, digest of what is no longer there, reserved


def blank_texts(profile: bytes) -> bytes | None:
    """The profile with everything but its numbers blanked; None where it cannot be parsed.

    Parameters
    ----------
    profile : bytes
        Value of ICC Profile (0028,2000).
    """
    if len(profile) < _HEADER_BYTES + 4 or profile[36:40] != b"acsp":
        return None
    (count,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    table_end = _HEADER_BYTES + 4 + 12 * count
    if count > _LARGEST_TABLE or table_end > len(profile):
        return None
    out = bytearray(len(profile))
    out[:table_end] = profile[:table_end]
    out[_CREATED] = _SOME_DAY
    for part in (_DEVICE, _CREATOR):
        out[part] = bytes(part.stop - part.start)
    texts: list[tuple[int, int, bytes]] = []
    for place in range(count):
        _, offset, size = struct.unpack_from(">4sII", profile, _HEADER_BYTES + 4 + 12 * place)
        if offset < table_end or offset + size > len(profile) or size < 8:
            return None
        kind = profile[offset : offset + 4]
        if kind in _NUMERIC:
            out[offset : offset + size] = profile[offset : offset + size]
        else:
            texts.append((offset, size, kind))
    for offset, size, kind in texts:  # last, in case a number's extent reaches into a text
        out[offset : offset + size] = _blank(profile[offset : offset + size], kind)
    return bytes(out)


def _blank(tag: bytes, kind: bytes) -> bytes:
    """One tag with its frame and without its content."""
    size = len(tag)
    if kind == b"mluc" and size >= 16:
        records = int.from_bytes(tag[8:12], "big")
        width = int.from_bytes(tag[12:16], "big")
        start = min(16 + records * width, size)
        return tag[:start] + (b"\0 " * (size - start))[: size - start]
    if kind == b"desc" and size >= 12:
        length = int.from_bytes(tag[8:12], "big")
        blanks = b" " * max(min(length - 1, size - 12), 0)
        return (tag[:12] + blanks).ljust(size, b"\0")
    if kind == b"text":
        return tag[:8] + b" " * max(size - 9, 0) + b"\0" * min(size - 8, 1)
    return tag[:8].ljust(size, b"\0")
