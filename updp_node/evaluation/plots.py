"""The report's plots, drawn from its record. Light on paper, told apart without colour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from updp_node.evaluation.numerals import say, say_interval
from updp_node.evaluation.svg import (
    Scale,
    axes,
    drawing,
    element,
    line,
    path,
    short,
    spread,
    text,
    wrap,
)

Record = Mapping[str, Any]
STYLES = 8
_ALARMS = "false-positive rate"
_LEAST_ALARMS = 1e-3
_MOST_ROWS = 60
_LABEL = 192.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture with its caption.

    Attributes
    ----------
    title, note : str
        The caption: what it shows, how it is read.
    picture : Markup
        SVG with a description in words.
    legend : tuple of (str, Markup)
        Label and a piece of its line.
    """

    title: str
    note: str
    picture: Markup
    legend: tuple[tuple[str, Markup], ...] = ()


def draw_roc(name: str, title: str, curves: Sequence[Record]) -> Plot:
    """Receiver operating characteristics: as usual, and where false alarms are rare."""
    plain = Scale(0, 1, 46, 276), Scale(0, 1, 262, 32)
    rare = Scale(_LEAST_ALARMS, 1, 346, 576, is_log=True), plain[1]
    y_name = curves[0]["y_name"]
    content = [
        *axes(*plain, _ALARMS, y_name),
        *axes(*rare, f"{_ALARMS}, on a logarithmic scale", y_name),
        line((plain[0](0), plain[1](0)), (plain[0](1), plain[1](1)), "chance"),
        path([(rare[0](x), rare[1](x)) for x in _log_steps(_LEAST_ALARMS, 1, 60)], "chance"),
    ]
    for number, curve in enumerate(curves):
        class_ = style_of(curve["label"], number)
        points = list(zip(curve["x"], curve["y"], strict=True))
        content.append(path([(plain[0](x), plain[1](y)) for x, y in points], class_))
        seen = [(x, y) for x, y in points if x >= _LEAST_ALARMS]
        first = (_LEAST_ALARMS, _at(curve, _LEAST_ALARMS))
        content.append(path([(rare[0](x), rare[1](y)) for x, y in (first, *seen)], class_))
    said = "; ".join(
        f"{curve['label']}: {say(_at(curve, 0.01))} at 1 % and {say(_at(curve, 0.1))} at 10 %"
        for curve in curves
    )
    described = f"True-positive rates of each attacker. {said}."
    return Plot(
        title, "Nearer to the dotted line is nearer to guessing. On the right the same, where few "
        "false alarms are allowed: what an attacker needs who must be sure.",
        drawing(name, title, described, (590, 300), content), _legend(curves),
    )  # fmt: skip


def draw_curves(name: str, curves: Sequence[Record]) -> Plot:
    """Curves over an amount, such as results over the number of real images at hand."""
    x_values = [x for curve in curves for x in curve["x"]]
    y_values = [y for curve in curves for y in curve["y"] if y is not None]
    is_log = min(x_values) > 0 and max(x_values) / min(x_values) >= 20
    x = (
        Scale(min(x_values), max(x_values), 56, 560, is_log=True)
        if is_log
        else spread([0.0, *x_values], 56, 560)
    )
    y = spread(y_values, 262, 32)
    content = list(axes(x, y, curves[0]["x_name"], curves[0]["y_name"]))
    for number, curve in enumerate(curves):
        class_ = style_of(curve["label"], number)
        points = [(x(a), y(b)) for a, b in zip(curve["x"], curve["y"], strict=True)
                  if b is not None]  # fmt: skip
        content.append(path(points, class_))
        content += [element("circle", cx=a, cy=b, r=3, class_=f"dot {class_}") for a, b in points]
    said = "; ".join(
        f"{curve['label']}: from {say(curve['y'][0])} to {say(curve['y'][-1])}" for curve in curves
    )
    title = curves[0]["key"].replace(".", " ").capitalize()
    note = f"{curves[0]['y_name']} by {curves[0]['x_name']}"
    picture = drawing(name, title, f"{note}. {said}.", (590, 300), content)
    return Plot(title, note[0].upper() + note[1:] + ".", picture, _legend(curves))


