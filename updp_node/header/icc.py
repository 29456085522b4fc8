"""The text of ICC profiles: blanked in place, so that every offset and colour stays.

References
----------
ISO 15076-1 7.2 (header), 7.3 (tag table), 10.15 (multiLocalizedUnicodeType), 10.24 (textType);
ICC.1:2001-04 6.5.17 (textDescriptionType); PS3.3 C.11.15.
"""

from __future__ import annotations

import struct

_TEXT_TYPES = frozenset({b"desc", b"mluc", b"text", b"dict", b"meta", b"pseq", b"psid", b"ut16"})
_HEADER_BYTES = 128
_LARGEST_TABLE = 512


def blank_texts(profile: bytes) -> bytes | None:
    """The profile with every text in it blanked; None where it cannot be parsed.

    Parameters
    ----------
    profile : bytes
        Value of ICC Profile (0028,2000).
    """
    if len(profile) < _HEADER_BYTES + 4 or profile[36:40] != b"acsp":
        return None
    out = bytearray(profile)
    out[80:84] = b"\0" * 4  # profile creator
    out[84:100] = b"\0" * 16  # profile ID: a digest of what is no longer there
    (count,) = struct.unpack_from(">I", profile, _HEADER_BYTES)
    if count > _LARGEST_TABLE or _HEADER_BYTES + 4 + 12 * count > len(profile):
        return None
    for place in range(count):
        _, offset, size = struct.unpack_from(">4sII", profile, _HEADER_BYTES + 4 + 12 * place)
        if offset < _HEADER_BYTES or offset + size > len(profile) or size < 8:
            return None
        kind = profile[offset : offset + 4]
        if kind in _TEXT_TYPES:
            _blank(out, offset, size, kind)
    return bytes(out)


def _blank(out: bytearray, offset: int, size: int, kind: bytes) -> None:
    """Overwrite the characters of one text tag and leave its frame."""
    if kind == b"mluc":
        records, width = struct.unpack_from(">II", out, offset + 8) if size >= 16 else (0, 12)
        start = min(16 + records * width, size)
        fill = b"\0 "
    elif kind == b"desc":
        (length,) = struct.unpack_from(">I", out, offset + 8) if size >= 12 else (0,)
        end = min(12 + max(length - 1, 0), size)
        out[offset + 12 : offset + end] = b" " * (end - 12)
        start, fill = min(12 + length, size), b"\0"
    else:
        start, fill = 8, b"\0" if kind != b"text" else b" "
    room = size - start
    body = (fill * (room // len(fill) + 1))[:room]
    if kind == b"text" and room:
        body = body[:-1] + b"\0"
    out[offset + start : offset + size] = body
