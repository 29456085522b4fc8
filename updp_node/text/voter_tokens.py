"""Words of a report and what may be said of each without knowing whose report it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from updp_node.text.language import function_words
from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Vocabulary

_TOKEN = re.compile(r"[^\W_]+|_+")
_CHUNK = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+")
_SHAPES = str.maketrans(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    "X" * 26 + "x" * 26 + "9" * 10,
)
_LONG_RUN = re.compile(r"(X)X{4,}|(x)x{4,}")
_LONGEST_SHAPE = 14
_OLD, _OLDEST = 90, 119
_MOST_REMEMBERED = 50_000
_KINDS = {
    Kind.GIVEN: "g",
    Kind.SURNAME: "s",
    Kind.AMBIGUOUS: "a",
    Kind.WORD: "w",
    Kind.INITIAL: "i",
    Kind.UNKNOWN: "u",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a token is by itself: its form in lower case, shape, and classes of the lexicons."""

    form: str
    shape: str
    classes: str
    ending: str


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters and digits, and the shape of all that touches it."""

    start: int
    end: int
    seen: Seen
    chunk: str


def shape_of(text: str) -> str:
    """Letters as ``X`` or ``x`` and digits as ``9``; of letters four at most in a row."""
    shape = text.translate(_SHAPES)
    return _LONG_RUN.sub(lambda run: (run[1] or run[2]) * 4, shape)[:_LONGEST_SHAPE]


class Reader:
    """Reads folded text as tokens; remembers what it found out about each.

    Parameters
    ----------
    lexicons : Lexicons
    vocabulary : Vocabulary or None
        That of the recognizers, which knows many words already; None for one of its own.
    """

    def __init__(self, lexicons: Lexicons, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or Vocabulary(lexicons)
        self._written = lexicons.abbreviations
        self._seen: dict[str, Seen] = {}
        names, places, closed = lexicons.names, lexicons.places, lexicons.closed
        months = lexicons.grammar.months
        codes = {code.lower() for code in places.get("state_codes", ())}
        self._sets = (
            ("f", frozenset(closed.get("function", function_words(lexicons.language)))),
            ("m", lexicons.clinical),
            ("e", lexicons.words),
            ("h", frozenset(closed.get("heads", ()))),
            ("c", lexicons.cities),
            ("o", _parts(city for city in lexicons.cities if " " in city)),
            ("q", lexicons.towns),
            ("t", frozenset(names.get("titles", ()))),
            ("d", frozenset(names.get("suffixes", ()))),
            ("l", _parts_of(names, "labels", "roles")),
            ("v", _parts_of(names, "verbs", "speech", "acts")),
            ("k", _parts(closed.get("sections", ()))),
            ("n", _parts(closed.get("number_labels", ()))),
            ("p", _parts(closed.get("phone_labels", ()))),
            ("z", frozenset(places.get("state_names", ())) | codes),
            ("y", frozenset([*months, *(month[:3] for month in months), "sept"])),
            ("j", frozenset(lexicons.grammar.weekdays)),
        )

    def read(self, text: str) -> list[Token]:
        """The tokens in order."""
        chunks = [match.span() for match in _CHUNK.finditer(text)]
        tokens = []
        at = 0
        for match in _TOKEN.finditer(text):
            start, end = match.span()
            while chunks[at][1] <= start:
                at += 1
            first, last = chunks[at]
            alone = first == start and last == end
            chunk = "" if alone else shape_of(text[first : min(last, first + 40)].strip(".,;:()"))
            tokens.append(Token(start, end, self.see(match[0]), chunk))
        return tokens

    def see(self, text: str) -> Seen:
        """What a token is by itself."""
        seen = self._seen.get(text)
        if seen is None:
            seen = self._look(text)
            if len(self._seen) < _MOST_REMEMBERED:
                self._seen[text] = seen
        return seen

    def _look(self, text: str) -> Seen:
        lower = text.lower()
        if not lower.isalpha():
            digits = lower.isdecimal()
            old = digits and len(lower) < 4 and _OLDEST >= int(lower) >= _OLD
            classes = "#" if not digits else "9old" if old else "9"
            return Seen("" if digits else lower, shape_of(text), classes, "")
        kind = _KINDS[self._vocabulary.classify(lower)]
        classes = kind + "".join(letter for letter, words in self._sets if lower in words)
        classes += "b" if text in self._written else ""
        return Seen(lower, shape_of(text), classes, lower[-3:] if len(lower) > 4 else "")


def _parts_of(lists: Mapping[str, Sequence[str]], *roles: str) -> frozenset[str]:
    """Words of the lists of some roles, of which a pack may have none."""
    return _parts(term for role in roles for term in lists.get(role, ()))


def _parts(terms: Iterable[str] | Sequence[str]) -> frozenset[str]:
    return frozenset(part for term in terms for part in _LETTERS.findall(term.lower()))
