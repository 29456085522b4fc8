"""The page's pictures: plots as SVG that stand alone, and a contact sheet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from PIL import Image, ImageDraw

from tools.evidence.plan import FREE, NOISED, WHITELIST
from tools.evidence.sources import Sample
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.plots import Plot, draw_curves, draw_roc
from updp_node.evaluation.svg import drawing, element, text

FOLDER = "images"
_STYLE = """
svg { background: #fff; font-family: system-ui, sans-serif; }
text { fill: #1b2733; font-size: 11px; } .tick, .name { fill: #55606c; }
.grid { stroke: #e6eaee; } .axis { stroke: #7b8794; }
.chance { fill: none; stroke: #7b8794; stroke-dasharray: 1.5 3; }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.s0 { stroke: #0072b2; } .s1 { stroke: #d55e00; stroke-dasharray: 7 3; }
.s2 { stroke: #00795a; stroke-dasharray: 2 2.5; }
.s3 { stroke: #b0478a; stroke-dasharray: 9 3 2 3; }
.s4 { stroke: #7a6a00; stroke-dasharray: 4 2; } .ceiling { stroke: #000; stroke-dasharray: none; }
.dot { fill: #fff; stroke-dasharray: none; }
"""
_ROWS = 4
_SIDE = 128
_STRIP = 16
_COLUMNS = (("whitelist prompt", WHITELIST), ("free prompt", FREE), ("noised source", NOISED))
Record = Mapping[str, Any]


def write_plots(out: Path) -> None:
    """Draw every plot from ``evidence.json``.

    Parameters
    ----------
    out : pathlib.Path
        Folder of ``evidence.json``; the plots go to its ``images``.
    """
    record = json.loads((out / "evidence.json").read_text(encoding="utf-8"))
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, population in record["populations"].items():
        curves = [_name_arm(curve) for curve in population["curves"]]
        rocs = [c for c in curves if c["key"] == "roc"]
        shown = [{**c, "label": c["label"].removeprefix("frozen attacker, ")} for c in rocs]
        title = f"Frozen attacker, {name}"
        _write(draw_roc(f"roc-{name}", title, shown), folder / f"evidence-roc-{name}.svg")
        ranks = [c for c in curves if c["key"] == "linkage"]
        _write(draw_curves(f"ranks-{name}", ranks), folder / f"evidence-linkage-{name}.svg")
    for title in sorted({curve["key"] for curve in record["cross_hospital"]["curves"]}):
        curves = [c for c in record["cross_hospital"]["curves"] if c["key"] == title]
        name = title.partition(", ")[2].replace(" ", "-")
        _write(draw_curves(name, curves), folder / f"evidence-hospitals-{name}.svg")


def _name_arm(curve: Record) -> Record:
    """The main arm by the name of its prompts."""
    return {**curve, "label": curve["label"].replace(", counterparts", f", {WHITELIST}")}


def _write(plot: Plot, path: Path) -> None:
    """A plot with its legend and style, as a picture of its own."""
    legend: list[Markup] = []
    for number, (label, line) in enumerate(plot.legend):
        x, y = 50 + 190 * (number % 3), 312 + 18 * (number // 3)
        legend += [
            element("g", line, transform=f"translate({x} {y - 9})"), text(label, x + 36, y),
        ]  # fmt: skip
    height = 316 + 18 * ((len(plot.legend) + 2) // 3)
    content = [element("style", Markup(_STYLE)), plot.picture, *legend]  # noqa: S704 - constant
    whole = drawing(path.stem, plot.title, plot.title, (600, height), content)
    path.write_text(
        str(whole).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n",
        encoding="utf-8",
    )


def write_sheet(sides: Sequence[tuple[Sample, Collection]], folder: Path) -> None:
    """What was drawn of the first test patients of each table, none picked; no real image."""
    folder.mkdir(parents=True, exist_ok=True)
    width = len(sides) * len(_COLUMNS) * _SIDE + _STRIP
    page = Image.new("L", (width, _STRIP + _ROWS * _SIDE), 255)
    left = 0
    for sample, counterparts in sides:
        _paste(page, sample, counterparts, left)
        left += len(_COLUMNS) * _SIDE + _STRIP
    page.save(folder / "evidence-sheet.webp", quality=80, method=6)


def _paste(page: Image.Image, sample: Sample, counterparts: Collection, left: int) -> None:
    drawn = {each.image_id: place for place, each in enumerate(counterparts.entries)}
    rows = _choose(sample, drawn)
    for column, (title, arm) in enumerate(_COLUMNS):
        x = left + column * _SIDE
        ImageDraw.Draw(page).text((x + 3, 2), title, fill=0)
        for row, place in enumerate(rows):
            name = sample.originals.entries[place].image_id
            pixels = counterparts.images[drawn[f"{arm} {name} 0"]]
            tile = Image.fromarray(pixels).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
            page.paste(tile, (x, _STRIP + row * _SIDE))


def _choose(sample: Sample, drawn: Mapping[str, int]) -> list[int]:
    """First test image of each of the first patients who have every arm."""
    chosen: dict[str, int] = {}
    for place in np.flatnonzero(sample.is_test & sample.has_partner):
        entry = sample.originals.entries[place]
        arms = (arm for _, arm in _COLUMNS)
        if entry.patient_id not in chosen and all(
            f"{arm} {entry.image_id} 0" in drawn for arm in arms
        ):
            chosen[entry.patient_id] = int(place)
    return list(chosen.values())[:_ROWS]
