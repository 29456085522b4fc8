"""What the voter knows of a token: itself, its neighbours, its line and its report."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from updp_node.text.voter_tokens import Token

_SPACES = re.compile(r"[ \t\r\f\v]+")
_ENDS = re.compile(r"\s*\n\s*")
_LONGEST_GAP = 6
_REACH = 3
_FEW = 4


@dataclass(frozen=True, slots=True)
class _Line:
    """First and one past the last token of a line, and the word before its first colon."""

    first: int
    last: int
    label: str
    label_end: int
    case: str


def features_of(
    text: str, tokens: Sequence[Token], knows: Callable[[str], bool] | None = None
) -> list[list[str]]:
    """Features of every token of a folded text.

    Parameters
    ----------
    knows : callable or None
        Whether the form of a word may be a feature: in training words of templates only, of
        which some are left out at random; None: all, a model leaves out what it does not know.
    """
    forms = [
        token.seen.form if knows is None or (token.seen.form and knows(token.seen.form)) else ""
        for token in tokens
    ]
    gaps = _gaps(text, tokens)
    kinds = [token.seen.classes for token in tokens]
    shapes = [token.seen.shape for token in tokens]
    found = [
        [*_own(token, forms[at]), *_around(at, forms, kinds, shapes, gaps)]
        for at, token in enumerate(tokens)
    ]
    _add_lines(text, tokens, forms, found)
    _add_repeats(tokens, kinds, found)
    return found


def _own(token: Token, form: str) -> Iterator[str]:
    seen = token.seen
    yield f"k={seen.classes}"
    yield f"s={seen.shape}"
    yield f"ks={seen.classes}{seen.shape[:2]}"
    if form:
        yield f"w={form}"
        yield f"w={form}{seen.shape[:2]}"
    if seen.ending:
        yield f"e={seen.ending}"
    if token.chunk:
        yield f"c={token.chunk}"


def _around(
    at: int, forms: Sequence[str], kinds: Sequence[str], shapes: Sequence[str], gaps: Sequence[str]
) -> Iterator[str]:
    before, after = gaps[at], gaps[at + 1]
    kind, shape, form = kinds[at], shapes[at], forms[at]
    yield f"<{before}"
    yield f">{after}"
    yield f"<{before}>{after}"
    yield f"<{before}s{shape}"
    yield f">{after}s{shape}"
    if form:
        yield f"<{before}w{form}"
        yield f">{after}w{form}"
    for step in (-3, -2, -1, 1, 2, 3):
        if not 0 <= at + step < len(forms):
            continue
        other = forms[at + step]
        if other:
            yield f"w{step}={other}"
        if abs(step) < _REACH:
            yield f"k{step}={kinds[at + step]}"
            yield f"s{step}={shapes[at + step]}"
        if abs(step) == 1:
            gap = before if step < 0 else after
            yield f"k{step}={kinds[at + step]}<{gap}>k={kind}"
            yield f"s{step}={shapes[at + step]}<{gap}>s={shape}"
            if other:
                yield f"w{step}={other}<{gap}"
                yield f"w{step}={other}s={shape[:2]}"
    if at > 1 and forms[at - 1] and forms[at - 2]:
        yield f"w-2={forms[at - 2]} {forms[at - 1]}"


def _gaps(text: str, tokens: Sequence[Token]) -> list[str]:
    """What stands before each token and after the last, with spaces and line ends shortened."""
    gaps = []
    done = 0
    known = {" ": " ", "": "", ", ": ", ", "\n": "/n", ". ": ". ", ": ": ": "}
    for token in tokens:
        gap = text[done : token.start]
        short = known.get(gap)
        if short is None:
            short = known[gap] = _shorten(gap)
        gaps.append(short)
        done = token.end
    gaps.append(_shorten(text[done:]) + "$")
    if tokens:
        gaps[0] = "^" + gaps[0]
    return gaps


def _shorten(gap: str) -> str:
    ends = _ENDS.sub(lambda end: "/N" if end[0].count("\n") > 1 else "/n", gap)
    return _SPACES.sub(lambda run: " " if len(run[0]) == 1 else "  ", ends)[:_LONGEST_GAP]


def _add_lines(
    text: str, tokens: Sequence[Token], forms: Sequence[str], found: Sequence[list[str]]
) -> None:
    lines = list(_lines(text, tokens, forms))
    for number, line in enumerate(lines):
        shared = [f"lc={line.case}"]
        if number < _FEW:
            shared.append(f"top={number}")
        if len(lines) - number <= _FEW:
            shared.append(f"low={len(lines) - number}")
        count = line.last - line.first
        shared.append(f"ln={count if count <= _FEW else 5 + (count > 8) + (count > 14)}")
        if number and (above := lines[number - 1]).last - above.first <= _FEW:
            shared.append(f"above={forms[above.last - 1]}")
        if number + 1 < len(lines) and forms[lines[number + 1].first]:
            shared.append(f"below={forms[lines[number + 1].first]}")
        for at in range(line.first, line.last):
            mine = found[at]
            mine += shared
            mine.append(f"at={min(at - line.first, _FEW)}/{min(line.last - 1 - at, _FEW)}")
            if line.label and at > line.label_end:
                mine.append(f"lab={line.label}")
                mine.append(f"lab={line.label}{min(at - line.label_end, _FEW)}")
            elif line.label_end >= 0 and at <= line.label_end:
                mine.append("label")
            mine.append(f"k={tokens[at].seen.classes}lc={line.case}")


def _lines(text: str, tokens: Sequence[Token], forms: Sequence[str]) -> Iterator[_Line]:
    first = 0
    while first < len(tokens):
        end = text.find("\n", tokens[first].start)
        end = len(text) if end < 0 else end
        last = first + 1
        while last < len(tokens) and tokens[last].start < end:
            last += 1
        begin = tokens[first].start
        colon = text.find(":", begin, min(end, begin + 40))
        label_end = -1
        if colon > 0:
            while label_end + 1 < last - first and tokens[first + label_end + 1].end <= colon:
                label_end += 1
        at = first + label_end if label_end >= 0 else -1
        written = text[begin:end]
        case = "u" if written.isupper() else "l" if written.islower() else "m"
        yield _Line(first, last, forms[at] if at >= 0 else "", at, case)
        first = last


def _add_repeats(tokens: Sequence[Token], kinds: Sequence[str], found: Sequence[list[str]]) -> None:
    """Whether a word stands in the report more than once, and after a title somewhere."""
    counts = Counter(token.seen.form for token in tokens)
    titled = {tokens[at].seen.form for at in range(1, len(tokens)) if "t" in kinds[at - 1]}
    for token, mine in zip(tokens, found, strict=True):
        form = token.seen.form
        if form and "f" not in token.seen.classes:
            mine.append(f"again={min(counts[form], 3)}{form in titled}")
