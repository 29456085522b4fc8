"""Text as the recognizers see it: one alphabet, no accents, no hidden characters."""

from __future__ import annotations

import unicodedata
from array import array
from dataclasses import dataclass

# Cyrillic and Greek letters that look like Latin ones (Unicode TR39 calls them confusable).
_LOOK_ALIKES = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіјѕԁһІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοıɡ‐‑‒–—−’‘ʼ“”",
    "ABEKMHOPCTYXaeopcyxijsdhIJSABEZHIKMNOPTYXoig------'''\"\"",
)
_LIGATURES = dict(zip("æÆøØßłŁđĐœŒþð", "ae AE o O ss l L d D oe OE th d".split(), strict=True))
_SPACES = frozenset("\t\n\r")


@dataclass(frozen=True, slots=True)
class FoldedText:
    """Folded text with the way back.

    Attributes
    ----------
    text : str
    starts : array of int or None
        For every folded character the offset of the original one; None: unchanged offsets.
    length : int
        Of the original text.
    """

    text: str
    starts: array[int] | None
    length: int

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the original text of a half open stretch of folded text."""
        if self.starts is None:
            return start, end
        first = self.starts[start] if start < len(self.starts) else self.length
        last = self.starts[end - 1] + 1 if end > start else first
        while last < self.length and end < len(self.starts) and last < self.starts[end]:
            last += 1  # hidden characters inside the last cluster go with it
        return first, last


def fold_text(text: str) -> FoldedText:
    """Bring text into one alphabet: NFKC, look-alikes to Latin, accents and controls away.

    Offsets are kept, so that a find in the folded text names a stretch of the original.
    """
    if (
        text.isascii()
        and text.replace("\n", " ").replace("\t", " ").replace("\r", " ").isprintable()
    ):
        return FoldedText(text, None, len(text))
    folded: list[str] = []
    starts: array[int] = array("q")
    for offset, character in enumerate(text):
        for part in _fold_character(character):
            folded.append(part)
            starts.append(offset)
    return FoldedText("".join(folded), starts, len(text))


def _fold_character(character: str) -> str:
    if character.isascii() and (character.isprintable() or character in _SPACES):
        return character
    if character in "\v\f\x85\u2028\u2029":
        return "\n"
    if character in _LIGATURES:
        return _LIGATURES[character]
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs", "Mn", "Me"}:
        return ""
    if category.startswith("Z"):
        return " "
    decomposed = unicodedata.normalize("NFKD", character.translate(_LOOK_ALIKES))
    kept = "".join(part for part in decomposed if unicodedata.category(part) not in {"Mn", "Me"})
    return kept.translate(_LOOK_ALIKES)
