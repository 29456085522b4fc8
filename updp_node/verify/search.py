"""Searching an outgoing object for the identifiers of its sources.

Twice: in the decoded text of every attribute, and in the raw bytes of the whole file
outside native pixel samples (preamble, file meta, private and unknown elements, icons,
profiles, documents, compressed pixels), in every encoding that text may have there.

A name word counts alone unless it is an ordinary word (`words.ORDINARY`); then it counts
beside another word of the same person, and in any PN attribute. In raw bytes only words of
five characters and more count, since shorter ones stand there by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pydicom import Dataset
from pydicom.dataelem import DataElement

from updp_node.verify.evidence import Allowances, Evidence, texts_of, walk
from updp_node.verify.words import ORDINARY, find_dates, join_code, split_words

_NUMERIC_VRS = frozenset({"DS", "IS", "DA", "TM", "DT", "UI", "AS", "AT"})
_MIN_RAW = 5
_MIN_DIGITS = 6
_NEAR = 3
_RUNS = (
    re.compile(rb"[0-9A-Za-z]{5,}"),
    re.compile(rb"(?:[0-9A-Za-z]\0){5,}"),
    re.compile(rb"(?:\0[0-9A-Za-z]){5,}"),
)
_UID_RUN = re.compile(rb"(?<![0-9.])[0-9]+(?:\.[0-9]+){3,}")
_OLD_ENCODINGS = ("utf-8", "latin-1", "iso8859_2", "iso8859_5", "iso8859_7", "shift_jis",
                  "euc_jp", "euc_kr", "gb18030", "utf-16-le", "utf-16-be")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hit:
    """An identifier found; says where and of what kind, never which."""

    where: str
    kind: str


def search_attributes(made: Dataset, evidence: Evidence, allow: Allowances) -> Iterator[Hit]:
    """Hits in the decoded values of an object.

    Parameters
    ----------
    made : pydicom.Dataset
        As read back from the encoded bytes.
    evidence : Evidence
    allow : Allowances

    Raises
    ------
    InstanceError
        ``unreadable-attribute``.
    """
    for element, path in walk(made):
        for text in texts_of(element):
            yield from (Hit(path, kind) for kind in _judge(element, path, text, evidence, allow))


def _judge(
    element: DataElement, path: str, text: str, evidence: Evidence, allow: Allowances
) -> Iterator[str]:
    if element.VR == "UI":
        if text in evidence.uids and not allow.uids:
            yield "uid"
    elif element.VR in {"DA", "DT"}:
        if _is_source_date(element, path, text, evidence, allow):
            yield "date"
    elif element.VR in _NUMERIC_VRS:
        code = join_code(text)
        if len(code) >= _MIN_DIGITS and code in evidence.numbers(allow):
            yield "code"
    else:
        yield from _judge_words(text, evidence, allow, is_name=element.VR == "PN")


def _judge_words(
    text: str, evidence: Evidence, allow: Allowances, *, is_name: bool
) -> Iterator[str]:
    words = split_words(text)
    if _names_someone(words, evidence, is_name=is_name):
        yield "name"
    if _holds_code(words, evidence.numbers(allow)):
        yield "code"
    if any(_holds(words, phrase) for phrase in evidence.places(allow)):
        yield "place"
    if not allow.full_dates and _tells_date(text, evidence, allow):
        yield "date"


def _names_someone(words: list[str], evidence: Evidence, *, is_name: bool) -> bool:
    """Whether a text holds a word of a person's name that means the person."""
    hits = [number for number, word in enumerate(words) if word in evidence.names]
    if any(is_name or words[number] not in ORDINARY for number in hits):
        return True
    for number in hits:
        near = set(words[max(number - _NEAR, 0) : number + _NEAR + 1]) - {words[number]}
        if any(words[number] in each and near & set(each) for each in evidence.persons):
            return True
    return False


def _holds_code(words: list[str], codes: frozenset[str]) -> bool:
    """Whether a number stands in a text, whole or parted by separators."""
    if not codes:
        return False
    longest = max(len(code) for code in codes)
    for start in range(len(words)):
        joined = ""
        for word in words[start : start + 6]:
            joined += word
            if len(joined) > longest:
                break
            if joined in codes:
                return True
    return False


def _holds(words: list[str], phrase: tuple[str, ...]) -> bool:
    size = len(phrase)
    return any(tuple(words[at : at + size]) == phrase for at in range(len(words) - size + 1))


def _is_source_date(
    element: DataElement, path: str, text: str, evidence: Evidence, allow: Allowances
) -> bool:
    """Whether a date attribute still holds a date of the source.

    After a shift another date of the source may come to stand here by chance; so a date
    counts where it stood in this very attribute, and a date of birth wherever it stands
    unless it is where the shift puts another date.
    """
    if allow.full_dates:
        return False
    if "[" not in path and (int(element.tag), text.strip()) in evidence.values:
        return True
    births = set(find_dates(text[:8])) & evidence.birth_dates
    return any(not _is_shifted(each, evidence, allow) for each in births)


def _tells_date(text: str, evidence: Evidence, allow: Allowances) -> bool:
    """Whether a text tells a date of the source that the shift does not explain."""
    return any(
        each in evidence.dates and not _is_shifted(each, evidence, allow)
        for each in find_dates(text)
    )


def _is_shifted(each: date, evidence: Evidence, allow: Allowances) -> bool:
    if allow.shift_days is None:
        return False
    return each - timedelta(days=allow.shift_days) in evidence.dates


def search_bytes(raw: bytes, evidence: Evidence, allow: Allowances) -> Iterator[Hit]:
    """Hits in raw bytes; native pixel samples are not among them.

    Parameters
    ----------
    raw : bytes
        The encoded object without its native pixel samples.
    """
    words = {
        word
        for word in evidence.names | evidence.numbers(allow)
        if len(word) >= _MIN_RAW and word.isascii() and word not in ORDINARY
    }
    births = {f"{each:%Y%m%d}" for each in evidence.birth_dates if not allow.full_dates}
    for run in _runs(raw):
        if run in words:
            yield Hit("raw bytes", "name or code")
        if run in births:
            yield Hit("raw bytes", "date of birth")
    if not allow.uids:
        found = {match.decode("ascii") for match in _UID_RUN.findall(raw)}
        if found & evidence.uids:
            yield Hit("raw bytes", "uid")
    yield from _search_patterns(raw, evidence)


def _runs(raw: bytes) -> Iterator[str]:
    """Runs of ASCII letters and digits, in one byte a character and in UTF-16."""
    for pattern in _RUNS:
        for match in pattern.findall(raw):
            yield match.replace(b"\0", b"").decode("ascii").lower()


def _search_patterns(raw: bytes, evidence: Evidence) -> Iterator[Hit]:
    """Names that ASCII does not hold, in every encoding that does."""
    foreign = (word for word in evidence.names if len(word) >= _NEAR and not word.isascii())
    for pattern in _encodings(foreign):
        if pattern in raw:
            yield Hit("raw bytes", "name")


def _encodings(words: Iterable[str]) -> Iterator[bytes]:
    for word in words:
        for spelling in {word, word.upper(), word.capitalize()}:
            for encoding in _OLD_ENCODINGS:
                try:
                    pattern = spelling.encode(encoding)
                except UnicodeEncodeError:
                    continue
                if len(pattern) >= _MIN_RAW:
                    yield pattern
