"""A seeded mutator: one sound file in, one hostile file out, the same for the same seed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import pack

from tests import factories
from tests.hostile.layout import Spot, find_elements, insert, meta_end
from tests.hostile.pieces import (
    UNDEFINED,
    change_meta,
    encode_element,
    encode_long,
    encode_nested,
    make_bomb,
)
from tests.hostile.samples import KINDS, make_sample

_DEEP = 20_000
_BOMB = 0x60000000
_VRS = (b"UN", b"SQ", b"OB", b"OW", b"UT", b"PN", b"DS", b"FD", b"US", b"AT", b"XX", b"\0\0",
        b"zz", b"  ", b"\xff\xff", b"UI", b"DA", b"OV", b"UC")  # fmt: skip
_LENGTHS = (0xFFFFFFFE, 0x7FFFFFFF, 0x80000000, 0x40000000, 0x10000000, 0xFFFF, 0xFFFE, 1, 3)
_GROUPS = (0x0000, 0x0002, 0x0004, 0xFFFE, 0xFFFF, 0x7FE0, 0x0009, 0x5000, 0x6000, 0x0010)
_SETS = (b"ISO_IR 999", b"ISO 2022 IR 87\\ISO 2022 IR 149", b"\\ISO 2022 IR 165", b"\\\\\\\\",
         b"GB18030", b"utf-7", b"idna\\punycode", b"\xff\xfe\x00", b"ISO_IR 192\\ISO 2022 IR 58",
         b"zip_codec", b"rot13 ")  # fmt: skip
_SYNTAXES = (
    b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2.2", b"1.2.3.4",
    b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.4.50", b"1.2.840.10008.1.2.4.90",
    b"1.2.840.10008.1.2.5", b"1.2.840.113619.5.2", b"", b"1.2.840.10008.1.2.4.100",
)  # fmt: skip
_SIZES = (0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
          0x00280103, 0x00280006)  # fmt: skip
_ESCAPES = (b"\x1b$B", b"\x1b$)C", b"\x1b(B", b"\x1b-A", b"\x1b", b"\x1b$)A\xb0\xa1")
Mutation = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile file.

    Attributes
    ----------
    number : int
    mutation : str
    content : bytes
    """

    number: int
    mutation: str
    content: bytes


def make_cases(count: int, *, seed: int = 1) -> Iterator[Case]:
    """So many hostile files; each has its own study, so that none is another's duplicate."""
    names = list(MUTATIONS)
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        name = names[number % len(names)]
        turn = number // len(names)
        syntax = rng.choice((0, 0, 0, 0, 1, 2, 3, 4, 5))
        sound = make_sample(turn + rng.randrange(KINDS), syntax, number)
        content = MUTATIONS[name](rng, sound)
        if rng.random() < 0.15:
            second = rng.choice(names)
            content, name = MUTATIONS[second](rng, content), f"{name}, {second}"
        yield Case(number, name, content)


def flip_bits(rng: random.Random, raw: bytes) -> bytes:
    """Bits anywhere, file meta and pixels included."""
    return _flipped(rng, raw, 0, len(raw), rng.choice((1, 3, 16, 200)))


def flip_header_bits(rng: random.Random, raw: bytes) -> bytes:
    """Bits of the data set's first four kilobytes."""
    start = meta_end(raw)
    return _flipped(rng, raw, start, min(len(raw), start + 4096), rng.choice((1, 2, 8, 40)))


def truncate(rng: random.Random, raw: bytes) -> bytes:
    """The end is missing: anywhere, or a few bytes."""
    if rng.random() < 0.3:
        return raw[: -rng.randrange(1, 12)]
    return raw[: rng.randrange(len(raw))]


def nest(rng: random.Random, raw: bytes) -> bytes:
    """A sequence 20,000 levels deep, or a hundred, of either length encoding."""
    depth = rng.choice((_DEEP, _DEEP, 2000, 300, 70))
    tag = rng.choice((0x00081140, 0x0040A730, 0x00400275, 0x00091010))
    return insert(raw, encode_nested(tag, depth, undefined=rng.random() < 0.6))


def change_vrs(rng: random.Random, raw: bytes) -> bytes:
    """VRs of some elements are others, or none at all."""
    return _edited(rng, raw, lambda spot: (spot.start + 4, rng.choice(_VRS)))


def change_lengths(rng: random.Random, raw: bytes) -> bytes:
    """Lengths of some elements claim gigabytes, or one byte."""
    return _edited(rng, raw, lambda spot: _length(spot, rng.choice(_LENGTHS)))


