"""Actions on attributes that are no sequences.

Each function gives the new element, or None where the value does not allow the action: then
the caller removes, empties or replaces it as its Type demands.

References
----------
PS3.15 E.1.1 (actions K, C, U, Z, D), E.3.6 (modified dates), E.3.9 (UIDs); PS3.5 6.2.
"""

from __future__ import annotations

import re

from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.multival import MultiValue

from updp_node.header.dates import cap_age, is_date, is_offset, keep_time, shift_date
from updp_node.header.dates import shift_datetime as _shift_datetime
from updp_node.header.dummies import dummy_bytes, keyed_code, surrogate
from updp_node.header.icc import blank_texts
from updp_node.header.residual import is_coded_term
from updp_node.header.rules import TEXT_VRS, Rule
from updp_node.header.scope import Scope, encoded, encoded_text
from updp_node.header.uids import map_uid
from updp_node.header.values import (
    ASCII_VRS,
    NUMBER_SIZES,
    SINGLE_VALUED,
    UNREADABLE,
    WORD_SIZES,
    Element,
    is_plain,
    text_of,
)

_NUMBER = re.compile(r" *(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)? *")
_DAY = re.compile(r"[+ ]*(?:19|20)\d{6}(?:\.0*)? *")
_LEAST_CODE = 6
_UIDS = re.compile(r"[0-9.\\]*")
_CODE_STRING = re.compile(r"[A-Z0-9_ ]{1,16}")
_LONGEST = {"SH": 16, "LO": 64, "CS": 16, "AE": 16, "ST": 1024, "LT": 10240}
_LONGEST_CLEANED = 20_000  # no attribute of a header has more; the text engine takes its time
_LUT_VRS = {("US", "OW"): "OW", ("OB", "OW"): "OW"}
_BULK = frozenset({0x54001010, 0x00281201, 0x00281202, 0x00281203, 0x00283006})
_DATE_VRS = frozenset({"DA", "DT", "TM"})
_STRING_VRS = TEXT_VRS | ASCII_VRS


def read_vr(element: Element, rule: Rule, scope: Scope) -> str | None:
    """The VR to read an element with; None where its own contradicts the dictionary's."""
    own = element.VR
    if own is None or own == "UN" or len(own) != 2:
        if len(rule.vrs) < 2:
            return rule.vrs[0] if rule.vrs else None
        if "SS" in rule.vrs:
            return ("SS" if scope.is_signed else "US") if len(rule.vrs) == 2 else "OW"
        return _LUT_VRS.get((rule.vrs[0], rule.vrs[1]), rule.vrs[-1])
    if not rule.vrs or own in rule.vrs:
        return str(own)
    if own in TEXT_VRS and rule.vrs[0] == "CS":
        return None  # words where a coded term belongs
    both_strings = own in _STRING_VRS and rule.vrs[0] in _STRING_VRS
    return rule.vrs[0] if both_strings or isinstance(element, RawDataElement) else None


