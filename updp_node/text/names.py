"""Names of persons: what a title, a label, a signature, an order of words gives away."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Word

_GAP = re.compile(r"[ \t]{1,4}|[ \t]*\r?\n[ \t]*|\.[ \t]{0,2}|,[ \t]{0,2}(?:\r?\n[ \t]*)?|-|")
_AND = re.compile(r"\s*(?:,|;|/|&|\band\b|\bor\b)\s*(?:and\s+)?")
_DEGREE = re.compile(r"(?:M\.?D|D\.?O|R\.?N|N\.?P)\b")
_MAX_WORDS = 6


@dataclass(frozen=True, slots=True)
class NameFind:
    """A stretch of folded text that is a name, and the rule that says so."""

    start: int
    end: int
    rule: str


def _alternatives(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)


class NameRules:
    """All rules over names for one language.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        words = lexicons.names
        self._titles = frozenset(words["titles"])
        self._particles = frozenset(words["particles"])
        self._stop = frozenset(words["stop"])
        suffixes = "|".join(
            r"\.?\s?".join(re.escape(letter) for letter in suffix.replace(".", ""))
            if len(suffix) < 4 else re.escape(suffix) for suffix in words["suffixes"])  # fmt: skip
        self._suffix = re.compile(rf"(?:,\s*|\s+)(?:{suffixes})\b\.?(?![\w'-])", re.IGNORECASE)
        self._suffix_words = frozenset(s.replace(".", "") for s in words["suffixes"])
        self._label = re.compile(
            rf"(?<![\w-])(?:{_alternatives(words['labels'])})(?:\s*\([^()\n]{{0,24}}\))?\s*[:#=]+[ \t]*\n?[ \t]*",
            re.IGNORECASE)  # fmt: skip
        self._verb = re.compile(rf"(?<![\w-])(?:{_alternatives(words['verbs'])})\s+", re.IGNORECASE)
        self._acts = re.compile(rf"(?<![\w-])([A-Z][A-Za-z'-]{{2,24}})\s+(?:{_alternatives(words['acts'])})\b")
        self._veto = frozenset(words["initials_veto"])
        self._initials = re.compile(
            r"(?<![\w/.-])(?P<a>[A-Z]{2,4})(?:/|:(?=[a-z]+\s*(?:$|\d)))(?P<b>[a-z]{2,4})(?![\w/-])"
            r"|(?<![\w/.-])(?P<c>[a-z]{2,3})[/:](?P<d>[a-z]{2,3})(?=\s*(?:$|\d))", re.MULTILINE)  # fmt: skip

    def find(
        self, text: str, words: Sequence[Word], persons: Iterable[tuple[int, int]]
    ) -> list[NameFind]:
        """Every name in folded text.

        Parameters
        ----------
        words : sequence of Word
            Of the same text, in order.
        persons : iterable of tuple of int
            What a general model takes for persons.
        """
        reader = _Reader(text, words, self._stop | self._suffix_words, self._particles)
        found = [*self._titled(reader), *self._labelled(reader), *self._suffixed(reader),
                 *_ordered(reader), *_modelled(reader, persons), *self._signed(text),
                 *self._acting(reader)]  # fmt: skip
        found += _repeated(reader, found)
        return found

    def _titled(self, reader: _Reader) -> Iterator[NameFind]:
        for index, word in enumerate(reader.words[:-1]):
            if word.lower not in self._titles:
                continue
            following = reader.words[index + 1]
            gap = reader.text[word.end : following.start]
            initial = following.kind is Kind.INITIAL and following.is_capital
            if not re.fullmatch(r"\.?\s{0,3}|\.?\s*\n\s*", gap) or (
                    following.lower in self._stop and not initial):  # fmt: skip
                continue
            if following.kind is Kind.WORD and (word.lower == word.text or len(gap) > 2):
                continue
            spoken = word.lower in {"nurse", "sister", "judge", "miss", "attorney", "doctor"}
            acronym = word.is_upper and "." not in gap and following.kind is Kind.WORD
            if acronym or (spoken and following.kind in {Kind.WORD, Kind.AMBIGUOUS}
                           and not (following.is_capital and following.kind is Kind.AMBIGUOUS)):  # fmt: skip
                continue
            yield from reader.name_at(index + 1, "title", lower=True, first_word=following.is_capital)

    def _labelled(self, reader: _Reader) -> Iterator[NameFind]:
        for match in self._label.finditer(reader.text):
            yield from self._listed(reader, match.end(), "labelled", lower=True)
        for match in self._verb.finditer(reader.text):
            yield from self._listed(reader, match.end(), "spoken-of", lower=False)

    def _listed(self, reader: _Reader, start: int, rule: str, *, lower: bool) -> Iterator[NameFind]:
        """Names after a label, one after the other while joined by *and* or a comma."""
        index = reader.index(start)
        roles = 0
        while index < len(reader.words) and roles < 4 and not lower:
            word = reader.words[index]  # "the ordering physician, Kim Lee"
            if word.lower not in self._stop or word.lower in self._titles or word.is_upper:
                break
            if not re.fullmatch(r"[\s,]{0,3}", reader.text[start : word.start]):
                return
            start = word.end
            index, roles = index + 1, roles + 1
        for _ in range(8):
            if index >= len(reader.words):
                return
            word = reader.words[index]
            if not re.fullmatch(r"[\s,.(\[\"']{0,4}", reader.text[start : word.start]):
                return
            if word.lower in self._titles:
                index, start = index + 1, word.end
                continue
            names = list(reader.name_at(index, rule, lower=lower, first_word=False))
            if not names:
                names = list(reader.lone_initials(index)) if lower else []
            yield from names
            if not names:
                return
            joined = _AND.match(reader.text, names[-1].end)
            if not joined or joined.end() == names[-1].end:
                return
            start = joined.end()
            index = reader.index(start)
            lower = False

    def _suffixed(self, reader: _Reader) -> Iterator[NameFind]:
        for match in self._suffix.finditer(reader.text):
            token = match[0].strip(" ,.\n\t")
            if token.islower() and len(token) < 4 and "." not in token and "," not in match[0]:
                continue
            last = reader.index(match.start()) - 1
            first = reader.walk_back(last)
            if first <= last:
                yield NameFind(reader.words[first].start, reader.words[last].end, "suffix")

    def _acting(self, reader: _Reader) -> Iterator[NameFind]:
        """A capitalized word before a verb that only a person governs."""
        for match in self._acts.finditer(reader.text):
            index = reader.index(match.start(1))
            word = reader.words[index] if index < len(reader.words) else None
            if word is None or word.protected or word.lower in reader.stop or word.kind is Kind.WORD:
                continue
            if word.is_name or not word.is_upper:
                yield NameFind(word.start, word.end, "acting")

    def _signed(self, text: str) -> Iterator[NameFind]:
        """Initials of who spoke and who typed, e.g. ``LMT/jb``."""
        for match in self._initials.finditer(text):
            parts = [part.lower() for part in match.groups() if part]
            if not any(part in self._veto for part in parts):
                yield NameFind(match.start(), match.end(), "initials")


