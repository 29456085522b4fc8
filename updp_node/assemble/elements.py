"""Data sets to bytes of Explicit VR Little Endian in UTF-8, encoded elements as they are.

The header stage gives encoded elements; they are written without being decoded again, and the
pixel data are passed on by reference. What was made with decoded values (content trees,
equipment items) goes through pydicom.

References
----------
PS3.5 7.1.2 (explicit VR), 7.2 (group length: retired), 7.5 (sequences), A.4 (encapsulation).
"""

from __future__ import annotations

from copy import copy
from struct import Struct

from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr_element, write_data_element
from pydicom.filewriter import write_sequence_item as write_decoded_item
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

_LONG_VRS = frozenset(str(vr) for vr in EXPLICIT_VR_LENGTH_32)
_SHORT = Struct("<HH2sH").pack
_LONG = Struct("<HH2s2xI").pack
_ITEM = Struct("<HHI").pack
_UNDEFINED = 0xFFFFFFFF
_LONGEST = 0xFFFFFFFE
_END_OF_SEQUENCE = _ITEM(0xFFFE, 0xE0DD, 0)
_FIRST_ITEM = b"\xfe\xff\x00\xe0"
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_OURS = ((False, True), ["utf8"])


def encode_elements(made: Dataset, *, is_compressed: bool = False) -> list[bytes]:
    """The encoded elements of a data set or item, in order of their tags.

    Parameters
    ----------
    made : pydicom.dataset.Dataset
        Its encoded elements are of Explicit VR Little Endian.
    is_compressed : bool
        Whether the pixel data are encapsulated.

    Returns
    -------
    list of bytes
        To be joined; the pixel data are one part, the very object that the data set holds.

    Raises
    ------
    ValueError
        Elements that have no place in a data set; pixel data in another encapsulation than
        the transfer syntax says; values too long.
    """
    parts: list[bytes] = []
    elements = sorted((int(element.tag), element) for element in made.values())
    for tag, element in elements:
        if tag < 0x00080000:
            raise ValueError("command or file meta elements in a data set")
        if tag in _PIXELS:
            _add_pixels(parts, element, is_compressed=is_compressed)
        elif tag & 0xFFFF:
            _add(parts, tag, element, made)
    return parts


def encode_value(tag: int, vr: str, value: bytes) -> tuple[bytes, bytes]:
    """Head and value of one element; an odd value is padded."""
    if len(value) & 1:
        value += b"\0" if vr in {"UI", "OB", "UN"} else b" "
    return _head(tag, vr, len(value)), value


def _head(tag: int, vr: str, length: int) -> bytes:
    if vr in _LONG_VRS:
        return _LONG(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), length)
    if length > 0xFFFF:  # PS3.5 6.2.2: a value too long for its VR is UN
        return _LONG(tag >> 16, tag & 0xFFFF, b"UN", length)
    return _SHORT(tag >> 16, tag & 0xFFFF, vr.encode("ascii"), length)


def _add(
    parts: list[bytes], tag: int, element: DataElement | RawDataElement, made: Dataset
) -> None:
    """One element that is no pixel data."""
    if isinstance(element, RawDataElement):
        if element.VR is not None and element.length != _UNDEFINED:
            parts += encode_value(tag, element.VR, element.value or b"")
            return
        element = convert_raw_data_element(element, encoding=["utf8"], ds=made)
    if element.VR == "SQ":
        items = [part for item in element.value or () for part in _encode_item(item)]
        parts.append(_head(tag, "SQ", sum(map(len, items))))
        parts += items
        return
    if len(element.VR) != 2:
        element = correct_ambiguous_vr_element(copy(element), made, True)
    buffer = _buffer()
    write_data_element(buffer, element, ["utf8"])
    parts.append(buffer.getvalue())


def _encode_item(item: Dataset) -> list[bytes]:
    """One item with its length; by pydicom where its elements are not encoded as ours are."""
    if (item.original_encoding, item.original_character_set) != _OURS:
        buffer = _buffer()
        write_decoded_item(buffer, item, ["utf8"])
        return [buffer.getvalue()]
    parts = encode_elements(item)
    return [_ITEM(0xFFFE, 0xE000, sum(map(len, parts))), *parts]


def _add_pixels(
    parts: list[bytes], element: DataElement | RawDataElement, *, is_compressed: bool
) -> None:
    """Pixel data: the bytes as they are, in the encapsulation that the transfer syntax asks for.

    Raises
    ------
    ValueError
        They are not in it, or too long for a length of 32 bits.
    """
    value = element.value or b""
    vr = element.VR if element.VR in _LONG_VRS else "OW"
    if value[:4] == _FIRST_ITEM and is_compressed:
        parts += (_head(element.tag, vr, _UNDEFINED), value, _END_OF_SEQUENCE)
        return
    undefined = getattr(element, "is_undefined_length", False) or (
        isinstance(element, RawDataElement) and element.length == _UNDEFINED
    )
    if is_compressed or undefined or len(value) >= _LONGEST:
        raise ValueError("pixel data in another encapsulation than their transfer syntax")
    parts += (_head(element.tag, vr, len(value) + len(value) % 2), value)
    if len(value) % 2:
        parts.append(b"\0")


def _buffer() -> DicomBytesIO:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    return buffer
