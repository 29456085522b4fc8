"""Words of a report and what the lexicons know of each."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from updp_node.text.lexicon import Lexicons, Phrases

_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


_GRADE = re.compile(
    r" (?:\d{1,2}(?:\.\d)?[A-Da-d+-]?|(?:IV|I{1,3}|VI{0,3}|iv|i{1,3}|vi{0,3})[A-Da-d]?|[A-Fa-f]\d?)"
    r"(?![\w:/@-]|[.]\d| ?(?:[ap]\.?m\b|hrs?\b|o'?clock))"
)
"""What makes an eponym before it the name of a classification: ``Knosp 0``, ``Garden III``."""
_VERBAL = ("ed", "ing")


class Kind(Enum):
    """What a word is by itself."""

    GIVEN = "given name"
    SURNAME = "surname"
    AMBIGUOUS = "name and word"
    WORD = "word"
    INITIAL = "single letter"
    UNKNOWN = "in no lexicon"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of folded text; a possessive *s* stays outside."""

    start: int
    end: int
    text: str
    lower: str
    kind: Kind
    protected: bool
    derived: bool = False
    """A word of the language by its ending or stem alone: some names look like one."""

    @property
    def is_name(self) -> bool:
        """Whether a name list holds it and the language does not."""
        return self.kind in {Kind.GIVEN, Kind.SURNAME}

    @property
    def is_capital(self) -> bool:
        """Whether its first letter is a capital."""
        return self.text[0].isupper()

    @property
    def is_upper(self) -> bool:
        """Whether all letters are capitals and there are two or more."""
        return len(self.text) > 1 and self.text.isupper()


