"""An evaluation written down: ``report.json``, and ``report.html`` made of the same record."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from updp_node import __version__
from updp_node.evaluation.figure import Curve, Figure, Histogram, Matrix, Measurements, Section
from updp_node.evaluation.page import render_page
from updp_node.evaluation.verdict import Verdict, decide

SCHEMA = 1
"""Raised when a key of ``report.json`` changes its meaning or goes away."""

Kind = Literal["evaluation", "text evaluation", "audit"]
Record = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """Two images side by side on the contact sheet.

    Attributes
    ----------
    first, second : ndarray of uint8, shape (rows, columns)
        A sample, and the real image that is nearest.
    caption : str
        Says no more than numbers; never whose images they are.
    """

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    caption: str


@dataclass(frozen=True)
class Report:
    """All that a report says.

    Attributes
    ----------
    kind : str
        ``evaluation``, ``text evaluation`` or ``audit``.
    title : str
    measurements : Measurements
    verdicts : tuple of Verdict
        In the order of the profile's limits; none where no limits were asked.
    sections : tuple of Section
        What was asked; one without figures reads "not measured".
    made_at : datetime
        With time zone.
    facts : tuple of (str, str)
        What was measured and how: sets with their sizes, seed, profile, attackers.
    notes : tuple of str
        What was changed or left out on reading.
    pairs : tuple of Pair
        The closest pairs. They show patients: the page says so.
    """

    kind: Kind
    title: str
    measurements: Measurements
    verdicts: tuple[Verdict, ...]
    sections: tuple[Section, ...]
    made_at: datetime
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()


def write_report(report: Report, folder: Path) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html``.

    Parameters
    ----------
    report : Report
    folder : pathlib.Path
        Made if absent; the files are replaced.

    Returns
    -------
    json_path, html_path : pathlib.Path

    Raises
    ------
    ValueError
        Two figures bear one key.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = to_record(report)
    content = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    paths = folder / "report.json", folder / "report.html"
    paths[0].write_text(content, encoding="utf-8")
    digest = hashlib.sha256(content.encode()).hexdigest()
    pairs = [(pair.first, pair.second, pair.caption) for pair in report.pairs]
    paths[1].write_text(render_page(record, pairs, digest), encoding="utf-8")
    return paths


def to_record(report: Report) -> Record:
    """The content of ``report.json``: numbers, strings and lists only; no NaN.

    Raises
    ------
    ValueError
        Two figures bear one key.
    """
    measured = report.measurements
    _refuse_repeated(measured.figures)
    return {
        "schema": SCHEMA,
        "kind": report.kind,
        "title": report.title,
        "made_at": report.made_at.isoformat(timespec="seconds"),
        "made_by": f"updp_node {__version__}",
        "gate": {
            "outcome": decide(report.verdicts).value if report.verdicts else "none",
            "limits": [_plain(verdict) for verdict in report.verdicts],
        },
        "facts": [{"name": name, "value": value} for name, value in report.facts],
        "notes": list(report.notes),
        "sections": [section.value for section in report.sections],
        "figures": [_describe(figure) for figure in measured.figures],
        "curves": [_plain(curve) for curve in measured.curves],
        "histograms": [_plain(histogram) for histogram in measured.histograms],
        "matrices": [_plain(matrix) for matrix in measured.matrices],
    }


def _describe(figure: Figure) -> Record:
    """A figure with whether it was measured; one that is no number was not."""
    record = _plain(figure)
    record["measured"] = record["value"] is not None
    if not record["measured"] and not record["why"]:
        record["why"] = "no number came out"
    return record


def _plain(value: Figure | Curve | Histogram | Matrix | Verdict) -> Record:
    return {each.name: _jsonable(getattr(value, each.name)) for each in fields(value)}


def _jsonable(value: object) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [_jsonable(each) for each in value]
    return _number(value)


def _number(value: object) -> int | float | None:
    """A number as JSON has it: None for what is not one."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, np.integer):
        return int(value)
    number = float(value)  # type: ignore[arg-type]  # numpy's floats too
    return number if math.isfinite(number) else None


def _refuse_repeated(figures: Iterable[Figure]) -> None:
    seen: set[str] = set()
    for figure in figures:
        if figure.key in seen:
            raise ValueError(f"two figures bear the key {figure.key}")
        seen.add(figure.key)
