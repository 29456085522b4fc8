"""Reading values: raw or decoded elements to VR and text, without changing the source.

The source's elements are never converted in place: pydicom would store the result in the
source, and a value that cannot be decoded would come out with replacement characters. Text
comes from the bytes by the declared character sets, strictly; non-ASCII bytes that are valid
UTF-8 although another set is declared are taken as UTF-8; anything else counts as unreadable.

References
----------
PS3.5 6.1 (character sets and code extensions), 6.2 (VRs), 7.1 (explicit and implicit VR).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from pydicom.charset import decode_bytes, python_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from updp_node.errors import InstanceError

Element = DataElement | RawDataElement
UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    ArithmeticError,
    NotImplementedError,
    EOFError,
    OSError,
    IndexError,
    RecursionError,
    struct.error,
)
SINGLE_VALUED = frozenset({"ST", "LT", "UT", "UR"})
ASCII_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
NUMBER_SIZES = {
    "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8, "AT": 4,
}  # fmt: skip
WORD_SIZES = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
_ASCII = ("ascii",)
_CHARACTER_SET = 0x00080005
_PLAIN = re.compile(rb"[\x20-\x7e\r\n\t\f]*\x00?")
_ESCAPE = b"\x1b"
_REPLACED = "\ufffd"  # in text that was decoded elsewhere: bytes that the character set has not
_ITEM_TAGS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


def encodings_of(source: Dataset, inherited: tuple[str, ...]) -> tuple[str, ...]:
    """Python names of the character sets that a data set or item declares (PS3.3 C.12.1.1.2).

    A name that the standard does not know counts as ASCII: what is not ASCII is unreadable
    then, unless it is UTF-8.
    """
    if _CHARACTER_SET not in source:
        return inherited
    value = source.get_item(_CHARACTER_SET).value
    if isinstance(value, bytes):
        terms = value.decode("ascii", "replace").split("\\")
    else:
        terms = [value] if isinstance(value, str) else [str(part) for part in value or [""]]
    found = [_python_name(term.strip("\0 ")) for term in terms]
    if len(found) > 1 and not terms[0].strip("\0 "):
        found[0] = "iso8859"
    return tuple(found) or _ASCII


def _python_name(term: str) -> str:
    if term in {"", "ISO_IR 6", "ISO 2022 IR 6"}:
        return "ascii"
    if term not in python_encoding:
        term = re.sub(r"^ISO[ _-]?IR[ _-]?", "ISO_IR ", term)
    return python_encoding.get(term, "ascii")


def vr_of(element: Element, expected: Sequence[str]) -> str:
    """The VR an element is to be read with: its own, or the dictionary's where it has none."""
    vr = element.VR
    if vr is None or vr == "UN" or len(vr) != 2:
        return expected[0] if expected else "UN"
    return str(vr)


def text_of(element: Element, vr: str, encodings: tuple[str, ...]) -> str | None:
    """The text of a string VR, padding gone; None where it cannot be read.

    Values of a multi-valued attribute are joined with a backslash.
    """
    value = element.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        text = _decode(value, vr, encodings)
        return None if text is None else _stripped(text, vr)
    if isinstance(value, MultiValue | list | tuple):
        text = "\\".join("" if part is None else str(part) for part in value)
    else:
        text = str(value)
    return None if _REPLACED in text else _stripped(text, vr)


def is_plain(value: bytes) -> bool:
    """Whether raw bytes are printable ASCII, so that they are the same in every character set."""
    return _PLAIN.fullmatch(value) is not None


def items_of(element: Element, source: Dataset, encodings: tuple[str, ...]) -> Sequence[Dataset]:
    """The items of a sequence; parsed without touching the source.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``: the bytes are no items.
    """
    if isinstance(element, RawDataElement):
        if element.value and element.value[:4] not in _ITEM_TAGS:
            raise InstanceError("unreadable-attribute", tag_text(element.tag))
        raw = element._replace(VR="SQ")
        if element.VR == "UN":  # PS3.5 6.2.2: what stands in UN is implicit little endian
            raw = raw._replace(is_implicit_VR=True, is_little_endian=True)
        try:
            element = convert_raw_data_element(raw, encoding=list(encodings), ds=source)
        except UNREADABLE as error:
            raise InstanceError("unreadable-attribute", tag_text(element.tag)) from error
    value = element.value
    if value is None or isinstance(value, bytes | str):
        if value:
            raise InstanceError("unreadable-attribute", tag_text(element.tag))
        return ()
    items: Sequence[Dataset] = value
    return items


def tag_text(tag: int) -> str:
    """A tag as it may stand in a message: ``(gggg,eeee)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _decode(value: bytes, vr: str, encodings: tuple[str, ...]) -> str | None:
    if vr in ASCII_VRS or (value.isascii() and _ESCAPE not in value):
        return value.decode("ascii") if value.isascii() else None
    try:
        if _ESCAPE not in value:
            return value.decode(encodings[0])
        delimiters = {0x0A, 0x0C, 0x0D, 0x09}
        if vr == "PN":
            delimiters |= {0x5E, 0x3D, 0x5C}
        elif vr not in SINGLE_VALUED:
            delimiters.add(0x5C)
        text = decode_bytes(value, [_extended(name) for name in encodings], delimiters)
        return None if "\ufffd" in text or "\x1b" in text else text
    except (UnicodeError, LookupError):
        pass
    try:
        return value.decode("utf-8")
    except UnicodeError:
        return None


def _extended(name: str) -> str:
    """Pydicom's own name of the default repertoire, which its code extensions expect."""
    return "iso8859" if name == "ascii" else name


def _stripped(text: str, vr: str) -> str:
    if vr in SINGLE_VALUED:
        return text.rstrip("\0 ")
    if "\\" in text:
        return "\\".join(part.strip("\0 ") for part in text.split("\\"))
    return text.strip("\0 ")
