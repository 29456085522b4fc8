"""``report.html``: one file, no script, the numbers of ``report.json`` and no others."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from updp_node.evaluation import chapters
from updp_node.evaluation.figure import Section
from updp_node.evaluation.gallery import choose_plots
from updp_node.evaluation.numerals import say, say_interval
from updp_node.evaluation.plots import draw_range

MOST_PAIRS = 24
PAIR_SIDE = 144
_FOLDER = Path(__file__).parent / "page_template"
_HEADLINES = {
    "pass": "The release gate holds: {all} kept.",
    "fail": "The release gate fails: {some} crossed.",
    "inconclusive": "The release gate is inconclusive, and so it fails: {some} undecided.",
    "not measured": "The release gate fails: {some} not measured.",
}
_GROUPS = (("fail", "Crossed", "✕"), ("inconclusive", "Inconclusive", "?"),
           ("not measured", "Not measured", "–"), ("pass", "Kept", "✓"))  # fmt: skip
_NOT_SHOWN = {
    "evaluation": chapters.NOT_SHOWN,
    "text evaluation": chapters.NOT_SHOWN_OF_TEXT,
    "audit": chapters.NOT_SHOWN_OF_AUDIT,
}

Record = Mapping[str, Any]
Pictures = Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8], str]]


def render_page(record: Record, pairs: Pictures, digest: str) -> str:
    """The page of a report.

    Parameters
    ----------
    record : Mapping
        The content of ``report.json``.
    pairs : sequence of (ndarray, ndarray, str)
        Sample, nearest real image and caption; at most `MOST_PAIRS` are shown.
    digest : str
        SHA-256 of ``report.json``, so that paper and file belong together.
    """
    record = {**record, "figures": distinguish(record["figures"])}
    anchors = _name_anchors(record["figures"])
    return _environment().get_template("report.html").render(
        report=record,
        digest=digest,
        headline=_say_headline(record["gate"]),
        verdicts=_group_verdicts(record["gate"]["limits"]),
        known={figure["key"]: figure for figure in record["figures"]},
        anchors=anchors,
        sections=[_prepare(Section(name), record) for name in record["sections"]],
        pairs=[(_encode(one), _encode(other), said) for one, other, said in pairs[:MOST_PAIRS]],
        rule=chapters.RULES[record["kind"]],
        not_shown=_NOT_SHOWN[record["kind"]],
        has_gate=record["kind"] == "evaluation" or bool(record["gate"]["limits"]),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(say=say, number=_mark_number, detail=_say_detail)
    environment.globals.update(
        interval=say_interval, mini=draw_range, style=_read_style, is_counted=_is_counted
    )
    return environment


def _prepare(section: Section, record: Record) -> dict[str, Any]:
    """One section as the template wants it: figures of one name together."""
    figures = [figure for figure in record["figures"] if figure["section"] == section.value]
    groups: dict[str, list[Record]] = {}
    for figure in figures:
        if figure["measured"]:
            groups.setdefault(figure["name"], []).append(figure)
    return {
        "id": section.value,
        "chapter": chapters.CHAPTERS[section],
        "plots": choose_plots(section, record),
        "groups": groups,
        "measured": [figure for figure in figures if figure["measured"]],
        "missing": [figure for figure in figures if not figure["measured"]],
    }


def distinguish(figures: Sequence[Record]) -> list[Record]:
    """Figures whose arms tell them apart: where name and arm are the same, the key tells more.

    ``linkage.frozen.rank1.real`` and ``linkage.adaptive.rank1.real`` of one name and arm become
    the arms *real, frozen* and *real, adaptive*.
    """
    alike: dict[tuple[str, str], list[set[str]]] = {}
    for figure in figures:
        parts = set(figure["key"].split("."))
        alike.setdefault((figure["name"], figure["arm"]), []).append(parts)
    told: list[Record] = []
    for figure in figures:
        keys = alike[figure["name"], figure["arm"]]
        common = set.intersection(*keys)
        own = [part for part in figure["key"].split(".") if part not in common]
        said = ", ".join(filter(None, (figure["arm"], " ".join(own)))) if len(keys) > 1 else None
        told.append(figure if said is None else {**figure, "arm": said})
    return told


def _say_headline(gate: Record) -> str:
    limits = gate["limits"]
    if not limits:
        return "No limits were asked, so nothing is decided."
    worst = sum(limit["outcome"] == gate["outcome"] for limit in limits)
    verb = "is" if worst == 1 else "are"
    every = "the one limit is" if len(limits) == 1 else f"all {len(limits)} limits are"
    some = f"{worst} of {len(limits)} limits {verb}"
    return _HEADLINES[gate["outcome"]].format(all=every, some=some)


def _group_verdicts(limits: Sequence[Record]) -> list[tuple[str, str, str, list[Record]]]:
    """Outcome, its word, its mark and its limits, for every outcome that occurs."""
    found = [(*group, [each for each in limits if each["outcome"] == group[0]])
             for group in _GROUPS]  # fmt: skip
    return [each for each in found if each[3]]


def _name_anchors(figures: Sequence[Record]) -> dict[str, str]:
    """Key to the id of its row."""
    return {
        figure["key"]: f"f{number}-" + re.sub(r"[^a-z0-9]+", "-", figure["key"].lower()).strip("-")
        for number, figure in enumerate(figures, 1)
    }


def _mark_number(value: float | int | None, field: str) -> Markup:
    """A number with its exact value for machines."""
    if value is None:
        return Markup('<span class="nil">–</span>')
    return Markup('<span class="{}" data-value="{}">{}</span>').format(
        field, json.dumps(value), say(value)
    )


def _say_detail(detail: Mapping[str, float | int | str]) -> str:
    return " · ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else say(_whole(value))}"
        for name, value in detail.items()
    )


def _whole(value: float | int) -> float | int:
    """A count that came as a floating-point number."""
    return int(value) if float(value).is_integer() else value


def _is_counted(figures: Sequence[Record]) -> bool:
    """Whether a table holds counts alone, which have neither interval nor chance."""
    return all(
        figure["low"] is None and figure["high"] is None and figure["chance"] is None
        for figure in figures
    )


def _encode(image: NDArray[np.uint8]) -> str:
    """An image as a data address, no side longer than `PAIR_SIDE`."""
    picture = Image.fromarray(image)
    picture.thumbnail((PAIR_SIDE, PAIR_SIDE))
    buffer = io.BytesIO()
    picture.convert("L").save(buffer, "JPEG", quality=85, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


@lru_cache(maxsize=1)
def _read_style() -> Markup:
    return Markup((_FOLDER / "report.css").read_text(encoding="utf-8"))  # noqa: S704  # our own