class _Reader:
    """Words with their text: where a name begins and how far it goes."""

    def __init__(self, text: str, words: Sequence[Word], stop: frozenset[str],
                 particles: frozenset[str]) -> None:  # fmt: skip
        self.text, self.words, self.particles = text, words, particles
        self._starts = [word.start for word in words]
        self.stop = stop

    def index(self, offset: int) -> int:
        """Index of the first word at or after an offset."""
        return bisect_left(self._starts, offset)

    def gap(self, index: int) -> str:
        """Text between a word and the one before it."""
        before = self.words[index - 1]
        text = self.text[before.end : self.words[index].start]
        return text.removeprefix("'s").removeprefix("'S")

    def name_at(self, index: int, rule: str, *, lower: bool, first_word: bool) -> Iterator[NameFind]:
        """The name that a context promises at a word."""
        end = index
        comma = False
        while end < len(self.words) and end - index < _MAX_WORDS:
            gap = self.gap(end) if end > index else " "
            if not _GAP.fullmatch(gap) or (comma and "," in gap):
                break
            if not self._continues(index, end, gap, lower=lower, first_word=first_word):
                break
            comma = comma or "," in gap
            end += 1
        while end > index and (self.words[end - 1].lower in self.particles
                               and not self.words[end - 1].is_capital):  # fmt: skip
            end -= 1
        taken = self.words[index:end]
        if any(word.kind is not Kind.INITIAL for word in taken):
            yield NameFind(taken[0].start, taken[-1].end, rule)

    def _continues(self, index: int, at: int, gap: str, *, lower: bool, first_word: bool) -> bool:
        word, count = self.words[at], at - index
        kept = word.is_capital and (word.kind is Kind.INITIAL or word.lower in self.particles)
        if word.lower in self.stop and not kept:
            return False
        previous = self.words[at - 1] if count else None
        if previous and "." in gap and len(previous.text) > 2:
            return False
        if "\n" in gap and not (count == 1 and word.is_name and word.is_capital):
            return False
        if "," in gap:
            return count <= 2 and word.is_capital and (
                word.kind is not Kind.WORD or self._initial_after(at))  # fmt: skip
        if word.kind is Kind.INITIAL:
            if _DEGREE.match(self.text, word.start):
                return False
            return word.is_capital and (count > 0 or self._named_after(at))
        if word.lower in self.particles and at + 1 < len(self.words):
            return self.words[at + 1].is_capital and self.words[at + 1].kind is not Kind.WORD
        if not word.is_capital:
            named = word.is_name or (word.kind in {Kind.UNKNOWN, Kind.AMBIGUOUS} and count < 2)
            return lower and named and not (previous and previous.is_capital)
        if word.kind is Kind.WORD:
            return (count == 0 and first_word and len(word.text) > 2) or bool(
                previous and previous.kind is Kind.GIVEN and count <= 2
                and not word.protected and not word.is_upper)  # fmt: skip
        if word.kind is Kind.AMBIGUOUS and count >= 2 and previous and previous.kind is not Kind.INITIAL:
            return word.is_upper == previous.is_upper and previous.kind is not Kind.SURNAME
        return word.kind is not Kind.UNKNOWN or len(word.text) > 2 or count > 0 or lower

    def _initial_after(self, at: int) -> bool:
        return at + 1 < len(self.words) and self.words[at + 1].kind is Kind.INITIAL

    def _named_after(self, at: int) -> bool:
        if at + 1 >= len(self.words) or not re.fullmatch(r"\.?\s{0,2}", self.gap(at + 1)):
            return False
        return self.words[at + 1].is_capital and self.words[at + 1].lower not in self.stop

    def lone_initials(self, index: int) -> Iterator[NameFind]:
        """Two to four letters alone on the rest of a labelled line."""
        word = self.words[index]
        rest = re.match(r"[^\n]{0,3}(?:\n|$)", self.text[word.end : word.end + 4])
        if 1 < len(word.text) < 5 and rest and word.kind is not Kind.WORD:
            yield NameFind(word.start, word.end, "labelled-initials")

    def walk_back(self, last: int) -> int:
        """First index of the name that ends at a word; past the end where there is none."""
        first = last + 1
        for index in range(last, max(-1, last - 4), -1):
            word = self.words[index]
            if not word.is_capital or word.lower in self.stop or word.kind is Kind.WORD:
                break
            if index < last and not re.fullmatch(r"[ \t]{1,3}|\.\s{0,2}|,\s?", self.gap(index + 1)):
                break
            first = index
        while first <= last and self.words[first].kind is Kind.INITIAL and first == last:
            first += 1
        return first


