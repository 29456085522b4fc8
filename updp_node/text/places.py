"""Institutions and places: facility words, lists of hospitals and cities, their context."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Word, find_phrases


@dataclass(frozen=True, slots=True)
class PlaceFind:
    """A stretch of folded text that is a place or an institution, and why."""

    start: int
    end: int
    category: str
    rule: str


def _alternatives(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)


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
        self._weak = frozenset(words["weak_facility"])
        self._facility = re.compile(rf"\b(?:{_alternatives(words['facility'])})\b", re.IGNORECASE)
        proper = r"[A-Z][A-Za-z'-]+"
        self._hospital_of = re.compile(
            rf"\b(?:Hospital|University|Medical Center|Institute|College|Clinic)\s+(?:of|for|at)\s+"
            rf"(?:the\s+)?{proper}(?:\s+(?:of\s+)?{proper}){{0,3}}"
        )
        states = "|".join(
            [
                *words["state_codes"],
                *(
                    " ".join(part.capitalize() for part in state.split())
                    for state in words["state_names"]
                ),
            ]
        )
        self._city_state = re.compile(
            r"(?<![\w-])(?P<city>(?:St\. |Ft\. |Mt\. )?[A-Z][A-Za-z'-]{2,24}"
            rf"(?: [A-Z][A-Za-z'-]{{1,24}}){{0,2}}),\s*(?P<state>{states})\b"
        )
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
            taken = words[first : index + 1]
            if not taken or not self._names_one(taken, match[0]):
                continue
            yield PlaceFind(taken[0].start, match.end(), "INSTITUTION", "facility")

    def _walk_back(self, text: str, words: Sequence[Word], index: int, *, capital: bool) -> int:
        first = index + 1
        for at in range(index, max(-1, index - 6), -1):
            word = words[at]
            if at < index and not re.fullmatch(
                r"(?:'s)?[ \t]{1,2}(?:&[ \t])?|\.[ \t]?|-|'s?[ \t]",
                text[word.end : words[at + 1].start],
                re.IGNORECASE,
            ):
                break
            joiner = word.lower in {"of", "and", "the", "s", "for"} and at < index
            saint = word.lower in {"st", "saint", "mt", "mount"}
            if not (
                word.is_capital
                or joiner
                or saint
                or (word.is_name and not capital and len(word.text) > 3)
            ):
                break
            first = at
        while (
            first <= index
            and not words[first].is_capital
            and words[first].lower in {"of", "and", "the", "s", "for"}
        ):
            first += 1
        return first

    def _names_one(self, taken: Sequence[Word], facility: str) -> bool:
        proper = [word for word in taken if word.lower not in self._generic]
        if facility.lower() in self._weak:
            return any(
                word.is_capital
                and word.kind in {Kind.SURNAME, Kind.GIVEN, Kind.UNKNOWN}
                and len(word.text) > 2
                and not word.protected
                for word in proper
            )
        named = [
            word
            for word in proper
            if word.is_capital or word.is_name or word.lower in {"st", "saint"}
        ]
        if facility.isupper() or facility.islower() or facility.lower().startswith("clinic"):
            return any(
                word.kind is not Kind.WORD or word.lower in {"mercy", "memorial"} for word in named
            )
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
        for match in self._city_state.finditer(text):
            parts = match["city"].lower().split()
            code = match["state"].isupper()
            degree = match["state"] in {"MD", "PA"} and not re.match(
                r"\s+\d{5}", text[match.end() :][:7]
            )
            unknown = not degree and any(part not in self._lexicons.words for part in parts)
            if " ".join(parts) in self._lexicons.cities or unknown or not code:
                yield PlaceFind(*match.span(), "LOCATION", "city-state")
        marked = {match.end() for match in self._preposition.finditer(text)}
        marked |= {start for start, _ in places}
        for index, word in enumerate(words):
            if word.start not in marked or not word.is_capital or word.protected:
                continue
            for length in (3, 2, 1):
                if " ".join(lowered[index : index + length]) in self._lexicons.cities:
                    end = words[min(index + length, len(words)) - 1].end
                    yield PlaceFind(word.start, end, "LOCATION", "city-list")
                    break
