"""From what several recognizers found to stretches that do not overlap."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from updp_node.model import Span

MARK = "MARK"
_PRIORITY = tuple(
    "EMAIL URL ADDRESS DATE PHONE ID DEVICE INSTITUTION NAME LOCATION TIME AGE".split()
)
_BETWEEN_NAMES = re.compile(r"[ ,.]{1,2}")
_CORE = re.compile(r"[^\W_](?:.*[^\W_])?\.?", re.DOTALL)


def merge_spans(
    spans: Iterable[Span], text: str, taken: Sequence[tuple[int, int]] = ()
) -> list[Span]:
    """Sorted spans that do not overlap and cover all that was found.

    A span inside another goes with it; where two of different categories overlap, the stronger
    keeps its whole length and the other what is left of it. Names next to each other are one.

    Parameters
    ----------
    text : str
        What the offsets point into.
    taken : sequence of tuple of int
        Stretches that belong to no span: category tags of an earlier run.
    """
    found = list(spans)
    holes = _united(taken)
    marks = _united((m.start, m.end) for s in found if s.category == MARK
                    for m in _without(s, holes, text))  # fmt: skip
    rules = {s.start: s.recognizer for s in found if s.category == MARK}
    holes = _united([*holes, *marks])
    rest = [part for s in found if s.category != MARK for part in _without(s, holes, text)]
    joined = [*_join(_outermost(rest), text)]
    return sorted(
        [*(Span(*mark, MARK, rules.get(mark[0], "mark")) for mark in marks), *joined],
        key=lambda s: s.start,
    )


def _united(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if united and start < united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _without(span: Span, holes: Sequence[tuple[int, int]], text: str) -> Iterator[Span]:
    """What is left of a span between holes, as far as it holds letters or digits."""
    first = bisect_right(holes, span.start, key=lambda hole: hole[1])
    if first == len(holes) or holes[first][0] >= span.end:
        yield span
        return
    start = span.start
    for index in range(first, len(holes)):
        if holes[index][0] >= span.end:
            break
        if part := _cut(text, start, holes[index][0], span):
            yield part
        start = holes[index][1]
    if part := _cut(text, start, span.end, span):
        yield part


def _outermost(spans: Iterable[Span]) -> list[Span]:
    """Spans without those that lie inside another; of equal ones the stronger category."""
    kept: list[Span] = []
    end = -1
    for span in sorted(spans, key=lambda s: (s.start, -s.end, _rank(s.category))):
        if span.end > end:
            kept.append(span)
            end = span.end
    return kept


def _join(spans: Iterable[Span], text: str) -> list[Span]:
    """One of several that overlap, by category; expects no span inside another."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and span.category == last.category and _touches(last, span, text):
            joined[-1] = Span(last.start, span.end, last.category, last.recognizer)
            continue
        start = span.start
        while (
            joined and start < joined[-1].end and _rank(span.category) < _rank(joined[-1].category)
        ):
            weak = joined.pop()
            if part := _cut(text, weak.start, start, weak):
                joined.append(part)
        floor = joined[-1].end if joined else 0
        part = span if start >= floor else _cut(text, floor, span.end, span)
        if part:
            joined.append(part)
    return joined


def _touches(last: Span, span: Span, text: str) -> bool:
    near = span.category == "NAME" and _BETWEEN_NAMES.fullmatch(text, last.end, span.start)
    return span.start < last.end or bool(near)


def _cut(text: str, start: int, end: int, span: Span) -> Span | None:
    core = _CORE.search(text, start, end)
    return Span(*core.span(), span.category, span.recognizer) if core else None


def _rank(category: str) -> int:
    return _PRIORITY.index(category) if category in _PRIORITY else -1
