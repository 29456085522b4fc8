"""Searching an outgoing object for the identifiers of its sources.

Twice: in the decoded text of every attribute, and in the raw bytes of the whole file
outside native pixel samples (preamble, file meta, private and unknown elements, icons,
profiles, documents, compressed pixels), in every encoding that text may have there.

What counts as a hit, so that no report is held for an ordinary word:

- A word of a name counts alone unless it is ordinary (`ordinary.ORDINARY`); an ordinary one
  counts within three words of another word of the same person, and in any PN attribute.
  Words of eight letters and more count inside longer words too.
- A number counts with and without separators. Numbers of less than six digits (five of a
  patient's or an accession number) and bare words count only in identifying attributes.
- A place counts whole, or by two words in a row one of which is not ordinary.
- A date counts where the date shift does not explain it. In a DA or DT attribute it counts
  only under the tag that held it in a source (a birth date everywhere), since after a shift
  another date of the source may come to stand there.
- In raw bytes words of five letters (in compressed pixels six) count, names that ASCII does
  not hold from four bytes: shorter ones stand there by chance. Of dates only those of birth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.dataelem import DataElement

from updp_node.verify.keywords import (
    CALIBRATIONS,
    DEVICE_UIDS,
    DEVICES,
    IDENTIFYING,
    STRUCTURE,
    TECHNICAL,
)
from updp_node.verify.ordinary import STRUCTURE_TERMS
from updp_node.verify.walking import texts_of, walk
from updp_node.verify.wanted import Wanted
from updp_node.verify.words import find_dates, fold, fold_both, join_code

_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})
_NO_TEXT_VRS = frozenset({"TM", "AS"})
_MIN_RAW, _MIN_COMPRESSED, _MIN_ENCODED = 5, 6, 4
_MOST_TEXT_BYTES = 65536
_NO_LIMIT = 1 << 32
_LONGEST = {"SH": 16, "CS": 16, "AE": 16, "LO": 64}
"""Characters that a value of the VR has at most (PS3.5 6.2): longer ones were cut off."""
_STRINGS = (
    (re.compile(rb"[\x20-\x7e]{5,}"), "ascii"),
    (re.compile(rb"(?:[\x20-\x7e\xa0-\xff]\0){5,}"), "utf-16-le"),
    (re.compile(rb"(?:\0[\x20-\x7e\xa0-\xff]){5,}"), "utf-16-be"),
)
_COMPRESSED_RUNS = (
    re.compile(rb"[0-9A-Za-z]{6,}"),
    re.compile(rb"(?:[0-9A-Za-z]\0){6,}"),
)
_UID_RUN = re.compile(rb"(?<![0-9.])[0-9]+(?:\.[0-9]+){3,}")


@dataclass(frozen=True, slots=True)
class Hit:
    """An identifier found; says where and of what kind, never which."""

    where: str
    kind: str


_DAY_DIGITS, _LEAST_CODE = 8, 6


def search_attributes(made: Dataset, wanted: Wanted) -> Iterator[Hit]:
    """Hits in the decoded values of an object.

    Parameters
    ----------
    made : pydicom.Dataset
        As read back from the encoded bytes.
    wanted : Wanted

    Raises
    ------
    InstanceError
        ``unreadable-attribute``.
    """
    for element, path in walk(made):
        if isinstance(element.value, bytes):
            kinds = _judge_bytes(element, wanted)
        else:
            kinds = (kind for text in texts_of(element) for kind in _judge(element, text, wanted))
        yield from (Hit(path, kind) for kind in kinds)


def _judge(element: DataElement, text: str, wanted: Wanted) -> Iterator[str]:
    vr, keyword = element.VR, element.keyword
    if vr == "UI":
        if wanted.holds_uid(text) and not (wanted.allow.device and keyword in DEVICE_UIDS):
            yield "uid"
    elif vr in {"DA", "DT"}:
        if _is_source_date(element, text, wanted):
            yield "date"
    elif vr in {"IS", "DS"}:
        yield from _judge_number(text, vr, wanted)
    elif vr not in _NO_TEXT_VRS and not _is_structure(keyword, text):
        yield from _judge_text(text, vr, keyword, wanted)
        identifies = keyword in IDENTIFYING and not (wanted.allow.device and keyword in DEVICES)
        if identifies and join_code(text) in wanted.weak_codes:
            yield "code"


def _judge_number(text: str, vr: str, wanted: Wanted) -> Iterator[str]:
    """A whole number that is a code or a date of the source: Series Number ``20231117``."""
    if vr == "IS" and wanted.holds_code([join_code(text)]):
        yield "code"
    digits = text.strip(" +").partition(".")[0]
    if len(digits) == _DAY_DIGITS and digits.isdecimal() and not wanted.allow.full_dates:
        known = wanted.dates | wanted.birth_dates
        if any(each in known and not wanted.is_shifted(each) for each in find_dates(digits)):
            yield "date"
    elif vr == "DS" and len(digits) >= _LEAST_CODE and wanted.holds_code([join_code(digits)]):
        yield "code"


def _judge_text(text: str, vr: str, keyword: str, wanted: Wanted) -> Iterator[str]:
    for folded in fold_both(text):
        yield from wanted.judge(folded, is_name=vr == "PN", has_dates=keyword not in TECHNICAL)
        if len(text) >= _LONGEST.get(vr, _NO_LIMIT) - 1 and wanted.holds_cut_name(folded):
            yield "name"


def _is_structure(keyword: str, text: str) -> bool:
    return keyword in STRUCTURE and STRUCTURE_TERMS.issuperset(text.split())


def _judge_bytes(element: DataElement, wanted: Wanted) -> Iterator[str]:
    """Bytes of an unknown or private element that are text through and through."""
    value = element.value
    if element.keyword in _PIXELS or len(value) > _MOST_TEXT_BYTES:
        return
    bare = value.rstrip(b"\0 ")
    if bare and all(each >= 0x20 or each in b"\t\r\n\x1b" for each in bare):
        yield from wanted.judge(fold(_decode(bare, "utf-8")), is_name=False, has_dates=True)


def _is_source_date(element: DataElement, text: str, wanted: Wanted) -> bool:
    """Whether a date attribute still holds a date of the source."""
    allow = wanted.allow
    if allow.full_dates or element.keyword in TECHNICAL:
        return False
    if allow.device and element.keyword in CALIBRATIONS:
        return False
    tag = int(element.tag)
    for each in find_dates(text[:8]):
        if each in wanted.birth_dates and not wanted.is_shifted(each):
            return True
        if (tag, each) in wanted.values and not wanted.is_shifted(each, tag):
            return True
    return False


def search_bytes(raw: bytes, wanted: Wanted) -> Iterator[Hit]:
    """Hits in raw bytes; no pixel samples are among them.

    Parameters
    ----------
    raw : bytes
        The encoded object without its pixel data.
    wanted : Wanted
    """
    for pattern, encoding in _STRINGS:
        for match in pattern.finditer(raw):
            folded = fold(_decode(match[0], encoding))
            for kind in wanted.judge_raw(folded, shortest=_MIN_RAW):
                yield Hit(f"byte {match.start()}", kind)
    if wanted.uids:
        found = (match.decode("ascii") for match in _UID_RUN.findall(raw))
        if any(wanted.holds_uid(uid) for uid in found):
            yield Hit("raw bytes", "uid")
    if any(len(pattern) >= _MIN_ENCODED and pattern in raw for pattern in wanted.encoded):
        yield Hit("raw bytes", "name")


def search_compressed(raw: bytes, wanted: Wanted) -> Iterator[Hit]:
    """Hits in compressed pixel data: comments and application segments may hold text.

    Parameters
    ----------
    raw : bytes
        The value of the encapsulated pixel data.
    wanted : Wanted
    """
    words = {word for word in wanted.telling | wanted.codes if len(word) >= _MIN_COMPRESSED}
    for pattern in _COMPRESSED_RUNS:
        for run in pattern.findall(raw):
            if run.replace(b"\0", b"").decode("ascii").lower() in words:
                yield Hit("(7FE0,0010)", "name or code")


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("latin-1")
