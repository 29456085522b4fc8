"""Answers of a query, from DICOM JSON straight into bytes.

pydicom needs about a millisecond for an answer of eight elements; here the head of an
element is made once and its value joined to it.

References
----------
PS3.5 7: Data Set. PS3.5 6.2: Value Representations. PS3.18 F.2: DICOM JSON Model.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from typing import Any

from updp_node.dimse.charsets import ASCII, UTF8, Charset, CharsetError, requested_charset

Answer = Mapping[str, Mapping[str, Any]]
"""One entity in DICOM JSON."""

_SPECIFIC_CHARACTER_SET = "00080005"
_LONG_VRS = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_TEXT_VRS = frozenset("LO LT SH ST UC UT".split())
_NUMBERS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"
}  # fmt: skip
_ITEM = b"\xfe\xff\x00\xe0"
_LONGEST_SHORT = 0xFFFE
_LONGEST_DECIMAL = 16


class AnswerEncoder:
    """Encodes the answers of one query.

    Parameters
    ----------
    is_implicit : bool
        Implicit or Explicit VR Little Endian.
    charset_of_request : sequence of str
        Specific Character Set of the request; used where it can carry an answer.
    constant : Mapping
        Elements of every answer, in DICOM JSON.
    """

    def __init__(
        self, *, is_implicit: bool, charset_of_request: tuple[str, ...] = (),
        constant: Answer | None = None,
    ) -> None:  # fmt: skip
        self._is_implicit = is_implicit
        requested = requested_charset(charset_of_request)
        self._charsets = [ASCII, *([requested] if requested else []), UTF8]
        self._heads: dict[tuple[str, str], bytes] = {}
        self._order: tuple[str, ...] = ()
        self._sorted: list[str] = []
        self._constant = {
            tag: self._encode_element(tag, element, ASCII)
            for tag, element in (constant or {}).items()
        }

    def encode(self, answer: Answer) -> bytes:
        """Data set of one answer, in the first of the character sets that can carry it."""
        for charset in self._charsets[:-1]:
            try:
                return self._encode(answer, charset)
            except CharsetError:
                continue
        return self._encode(answer, self._charsets[-1])

    def _encode(self, answer: Answer, charset: Charset) -> bytes:
        order = tuple(answer)
        if order != self._order:
            self._order = order
            tags = {*order, *self._constant, _SPECIFIC_CHARACTER_SET}
            self._sorted = sorted(tags, key=lambda tag: int(tag, 16))
        parts: list[bytes] = []
        for tag in self._sorted:
            if tag == _SPECIFIC_CHARACTER_SET:
                if charset.terms:
                    named = {"vr": "CS", "Value": list(charset.terms)}
                    parts.append(self._encode_element(tag, named, ASCII))
            elif tag in self._constant:
                parts.append(self._constant[tag])
            else:
                parts.append(self._encode_element(tag, answer[tag], charset))
        return b"".join(parts)

    def _encode_element(self, tag: str, element: Mapping[str, Any], charset: Charset) -> bytes:
        vr = element["vr"]
        if len(vr) > 2:  # "US or SS" of the dictionary
            vr = "SS" if any(each < 0 for each in element.get("Value") or ()) else vr[:2]
        if vr == "SQ":
            value = b"".join(self._encode_item(item, charset) for item in element.get("Value", ()))
        elif "InlineBinary" in element:
            value = base64.b64decode(element["InlineBinary"])
        else:
            value = _encode_value(vr, element.get("Value") or (), charset)
        length = len(value)
        if self._is_implicit:
            return self._head(tag, vr) + length.to_bytes(4, "little") + value
        if vr in _LONG_VRS:
            return self._head(tag, vr) + length.to_bytes(4, "little") + value
        if length > _LONGEST_SHORT:  # PS3.5 6.2.2, note: UN takes what a short length cannot
            return self._head(tag, "UN") + length.to_bytes(4, "little") + value
        return self._head(tag, vr) + length.to_bytes(2, "little") + value

    def _encode_item(self, item: Answer, charset: Charset) -> bytes:
        tags = sorted(item, key=lambda tag: int(tag, 16))
        encoded = b"".join(self._encode_element(tag, item[tag], charset) for tag in tags)
        return _ITEM + len(encoded).to_bytes(4, "little") + encoded

    def _head(self, tag: str, vr: str) -> bytes:
        head = self._heads.get((tag, vr))
        if head is None:
            head = struct.pack("<HH", int(tag[:4], 16), int(tag[4:], 16))
            if not self._is_implicit:
                head += vr.encode("ascii") + (b"\0\0" if vr in _LONG_VRS else b"")
            self._heads[tag, vr] = head
        return head


def _encode_value(vr: str, values: Any, charset: Charset) -> bytes:
    if not values:
        return b""
    if vr in _TEXT_VRS:
        encoded = charset.encode("\\".join("" if each is None else str(each) for each in values))
    elif vr == "PN":
        encoded = b"\\".join(_encode_name(each, charset.encode) for each in values)
    elif vr in _NUMBERS:
        return b"".join(struct.pack("<" + _NUMBERS[vr], _number(vr, each)) for each in values)
    elif vr == "AT":
        return b"".join(struct.pack("<HH", int(each[:4], 16), int(each[4:], 16)) for each in values)
    else:
        text = "\\".join("" if each is None else _plain(vr, each) for each in values)
        encoded = text.encode("ascii", "replace")
    if len(encoded) % 2:
        encoded += b"\0" if vr == "UI" else b" "
    return encoded


def _encode_name(value: Any, encode: Callable[[str], bytes]) -> bytes:
    if not value:
        return b""
    if isinstance(value, str):
        return b"=".join(encode(part) for part in value.split("="))
    groups = (value.get(key, "") for key in ("Alphabetic", "Ideographic", "Phonetic"))
    return b"=".join(encode(group) for group in groups).rstrip(b"=")


def _plain(vr: str, value: Any) -> str:
    if vr == "DS" and isinstance(value, float):
        text = repr(value)
        digits = _LONGEST_DECIMAL
        while len(text) > _LONGEST_DECIMAL and digits:
            digits -= 1
            text = f"{value:.{digits}g}"
        return text
    return str(value)


def _number(vr: str, value: Any) -> Any:
    return float(value) if vr in ("FL", "FD") else int(value)
