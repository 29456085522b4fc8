"""Capitals beside initials, and capitals alone on a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from updp_node.text.words import Kind, Word

_INITIALED = re.compile(
    r"(?<![\w.])(?:[A-Z]\. ?){1,3}(?P<last>[A-Z][A-Za-z'-]{2,24})(?![\w'-])"
    r"|(?<![\w.])(?P<first>[A-Z][A-Za-z'-]{2,24})(?:,? [A-Z]\.){1,2}(?=[\s,;)/]|$)"
    r"|(?<![\w.,])(?P<middle>[A-Z][a-z'-]{2,24} [A-Z]\.? [A-Z][a-z'-]{2,24})(?![\w'-])",
    re.MULTILINE,
)
_NUMERAL = re.compile(r" [A-FIVX]\.\Z")
_GRADED = re.compile(r"[a-z] [IVX]\Z|\d [A-Z]\Z")
_LONE_LINE = re.compile(
    r"^[ \t]*(?P<phi>[A-Z][A-Za-z'-]{1,24}(?:,? [A-Z][A-Za-z'.-]{0,24}){0,3})[ \t]*,?[ \t]*$",
    re.MULTILINE,
)


class LoneNames:
    """Names known by where they stand: beside initials, or alone on a line.

    Parameters
    ----------
    plain, heads, words, graded : frozenset of str
        Harmless words; heads of institutions; words of the language; eponyms of classifications.
    """

    def __init__(
        self, plain: frozenset[str], heads: frozenset[str], words: frozenset[str],
        graded: frozenset[str],
    ) -> None:  # fmt: skip
        self._plain, self._heads, self._words, self._graded = plain, heads, words, graded

    def find(self, text: str, words: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
        """Start, end and rule of each."""
        yield from self._initialed(text)
        yield from self._lone(text, words)

    def _initialed(self, text: str) -> Iterator[tuple[int, int, str]]:
        """A capitalized word beside initials: ``P. Burnside``."""
        for match in _INITIALED.finditer(text):
            named = match["last"] or match["first"] or match["middle"]
            parts = [part.lower() for part in re.findall(r"[A-Za-z'-]{2,}", named)]
            if match["last"] and _GRADED.search(
                match.string, max(0, match.start() - 2), match.start() + 1
            ):
                continue  # "grade I. Crown rump length", "1.5 T. Reprogrammed"
            graded = (match["first"] or "").lower() in self._graded
            if graded and _NUMERAL.search(match[0]):
                continue  # "Galassi I."
            first = bool(match["first"])
            if any(part not in self._plain and part not in self._heads for part in parts) and not (
                first and parts[0] in self._words and parts[0] in self._heads
            ):
                yield match.start(), match.end() - first, "initialed"

    def _lone(self, text: str, words: Sequence[Word]) -> Iterator[tuple[int, int, str]]:
        """Capitalized words alone on a line, none of them one of medicine."""
        starts = {word.start: index for index, word in enumerate(words)}
        for match in _LONE_LINE.finditer(text):
            inside = [words[starts[at]] for at in range(*match.span("phi")) if at in starts]
            named = [word for word in inside if word.kind is not Kind.INITIAL]
            if not named or any(word.protected or word.lower in self._plain for word in named):
                continue
            if len(inside) > 1 or not named[0].is_upper:
                yield *match.span("phi"), "lone-line"
