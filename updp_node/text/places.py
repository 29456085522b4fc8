"""Institutions and places: facility words, lists of hospitals and cities, their context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.lexicon import Lexicons
from updp_node.text.towns import TownRules
from updp_node.text.words import Kind, Word, find_phrases

_COLUMN_END = re.compile(r"$|[\n\r,)|\t]| {2}")


@dataclass(frozen=True, slots=True)
class PlaceFind:
    """A stretch of folded text that is a place or an institution, and why."""

    start: int
    end: int
    category: str
    rule: str


def _alternatives(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered) or "(?!)"


class PlaceRules:
    """All rules over places for one language.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        words = lexicons.places
        self._lexicons = lexicons
        self._generic = frozenset(words["generic"])
        self._services = frozenset(words["services"])
        self._before = frozenset(words["prepositions"])
        self._weak = frozenset(words["weak_facility"])
        self._facility = re.compile(rf"\b(?:{_alternatives(words['facility'])})\b", re.IGNORECASE)
        self._hospital_of = lexicons.grammar.regexes["institution"]
        self._joiners = lexicons.grammar.terms["house_joiners"]
        self._saints = lexicons.grammar.terms["house_saints"]
        self._houses = lexicons.grammar.terms["house_names"]
        self.towns = TownRules(lexicons)
        self._preposition = re.compile(
            rf"(?<!\w)(?:{_alternatives(words['prepositions'])})\s+(?=[A-Z])", re.IGNORECASE
        )

    def find(
        self, text: str, words: Sequence[Word], places: Iterable[tuple[int, int]]
    ) -> list[PlaceFind]:
        """Every place in folded text.

        Parameters
        ----------
        words : sequence of Word
        places : iterable of tuple of int
            What a general model takes for places.
        """
        lowered = [word.lower for word in words]
        found = [
            *self._facilities(text, words),
            *self._listed(words, lowered),
            *self._cities(text, words, lowered, places),
            *self._site(words, lowered),
        ]
        found += [
            PlaceFind(*m.span(), "INSTITUTION", "hospital-of")
            for m in self._hospital_of.finditer(text)
        ]
        return found

    def _facilities(self, text: str, words: Sequence[Word]) -> Iterator[PlaceFind]:
        """Capitalized words before a word such as *Hospital*."""
        ends = {word.end: index for index, word in enumerate(words)}
        ends |= {
            word.end + 2: index
            for index, word in enumerate(words)
            if text[word.end : word.end + 2].lower() == "'s"
        }
        for match in self._facility.finditer(text):
            before = text[: match.start()][-4:]
            gap = len(before) - len(before.rstrip(" "))
            index = ends.get(match.start() - gap)
            if not gap or index is None:
                continue
            first = self._walk_back(text, words, index, capital=match[0][0].isupper())
            if match[0].islower() and match[0] not in self._weak:
                first = min(first, self._after_preposition(text, words, index))
            taken = words[first : index + 1]
            if match[0].isupper() and self._is_field(text, taken, match.end()):
                yield PlaceFind(taken[0].start, match.end(), "INSTITUTION", "facility-field")
                continue
            partners = "&" in text[taken[0].start : match.start()] if taken else False
            if self._is_set_apart(text, words[first - 1] if first else None, taken, match):
                yield PlaceFind(taken[0].start, match.end(), "INSTITUTION", "facility-apart")
                continue
            if not taken or not (partners or self._names_one(taken, match[0])):
                continue
            yield PlaceFind(taken[0].start, match.end(), "INSTITUTION", "facility")

    def _walk_back(self, text: str, words: Sequence[Word], index: int, *, capital: bool) -> int:
        first = index + 1
        for at in range(index, max(-1, index - 6), -1):
            word = words[at]
            if word.lower in self._before and word.lower not in self._joiners:
                break
            if at < index and not re.fullmatch(
                r"(?:'s)?[ \t]{1,2}(?:&[ \t])?|\.[ \t]?|-|'s?[ \t]",
                text[word.end : words[at + 1].start],
                re.IGNORECASE,
            ):
                break
            joiner = word.lower in self._joiners and at < index
            saint = word.lower in self._saints
            if not (
                word.is_capital or joiner or saint or (not capital and self._is_small_place(word))
            ):
                break
            first = at
        while (
            first <= index
            and not words[first].is_capital
            and (
                words[first].lower in self._joiners
                or (not capital and words[first].lower in self._generic)
            )
        ):
            first += 1
        return first

    def _is_titled_name(self, proper: Sequence[Word]) -> bool:
        """Whether capitalized words before *Pain Management* are no kind of it."""
        known = self._lexicons.clinical
        return all(word.text.istitle() for word in proper) and any(
            word.lower not in known and not word.protected for word in proper
        )

    @staticmethod
    def _is_weak_name(word: Word, facility: str) -> bool:
        """Whether a word before a word such as *pediatrics* makes it somebody's."""
        if facility.islower() and not word.is_capital:
            return word.is_name or (" " in facility and word.kind is Kind.UNKNOWN)
        rare = word.derived and facility[0].isupper()
        return word.is_capital and (rare or word.is_name or word.kind is Kind.UNKNOWN)

    def _after_preposition(self, text: str, words: Sequence[Word], index: int) -> int:
        """First of at most four lower case words between a preposition and a facility."""
        for at in range(index, max(-1, index - 5), -1):
            word = words[at]
            if word.lower in self._before:
                return (
                    at + 1 if at < index and words[at + 1].lower not in self._generic else index + 1
                )
            if word.is_capital or (word.lower in self._generic and at == index):
                break
            if at < index and text[word.end : words[at + 1].start] not in {" ", " & "}:
                break
        return index + 1

    def _is_set_apart(
        self, text: str, before: Word | None, taken: Sequence[Word], match: re.Match[str]
    ) -> bool:
        """Whether capitalized words stand as a name: *, Orange Pediatrics,* or *at Dill House*."""
        plain = self._generic | self._services
        proper = [word for word in taken if word.text.istitle() and word.lower not in plain]
        if len(proper) != len(taken) or not taken or not match[0].istitle():
            return False
        if any(word.protected for word in taken):
            return False
        joint = text[before.end : taken[0].start] if before else ""
        at = before is not None and joint == " " and before.lower in self._before
        after = text[match.end() : match.end() + 1]
        return at or (joint in {", ", ",\n"} and after in {",", "\n", ".", ""})

    def _is_field(self, text: str, taken: Sequence[Word], end: int) -> bool:
        """Whether capitals from a colon or a line's start to its end name an institution."""
        proper = [word for word in taken if word.lower not in self._generic]
        clinical = [word for word in proper if word.lower in self._lexicons.clinical]
        if not proper or (len(clinical) > 1 and len(clinical) == len(proper)):
            return False  # MYOCARDIAL PERFUSION IMAGING
        before = text[max(0, taken[0].start - 40) : taken[0].start].rstrip(" \t")[-1:]
        return before in {"", ":", "\n", "(", "|"} and bool(_COLUMN_END.match(text, end))

    def _is_small_place(self, word: Word) -> bool:
        """Whether a lower case word may stand in the name of an institution."""
        named = word.is_name or word.kind is Kind.UNKNOWN or word.lower in self._lexicons.cities
        return (named and len(word.text) > 2 and not word.protected) or word.lower in self._generic

    def _names_one(self, taken: Sequence[Word], facility: str) -> bool:
        plain = self._generic | self._services
        proper = [word for word in taken if word.lower not in plain]
        if facility.lower() in self._weak:
            if " " in facility and facility.istitle() and self._is_titled_name(proper):
                return True
            return any(
                self._is_weak_name(word, facility) and len(word.text) > 2 and not word.protected
                for word in proper
            )
        named = [
            word
            for word in proper
            if word.is_capital
            or word.is_name
            or word.lower in self._saints
            or (facility.islower() and self._is_small_place(word))
        ]
        if facility.islower() and len(proper) > 0 and proper[0] is taken[0]:
            return True
        if facility.isupper() or facility.islower() or facility.lower().startswith("clinic"):
            return any(word.kind is not Kind.WORD or word.lower in self._houses for word in named)
        return bool(named)

    def _listed(self, words: Sequence[Word], lowered: Sequence[str]) -> Iterator[PlaceFind]:
        for start, length, _ in find_phrases(lowered, self._lexicons.hospitals):
            if words[start].is_capital or length > 2:
                yield PlaceFind(
                    words[start].start,
                    words[start + length - 1].end,
                    "INSTITUTION",
                    "hospital-list",
                )

    def _site(self, words: Sequence[Word], lowered: Sequence[str]) -> Iterator[PlaceFind]:
        """Terms that a site added."""
        for start, length, phrase in find_phrases(lowered, self._lexicons.site_terms):
            category = self._lexicons.site_categories[phrase]
            yield PlaceFind(
                words[start].start, words[start + length - 1].end, category, "site-term"
            )

    def _cities(
        self,
        text: str,
        words: Sequence[Word],
        lowered: Sequence[str],
        places: Iterable[tuple[int, int]],
    ) -> Iterator[PlaceFind]:
        marked = {match.end() for match in self._preposition.finditer(text)}
        marked |= {start for start, _ in places}
        for start, end, rule in self.towns.find(text, words, lowered, marked):
            yield PlaceFind(start, end, "LOCATION", rule)
