"""What the gate looks for in one object: the evidence less what the profile retains."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from updp_node.verify.evidence import Allowances, Evidence, Phrase
from updp_node.verify.ordinary import ORDINARY
from updp_node.verify.words import blur, find_dates, split_letters, split_words

_NEAR, _MIN_INSIDE, _MIN_RAW_CODE, _MIN_PAIR_WORD = 3, 8, 6, 4
_DOUBLE_BYTES = re.compile(rb"\x1b\$(?:\([A-D]|[AB])([^\x1b]+)")
_MOST_PARTS, _MIN_READ, _MIN_CUT = 8, 4, 5
_MIN_UID_PREFIX = 25  # a root has 24 characters at most, so that 39 digits follow (PS3.5 B.2)
_OLD_ENCODINGS = (
    "utf-8", "latin-1", "iso8859_2", "iso8859_3", "iso8859_4", "iso8859_5", "iso8859_6",
    "iso8859_7", "iso8859_8", "iso8859_9", "iso8859_15", "iso8859_11", "shift_jis", "euc_jp",
    "iso2022_jp", "iso2022_jp_2", "euc_kr", "gb18030", "big5", "cp1250", "cp1251", "koi8_r",
    "utf-16-le", "utf-16-be",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Wanted:
    """Identifiers that must not be found, arranged for search; never printed.

    Attributes
    ----------
    names, telling, inside : frozenset of str
        Words of names; those that are not ordinary; those long enough to count inside
        other words.
    persons : mapping of str to frozenset of str
        A word of a name to the other words of the persons who bear it.
    ideographs, codes, weak_codes, uids : frozenset of str
    phrases : mapping of str to tuple of tuple of str
        First word to phrases: whole places and contacts, and telling pairs of their words.
    birth_dates, dates : frozenset of date
    values : frozenset of (int, date)
    encoded : frozenset of bytes
        Names that ASCII does not hold, in the encodings that do.
    allow : Allowances
    """

    names: frozenset[str]
    telling: frozenset[str]
    inside: frozenset[str]
    persons: Mapping[str, frozenset[str]]
    ideographs: frozenset[str]
    codes: frozenset[str]
    weak_codes: frozenset[str]
    longest_code: int
    uids: frozenset[str]
    phrases: Mapping[str, tuple[Phrase, ...]]
    birth_dates: frozenset[date]
    dates: frozenset[date]
    values: frozenset[tuple[int, date]]
    encoded: frozenset[bytes]
    allow: Allowances

    def judge(
        self, folded: str, *, is_name: bool, has_dates: bool, shortest: int = 0
    ) -> Iterator[str]:
        """Kinds of identifiers that a folded text holds.

        Parameters
        ----------
        is_name : bool
            Of a PN attribute, where ordinary words are names too.
        has_dates : bool
            Whether dates in it may be a patient's.
        shortest : int
            How many letters a word of a name must have to count alone.
        """
        words = split_words(folded)
        if self._names_someone(folded, is_name=is_name, shortest=shortest):
            yield "name"
        if self.holds_code(words):
            yield "code"
        if self._holds_phrase(words):
            yield "place"
        if has_dates and not self.allow.full_dates and self._tells_date(folded):
            yield "date"

    def judge_raw(self, folded: str, *, shortest: int) -> Iterator[str]:
        """The same of a run of printable bytes: only what does not stand there by chance."""
        words = split_words(folded)
        long = (word for word in split_letters(folded) if len(word) >= shortest)
        if not self.telling.isdisjoint(long) or any(word in folded for word in self.inside):
            yield "name"
        if self.holds_code(words, shortest=_MIN_RAW_CODE):
            yield "code"
        if self._holds_phrase(words):
            yield "place"
        if self.birth_dates and any(
            each in self.birth_dates and not self.is_shifted(each) for each in find_dates(folded)
        ):
            yield "date"

    def judge_read(self, folded: str, *, shortest: int) -> Iterator[str]:
        """The same of text as it was read from pixels or a page.

        Spaces and a few characters may be wrong there, so identifiers of `shortest` letters
        count across spaces, and characters that look alike are one.
        """
        kinds = set(self.judge(folded, is_name=False, has_dates=True, shortest=_MIN_READ))
        joined = blur("".join(split_words(folded)))
        if any(len(word) >= shortest and blur(word) in joined for word in self.telling):
            kinds.add("name")
        if any(len(code) >= shortest and blur(code) in joined for code in self.codes):
            kinds.add("code")
        yield from sorted(kinds)

    def holds_cut_name(self, folded: str) -> bool:
        """Whether a text that its VR cuts off ends within a name."""
        words = split_letters(folded)
        last = words[-1] if words else ""
        return len(last) >= _MIN_CUT and any(word.startswith(last) for word in self.telling)

    def holds_code(self, words: list[str], shortest: int = 0) -> bool:
        """Whether a number stands in a text, whole or parted by separators."""
        for start in range(len(words)):
            joined = ""
            for word in words[start : start + _MOST_PARTS]:
                joined += word
                if len(joined) > self.longest_code:
                    break
                if len(joined) >= shortest and joined in self.codes:
                    return True
        return False

    def holds_uid(self, uid: str) -> bool:
        """Whether a UID is one of a source, or one with more components behind it.

        A short UID may be the root below which the site's own are made: it counts alone only.
        """
        if uid in self.uids:
            return True
        cuts = (at for at, each in enumerate(uid) if each == "." and at >= _MIN_UID_PREFIX)
        return any(uid[:at] in self.uids for at in cuts)

    def is_shifted(self, each: date, tag: int | None = None) -> bool:
        """Whether the date shift explains a date, if need be by a date of the same tag."""
        if self.allow.shift_days is None:
            return False
        original = each - timedelta(days=self.allow.shift_days)
        return original in self.dates if tag is None else (tag, original) in self.values

    def _names_someone(self, folded: str, *, is_name: bool, shortest: int) -> bool:
        words = split_letters(folded)
        places = [at for at, word in enumerate(words) if word in self.names]
        telling = (words[at] for at in places if is_name or words[at] in self.telling)
        if any(len(word) >= shortest for word in telling):
            return True
        for at in places:
            near = words[max(at - _NEAR, 0) : at] + words[at + 1 : at + _NEAR + 1]
            if not self.persons[words[at]].isdisjoint(near):
                return True
        return any(word in folded for word in (*self.inside, *self.ideographs))

    def _holds_phrase(self, words: list[str]) -> bool:
        return any(
            tuple(words[at : at + len(phrase)]) == phrase
            for at, word in enumerate(words)
            for phrase in self.phrases.get(word, ())
        )

    def _tells_date(self, folded: str) -> bool:
        return any(each in self.dates and not self.is_shifted(each) for each in find_dates(folded))


def arrange(evidence: Evidence, allow: Allowances) -> Wanted:
    """Take away what the profile retains, and arrange the rest for search."""
    telling = frozenset(word for word in evidence.names if word not in ORDINARY)
    codes = evidence.codes if allow.device else evidence.codes | evidence.devices
    dated = not allow.full_dates
    return Wanted(
        names=evidence.names,
        telling=telling,
        inside=frozenset(word for word in telling if len(word) >= _MIN_INSIDE),
        persons=_companions(evidence),
        ideographs=evidence.ideographs,
        codes=codes,
        weak_codes=evidence.weak_codes,
        longest_code=max(map(len, codes), default=0),
        uids=_uids(evidence, allow),
        phrases=_by_first_word(_phrases(evidence, allow)),
        birth_dates=evidence.birth_dates if dated else frozenset(),
        dates=evidence.dates if dated else frozenset(),
        values=evidence.values if dated else frozenset(),
        encoded=frozenset(_encode(evidence.spelled)),
        allow=allow,
    )


def _companions(evidence: Evidence) -> Mapping[str, frozenset[str]]:
    """For each word of a name the other words of those who bear it, titles aside."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for words in evidence.persons:
        for word in words:
            found[word] |= {each for each in words if each != word and len(each) > 1}
    joined = {word: frozenset(others) for word, others in found.items()}
    return {word: joined.get(word, frozenset()) for word in evidence.names | joined.keys()}