def _ordered(reader: _Reader) -> Iterator[NameFind]:
    """``LAST, FIRST M.``, ``First M. Last`` and both in lower case."""
    words = reader.words
    for index in range(len(words) - 1):
        first, second = words[index], words[index + 1]
        if first.protected or second.protected or not _alike(first, second):
            continue
        gap = reader.gap(index + 1)
        last = None
        if re.fullmatch(r",[ \t]{0,2}(?:\r?\n[ \t]*)?", gap):
            last = _inverted(reader, index)
        elif re.fullmatch(r"[ \t]{1,3}|[ \t]*\r?\n[ \t]*", gap):
            last = _straight(reader, index)
        elif gap.strip() == "." and first.kind is Kind.INITIAL and second.kind is Kind.SURNAME:
            last = index + 1
        if last is not None:
            yield NameFind(first.start, words[last].end, "order")


def _alike(first: Word, second: Word) -> bool:
    return (first.is_capital == second.is_capital) or (
        first.is_capital and second.lower in {"van", "von", "de", "la", "der", "bin", "del"})  # fmt: skip


def _with_initial(reader: _Reader, index: int) -> int:
    """Index of the last word, a following initial included."""
    after = index + 1
    if after < len(reader.words) and reader.words[after].kind is Kind.INITIAL:
        word = reader.words[after]
        if word.is_capital and re.fullmatch(r"[ \t]{1,2}|\.\s?", reader.gap(after)):
            return after
    return index


