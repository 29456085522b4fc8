"""Scalable vector graphics by hand: elements, scales, axes. Nothing here knows a figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

TEXT_WIDTH = 6.1
"""Mean width of a character at the plots' text size, in pixels; to keep labels apart."""


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """One element; text and attributes are escaped.

    Attribute names are written with underscores (``stroke_width``, ``class_``); None is left out.
    """
    stated = Markup("").join(
        Markup(' {}="{}"').format(name.strip("_").replace("_", "-"), _say(value))
        for name, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup("<{}{}/>").format(tag, stated)
    return Markup("<{}{}>{}</{}>").format(tag, stated, Markup("").join(children), tag)


def drawing(
    name: str, title: str, description: str, size: tuple[float, float], content: Sequence[str]
) -> Markup:
    """A whole picture with its title and description for those who do not see it.

    Parameters
    ----------
    name : str
        Unique on the page: an id is made of it.
    size : tuple of float
        Width and height in pixels.
    """
    width, height = size
    return element(
        "svg",
        element("title", title),
        element("desc", description, id=f"{name}-said"),
        *content,
        role="img", aria_label=title, aria_describedby=f"{name}-said",
        viewBox=f"0 0 {width:g} {height:g}", width=math.ceil(width), height=math.ceil(height),
    )  # fmt: skip


def text(words: str, x: float, y: float, class_: str = "", anchor: str = "start") -> Markup:
    """A line of text."""
    return element("text", words, x=x, y=y, class_=class_ or None,
                   text_anchor=None if anchor == "start" else anchor)  # fmt: skip


def path(points: Sequence[tuple[float, float]], class_: str, *, closed: bool = False) -> Markup:
    """Straight lines from point to point."""
    steps = " ".join(f"{'L' if n else 'M'}{x:.1f},{y:.1f}" for n, (x, y) in enumerate(points))
    return element("path", d=steps + ("Z" if closed else ""), class_=class_)


def line(one: tuple[float, float], other: tuple[float, float], class_: str) -> Markup:
    """A line between two points."""
    return element("line", x1=one[0], y1=one[1], x2=other[0], y2=other[1], class_=class_)


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels.

    Attributes
    ----------
    low, high : float
        Values at the ends.
    start, end : float
        Pixels at the ends.
    is_log : bool
        Equal steps are equal factors; `low` is above 0.
    """

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of a value; values beyond an end lie at it."""
        held = min(max(value, self.low), self.high)
        if self.is_log:
            share = math.log(held / self.low) / math.log(self.high / self.low)
        else:
            share = (held - self.low) / ((self.high - self.low) or 1.0)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values to be marked."""
        if self.is_log:
            first, last = math.ceil(_log10(self.low)), math.floor(_log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor((self.high - first * step) / step + 1e-9) + 1
        return [round((first + number) * step, 10) for number in range(count)]


def spread(values: Sequence[float], start: float, end: float) -> Scale:
    """A linear scale that holds all values, with round ends."""
    low, high = min(values), max(values)
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = _round_step((high - low) / 5)
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step, start, end)


def axes(x: Scale, y: Scale, x_name: str, y_name: str, *, grid_x: bool = True) -> Iterator[Markup]:
    """Grid, ticks and names of two axes; `y.start` is below, `x.start` on the left."""
    for value in x.ticks():
        place = x(value)
        if grid_x:
            yield line((place, y.start), (place, y.end), "grid")
        yield text(short(value), place, y.start + 14, "tick", "middle")
    for value in y.ticks():
        place = y(value)
        yield line((x.start, place), (x.end, place), "grid")
        yield text(short(value), x.start - 5, place + 3.5, "tick", "end")
    yield line((x.start, y.start), (x.end, y.start), "axis")
    yield line((x.start, y.start), (x.start, y.end), "axis")
    yield text(x_name, (x.start + x.end) / 2, y.start + 30, "name", "middle")
    yield text(y_name, x.start - 30, y.end - 9, "name")


def short(value: float) -> str:
    """A tick's value: no more digits than it needs."""
    if value and abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.10g}"


def wrap(words: str, width: float) -> list[str]:
    """Lines of at most `width` pixels; a longer word stands alone."""
    lines: list[str] = []
    for word in words.split():
        if lines and (len(lines[-1]) + 1 + len(word)) * TEXT_WIDTH <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _round_step(wanted: float) -> float:
    """1, 2 or 5 times a power of ten, not below the wanted step."""
    power = 10.0 ** math.floor(_log10(wanted)) if wanted > 0 else 1.0
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= wanted - 1e-12)


def _log10(value: float) -> float:
    return math.log10(value)


def _say(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
