"""Where a name begins in a row of words, and how far it goes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.grammar import Grammar
from updp_node.text.words import Kind, Word

GAP = re.compile(r"\.-|[ \t]{1,4}|[ \t]*\r?\n[ \t]*|\.[ \t]{0,2}|,[ \t]{0,2}(?:\r?\n[ \t]*)?|-|")
_COLUMN = re.compile(r"[ \t]{3,}")
_REST = re.compile(r"(?:/[A-Za-z]{2,4})?(?=[^\n]{0,3}(?:\n|$))")
_SPOKEN_END = re.compile(r"(?: (?:at|on|by|and)\b|\s*@|[.,;](?:\s|$)|\s*\n|$)")
_TOLD = re.compile(
    r"(?: at|\s*@|,) ?\d| \(| (?:at|from|of) (?!(?:the|this|that|an?|level|least|rest|home)\b)[a-z]"
    r"| by (?:dr|phone|telephone|secure|text|page|e-?mail|fax)\b"
)
_NAMED = frozenset({Kind.GIVEN, Kind.SURNAME, Kind.UNKNOWN})
_APART = re.compile(r",|[ \t]*\n[ \t]*\n|\s*\Z")
MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class NameFind:
    """A stretch of folded text that is a name, and the rule that says so."""

    start: int
    end: int
    rule: str


class NameReader:
    """Words with their text: where a name begins and how far it goes.

    Parameters
    ----------
    text : str
        Folded.
    words : sequence of Word
        Of the same text.
    stop : frozenset of str
        Words that end a name.
    particles : frozenset of str
        ``van``, ``de``: inside a name only.
    grammar : Grammar
    given_words : frozenset of str
        Words that are given names where a capitalized surname follows.
    """

    def __init__(
        self, text: str, words: Sequence[Word], stop: frozenset[str], particles: frozenset[str],
        grammar: Grammar, *, given_words: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.text, self.words, self.particles = text, words, particles
        self.grammar, self.given_words = grammar, given_words
        self.stop = stop
        self._starts = [word.start for word in words]

    def index(self, offset: int) -> int:
        """Index of the first word at or after an offset."""
        return bisect_left(self._starts, offset)

    def gap(self, index: int) -> str:
        """Text between a word and the one before it."""
        before = self.words[index - 1]
        text = self.text[before.end : self.words[index].start]
        return text.removeprefix("'s").removeprefix("'S")

    def name_at(
        self, index: int, rule: str, *, lower: bool, first_word: bool, speech: bool = False
    ) -> Iterator[NameFind]:
        """The name that a context promises at a word."""
        end = index
        comma = False
        while end < len(self.words) and end - index < MOST_WORDS:
            gap = self.gap(end) if end > index else " "
            if not GAP.fullmatch(gap) or (comma and "," in gap):
                break
            if not self._continues(
                index, end, gap, lower=lower, first_word=first_word, speech=speech
            ):
                break
            comma = comma or "," in gap
            end += 1
        while end > index and (self.words[end - 1].lower in self.particles
                               and not self.words[end - 1].is_capital):  # fmt: skip
            end -= 1
        taken = self.words[index:end]
        if any(word.kind is not Kind.INITIAL for word in taken):
            yield NameFind(taken[0].start, taken[-1].end, rule)

    def _continues(  # noqa: PLR0911  # one return a reason
        self, index: int, at: int, gap: str, *, lower: bool, first_word: bool, speech: bool
    ) -> bool:
        """Whether a word belongs to the name that begins at an index."""
        word, count = self.words[at], at - index
        kept = word.is_capital and (word.kind is Kind.INITIAL or word.lower in self.particles)
        if word.lower in self.stop and not kept:
            return False
        if count and not self._joins(at, count, gap):
            return False
        if "," in gap or word.kind is Kind.INITIAL:
            return "," in gap or self._is_initial(at, count)
        if word.lower in self.particles and at + 1 < len(self.words):
            following = self._after_particles(at)
            if following.is_name and not following.is_capital and len(following.text) > 3:
                return True
            return word.is_capital or (following.is_capital and following.kind is not Kind.WORD)
        if not word.is_capital:
            spoken = not lower and count == 0 and self._is_spoken(at, speech=speech)
            follows = not lower and count > 0 and word.is_name and not self.words[at - 1].is_capital
            return spoken or follows or (lower and self._is_lower_name(at, count))
        return self._is_capital_name(at, count, lower=lower, first_word=first_word)

    def _after_particles(self, at: int) -> Word:
        """The word that particles at an index lead to: ``de la Cruz``."""
        for index in range(at + 1, min(at + 4, len(self.words))):
            if self.words[index].lower not in self.particles or self.words[index].is_capital:
                return self.words[index]
        return self.words[at + 1]

    def _joins(self, at: int, count: int, gap: str) -> bool:
        """Whether what stands between a word and the one before may stand in a name."""
        word, previous = self.words[at], self.words[at - 1]
        if ("." in gap and len(previous.text) > 2) or (count > 1 and _COLUMN.fullmatch(gap)):
            return False
        if "\n" in gap and not (count == 1 and self._goes_on(at)):
            return False
        if "," not in gap:
            return True
        if not word.is_capital:
            return count == 1 and word.kind is Kind.GIVEN and not previous.is_capital
        ends = (
            bool(self.grammar.regexes["name_stop"].match(self.text, word.end)) and not word.is_upper
        )
        named = word.kind is not Kind.WORD or self._initial_after(at) or ends
        return count <= 2 and word.is_capital and named

    def _goes_on(self, at: int) -> bool:
        """Whether a word that begins a line belongs to the given name that ends the one before."""
        word, previous = self.words[at], self.words[at - 1]
        if not word.is_capital or word.is_name:
            return word.is_capital
        named = previous.lower in self.given_words or previous.kind in _NAMED
        given = previous.text.istitle() and named
        apart = _APART.match(self.text, word.end)
        ends = word.kind is not Kind.WORD and _SPOKEN_END.match(self.text, word.end)
        return given and word.text.istitle() and bool(apart or ends)

    def _is_initial(self, at: int, count: int) -> bool:
        word = self.words[at]
        if self.grammar.regexes["degree"].match(self.text, word.start):
            return False
        return word.is_capital and (count > 0 or self._named_after(at))

    def is_told(self, at: int) -> bool:
        """Whether a time or a place after a word shows that somebody was told: ``noble @ 1802``."""
        word = self.words[at]
        named = word.kind in {Kind.AMBIGUOUS, Kind.SURNAME} or (
            word.protected and len(word.text) > 3
        )
        small = word.text.islower() and at + 1 < len(self.words)
        inverted = small and self.gap(at + 1) == ", " and self.words[at + 1].is_name
        return (inverted or bool(_TOLD.match(self.text, word.end))) and named

    def _is_spoken(self, at: int, *, speech: bool) -> bool:
        """Whether a lower case word after *phoned to* is somebody."""
        word = self.words[at]
        if speech and self.is_told(at):
            return True
        if word.protected or not speech:
            return word.kind is Kind.GIVEN and not word.protected
        if word.is_name:
            return True
        if len(word.text) < 3:
            return False
        after = self.words[at + 1] if at + 1 < len(self.words) else None
        if after and after.is_name and not after.is_capital and self.gap(at + 1) == " ":
            return word.kind is not Kind.WORD and word.lower not in self.particles
        return word.kind is Kind.UNKNOWN and bool(_SPOKEN_END.match(self.text, word.end))

    def _is_lower_name(self, at: int, count: int) -> bool:
        word = self.words[at]
        rare = word.kind in {Kind.UNKNOWN, Kind.AMBIGUOUS} or word.derived
        named = word.is_name or (rare and count < 2)
        return named and not (count and self.words[at - 1].is_capital)

    def _is_capital_name(self, at: int, count: int, *, lower: bool, first_word: bool) -> bool:
        word = self.words[at]
        previous = self.words[at - 1] if count else None
        if word.kind is Kind.WORD and not (word.derived and (word.text.istitle() or previous)):
            if previous is None:
                return len(word.text) > 2 and (first_word or self._named_next(at))
            if word.is_upper:
                return count <= 2 and previous.kind is Kind.GIVEN and self._is_followed(at)
            return count <= 2 and self._ends_name(at, previous)
        many = count >= 2 and previous is not None and previous.kind is not Kind.INITIAL
        if word.kind is Kind.AMBIGUOUS and many and previous:
            return word.is_upper == previous.is_upper and previous.kind is not Kind.SURNAME
        return word.kind is not Kind.UNKNOWN or len(word.text) > 2 or count > 0 or lower

    def _is_followed(self, at: int) -> bool:
        """Whether a word that ends a name follows on the same line: *signed*, *was*."""
        if at + 1 >= len(self.words) or self.gap(at + 1) != " ":
            return False
        return self.words[at + 1].lower in self.stop and not self.words[at].protected

    def _named_next(self, at: int) -> bool:
        """Whether a capitalized word that is no plain word follows on the same line."""
        if at + 1 >= len(self.words):
            return False
        following, gap = self.words[at + 1], self.gap(at + 1)
        inverted = following.kind is Kind.GIVEN and re.fullmatch(r",[ \t]{1,2}", gap)
        if not inverted and not re.fullmatch(r"[ \t]{1,2}", gap):
            return False
        named = following.kind not in {Kind.WORD, Kind.AMBIGUOUS}
        return following.is_capital and named and following.lower not in self.stop

    def _ends_name(self, at: int, previous: Word) -> bool:
        """Whether a plain word may be the last of a name: after a name, before a stop."""
        if previous.kind is Kind.GIVEN:
            return not self.words[at].protected
        named = previous.kind in {Kind.SURNAME, Kind.UNKNOWN, Kind.INITIAL, Kind.AMBIGUOUS}
        return named and bool(
            self.grammar.regexes["name_stop"].match(self.text, self.words[at].end)
        )

    def _initial_after(self, at: int) -> bool:
        return at + 1 < len(self.words) and self.words[at + 1].kind is Kind.INITIAL

    def _named_after(self, at: int) -> bool:
        if at + 1 >= len(self.words) or not re.fullmatch(r"\.?[\s-]{0,2}", self.gap(at + 1)):
            return False
        following = self.words[at + 1]
        if following.lower in self.particles and not following.is_capital:
            following = self._after_particles(at + 1)
        return following.is_capital and following.lower not in self.stop

    def lone_word(self, index: int, no_names: frozenset[str]) -> Iterator[NameFind]:
        """Two to four letters, or a word that might be a name, alone on a labelled line."""
        word = self.words[index]
        rest = _REST.match(self.text, word.end)
        plain = word.kind is Kind.WORD or word.lower in self.stop
        rare = plain and word.derived and word.text.istitle() and word.lower not in no_names
        if rest and rare:
            yield NameFind(word.start, rest.end(), "labelled")
            return
        if 1 < len(word.text) < 5 and rest and not (plain and not rest[0]):
            yield NameFind(word.start, rest.end(), "labelled-initials")

    def typist_after(self, find: NameFind) -> NameFind | None:
        """Letters after a slash that end the line: ``VERIFIED BY: MAL/TR``."""
        rest = _REST.match(self.text, find.end)
        return NameFind(find.end, rest.end(), "initials") if rest and rest[0] else None

    def walk_back_small(self, last: int) -> int:
        """First index of the lower case name that ends at a word, before a suffix."""
        first = last + 1
        for index in range(last, max(-1, last - 3), -1):
            word = self.words[index]
            gap = self.gap(index + 1) if index < last else " "
            fits = word.kind is not Kind.WORD or word.lower in self.particles
            inverted = gap.strip() == "," and self.words[index + 1].kind is Kind.GIVEN
            if word.is_capital or word.protected or word.lower in self.stop:
                break
            if not (inverted or (fits and re.fullmatch(r"[ \t]{1,2}|\. ?", gap))):
                break
            first = index
        while (
            first <= last
            and self.words[first].kind is Kind.WORD
            and first < last
            and (self.gap(first + 1).strip() != ",")
        ):
            first += 1
        return first

    def walk_back(self, last: int) -> int:
        """First index of the name that ends at a word; past the end where there is none."""
        first = last + 1
        for index in range(last, max(-1, last - 4), -1):
            word = self.words[index]
            if not word.is_capital or (word.lower in self.stop and word.kind is not Kind.INITIAL):
                break
            given = word.lower in self.given_words and index < last
            if word.kind is Kind.WORD and not given and (word.is_upper or index < last - 2):
                break
            if index < last and not re.fullmatch(r"[ \t]{1,3}|\.\s{0,2}|,\s?", self.gap(index + 1)):
                break
            first = index
        while (
            first <= last
            and self.words[first].kind is Kind.INITIAL
            and (first == last or "," in self.gap(first + 1))
        ):
            first += 1  # "I, Jane Doe, MD"
        return first
