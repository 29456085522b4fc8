"""Towns: beside a state or a postal code, in a list, after an address or an institution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from updp_node.model import Span
from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Word

_NEXT = re.compile(r"(?:'s)? ([A-Za-z]+)")
_TOWN = (
    r"[A-Z][A-Za-z'-]{2,24}(?:[ -](?:(?:of|on|upon|by|the|de|du|la|le|los|las|del|sur) |d')?"
    r"(?:(?:of|on|the|de|la) )?[A-Z][A-Za-z'-]{1,24}){0,2}"
)
_POSTAL = (
    r"(?:\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d{1,2}[A-Z]? \d[A-Z]{2})(?!\w|\.\d)"
)
_ADDRESSED = frozenset({"ADDRESS", "INSTITUTION", "LOCATION"})


def _either(terms: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, terms), key=len, reverse=True)) or "(?!)"


def _states(places: Mapping[str, Sequence[str]]) -> str:
    """States and provinces by name, by letters, and by letters with full stops."""
    codes = places["state_codes"]
    dotted = (r"\.\s?".join(code) + r"\." for code in codes)
    named = (" ".join(map(str.capitalize, state.split())) for state in places["state_names"])
    every = [*codes, *dotted, *places.get("provinces", ()), *named]
    return "|".join(sorted(every, key=len, reverse=True)) or "(?!)"


class TownRules:
    """All rules over towns for one language.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        places = lexicons.places
        self._lexicons = lexicons
        before, after = (
            _either(places.get("town_before", ())),
            _either(places.get("town_after", ())),
        )
        self._led = re.compile(rf"[a-z] (?:{before}) \Z")
        self._tells = re.compile(rf"(?: ?[,.;)\n\u2022|]|$| (?:{after})\b)")
        self._ends = re.compile(rf"[ \t]*(?:[,.;:)|(\n]|$|\u2022|\d{{5}}| (?:{after})\b)")
        self._known = lexicons.cities | lexicons.towns
        self._unsure = frozenset(places.get("degree_codes", ()))
        self._doubtful = frozenset(places.get("word_codes", ()))
        states = _states(places)
        prefix = lexicons.grammar.regexes["town_prefix"].pattern
        self._state = re.compile(
            rf"(?<![\w-])(?P<city>(?:{prefix})?{_TOWN})(?P<gap>,\s*| )(?P<state>(?:{states}))(?!\w)"
            rf"(?P<postal>,?\s+{_POSTAL})?"
        )
        self._postal = re.compile(rf"(?<=, )(?P<city>{_TOWN}),? {_POSTAL}")
        self._named_state = re.compile(
            rf"(?<![\w-])(?P<city>[^\W\d_]{{3,24}}(?: [^\W\d_]{{3,24}}){{0,2}}),?\s"
            rf"(?:{_either(places['state_names'])})(?!\w)(?P<postal>,?\s+\d{{5}}(?:-\d{{4}})?\b)?",
            re.IGNORECASE,
        )
        self._inside = re.compile(r" in (?P<town>[^\W\d_]{3,24}(?: [^\W\d_]{3,24}){0,2}?)(?![\w-])")
        rooms = _either(places.get("rooms", ()))
        self._beside = re.compile(
            rf"(?:,? (?:{rooms})\.? ?#?\w{{1,5}})?[ ,\t]*[,\u2022|(][ \t]*"
            rf"(?P<town>(?:{prefix})?{_TOWN}"
            rf"(?:,? (?:{states})(?!\w))?(?:,? {_POSTAL})?)"
        )

    def find(
        self, text: str, words: Sequence[Word], lowered: Sequence[str], marked: set[int]
    ) -> Iterator[tuple[int, int, str]]:
        """Start, end and rule of each town.

        Parameters
        ----------
        words : sequence of Word
        lowered : sequence of str
            The same in small letters.
        marked : set of int
            Offsets of words after a preposition, or where a model sees a place.
        """
        for match in self._state.finditer(text):
            if self._is_town(match):
                yield *match.span(), "city-state"
        for match in self._named_state.finditer(text):
            if match["city"].islower() or match["city"].isupper():
                yield from self._before_state(match)
        for match in self._postal.finditer(text):
            if self._names_one(match["city"]) or not self._is_plain(match["city"]):
                yield *match.span(), "city-postal"
        for index, word in enumerate(words):
            yield from self._listed(text, words, lowered, index, marked=word.start in marked)

    def beside(self, spans: Iterable[Span], text: str) -> Iterator[Span]:
        """Towns that follow what is an address or an institution.

        Parameters
        ----------
        spans : iterable of Span
            Found in the text by other rules.
        """
        for span in spans:
            if span.category == "INSTITUTION":
                yield from self._in_town(span, text)
            match = self._beside.match(text, span.end) if span.category in _ADDRESSED else None
            if match is None or not self._ends.match(text, match.end()):
                continue
            named = self._names_one(re.split(r",| \d", match["town"])[0])
            if named or not self._is_plain(match["town"]):
                yield Span(*match.span("town"), "LOCATION", "beside-address")

    def _in_town(self, span: Span, text: str) -> Iterator[Span]:
        """A listed town, be it a word too, where an institution stands *in* it."""
        match = self._inside.match(text, span.end)
        if match and match["town"].lower() in self._known and self._ends.match(text, match.end()):
            yield Span(*match.span("town"), "LOCATION", "institution-in")

    def _before_state(self, match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
        """A listed town of at most three words before a state, in small letters or capitals."""
        parts = [*re.finditer(r"[^\W\d_]+", match["city"])]
        for at in range(len(parts)):
            if " ".join(part[0].lower() for part in parts[at:]) in self._known:
                yield match.start("city") + parts[at].start(), match.end(), "city-state"
                return

    def _is_town(self, match: re.Match[str]) -> bool:
        """Whether what stands before a state's name or letters is a town."""
        city, code = match["city"], match["state"].isupper()
        if not all(part.strip("xX") for part in city.split()):
            return False
        listed = self._names_one(city)
        comma = "," in match["gap"]
        letters = match["state"].replace(".", "").replace(" ", "")
        if match["postal"]:
            return comma or listed or letters not in self._doubtful  # "Report ID 97022"
        if not comma:
            ends = not code or self._tells.match(match.string, match.end()) is not None
            return listed and not city.isupper() and ends and letters not in self._unsure
        if not code or city.lower() in self._lexicons.cities:
            return True
        unknown = any(part.lower() not in self._lexicons.words for part in city.split())
        led = self._led.search(match.string[max(0, match.start() - 12) : match.start()]) is not None
        if letters in self._unsure:
            return listed and led
        return unknown or led or (listed and not city.isupper() and letters not in self._doubtful)

    def _names_one(self, city: str) -> bool:
        """Whether a list holds a town, or its last words."""
        parts = re.findall(r"[^\W\d_]+", city.lower())
        if parts[0] == "st" and " ".join(["saint", *parts[1:]]) in self._known:
            return True
        return any(" ".join(parts[at:]) in self._known for at in range(len(parts)))

    def _is_plain(self, town: str) -> bool:
        words = re.findall(r"[a-z]+", town.lower())
        lexicons = self._lexicons
        return any(word in lexicons.clinical or word in lexicons.names["stop"] for word in words)

    def _listed(
        self, text: str, words: Sequence[Word], lowered: Sequence[str], index: int, *, marked: bool
    ) -> Iterator[tuple[int, int, str]]:
        """A town of the lists where its context, or its name alone, says so."""
        word = words[index]
        if word.lower in self._lexicons.towns and word.text.istitle():
            led = self._led.search(text[max(0, word.start - 12) : word.start])
            if led and self._tells.match(text, word.end):
                yield word.start, word.end, "town-word"
        small = marked and word.kind is not Kind.WORD and len(word.text) > 4
        if word.protected or not (word.is_capital or small):
            return
        if not marked and not self._stands_alone(text, word):
            return
        for length in (3, 2, 1):
            if " ".join(lowered[index : index + length]) in self._lexicons.cities:
                end = words[min(index + length, len(words)) - 1].end
                yield word.start, end, "city-list"
                return

    def _stands_alone(self, text: str, word: Word) -> bool:
        """A town's name that is no other word, not in a line of capitals, no name of a thing."""
        follows = _NEXT.match(text, word.end)
        thing = follows is not None and follows[1].lower() in self._lexicons.eponym_heads
        known = word.lower in self._lexicons.cities and word.kind is not Kind.WORD
        return known and word.text.istitle() and len(word.text) > 4 and not thing