def make_undefined(rng: random.Random, raw: bytes) -> bytes:
    """Lengths of some elements become undefined, with no delimiter to end them."""
    return _edited(rng, raw, lambda spot: _length(spot, UNDEFINED))


def change_groups(rng: random.Random, raw: bytes) -> bytes:
    """Groups of some elements become others: command, file meta, delimiters, private."""
    return _edited(rng, raw, lambda spot: (spot.start, pack("<H", rng.choice(_GROUPS))))


def change_character_set(rng: random.Random, raw: bytes) -> bytes:
    """A character set that does not exist or fit, and names in bytes that no set explains."""
    whole = factories.patient().name.encode()
    name = rng.choice((whole + b"\xff\xc3\x28", b"\xa4" + whole, whole.replace(b"o", b"\xf6")))
    changed = insert(raw, encode_element(0x00080005, b"CS", rng.choice(_SETS)))
    return insert(changed, encode_element(0x00100010, b"PN", name + rng.choice(_ESCAPES)))


def make_odd(rng: random.Random, raw: bytes) -> bytes:
    """Values of odd length, as no encoder may write them."""
    tags = rng.sample((0x00081030, 0x0008103E, 0x00181030, 0x00204000, 0x00280030, 0x00089215), 3)
    for tag in tags:
        value = rng.choice((b"Qvistorpe", b"7", b"1.5\\2", b"\0", b"Thorax "))
        changed = pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"LO", len(value)) + value
        raw = insert(raw, changed)
    return raw


def add_ownerless(rng: random.Random, raw: bytes) -> bytes:
    """Private elements without a creator, or with two, that tell the patient."""
    text = factories.patient().name.encode()
    block = b""
    if rng.random() < 0.5:
        block = encode_element(0x00290010, b"LO", b"SIEMENS CSA HEADER") * 2
    for low in (0x1000, 0x1008, 0x10FF, 0x0001, 0x9910):
        block += encode_element(0x00290000 | low, rng.choice((b"LO", b"UN", b"OB", b"SQ")), text)
    return insert(raw, block)


def change_syntax(rng: random.Random, raw: bytes) -> bytes:
    """The file meta says another transfer syntax than the bytes have."""
    uid = rng.choice(_SYNTAXES)
    start = raw.find(b"\x02\x00\x10\x00UI")
    if start < 0:
        return raw
    length = int.from_bytes(raw[start + 6 : start + 8], "little")
    return raw[: start + 8] + uid[:length].ljust(length, b"\0") + raw[start + 8 + length :]


def change_size(rng: random.Random, raw: bytes) -> bytes:
    """Rows, columns, frames or bits that the pixels do not have."""
    for tag in rng.sample(_SIZES, rng.randrange(1, 4)):
        if tag == 0x00280008:
            block = encode_element(
                tag, b"IS", rng.choice((b"2147483647", b"-1", b"0", b"1e9", b"9\\9"))
            )
        else:
            block = encode_element(
                tag, b"US", pack("<H", rng.choice((0, 1, 7, 65535, 32767, 64, 12)))
            )
        raw = insert(raw, block)
    return raw


def damage_pixels(rng: random.Random, raw: bytes) -> bytes:
    """Bytes of the pixel data, of compressed frames above all."""
    start = max(raw.find(b"\xe0\x7f\x10\x00"), 0)
    if rng.random() < 0.3:
        zeroed = rng.randrange(start, len(raw))
        return raw[:zeroed] + bytes(min(64, len(raw) - zeroed)) + raw[zeroed + 64 :]
    return _flipped(rng, raw, start, len(raw), rng.choice((1, 4, 64)))


def deflate(rng: random.Random, raw: bytes) -> bytes:
    """A deflated data set that is damaged, ends early, or grows to gigabytes."""
    kind = rng.choice(("bomb", "damaged", "cut"))
    if kind == "bomb":
        return make_bomb(raw, _BOMB)
    start = meta_end(raw)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(raw[start:]) + packer.flush()
    changed = change_meta(raw[:start], b"1.2.840.10008.1.2.1.99") + body
    return truncate(rng, changed) if kind == "cut" else flip_bits(rng, changed)


def repeat(rng: random.Random, raw: bytes) -> bytes:
    """Elements twice, or in another order."""
    spots = find_elements(raw)
    if len(spots) < 4:
        return raw
    first, second = sorted(rng.sample(spots, 2), key=lambda spot: spot.start)
    piece = raw[second.start : second.end]
    if rng.random() < 0.5:
        return raw[: first.start] + piece + raw[first.start :]
    return raw[: first.start] + piece + raw[first.start : second.start] + raw[second.end :]