def keep(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element | None:
    """K: the same value, re-encoded where needed and searched for the source's identifiers."""
    if vr in TEXT_VRS:
        return _keep_text(element, vr, scope, encodings)
    if vr in ASCII_VRS:
        return _keep_ascii(element, vr, rule, scope, encodings)
    if vr in NUMBER_SIZES:
        return _keep_numbers(element, vr)
    return _keep_bytes(element, vr, scope)


def clean(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element | None:
    """C: similar meaning without identity."""
    if rule.cleaning == "icc":
        profile = blank_texts(element.value) if isinstance(element.value, bytes) else None
        return encoded(element.tag, "OB", profile) if profile else None
    text = text_of(element, vr, encodings)
    if text is None:
        return None
    if rule.cleaning == "date":
        return _shift(element, vr, text, scope)
    if rule.cleaning == "timezone":
        stays = is_offset(text) and scope.times != "remove"
        return encoded_text(element.tag, vr, text) if stays else None
    if rule.cleaning == "title":
        coded = "AE" + keyed_code(scope.subject, "title", text, 8) if text else ""
        return encoded_text(element.tag, vr, coded)
    return clean_words(element, vr, text, scope)


def clean_words(element: Element, vr: str, text: str, scope: Scope) -> Element | None:
    """C on text: the given cleaner, then the search for what it missed."""
    if not text:
        return encoded_text(element.tag, vr, "")
    if scope.clean_text is None or vr not in TEXT_VRS | {"CS"} or vr == "PN":
        return None
    if len(text) > _LONGEST_CLEANED:
        return None
    parts = [text] if vr in SINGLE_VALUED else text.split("\\")
    cleaned = [_fitted(scope.clean_text(part), vr) if part else "" for part in parts]
    joined = "\\".join(cleaned)
    if not joined.strip("\\ ") or scope.identifiers.found_in(joined):
        return None
    if vr == "CS" and not all(_CODE_STRING.fullmatch(part) for part in cleaned if part):
        return None
    return encoded_text(element.tag, vr, joined)


def replace_uids(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element | None:
    """U: every UID by the map; those that the standard itself defines stay."""
    if vr != "UI":
        return None
    text = text_of(element, "UI", encodings)
    if text is None:
        return None
    mapped = [map_uid(uid.strip(), rule.keyword, scope) for uid in text.split("\\")]
    return encoded_text(element.tag, "UI", "\\".join(mapped))


def empty(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element:
    """Z: no value, or the surrogate of an identifier that has one."""
    text = text_of(element, vr, encodings) if vr in TEXT_VRS else ""
    coded = surrogate(rule.keyword, _identifying(element, text), scope.subject)
    return encoded_text(element.tag, vr, coded or "")


def replace(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element:
    """D: a dummy value of the VR, or the surrogate of an identifier that has one."""
    if vr == "UI":
        text = text_of(element, vr, encodings) or rule.keyword
        return encoded_text(element.tag, vr, scope.uids.other(text))
    stated = text_of(element, vr, encodings) if vr in TEXT_VRS else ""
    coded = surrogate(rule.keyword, _identifying(element, stated), scope.subject)
    if coded:
        return encoded_text(element.tag, vr, coded)
    return encoded(element.tag, vr, dummy_bytes(rule.keyword, vr))


def _identifying(element: Element, text: str | None) -> str:
    """Text that a surrogate is keyed with; bytes that no character set explains count too."""
    if text is not None:
        return text
    return element.value.hex() if isinstance(element.value, bytes) else ""


def _keep_text(
    element: Element, vr: str, scope: Scope, encodings: tuple[str, ...]
) -> Element | None:
    value = element.value
    if isinstance(value, bytes) and is_plain(value):
        text = value.decode("ascii")
        found = scope.identifiers.found_in(text)
        return None if found else encoded(element.tag, vr, value.rstrip(b"\0 "))
    decoded = text_of(element, vr, encodings)
    if decoded is None or "\0" in decoded or scope.identifiers.found_in(decoded):
        return None
    return encoded_text(element.tag, vr, decoded)


def _is_mere_number(part: str, scope: Scope) -> bool:
    """Whether a value of IS or DS is a number, and neither a day nor an identifier.

    Eight digits that read as a day of the calendar are nobody's measurement: senders write the
    study date as Series Number, and the true date would tell the shift.
    """
    if _NUMBER.fullmatch(part) is None:
        return False
    bare = part.strip(" +")
    if _DAY.fullmatch(part) and is_date(bare[:8], "DA"):
        return False
    return len(bare) < _LEAST_CODE or not scope.identifiers.found_in(bare)


def _keep_ascii(
    element: Element, vr: str, rule: Rule, scope: Scope, encodings: tuple[str, ...]
) -> Element | None:
    text = text_of(element, vr, encodings)
    if text is None or "\0" in text:
        return None
    if vr in {"DS", "IS"}:
        allowed = all(_is_mere_number(part, scope) for part in text.split("\\"))
    elif vr == "UI":
        if rule.action != "K" or rule.keyword == "":
            return replace_uids(element, vr, rule, scope, encodings)
        allowed = _UIDS.fullmatch(text) is not None
    elif vr == "AS":
        capped = cap_age(text)
        return None if capped is None else encoded_text(element.tag, vr, capped)
    elif vr in _DATE_VRS:
        allowed = all(is_date(part, vr) for part in text.split("\\"))
    else:
        allowed = not scope.identifiers.found_in(text) or (vr == "CS" and is_coded_term(text))
    return encoded_text(element.tag, vr, text) if allowed else None


def _keep_bytes(element: Element, vr: str, scope: Scope) -> Element | None:
    value = b"" if element.value is None else element.value
    if not isinstance(value, bytes):
        return None
    if int(element.tag) not in _BULK and scope.identifiers.found_in_bytes(value):
        return None
    if isinstance(element, RawDataElement) and not element.is_little_endian:
        return _swapped(element, vr, value)
    return encoded(element.tag, vr, value)


def _keep_numbers(element: Element, vr: str) -> Element | None:
    if element.value is None:
        return encoded(element.tag, vr, b"")
    if isinstance(element, RawDataElement):
        value = element.value
        if not isinstance(value, bytes) or len(value) % NUMBER_SIZES[vr]:
            return None
        if element.is_little_endian:
            return encoded(element.tag, vr, value)
        try:
            return convert_raw_data_element(element._replace(VR=vr))
        except UNREADABLE:
            return None
    value = element.value
    copied = list(value) if isinstance(value, MultiValue | list | tuple) else value
    return DataElement(element.tag, vr, copied)


def _swapped(element: RawDataElement, vr: str, value: bytes) -> Element | None:
    """Words of a big endian source, turned round (PS3.5 7.3)."""
    size = WORD_SIZES.get(vr, 1)
    if len(value) % size:
        return None
    turned = bytearray(value)
    for place in range(size):
        turned[place::size] = value[size - 1 - place :: size]
    return encoded(element.tag, vr, bytes(turned))


def _shift(element: Element, vr: str, text: str, scope: Scope) -> Element | None:
    days = scope.subject.shift_days
    moved: list[str | None] = []
    for part in text.split("\\"):
        if vr == "DA":
            moved.append(shift_date(part, days))
        elif vr == "DT":
            moved.append(_shift_datetime(part, days, scope.times))
        else:
            moved.append(keep_time(part, scope.times))
    values = [part for part in moved if part is not None]
    if len(values) != len(moved):
        return None
    return encoded_text(element.tag, vr, "\\".join(values))


def _fitted(text: str, vr: str) -> str:
    """Cleaned text in the bounds of its VR: length, and no backslash where it divides values."""
    if vr not in SINGLE_VALUED:
        text = " ".join(text.replace("\\", "/").split())
    return text[: _LONGEST.get(vr, len(text))].rstrip()