def draw_histograms(name: str, histograms: Sequence[Record]) -> Plot:
    """Shares of each set, in outline, so that sets of different sizes compare."""
    edges = [edge for each in histograms for edge in each["edges"]]
    shares = [[count / max(sum(each["counts"]), 1) for count in each["counts"]]
              for each in histograms]  # fmt: skip
    x = spread(edges, 56, 560)
    y = spread([0.0, *(max(each, default=0.0) for each in shares)], 222, 32)
    content = list(axes(x, y, histograms[0]["x_name"], "share", grid_x=False))
    for number, (each, heights) in enumerate(zip(histograms, shares, strict=True)):
        class_ = style_of(each["label"], number)
        points = [(x(each["edges"][0]), y(0))]
        for place, height in enumerate(heights):
            points += [
                (x(each["edges"][place]), y(height)),
                (x(each["edges"][place + 1]), y(height)),
            ]
        points.append((x(each["edges"][-1]), y(0)))
        content += [path(points, f"fill {class_}"), path(points, class_)]
    said = "; ".join(
        f"{each['label']}: {sum(each['counts'])} in all, most about {say(_mode(each))}"
        for each in histograms
    )
    title = f"{histograms[0]['x_name'].capitalize()}"
    picture = drawing(name, title, f"Histograms of {title}. {said}.", (590, 262), content)
    return Plot(title, "", picture, _legend(histograms))


def draw_matrix(name: str, title: str, matrix: Record) -> Plot:
    """Named rows and columns, the value in every cell and its depth of colour."""
    values = [value for row in matrix["values"] for value in row if value is not None]
    most = max((abs(value) for value in values), default=1.0) or 1.0
    left = 12 + 6.1 * min(max(map(len, matrix["rows"]), default=0), 34)
    wide, high = min(72.0, (590 - left) / max(len(matrix["columns"]), 1)), 22.0
    top = 16 + 12 * max((len(wrap(each, wide)) for each in matrix["columns"]), default=1)
    content: list[Markup] = []
    for number, column in enumerate(matrix["columns"]):
        for step, words in enumerate(wrap(column, wide)):
            content.append(
                text(words, left + wide * (number + 0.5), 14 + 12 * step, "tick", "middle")
            )
    for number, (row, cells) in enumerate(zip(matrix["rows"], matrix["values"], strict=True)):
        y = top + high * number
        content.append(text(row, left - 6, y + 15, "tick", "end"))
        for column_number, value in enumerate(cells):
            content += _cell(left + wide * column_number, y, (wide, high), value, most)
    size = (left + wide * len(matrix["columns"]) + 4, top + high * len(matrix["rows"]) + 4)
    said = "; ".join(
        f"{row}: " + ", ".join(f"{column} {say(value)}" for column, value in
                               zip(matrix["columns"], cells, strict=True))
        for row, cells in zip(matrix["rows"], matrix["values"], strict=True)
    )  # fmt: skip
    return Plot(title, "", drawing(name, title, said or "Nothing was compared.", size, content))


def _cell(
    x: float, y: float, size: tuple[float, float], value: float | None, most: float
) -> Iterator[Markup]:
    """One cell: blue above 0, orange below, white at 0; without colour the number says it."""
    wide, high = size
    depth = 0.0 if value is None else min(abs(value) / most, 1.0)
    class_ = "cell" if value is None else "cell more" if value >= 0 else "cell less"
    yield element("rect", x=x, y=y, width=wide - 1, height=high - 1, class_=class_,
                  fill_opacity=0.06 + 0.84 * depth)  # fmt: skip
    words = "–" if value is None else say(value)
    yield text(words, x + wide / 2, y + 15, "in-cell deep" if depth > 0.6 else "in-cell", "middle")


