"""Which plots a section shows, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from updp_node.evaluation.figure import Section
from updp_node.evaluation.plots import (
    Plot,
    draw_bars,
    draw_curves,
    draw_histograms,
    draw_matrix,
    draw_roc,
)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of the figures whose keys begin alike."""

    section: Section
    title: str
    note: str
    prefixes: tuple[str, ...]
    omitted: tuple[str, ...] = ()
    keys_hold: str = ""


_CHANCE = "A thin mark is chance."
_PANELS = (
    Panel(Section.IDENTITY, "Verification", f"The bar of real pairs is the ceiling. {_CHANCE}",
          ("verification.auc.",)),
    Panel(Section.IDENTITY, "Normalized leakage",
          "The part of the ceiling that is left: 0 is none, 1 is all.",
          ("verification.leakage.",)),
    Panel(Section.IDENTITY, "Source linkage", f"{_CHANCE} Bars should not reach above it.",
          ("linkage.",), ("lift",)),
    Panel(Section.IDENTITY, "Report linkage",
          f"What somebody can do who holds the original reports. {_CHANCE}", ("report-linkage.",)),
    Panel(Section.IDENTITY, "Identity classifier and retrieval",
          f"Real images beside counterparts. {_CHANCE}", ("identity.", "retrieval.")),
    Panel(Section.COPIES, "Membership inference", _CHANCE, ("membership.",), (".tpr", ".accuracy")),
    Panel(Section.UTILITY, "Trained on each, tested on real images", _CHANCE,
          ("utility.auroc.macro.",)),
    Panel(Section.UTILITY, "Difference to training on real images",
          "Left of 0 is worse than training on real images.", ("utility.difference.",)),
    Panel(Section.UTILITY, "AUROC of each finding", "", ("utility.auroc.",), (".macro.",)),
    Panel(Section.UTILITY, "Between hospitals, with all images of B", "", ("cross-hospital.",),
          keys_hold=".auroc.macro."),
    Panel(Section.TEXT, "Identifiers removed, by category", "", ("text.recall.",)),
    Panel(Section.TEXT, "Clinical content kept", "", ("text.retention.",)),
    Panel(Section.TEXT, "Scrubbed texts and their originals",
          f"What somebody can do who holds the originals. {_CHANCE}", ("text.linkage.",)),
    Panel(Section.RELEASES, "Patients by the size of their group",
          "Each bar counts patients; the smallest groups are the ones to look at.",
          ("audit.groups.",)),
)  # fmt: skip
_PLACES = {
    "roc": Section.IDENTITY, "linkage": Section.IDENTITY, "retrieval": Section.IDENTITY,
    "verification": Section.IDENTITY, "identity": Section.IDENTITY,
    "membership": Section.COPIES, "nearest": Section.COPIES, "copies": Section.COPIES,
    "cross-hospital": Section.UTILITY, "agreement": Section.UTILITY, "utility": Section.UTILITY,
    "quality": Section.QUALITY, "text": Section.TEXT, "audit": Section.RELEASES,
}  # fmt: skip
_MATRICES = {"agreement": "Findings of images and of their labels"}
_ROCS = {
    "roc": "How well attackers tell whose image it is",
    "membership": "How well attackers tell what was trained on",
}
_CROWD = 4
_ALARMS = "false-positive rate"


def choose_plots(section: Section, record: Record) -> list[Plot]:
    """The plots of a section: curves, histograms and matrices of its own, then bars.

    Parameters
    ----------
    record : Mapping
        The content of ``report.json``.
    """
    plots: list[Plot] = []
    for curves in _group(_chosen(section, record["curves"])):
        if curves[0]["x_name"] == _ALARMS:
            title = _ROCS.get(curves[0]["key"], "Attackers")
            for number, (ending, part) in enumerate(_split(curves)):
                plot = draw_roc(_name(section, len(plots)), title + ending, part)
                plots.append(replace(plot, note="") if number else plot)
        else:
            plots.append(draw_curves(_name(section, len(plots)), curves))
    for histograms in _group(_chosen(section, record["histograms"])):
        plots.append(draw_histograms(_name(section, len(plots)), histograms))
    for matrix in _chosen(section, record["matrices"]):
        first, _, rest = matrix["key"].partition(".")
        title = ", ".join(filter(None, (_MATRICES.get(first, first.capitalize()), rest)))
        plots.append(draw_matrix(_name(section, len(plots)), title, matrix))
    for panel in _PANELS:
        figures = _select(panel, record["figures"]) if panel.section is section else []
        if figures:
            name = _name(section, len(plots))
            plots.append(draw_bars(name, panel.title, panel.note, figures))
    return plots


def _chosen(section: Section, each: Iterable[Record]) -> Iterator[Record]:
    """Those of a section that hold anything."""
    for row in each:
        place = _PLACES.get(re.split(r"[.,]", row["key"])[0])
        filled = any(row.get(part) for part in ("x", "counts", "values"))
        if place is section and filled:
            yield row


def _group(each: Iterable[Record]) -> list[list[Record]]:
    groups: dict[str, list[Record]] = {}
    for row in each:
        groups.setdefault(row["key"], []).append(row)
    return list(groups.values())


def _split(curves: Sequence[Record]) -> list[tuple[str, list[Record]]]:
    """One plot for each attacker, ``frozen attacker, real``, where a single one were crowded."""
    if len(curves) <= _CROWD or any("," not in curve["label"] for curve in curves):
        return [("", list(curves))]
    plots: dict[str, list[Record]] = {}
    for curve in curves:
        attacker, _, rest = curve["label"].partition(", ")
        plots.setdefault(attacker, []).append({**curve, "label": rest})
    return [(f": {attacker}", part) for attacker, part in plots.items()]


def _select(panel: Panel, figures: Sequence[Record]) -> list[Record]:
    """Measured figures of a panel, those of one name together."""
    found = [
        figure for figure in figures
        if figure["measured"] and figure["key"].startswith(panel.prefixes)
        and panel.keys_hold in figure["key"]
        and not any(part in figure["key"] for part in panel.omitted)
    ]  # fmt: skip
    names = list(dict.fromkeys(figure["name"] for figure in found))
    return sorted(found, key=lambda figure: names.index(figure["name"]))


def _name(section: Section, number: int) -> str:
    return f"{section.value}-plot{number + 1}"
