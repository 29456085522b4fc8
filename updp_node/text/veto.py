"""What was a candidate and stays in the text."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from updp_node.model import Span
from updp_node.text.words import Kind, Word


@dataclass(frozen=True, slots=True, order=True)
class Veto:
    """A candidate that stays in the text.

    Attributes
    ----------
    start, end : int
    category, recognizer : str
        What it would have been, and who took it for that.
    reason : str
        Which part of the whitelist kept it.
    """

    start: int
    end: int
    category: str
    recognizer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """Spans of one piece of text, unmerged, and what was withdrawn."""

    spans: list[Span]
    vetoes: list[Veto]


def withdrawn(
    words: Sequence[Word], persons: Sequence[tuple[int, int]], places: Sequence[tuple[int, int]]
) -> Iterator[Veto]:
    """Votes of the model and names of the lists that the whitelist knows better.

    What a rule takes nevertheless is struck out by whoever asks.
    """
    starts = [word.start for word in words]
    for category, votes in (("NAME", persons), ("LOCATION", places)):
        for start, end in votes:
            inside = words[bisect_left(starts, start) : bisect_left(starts, end)]
            if inside:
                eponym = any(word.protected for word in inside)
                reason = "eponym or phrase" if eponym else "words of the language"
                yield Veto(start, end, category, "model", reason)
    for word in words:
        named = word.is_name or word.kind is Kind.AMBIGUOUS
        if named and word.is_capital and word.protected:
            yield Veto(word.start, word.end, "NAME", "name-list", "eponym or phrase")