def draw_bars(name: str, title: str, note: str, figures: Sequence[Record]) -> Plot:
    """Values as bars with their intervals, chance as a mark; one group for every name."""
    shown = [figure for figure in figures if figure["measured"]][:_MOST_ROWS]
    numbers = [figure[key] for figure in shown for key in ("value", "low", "high", "chance")
               if figure[key] is not None]  # fmt: skip
    x = spread([0.0, *numbers], 210, 530)
    content: list[Markup] = []
    y, group = 8.0, ""
    for figure in shown:
        if figure["name"] != group and figure["arm"]:
            group = figure["name"]
            for words in wrap(group, 560):
                y += 15
                content.append(text(words, 6, y, "group"))
            y += 5
        label = wrap(figure["arm"] or figure["name"], _LABEL)
        content += _bar(figure, label, x, y)
        y += 17 + 12 * (len(label) - 1)
    grid = [line((x(value), 8), (x(value), y), "grid") for value in x.ticks()]
    below = [text(short(value), x(value), y + 14, "tick", "middle") for value in x.ticks()]
    said = "; ".join(
        f"{figure['name']}, {figure['arm'] or 'all'}: {say(figure['value'])} "
        f"{say_interval(figure['low'], figure['high'])}".rstrip() for figure in shown
    )  # fmt: skip
    picture = drawing(name, title, f"{said}.", (590, y + 22), [*grid, *content, *below])
    return Plot(title, note, picture)


def _bar(figure: Record, label: Sequence[str], x: Scale, y: float) -> Iterator[Markup]:
    """One bar with its label on the left and its value on the right."""
    middle = y + 7
    for step, words in enumerate(label):
        yield text(words, x.start - 12, middle + 4 + 12 * step, "label", "end")
    value = figure["value"]
    start, end = sorted((x(0.0), x(value)))
    yield element("rect", x=start, y=y + 1, width=max(end - start, 1.0), height=12, class_="bar")
    if figure["low"] is not None and figure["high"] is not None:
        low, high = x(figure["low"]), x(figure["high"])
        yield line((low, middle), (high, middle), "whisker")
        for place in (low, high):
            yield line((place, middle - 4), (place, middle + 4), "whisker")
    if figure["chance"] is not None:
        at = x(figure["chance"])
        yield line((at, y - 1), (at, y + 15), "guess")
    yield text(say(value), 540, middle + 4, "label")


def draw_range(figure: Record) -> Markup:
    """Value and interval of one figure on a scale from 0 to 1; decoration beside its numbers."""
    values = [figure[key] for key in ("value", "low", "high") if figure[key] is not None]
    is_count = isinstance(figure["value"], int)
    if not figure["measured"] or is_count or min(values) < 0 or max(values) > 1:
        return Markup("")
    x = Scale(0, 1, 3, 97)
    parts = [line((3, 7), (97, 7), "rail")]
    if figure["low"] is not None and figure["high"] is not None:
        parts.append(line((x(figure["low"]), 7), (x(figure["high"]), 7), "reach"))
    if figure["chance"] is not None:
        parts.append(line((x(figure["chance"]), 1), (x(figure["chance"]), 13), "guess"))
    parts.append(element("circle", cx=x(figure["value"]), cy=7, r=2.4, class_="point"))
    return element("svg", *parts, class_="range", viewBox="0 0 100 14", width=100, height=14,
                   aria_hidden="true")  # fmt: skip


def style_of(label: str, number: int) -> str:
    """The ceiling is black; everything else has a colour and a dash of its own."""
    parts = [part.strip() for part in label.split(",")]
    if "real" in parts or "real-real" in label:
        return f"curve ceiling s{number % 2}"
    return f"curve s{number % STYLES}"


def _legend(each: Sequence[Record]) -> tuple[tuple[str, Markup], ...]:
    return tuple(
        (row["label"], element("svg", line((1, 5), (29, 5), style_of(row["label"], number)),
                               viewBox="0 0 30 10", width=30, height=10, aria_hidden="true"))
        for number, row in enumerate(each)
    )  # fmt: skip


def _at(curve: Record, alarms: float) -> float:
    """True-positive rate at the last point that keeps the rate of false alarms."""
    reached = [y for x, y in zip(curve["x"], curve["y"], strict=True) if x <= alarms + 1e-12]
    return max(reached, default=0.0)


def _log_steps(low: float, high: float, count: int) -> list[float]:
    return [float(low * (high / low) ** (step / (count - 1))) for step in range(count)]


def _mode(histogram: Record) -> float:
    place = max(range(len(histogram["counts"])), key=histogram["counts"].__getitem__)
    return float(histogram["edges"][place] + histogram["edges"][place + 1]) / 2
