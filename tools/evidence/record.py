"""What the study found, as docs/evidence.json holds it: numbers, strings and lists only."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tools.evidence.measuring import Result
from tools.evidence.plan import Plan
from updp_node import __version__
from updp_node.evaluation.figure import Curve, Figure, Measurements
from updp_node.evaluation.verdict import Verdict

SCHEMA = 1
_DECIMALS = 6
_LIBRARIES = ("diffusers", "numpy", "scikit-learn", "scipy", "torch")

Record = dict[str, Any]


def make_record(
    results: Iterable[Result], exchanges: Measurements, *, plan: Plan, seed: int, threads: int,
    model_sha256: str, data_sha256: str, encoder: str, made_at: datetime,
) -> Record:  # fmt: skip
    """Everything that the page is made of; only `made_at` differs between two runs."""
    return {
        "schema": SCHEMA,
        "made_at": made_at.isoformat(timespec="seconds"),
        "made_by": f"updp_node {__version__}, tools.evidence",
        "plan": _plain(asdict(plan)),
        "seed": seed,
        "threads": threads,
        "model_sha256": model_sha256,
        "data_sha256": data_sha256,
        "encoder": encoder,
        "libraries": {name: version(name) for name in _LIBRARIES},
        "populations": {each.population.name: _describe(each) for each in results},
        "cross_hospital": _list(exchanges),
    }


def write_record(record: Record, path: Path) -> None:
    """One figure a line, so that two runs can be compared by eye and by diff."""
    lines = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(_join_lists(lines) + "\n", encoding="utf-8")


def _describe(result: Result) -> Record:
    return {
        "facts": result.facts,
        "gate": [_plain(_fields(verdict)) for verdict in result.verdicts],
        **_list(result.measured),
    }


def _list(measured: Measurements) -> Record:
    keys = [figure.key for figure in measured.figures]
    if len(set(keys)) != len(keys):
        raise ValueError("two figures bear one key")
    return {
        "figures": {figure.key: _tell(figure) for figure in measured.figures},
        "curves": [_plain(_fields(curve)) for curve in measured.curves if _is_shown(curve)],
    }


def _is_shown(curve: Curve) -> bool:
    """Whether the page plots it: of the attackers' curves those of the frozen one."""
    is_attack = curve.key in {"roc", "membership"}
    wanted = curve.label.startswith("frozen attacker,") and "same findings" not in curve.label
    return wanted or not is_attack


def _tell(figure: Figure) -> Record:
    told = _fields(figure)
    del told["key"]
    return {key: value for key, value in _plain(told).items() if value not in ("", {})}


def _fields(value: Figure | Curve | Verdict) -> Record:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _plain(value: Any) -> Any:
    """Numbers to six decimals; None for what is no number."""
    if value is None or isinstance(value, (bool, str)):
        return value if not isinstance(value, str) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    number = round(float(value), _DECIMALS)
    return number if math.isfinite(number) else None


def _join_lists(text: str) -> str:
    """Innermost lists and objects on one line each."""
    joined: list[str] = []
    lines = text.split("\n")
    place = 0
    while place < len(lines):
        line = lines[place]
        end = place + 1
        if line.endswith(("[", "{")):
            while end < len(lines) and not lines[end].rstrip(",").endswith(("[", "{", "]", "}")):
                end += 1
            closes = end < len(lines) and lines[end].strip().rstrip(",") in ("]", "}")
            if closes and end > place + 1:
                inner = " ".join(each.strip() for each in lines[place + 1 : end])
                joined.append(f"{line}{inner}{lines[end].strip()}")
                place = end + 1
                continue
        joined.append(line)
        place += 1
    return "\n".join(joined)
