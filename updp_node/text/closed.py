"""What is not known to be harmless goes: words that no list holds, capitals inside sentences.

A language pack switches it on by `context/closed.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.closed_lines import LoneNames
from updp_node.text.closed_words import StrangeWords
from updp_node.text.lexicon import Lexicons, by_first
from updp_node.text.words import Kind, Word, find_phrases

_JOINED = re.compile(
    r"(?:'s|'S)?(?: {1,2}|-|\.-?|\. |, | ?& ?|/| (?:de|du|des|del|di|da|la|van|von|der|den|bin) )"
)
_PLACE_BEFORE = re.compile(r"\b(?:in|from|near|at|of|to) \Z", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(?:in|near|from|on|of|outside|at) the \Z")
_LETTER = re.compile(r"[A-Z]")
_MOST_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class ClosedFind:
    """A stretch of folded text that nothing shows to be harmless."""

    start: int
    end: int
    category: str
    rule: str


class ClosedRules:
    """Words that go because no list knows them as harmless.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self._lexicons = lexicons
        closed = lexicons.closed
        self._function = frozenset(closed.get("function", ()))
        names = lexicons.names
        stop = frozenset(names["stop"]) | frozenset(names["titles"]) | frozenset(names["suffixes"])
        polite = frozenset(part for label in names["labels"] for part in label.split())
        states = {part for state in lexicons.places["state_names"] for part in state.split()}
        plain = states - lexicons.given - lexicons.ambiguous - lexicons.surnames
        plain |= frozenset(closed.get("nations", ()))
        plain |= frozenset(lexicons.places["services"]) | frozenset(lexicons.places["generic"])
        self._stop = stop
        particles = frozenset(names["particles"])
        self._prefixes = particles - frozenset(closed.get("no_prefixes", ()))
        self._particles = particles | frozenset(closed.get("row_particles", ()))
        self._titles = frozenset(names["titles"])
        self._leading = frozenset(closed.get("leading", ()))
        self._saints = frozenset(closed.get("saints", ()))
        firms = "|".join(map(re.escape, closed.get("firms", ())))
        self._firm = re.compile(rf",? (?:{firms or '(?!)'})\b\.?", re.IGNORECASE)
        regions = "|".join(closed.get("regions", ()))
        self._region = re.compile(rf", ?(?:{regions or '(?!)'})\b")
        self._towns = by_first(
            tuple(re.findall("[a-z]+", city)) for city in lexicons.cities if " " in city
        )
        self._heads = frozenset(closed.get("heads", ()))
        self._plain = (
            lexicons.clinical | plain | self._function | frozenset(closed.get("capital", ())) | stop
        ) | polite
        self._lone = LoneNames(
            self._plain, self._heads, lexicons.words, lexicons.graded | lexicons.eponyms.keys()
        )
        self._strange = StrangeWords(lexicons, self._plain)

    def find(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Every word, and every run of capitals around one, that may name somebody."""
        strange = [self._strange.is_strange(text, words, index) for index in range(len(words))]
        index = 0
        while index < len(words):
            if not strange[index]:
                index += 1
                continue
            first, last = self._spread(text, words, index, strange)
            start, end = words[first].start, words[last].end
            while (
                first
                and text[words[first - 1].end : words[first].start] == " "
                and (words[first - 1].lower in self._prefixes)
            ):
                first -= 1
                start = words[first].start
            region = self._region.match(text, end) or self._firm.match(text, end)
            end = region.end() if region and words[first].is_capital else end
            the = _ARTICLE.search(text[max(0, start - 12) : start])
            start = start - 4 if the and words[first].is_capital else start
            yield ClosedFind(start, end, self._category(text, words[first : last + 1]), "unknown")
            index = max(last, index) + 1
        for at, length, _ in find_phrases([word.lower for word in words], self._towns):
            capital = words[at].is_capital and words[at + length - 1].is_capital
            if capital or (at and words[at - 1].lower in self._leading):
                yield ClosedFind(words[at].start, words[at + length - 1].end, "LOCATION", "town")
        for start, end, rule in self._lone.find(text, words):
            yield ClosedFind(start, end, "NAME", rule)
        yield from self._headed(text, words)

    def _headed(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Capitalized words around the head of an institution's or a place's name."""
        done = -1
        for index, word in enumerate(words):
            if index <= done or word.lower not in self._heads:
                continue
            if text[word.end : word.end + 1].isdigit():
                continue  # "INC0099812"
            small = word.text.islower()
            if small and _LETTER.search(_line(text, word.start)):
                continue
            first, last = self._row(text, words, index, small=small)
            row = words[first : last + 1]
            led = text[row[0].start - 1 : row[0].start] == "(" or (
                first > 0 and words[first - 1].lower in self._leading
            )
            proper = [
                each for each in row if each.lower not in self._plain
                and each.text not in self._lexicons.abbreviations
                and each.lower not in self._heads and len(each.text) > 1 and "xxx" not in each.lower
                and (led or not each.is_upper or not word.is_upper or each.is_name
                     or each.kind is Kind.UNKNOWN)
            ]  # fmt: skip
            if proper and not any(each.protected for each in proper):
                done = last
                firm = self._firm.match(text, row[-1].end)
                end = firm.end() if firm else row[-1].end
                yield ClosedFind(row[0].start, end, "INSTITUTION", "headed")

    def _row(self, text: str, words: Sequence[Word], index: int, *, small: bool) -> tuple[int, int]:
        """First and last of the words that make a name with a head."""
        first = last = index
        if small:
            return self._led(text, words, index), index
        joint = re.compile(r"(?:'s|'S)? {1,2}|-|\. ?| ?& ?|\.-")
        while (
            first
            and index - first < 6
            and (joint.fullmatch(text, words[first - 1].end, words[first].start))
        ):
            before = words[first - 1]
            link = before.lower in self._particles and index - first > 0
            shouted = before.is_upper and words[index].is_upper
            plain = before.lower in self._function and (before.text.islower() or shouted)
            ends = plain and not link
            if ends or not (small or before.is_capital or link):
                break
            if (
                words[first].start - before.end > 1
                and ". " in text[before.end : words[first].start]
                and before.lower not in self._saints | self._titles
            ):
                break
            first -= 1
        while words[first].lower in {"of", "and", "for"} and first < index:
            first += 1
        while (
            last + 1 < len(words)
            and last - index < 5
            and not small
            and (joint.fullmatch(text, words[last].end, words[last + 1].start))
        ):
            after = words[last + 1]
            if ". " in text[words[last].end : after.start]:
                break
            if after.is_capital:
                last += 1
            elif (
                after.lower in {"of", "for", "at"}
                and last + 2 < len(words)
                and (
                    words[last + 2].is_capital
                    and words[last + 2].lower not in self._lexicons.clinical
                )
            ):
                last += 2
            else:
                break
        return first, last

    def _led(self, text: str, words: Sequence[Word], index: int) -> int:
        """First of at most five small words before a head that a preposition or label leads."""
        for at in range(index - 1, max(-1, index - 7), -1):
            gap = text[words[at].end : words[at + 1].start]
            if words[at].lower in self._leading or re.fullmatch(r" ?[(:] ?", gap):
                return at + 1
            if not re.fullmatch(r"'?s? | ?& ?|\. ?|-", gap):
                break
        return index

    def _spread(
        self, text: str, words: Sequence[Word], index: int, strange: Sequence[bool]
    ) -> tuple[int, int]:
        """First and last of the run of capitals around a word."""
        first = last = index
        if not words[index].is_capital:
            return self._spread_small(text, words, index)
        while last + 1 < len(words) and last - index < _MOST_NEIGHBOURS:
            if not self._belongs(text, words, last, strange, shape=words[index]):
                break
            last += 1
        while first and index - first < _MOST_NEIGHBOURS:
            if not self._belongs(text, words, first - 1, strange, shape=words[index]):
                break
            first -= 1
        return first, last

    def _spread_small(self, text: str, words: Sequence[Word], index: int) -> tuple[int, int]:
        """An initial before a name in small letters, and the word after a given name."""
        first = last = index
        near = first and text[words[first - 1].end : words[first].start] in {" ", ". ", "."}
        before = words[first - 1]
        apart = before.start == 0 or text[before.start - 1] != "/"
        if near and apart and before.kind is Kind.INITIAL and before.lower not in {"a", "i"}:
            first -= 1
        led = first and words[first - 1].lower in self._leading
        if (led or words[index].kind is Kind.GIVEN) and last + 1 < len(words):
            after = words[last + 1]
            single = text[words[last].end : after.start] == " "
            if single and after.lower not in self._plain and after.text.islower():
                last += 1
        return first, last

    def _belongs(  # noqa: PLR0911  # one return a reason
        self, text: str, words: Sequence[Word], left: int, strange: Sequence[bool], *, shape: Word
    ) -> bool:
        """Whether a neighbour of a run, left or right of a gap, is a part of what the run names."""
        right = left + 1
        gap = text[words[left].end : words[right].start]
        new = words[right] if words[left].start >= shape.start else words[left]
        if not new.is_capital or not _JOINED.fullmatch(gap):
            return False
        if new is words[left] and new.lower in self._saints:
            return True
        if ". " in gap and len(words[left].text) > 2:
            return False
        if strange[right] and strange[left]:
            return True
        if new.kind is Kind.INITIAL:
            return new is words[right] or "," not in gap
        if shape.is_upper and not new.is_upper and len(shape.text) < 5:
            return False
        if new.lower in self._stop:
            return False
        return self._names_too(text, words, left, gap, new, shape)

    def _names_too(  # noqa: PLR0917  # a gap and its two sides
        self, text: str, words: Sequence[Word], left: int, gap: str, new: Word, shape: Word
    ) -> bool:
        """Whether a capitalized neighbour that is a word may be a part of a name."""
        before = new is words[left]
        opens = before and (not left or self._opens(text, new))
        written = new.text in self._lexicons.abbreviations
        known = new.protected or new.lower in self._plain or written
        if new.lower in self._heads:
            return (not shape.is_upper or not before) and not (opens and known)
        if shape.is_upper and new.is_upper:
            return not known and len(new.text) > 1 and shape.is_name
        short = new.is_upper and len(new.text) < 5
        if (gap == " " and not shape.is_upper) or (gap == "/" and short):
            return (new.text.istitle() or short) and not (opens and known)
        if opens:
            return not known and (new.kind is not Kind.WORD or "," in gap or shape.is_name)
        return not known and new.text.istitle()

    @staticmethod
    def _opens(text: str, word: Word) -> bool:
        """Whether a word opens a line or a sentence, where every word has a capital."""
        before = text[max(0, word.start - 3) : word.start].rstrip(" \t")
        return not before or before[-1] in ".\n:"

    def _category(self, text: str, run: Sequence[Word]) -> str:
        if any(word.lower in self._heads for word in run):
            return "INSTITUTION"
        place = _PLACE_BEFORE.search(text[max(0, run[0].start - 8) : run[0].start])
        if place and any(word.lower in self._lexicons.cities for word in run):
            return "LOCATION"
        return "NAME"


def _line(text: str, at: int) -> str:
    start = text.rfind("\n", max(0, at - 400), at) + 1
    end = text.find("\n", at, at + 400)
    return text[max(start, at - 400) : end if end >= 0 else at + 400]
