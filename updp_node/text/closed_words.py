"""Words that no list shows to be harmless where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence

from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Word

_INSIDE = re.compile(
    r"(?:[^.:\n] {3}|\t|[a-z0-9][,;]? {1,2}\(?\"?|[a-z]/|[a-z] - |[a-z] & |[a-z] \()\Z"
)
_PLURAL = re.compile(r"[A-Z]{2,5}s")
_MARKED = re.compile(r"x{3,}")
_MOST_REMEMBERED = 200_000
_AT = re.compile(r"\b(?:at|from|via|outside) \Z", re.IGNORECASE)
_SHORTEST_MISSPELT = 7
_NEAR = 30
_NAMED = frozenset({Kind.GIVEN, Kind.SURNAME, Kind.AMBIGUOUS})
_PLACE_BEFORE = re.compile(r"\b(?:in|from|near|at|of|to) \Z", re.IGNORECASE)


class StrangeWords:
    """Tells words that may name somebody from those that are harmless.

    Parameters
    ----------
    lexicons : Lexicons
    plain : frozenset of str
        Words that are harmless with a capital too.
    """

    def __init__(self, lexicons: Lexicons, plain: frozenset[str]) -> None:
        self._lexicons = lexicons
        self._function = frozenset(lexicons.closed.get("function", ()))
        self._plain = plain
        self._graded = lexicons.graded
        self._small = frozenset(lexicons.closed.get("small_words", ()))
        self._abbreviations = frozenset(lexicons.closed.get("abbreviations", ()))
        self._written = lexicons.abbreviations
        self._typos: dict[str, bool] = {}

    def is_strange(  # noqa: PLR0911  # one return a reason
        self, text: str, words: Sequence[Word], index: int
    ) -> bool:
        """Whether nothing shows that a word is harmless where it stands."""
        word = words[index]
        if (
            (word.protected and not self._is_place(text, word))
            or word.lower in self._function
            or _MARKED.search(word.lower)
        ):
            return False
        if word.kind is Kind.INITIAL or self._is_glued(text, word):
            return False
        if word.lower in self._graded and text[word.start - 1 : word.end + 1] == f"({word.text})":
            return False  # "(Hadlock)"
        if self._is_written_otherwise(text, word):
            return False
        if _PLURAL.fullmatch(word.text) and word.lower[:-1] in self._lexicons.words:
            return False
        if word.lower in self._plain or all(
            part in self._plain
            or len(part) < 2
            or (part.upper() in self._written and word.is_upper)
            for part in re.split("['-]", word.lower)
        ):
            return False
        if word.kind is Kind.UNKNOWN or word.is_name:
            inside = word.text.istitle() and self._is_inside(text, words, index)
            return not self._is_form(word.lower) if inside else not self._is_like_a_word(word)
        return word.is_capital and self._is_inside(text, words, index)

    def _is_written_otherwise(self, text: str, word: Word) -> bool:
        """Whether a name is a word where it is written small, or letters where all are capitals."""
        named = word.kind in _NAMED
        if word.text.islower():
            rare = word.text in self._written or word.text.upper() in self._written
            return word.lower in self._small or (rare and not named and len(word.text) > 2)
        if word.text in self._written and not named:
            return not _AT.search(text, max(0, word.start - 8), word.start)
        if not word.is_upper or (
            word.lower not in self._abbreviations and word.text not in self._written
        ):
            return False
        line = text[max(0, word.start - _NEAR) : word.end + _NEAR]
        return any(character.islower() for character in line)

    @staticmethod
    def _is_place(text: str, word: Word) -> bool:
        """Whether a preposition leads what only a word such as *grade* protects."""
        if word.kind is not Kind.UNKNOWN or not word.text.istitle():
            return False
        return bool(_PLACE_BEFORE.search(text[max(0, word.start - 8) : word.start]))

    @staticmethod
    def _is_glued(text: str, word: Word) -> bool:
        """Whether a digit touches a word: codes are another rule's."""
        before, after = text[max(0, word.start - 1) : word.start], text[word.end : word.end + 1]
        return before.isdigit() or after.isdigit() or before == "_" or after == "_"

    @staticmethod
    def _is_inside(text: str, words: Sequence[Word], index: int) -> bool:
        """Whether a capital stands in a sentence where the language writes none."""
        word = words[index]
        if not index or (word.is_upper and word.kind is Kind.WORD and len(word.text) < 4):
            return False
        while (
            index > 1 and words[index - 1].is_capital and word.start - words[index - 1].end == 1
            and text[words[index - 1].end] == " "
        ):  # fmt: skip
            index -= 1
            if words[index].is_upper and word.is_upper:
                return False
            word = words[index]
        before = words[index - 1]
        gap = text[max(0, word.start - 4) : word.start]
        if (before.is_capital and len(before.text) > 1) or "\n" in gap:
            return False
        if not _INSIDE.search(gap):
            return False
        return before.text.islower() or gap.strip()[-1:].isdigit()

    def _is_like_a_word(self, word: Word) -> bool:
        """Whether a word of name lists or of none is a form or misspelling of a known one."""
        known = self._typos.get(word.lower)
        if known is None:
            known = self._is_form(word.lower) or (
                not word.is_name and self._is_misspelt(word.lower)
            )
            if len(self._typos) < _MOST_REMEMBERED:
                self._typos[word.lower] = known
        return known and not (word.text.istitle() and word.is_name)

    def _is_form(self, lower: str) -> bool:
        words = self._lexicons.words
        return all(
            part in words
            or part in self._function
            or len(part) == 1
            or any(
                part.endswith(ending) and part[: -len(ending)] + base in words
                for ending, base in self._lexicons.grammar.inflections
            )
            for part in re.split("['-]", lower)
        )

    def _is_misspelt(self, lower: str) -> bool:
        """Whether two neighbouring letters exchanged, or one too many, make a long word."""
        if len(lower) < _SHORTEST_MISSPELT:
            return False
        swapped = (
            lower[:at] + lower[at + 1] + lower[at] + lower[at + 2 :] for at in range(len(lower) - 1)
        )
        shorter = (lower[:at] + lower[at + 1 :] for at in range(len(lower)))
        return any(self._is_inflected(each) for each in (*swapped, *shorter))

    def _is_inflected(self, lower: str) -> bool:
        words = self._lexicons.words
        return lower in words or any(
            lower.endswith(ending) and lower[: -len(ending)] + base in words
            for ending, base in self._lexicons.grammar.inflections[:8]
        )