def multiply(rng: random.Random, raw: bytes) -> bytes:
    """A hundred thousand values, items or empty sequences."""
    kind = rng.randrange(4)
    if kind == 0:
        return insert(raw, encode_long(0x00189445, b"UT", b"\\" * 400_000))
    if kind == 1:
        return insert(raw, encode_long(0x00081140, b"SQ", pack("<HHI", 0xFFFE, 0xE000, 0) * 50_000))
    if kind == 2:
        return insert(raw, encode_long(0x00204000, b"UT", b"Qvistorpe 7738201946 " * 40_000))
    many = b"".join(encode_element(0x00181000 | low << 4, b"LO", b"x") for low in range(256))
    return insert(raw, many * 200)


def hide_in_sequence(rng: random.Random, raw: bytes) -> bytes:
    """Sequences in UN or OB, items with wrong tags, and the patient in them."""
    name = encode_element(0x00100010, b"PN", factories.patient().name.encode())
    item = pack("<HHI", 0xFFFE, rng.choice((0xE000, 0xE00D, 0xE0DD, 0xE001)), len(name)) + name
    vr = rng.choice((b"UN", b"OB", b"SQ", b"OW"))
    return insert(raw, encode_long(rng.choice((0x00081140, 0x0040A730, 0x00400275)), vr, item))


def fill_gaps(rng: random.Random, raw: bytes) -> bytes:
    """The patient in the preamble, after the pixels, in group lengths and padding."""
    name = factories.patient().name.encode()
    padding = encode_long(0xFFFCFFFC, b"OB", name.ljust(64, b"\0"))
    return name.ljust(128, b"\0") + raw[128:] + rng.choice((padding, name, padding + name))


def damage_meta(rng: random.Random, raw: bytes) -> bytes:
    """File meta that is missing, cut, or of the wrong length."""
    end = meta_end(raw)
    kind = rng.randrange(4)
    if kind == 0:
        return raw[end:]
    if kind == 1:
        return raw[132:]
    if kind == 2:
        return _flipped(rng, raw, 128, end, 12)
    return raw[:140] + pack("<I", rng.choice((0, 7, 0xFFFFFF, UNDEFINED))) + raw[144:]


def replace_all(rng: random.Random, raw: bytes) -> bytes:
    """No DICOM at all: nothing, zeros, noise, text, or noise behind a sound beginning."""
    choices = (
        b"", b"\0" * 5000, rng.randbytes(20_000), b"Qvistorpe " * 400,
        raw[: meta_end(raw)] + rng.randbytes(30_000), raw[:128] + b"DICM", raw[132:300] * 50,
    )  # fmt: skip
    return rng.choice(choices)


def garble_values(rng: random.Random, raw: bytes) -> bytes:
    """Values of some elements become noise of the same length."""
    spots = [spot for spot in find_elements(raw) if 0 < spot.end - spot.value < 4096]
    changed = bytearray(raw)
    for spot in rng.sample(spots, min(len(spots), rng.choice((1, 4, 12)))):
        changed[spot.value : spot.end] = rng.randbytes(spot.end - spot.value)
    return bytes(changed)


MUTATIONS: dict[str, Mutation] = {
    function.__name__: function
    for function in (
        flip_bits, flip_header_bits, truncate, nest, change_vrs, change_lengths, make_undefined,
        change_groups, change_character_set, make_odd, add_ownerless, change_syntax, change_size,
        damage_pixels, deflate, repeat, multiply, hide_in_sequence, fill_gaps, damage_meta,
        replace_all, garble_values,
    )
}  # fmt: skip


def _flipped(rng: random.Random, raw: bytes, start: int, end: int, count: int) -> bytes:
    changed = bytearray(raw)
    for _ in range(count if end > start else 0):
        changed[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _edited(rng: random.Random, raw: bytes, edit: Callable[[Spot], tuple[int, bytes]]) -> bytes:
    spots = find_elements(raw)
    changed = bytearray(raw)
    for spot in rng.sample(spots, min(len(spots), rng.choice((1, 2, 6)))):
        at, piece = edit(spot)
        changed[at : at + len(piece)] = piece
    return bytes(changed)


def _length(spot: Spot, length: int) -> tuple[int, bytes]:
    """Where a length stands and what it becomes; two bytes where it has two."""
    if spot.value - spot.start == 8 and spot.is_explicit:
        return spot.value - 2, pack("<H", length & 0xFFFF)
    return spot.value - 4, pack("<I", length)