def _uids(evidence: Evidence, allow: Allowances) -> frozenset[str]:
    if allow.uids:
        return frozenset()
    return (
        evidence.uids - evidence.device_uids
        if allow.device
        else (evidence.uids | evidence.device_uids)
    )


def _phrases(evidence: Evidence, allow: Allowances) -> Iterator[Phrase]:
    places: frozenset[Phrase] = frozenset() if allow.institution else evidence.places
    for phrase in evidence.contacts | places:
        yield phrase
        for pair in pairwise(phrase):
            if any(_is_telling(word) for word in pair):
                yield pair
    if not allow.patient_characteristics:
        yield from (phrase for phrase in evidence.traits if len(phrase) > 1)


def _is_telling(word: str) -> bool:
    return len(word) >= _MIN_PAIR_WORD and word not in ORDINARY and not word.isdigit()


def _by_first_word(phrases: Iterable[Phrase]) -> Mapping[str, tuple[Phrase, ...]]:
    found: defaultdict[str, set[Phrase]] = defaultdict(set)
    for phrase in phrases:
        found[phrase[0]].add(phrase)
    return {word: tuple(sorted(each)) for word, each in found.items()}


def _encode(words: Iterable[str]) -> Iterator[bytes]:
    for word in words:
        for spelling in {word, word.upper(), word.lower(), word.capitalize()}:
            for encoding in _OLD_ENCODINGS:
                try:
                    raw = spelling.encode(encoding)
                except UnicodeEncodeError:
                    continue
                yield from _DOUBLE_BYTES.findall(raw) if b"\x1b" in raw else (raw,)