def _inverted(reader: _Reader, index: int) -> int | None:
    last, given = reader.words[index], reader.words[index + 1]
    if not last.is_capital or last.kind in {Kind.WORD, Kind.INITIAL}:
        return None
    end = _with_initial(reader, index + 1)
    sure = given.kind is Kind.GIVEN or (given.kind is Kind.SURNAME and last.is_name)
    foreign = {Kind.UNKNOWN, Kind.SURNAME}
    long = min(len(given.text), len(last.text)) > (3 if given.is_upper else 2)
    sure = sure or (given.kind in foreign and last.kind in foreign and long)
    before = reader.text[max(0, last.start - 2) : last.start]
    if long and given.kind in foreign and last.kind is Kind.AMBIGUOUS and re.fullmatch(r"|.?\n|: ?|[^\w]\t", before):
        return end
    if sure and (last.kind is not Kind.AMBIGUOUS or given.kind is Kind.GIVEN):
        return end
    if last.kind is Kind.SURNAME and given.kind is Kind.INITIAL:
        after = reader.text[given.end : given.end + 1]
        if _DEGREE.match(reader.text, given.start):
            return None
        return index + 1 if after in {".", "\n", ";", ""} else None
    likely = given.kind in {Kind.AMBIGUOUS, Kind.UNKNOWN} and end > index + 1
    return end if likely and last.kind is not Kind.AMBIGUOUS else None


def _straight(reader: _Reader, index: int) -> int | None:
    words = reader.words
    given, last = words[index], words[index + 1]
    at = index + 1
    middle = False
    named = given.kind in {Kind.GIVEN, Kind.SURNAME, Kind.UNKNOWN} and len(given.text) > 2
    if last.kind is Kind.INITIAL and at + 1 < len(words) and named:
        if re.fullmatch(r"\.?[ \t]{1,2}", reader.gap(at + 1)) and words[at + 1].is_capital:
            at, last, middle = at + 1, words[at + 1], "." in reader.gap(at + 1)
    if "\n" in reader.gap(index + 1) and not (given.is_name and last.is_name and last.is_capital):
        return None
    if last.kind is Kind.WORD or last.protected:
        return None
    if given.kind is Kind.GIVEN and given.is_capital and last.is_capital:
        return at
    if given.kind is Kind.GIVEN and not given.is_capital:
        return at if last.kind is not Kind.INITIAL and min(len(last.lower), len(given.lower)) > 3 else None
    if not (given.is_capital and last.is_capital) or given.kind in {Kind.WORD, Kind.AMBIGUOUS, Kind.INITIAL}:
        return None
    if middle and last.kind is not Kind.WORD:
        return at
    both = given.is_name and last.is_name
    titled = not given.is_upper and not last.is_upper and (given.is_name or last.is_name)
    hyphened = "-" in given.text and not given.is_upper
    known = last.kind is not Kind.AMBIGUOUS and last.kind is not Kind.INITIAL
    return at if (both or titled or hyphened) and known and min(len(given.text), len(last.text)) > 2 else None


def _modelled(reader: _Reader, persons: Iterable[tuple[int, int]]) -> Iterator[NameFind]:
    """Persons of a general model, less the words that the whitelist knows."""
    for start, end in persons:
        inside = [word for word in reader.words[reader.index(start) : reader.index(end)]
                  if not word.protected and word.lower not in reader.stop]  # fmt: skip
        while inside and inside[0].kind is Kind.WORD:
            inside = inside[1:]
        while inside and inside[-1].kind is Kind.WORD:
            inside = inside[:-1]
        if not inside:
            continue
        sure = any(word.is_name and word.is_capital and len(word.text) > 2 for word in inside)
        unknown = all(word.kind in {Kind.UNKNOWN, Kind.INITIAL} and word.is_capital for word in inside)
        several = sum(word.kind is Kind.UNKNOWN for word in inside) > 1
        if sure or (unknown and several and not any(word.is_upper for word in inside)):
            yield NameFind(inside[0].start, inside[-1].end, "model")


def _repeated(reader: _Reader, found: Sequence[NameFind]) -> Iterator[NameFind]:
    """The same names standing alone elsewhere in the text."""
    known: dict[str, bool] = {}
    for find in found:
        for word in reader.words[reader.index(find.start) : reader.index(find.end)]:
            if len(word.text) > 2 and find.rule not in {"initials", "labelled-initials"}:
                if word.kind in {Kind.GIVEN, Kind.SURNAME, Kind.UNKNOWN} and not word.protected:
                    known[word.lower] = True
    for word in reader.words:
        if word.lower in known and (word.is_capital or word.is_name) and not word.protected:
            yield NameFind(word.start, word.end, "repeated")
