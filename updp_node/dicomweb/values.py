"""Encoded values as DICOM JSON writes them.

References
----------
PS3.18 F.2.2 (values by VR), F.2.7 (inline binary); PS3.5 6.2 (padding), 6.1.2 (character sets).
"""

from __future__ import annotations

import base64
import math
from struct import calcsize, error, unpack_from
from typing import Any

from pydicom.charset import convert_encodings, decode_bytes

_NUMBERS = {
    "FL": "f", "FD": "d", "SL": "i", "SS": "h", "SV": "q", "UL": "I", "US": "H", "UV": "Q",
}  # fmt: skip
BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_PLAIN = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI"})
_SINGLE = frozenset({"LT", "ST", "UR", "UT"})
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_NAME_DELIMITERS = frozenset(b"^=\\")
_TEXT_DELIMITERS = frozenset(b"\r\n\t\f\\")
DEFAULT_ENCODINGS: tuple[str, ...] = ("iso8859",)


def read_encodings(raw: bytes) -> tuple[str, ...]:
    """Python's names for the values of Specific Character Set (0008,0005)."""
    terms = [term.strip() for term in raw.decode("ascii", "replace").rstrip(" \0").split("\\")]
    try:
        return tuple(convert_encodings(terms))
    except (LookupError, ValueError):
        return DEFAULT_ENCODINGS


def to_json(vr: str, raw: bytes, encodings: tuple[str, ...]) -> dict[str, Any]:
    """One attribute of the DICOM JSON model.

    Parameters
    ----------
    vr : str
    raw : bytes
        Encoded value, little endian, padding included.
    encodings : tuple of str
        As `read_encodings` gives them.

    Returns
    -------
    dict
        ``vr`` and, unless the value is empty, ``Value`` or ``InlineBinary``.
    """
    if not raw:
        return {"vr": vr}
    if vr in BINARY_VRS:
        return _inline(vr, raw)
    if vr in _NUMBERS or vr == "AT":
        return _numbers(vr, raw)
    values = _texts(vr, raw, encodings)
    if vr == "PN":
        values = [_name(value) for value in values]
    elif vr in {"DS", "IS"}:
        values = [_decimal(value, vr) for value in values]
    if all(value is None for value in values):
        return {"vr": vr}
    return {"vr": vr, "Value": values}


def _inline(vr: str, raw: bytes) -> dict[str, Any]:
    return {"vr": vr, "InlineBinary": base64.b64encode(raw).decode("ascii")}


def _numbers(vr: str, raw: bytes) -> dict[str, Any]:
    """Binary numbers; what is none of JSON, or damaged, is given as bytes."""
    code = _NUMBERS.get(vr, "H")
    count = len(raw) // calcsize(f"<{code}")
    try:
        values: list[Any] = list(unpack_from(f"<{count}{code}", raw))
    except error:  # pragma: no cover  # the count fits by construction
        return _inline(vr, raw)
    if not count or any(isinstance(each, float) and not math.isfinite(each) for each in values):
        return _inline(vr, raw)
    if vr == "AT":
        pairs = zip(values[::2], values[1::2], strict=False)
        values = [f"{group:04X}{element:04X}" for group, element in pairs]
    return {"vr": vr, "Value": values}


def _texts(vr: str, raw: bytes, encodings: tuple[str, ...]) -> list[Any]:
    if vr in _PLAIN or vr in {"DS", "IS", "UR"}:
        text = raw.decode("ascii", "replace")
    else:
        delimiters = _NAME_DELIMITERS if vr == "PN" else _TEXT_DELIMITERS
        text = _decode(raw, encodings, delimiters)
    if vr in _SINGLE:
        return [text.rstrip(" \0") or None]
    parts = text.split("\\")
    strip = str.rstrip if vr in {"UC", "PN"} else str.strip
    return [strip(part, " \0") or None for part in parts]


def _decode(raw: bytes, encodings: tuple[str, ...], delimiters: frozenset[int]) -> str:
    try:
        return decode_bytes(raw, list(encodings), set(delimiters))
    except (LookupError, ValueError):
        return raw.decode("ascii", "replace")


def _name(value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    groups = zip(_GROUPS, value.split("="), strict=False)
    return {name: group for name, group in groups if group} or None


def _decimal(value: str | None, vr: str) -> Any:
    """A number; what is none stays text (PS3.18 F.2.2: DS and IS may be strings)."""
    if value is None:
        return None
    try:
        number = int(value) if vr == "IS" else float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value
