"""The release gate: non-inferiority with a stated limit, never the absence of significance.

A leakage figure passes when its upper 95 % bound lies below the limit, it rests on enough
patients or images, and the same attacker's real-real ceiling is high. It fails when the value lies
beyond the limit and its interval beyond chance. All else is inconclusive, and that fails too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from updp_node.config.limits import Limit, Release
from updp_node.errors import ConfigError
from updp_node.evaluation.figure import Figure
from updp_node.evaluation.verdict import Outcome, Verdict

_NONE = 1e-9
CEILING = "verification.auc.frozen.real"


def load_release(path: Path | None) -> Release:
    """Read the section ``release`` of a profile; the node's own limits without a file.

    Raises
    ------
    ConfigError
        Names the file and the key at fault.
    """
    if path is None:
        return Release()
    try:
        loaded: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise ConfigError("the profile cannot be read as YAML", file=str(path)) from None
    if not isinstance(loaded, dict):
        raise ConfigError("a profile is a mapping of keys", file=str(path))
    try:
        return Release.model_validate(loaded.get("release") or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in ("release", *first["loc"]))
        raise ConfigError(str(first["msg"]), file=str(path), key=key) from None


def judge_release(figures: Iterable[Figure], release: Release) -> tuple[Verdict, ...]:
    """One verdict for every limit, in the order of the profile."""
    known = {figure.key: figure for figure in figures}
    return tuple(
        _judge(key, known.get(key), limit, known.get(CEILING), release.ceiling)
        for key, limit in release.limits.items()
    )


def _judge(
    key: str, figure: Figure | None, limit: Limit, ceiling: Figure | None, least: float
) -> Verdict:
    is_upper = limit.upper is not None
    bar = float((limit.upper if is_upper else limit.lower) or 0.0)
    bound = None if figure is None else (figure.high if is_upper else figure.low)
    outcome, why = _decide(figure, bound, limit, bar)
    if outcome is Outcome.PASS and limit.attack:
        outcome, why = _hold_against_ceiling(ceiling, least, why)
    end, where = ("upper", "below") if is_upper else ("lower", "above")
    asked = f"the {end} 95 % bound lies {where} {bar:g}, from at least {limit.minimum}"
    value = None if figure is None else figure.value
    return Verdict(key, outcome, asked, bar, value, bound, why)


def _decide(
    figure: Figure | None, bound: float | None, limit: Limit, bar: float
) -> tuple[Outcome, str]:
    """The verdict without the ceiling."""
    sign = 1 if limit.upper is not None else -1
    if figure is None or figure.value is None:
        return Outcome.NOT_MEASURED, figure.why if figure else "no such figure was asked for"
    if (
        bound is None
        or figure.low is None
        or figure.high is None
        or (figure.high - figure.low < _NONE)
    ):
        return Outcome.INCONCLUSIVE, "the figure has no interval, or one without width"
    other = figure.low if limit.upper is not None else figure.high
    beyond_chance = figure.chance is not None and sign * other > sign * figure.chance
    if sign * figure.value >= sign * bar and (beyond_chance or sign * other >= sign * bar):
        return Outcome.FAIL, "the value is beyond the limit, and its interval beyond chance"
    size = figure.detail.get("patients", figure.n)
    if float(size) < limit.minimum:
        return Outcome.INCONCLUSIVE, f"rests on {size}, the least is {limit.minimum}"
    if sign * bound >= sign * bar:
        return Outcome.INCONCLUSIVE, "the interval reaches beyond the limit"
    return Outcome.PASS, "the bound of the interval is within the limit"


def _hold_against_ceiling(ceiling: Figure | None, least: float, why: str) -> tuple[Outcome, str]:
    """A weak attacker must never read as privacy."""
    if ceiling is None or ceiling.value is None or ceiling.low is None:
        return Outcome.INCONCLUSIVE, "the attacker's real-real ceiling was not measured"
    if ceiling.value < least:
        return Outcome.INCONCLUSIVE, f"the attacker is weak: real-real AUC under {least:g}"
    if ceiling.low <= 0.5 + (least - 0.5) / 2:
        return Outcome.INCONCLUSIVE, "the attacker's real-real ceiling is not clearly above chance"
    return Outcome.PASS, why