class Vocabulary:
    """Reads text as words; remembers what it found out about a word.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self.lexicons = lexicons
        self._given = lexicons.given
        self._kinds: dict[str, Kind] = {}
        self._last: tuple[str, Sequence[Word]] = ("", ())

    def read(self, text: str) -> Sequence[Word]:
        """The words of folded text in order; the last text's are remembered."""
        if self._last[0] != text:
            self._last = (text, self._read(text))
        return self._last[1]

    def _read(self, text: str) -> list[Word]:
        found = []
        for match in _WORD.finditer(text):
            start, end = match.span()
            if end - start > 2 and text[end - 2 : end] in {"'s", "'S"}:
                end -= 2
            found.append((start, end, text[start:end]))
        lowered = [word.lower() for _, _, word in found]
        protected = self._protect(lowered, text, [(start, end) for start, end, _ in found])
        return [
            Word(start, end, word, low, self.classify(low), index in protected, self._derived(low))
            for index, ((start, end, word), low) in enumerate(zip(found, lowered, strict=True))
        ]

    def classify(self, lower: str) -> Kind:
        """What a lower case word is by itself."""
        kind = self._kinds.get(lower)
        if kind is None:
            kind = self._classify_parts(lower)
            if len(self._kinds) < 200_000:
                self._kinds[lower] = kind
        return kind

    def _derived(self, lower: str) -> bool:
        if self._kinds.get(lower) is not Kind.WORD or lower in self.lexicons.words:
            return False
        return not (lower.endswith(_VERBAL) and self._is_inflected(lower))

    def _classify_parts(self, lower: str) -> Kind:
        parts = [part for part in re.split(r"['-]", lower) if part]
        if len(parts) > 1 and "".join(parts) in self.lexicons.surnames:
            return Kind.SURNAME
        kinds = {self._classify_part(part) for part in parts}
        if kinds & {Kind.GIVEN, Kind.SURNAME} and Kind.WORD not in kinds:
            return Kind.SURNAME if len(parts) > 1 else next(iter(kinds))
        if len(parts) > 1 and kinds <= {Kind.AMBIGUOUS, Kind.UNKNOWN}:
            return Kind.UNKNOWN  # Young-Ho
        for kind in (Kind.WORD, Kind.UNKNOWN, Kind.AMBIGUOUS):
            if kind in kinds:
                return kind
        return next(iter(kinds))

    def _classify_part(self, part: str) -> Kind:  # noqa: PLR0911  # one return a kind
        known = self.lexicons
        if len(part) == 1:
            return Kind.INITIAL
        if not part.strip("x") and len(part) > 2:
            return Kind.WORD  # XXXX: a name stood here once
        if part in self._given:
            return Kind.GIVEN
        if part in known.surnames:
            return Kind.SURNAME
        if part in known.ambiguous:
            return Kind.AMBIGUOUS
        if part.startswith("mc") and len(part) > 4 and part not in known.words:
            return Kind.SURNAME
        return Kind.WORD if self._is_word(part) else Kind.UNKNOWN

    def _is_word(self, part: str) -> bool:
        words = self.lexicons.words
        if part in words:
            return True
        grammar = self.lexicons.grammar
        if self._is_inflected(part):
            return True
        doubled = grammar.regexes["doubled"].search(part)
        if doubled and part[: doubled.start() + 1] in words:
            return True
        prefix = grammar.regexes["prefix"].match(part)
        if prefix and len(part) - prefix.end() > 4 and part[prefix.end() :] in words:
            return True
        return len(part) > 5 and bool(grammar.regexes["word_ending"].search(part))

    def _is_inflected(self, part: str) -> bool:
        words = self.lexicons.words
        return any(
            part.endswith(ending) and part[: -len(ending)] + base in words
            for ending, base in self.lexicons.grammar.inflections
        )

    def _protect(
        self, lowered: Sequence[str], text: str, spans: Sequence[tuple[int, int]]
    ) -> frozenset[int]:
        """Indexes of words inside a whitelisted phrase, or before a head such as *sign*."""
        inside = {
            index
            for start, length, _ in find_phrases(lowered, self.lexicons.eponyms)
            for index in range(start, start + length)
        }
        heads = self.lexicons.eponym_heads
        for index in range(1, len(lowered)):
            gap = text[spans[index - 1][1] : spans[index][0]]
            if lowered[index] not in heads or gap.lower() not in {" ", "'s "}:
                continue
            titled = text[slice(*spans[index])].istitle()
            if not (titled and gap == " " and self.classify(lowered[index - 1]) is Kind.GIVEN):
                inside.add(index - 1)  # "Sean Needle" is somebody
        inside.update(self._graded(lowered, text, spans, inside))
        organs = self.lexicons.organs
        inside.update(
            index for index in range(2, len(lowered))
            if (lowered[index - 2], lowered[index - 1]) in organs
            and spans[index][0] - spans[index - 1][1] == 1
        )  # fmt: skip
        return frozenset(inside)

    def _graded(
        self,
        lowered: Sequence[str],
        text: str,
        spans: Sequence[tuple[int, int]],
        inside: Container[int],
    ) -> Iterator[int]:
        """Eponyms before a grade, and the grade: ``Knosp 0``, ``Hinchey Ib``."""
        for index, lower in enumerate(lowered):
            if lower in self.lexicons.graded or index in inside:
                grade = _GRADE.match(text, spans[index][1])
                if grade and lower in self.lexicons.graded:
                    yield index
                if grade and index + 1 < len(lowered) and spans[index + 1][1] == grade.end():
                    yield index + 1


def find_phrases(
    lowered: Sequence[str], phrases: Phrases
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Where phrases stand among words: first index, number of words, the phrase.

    A hyphenated word counts as its parts.
    """
    parts: list[str] = []
    owner: list[int] = []
    for index, lower in enumerate(lowered):
        for part in re.split(r"['-]", lower):
            parts.append(part)
            owner.append(index)
    for position, part in enumerate(parts):
        for phrase in phrases.get(part, ()):
            end = position + len(phrase)
            if tuple(parts[position:end]) == phrase:
                yield owner[position], owner[end - 1] - owner[position] + 1, phrase
                break
