"""What is not known to be harmless goes: words that no list holds, capitals inside sentences.

A language pack switches it on by `context/closed.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.lexicon import Lexicons, by_first
from updp_node.text.words import Kind, Word, find_phrases

_INSIDE = re.compile(r"[^.:\n] {3}|\t|[a-z0-9][,;]? {1,2}\(?\"?|[a-z]/|[a-z] - |[a-z] & ")
_JOINED = re.compile(r"(?:'s|'S)?(?: {1,2}|-|\.-?|\. |, | ?& ?|/)")
_INITIALED = re.compile(
    r"(?<![\w.])(?:[A-Z]\. ?){1,3}(?P<last>[A-Z][A-Za-z'-]{2,24})(?![\w'-])"
    r"|(?<![\w.])(?P<first>[A-Z][A-Za-z'-]{2,24})(?:,? [A-Z]\.){1,2}(?=[\s,;)/]|$)"
    r"|(?<![\w.,])(?P<middle>[A-Z][a-z'-]{2,24} [A-Z]\.? [A-Z][a-z'-]{2,24})(?![\w'-])",
    re.MULTILINE,
)
_LONE_LINE = re.compile(
    r"^[ \t]*(?P<phi>[A-Z][A-Za-z'-]{1,24}(?:,? [A-Z][A-Za-z'.-]{0,24}){0,3})[ \t]*,?[ \t]*$",
    re.MULTILINE,
)
_PLACE_BEFORE = re.compile(r"\b(?:in|from|near|at|of|to) \Z", re.IGNORECASE)
_MARKED = re.compile(r"x{3,}")
_ARTICLE = re.compile(r"\b(?:in|near|from|on|of|outside|at) the \Z")
_SAINTS = frozenset({"st", "saint", "mt", "mount", "ft", "fort", "drs", "lake", "port", "san", "santa"})
_LETTER = re.compile(r"[A-Z]")
_MOST_NEIGHBOURS = 4
_LEADING = frozenset({"at", "from", "of", "to", "by", "via", "attends", "insurer", "near", "in"})


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
        plain = frozenset(lexicons.places["services"]) | frozenset(lexicons.places["generic"])
        self._stop = stop
        self._particles = frozenset(names["particles"]) | {"of", "and", "the", "s", "or"}
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
        self._typos: dict[str, bool] = {}

    def find(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Every word, and every run of capitals around one, that may name somebody."""
        strange = [self._is_strange(text, words, index) for index in range(len(words))]
        index = 0
        while index < len(words):
            if not strange[index]:
                index += 1
                continue
            first, last = self._spread(text, words, index, strange)
            start, end = words[first].start, words[last].end
            region = self._region.match(text, end) or self._firm.match(text, end)
            end = region.end() if region and words[first].is_capital else end
            the = _ARTICLE.search(text[max(0, start - 12) : start])
            start = start - 4 if the and words[first].is_capital else start
            yield ClosedFind(start, end, self._category(text, words, first, last), "unknown")
            index = max(last, index) + 1
        for at, length, _ in find_phrases([word.lower for word in words], self._towns):
            capital = words[at].is_capital and words[at + length - 1].is_capital
            if capital or (at and words[at - 1].lower in _LEADING):
                yield ClosedFind(words[at].start, words[at + length - 1].end, "LOCATION", "town")
        yield from self._initialed(text)
        yield from self._lone(text, words)
        yield from self._headed(text, words)

    def _initialed(self, text: str) -> Iterator[ClosedFind]:
        """A capitalized word beside initials: ``P. Burnside``."""
        for match in _INITIALED.finditer(text):
            named = match["last"] or match["first"] or match["middle"]
            parts = [part.lower() for part in re.findall(r"[A-Za-z'-]{2,}", named)]
            first = bool(match["first"])
            if any(part not in self._plain and part not in self._heads for part in parts) and not (
                first and parts[0] in self._lexicons.words and parts[0] in self._heads
            ):
                yield ClosedFind(*match.span(), "NAME", "initialed")

    def _lone(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Capitalized words alone on a line, none of them one of medicine."""
        starts = {word.start: index for index, word in enumerate(words)}
        for match in _LONE_LINE.finditer(text):
            inside = [words[starts[at]] for at in range(*match.span("phi")) if at in starts]
            named = [word for word in inside if word.kind is not Kind.INITIAL]
            if not named or any(word.protected or word.lower in self._plain for word in named):
                continue
            if len(inside) > 1 or not named[0].is_upper:
                yield ClosedFind(*match.span("phi"), "NAME", "lone-line")

    def _headed(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Capitalized words around the head of an institution's or a place's name."""
        done = -1
        for index, word in enumerate(words):
            if index <= done or word.lower not in self._heads:
                continue
            small = word.text.islower()
            if small and _LETTER.search(_line(text, word.start)):
                continue
            first, last = self._row(text, words, index, small=small)
            row = words[first : last + 1]
            proper = [
                each for each in row if each.lower not in self._plain
                and each.lower not in self._heads
                and (not each.is_upper or not word.is_upper or each.kind is not Kind.WORD)
            ]  # fmt: skip
            if proper and not any(each.protected for each in proper):
                done = last
                firm = self._firm.match(text, row[-1].end)
                end = firm.end() if firm else row[-1].end
                yield ClosedFind(row[0].start, end, "INSTITUTION", "headed")

    def _row(
        self, text: str, words: Sequence[Word], index: int, *, small: bool
    ) -> tuple[int, int]:
        """First and last of the words that make a name with a head."""
        first = last = index
        if small:
            return self._led(text, words, index), index
        joint = re.compile(r"(?:'s|'S)? {1,2}|-|\. ?| ?& ?|\.-")
        while first and index - first < 6 and (
            joint.fullmatch(text, words[first - 1].end, words[first].start)
        ):
            before = words[first - 1]
            link = before.lower in self._particles and index - first > 0
            ends = before.lower in self._function and before.text.islower() and not link
            if ends or not (small or before.is_capital or link):
                break
            if words[first].start - before.end > 1 and ". " in text[before.end : words[first].start] and (
                before.lower not in {"st", "mt", "ft", "dr", "drs"}
            ):
                break
            first -= 1
        while words[first].lower in {"of", "and", "for"} and first < index:
            first += 1
        while last + 1 < len(words) and last - index < 5 and not small and (
            joint.fullmatch(text, words[last].end, words[last + 1].start)
        ):
            after = words[last + 1]
            if ". " in text[words[last].end : after.start]:
                break
            if after.is_capital:
                last += 1
            elif after.lower in {"of", "for", "at"} and last + 2 < len(words) and (
                words[last + 2].is_capital and words[last + 2].lower not in self._lexicons.clinical
            ):
                last += 2
            else:
                break
        return first, last

    @staticmethod
    def _led(text: str, words: Sequence[Word], index: int) -> int:
        """First of at most five small words before a head that a preposition or label leads."""
        for at in range(index - 1, max(-1, index - 7), -1):
            gap = text[words[at].end : words[at + 1].start]
            if words[at].lower in _LEADING or re.fullmatch(r" ?[(:] ?", gap):
                return at + 1
            if not re.fullmatch(r"'?s? | ?& ?|\. ?|-", gap):
                break
        return index


def _line(text: str, at: int) -> str:
    start = text.rfind("\n", max(0, at - 400), at) + 1
    end = text.find("\n", at, at + 400)
    return text[max(start, at - 400) : end if end >= 0 else at + 400]
