"""Pieces of files as no encoder may write them, and as any may."""

from __future__ import annotations

import re
import zlib
from functools import cache
from struct import pack

from tests.hostile.layout import meta_end

UNDEFINED = 0xFFFFFFFF


def encode_element(tag: int, vr: bytes, value: bytes) -> bytes:
    """An element of explicit VR little endian, whatever its VR says."""
    if vr in {b"OB", b"OW", b"UN", b"SQ", b"UT"}:
        return encode_long(tag, vr, value)
    value += b" " * (len(value) % 2)
    return pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def encode_long(tag: int, vr: bytes, value: bytes) -> bytes:
    """The same with a length of 32 bits."""
    value += b" " * (len(value) % 2)
    return pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def encode_nested(tag: int, depth: int, *, undefined: bool) -> bytes:
    """Sequences in sequences, of undefined or of explicit length."""
    head = pack("<HH2s2x", tag >> 16, tag & 0xFFFF, b"SQ")
    item = pack("<HH", 0xFFFE, 0xE000)
    if undefined:
        opening = head + pack("<I", UNDEFINED) + item + pack("<I", UNDEFINED)
        closing = pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        return opening * depth + closing * depth
    heads = [
        head + pack("<I", 20 * level + 8) + item + pack("<I", 20 * level)
        for level in reversed(range(depth))
    ]
    return b"".join(heads)


def change_meta(meta: bytes, uid: bytes) -> bytes:
    """File meta with another transfer syntax and a group length that fits."""
    element = encode_element(0x00020010, b"UI", uid + b"\0" * (len(uid) % 2))
    changed = re.sub(
        rb"\x02\x00\x10\x00UI(.)\0[0-9.]*\0?", lambda _: element, meta, count=1, flags=re.DOTALL
    )
    return changed[:140] + pack("<I", len(changed) - 144) + changed[144:]


def make_bomb(raw: bytes, size: int) -> bytes:
    """A deflated file of some kilobytes that holds pixel data of so many zeros."""
    start = meta_end(raw)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = encode_element(0x7FE00010, b"OW", b"")[:-4] + pack("<I", size)
    body = packer.compress(raw[start:] + block) + packer.flush(zlib.Z_FULL_FLUSH)
    return change_meta(raw[:start], b"1.2.840.10008.1.2.1.99") + body + _zeros(size)


@cache
def _zeros(size: int) -> bytes:
    """The end of a deflated stream that grows by so many bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = bytes(1 << 24)
    parts = [packer.compress(block) for _ in range(size >> 24)]
    return b"".join((*parts, packer.flush()))
