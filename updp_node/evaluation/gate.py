"""The release gate: non-inferiority with a stated limit, never the absence of significance.

A leakage figure passes when its upper 95 % bound lies below the limit, it rests on enough
patients or images, and the same attacker's real-real ceiling is high. It fails when the value lies
beyond the limit and its interval beyond chance. All else is inconclusive, and that fails too.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from updp_node.errors import ConfigError
from updp_node.evaluation.figure import Figure
from updp_node.evaluation.verdict import Outcome, Verdict

CEILING = "verification.auc.frozen.real"


class Limit(BaseModel):
    """One limit: exactly one of `upper` and `lower`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upper: float | None = None
    lower: float | None = None
    minimum: Annotated[int, Field(ge=1)] = 30
    attack: bool = False

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.upper is None) == (self.lower is None):
            raise ValueError("name one of upper and lower")
        return self


DEFAULT_LIMITS: dict[str, Limit] = {
    "verification.leakage.frozen.counterparts": Limit(upper=0.2, attack=True),
    "verification.leakage.adaptive.counterparts": Limit(upper=0.2, attack=True),
    "linkage.frozen.lift.counterparts": Limit(upper=2.0, attack=True),
    "linkage.adaptive.lift.counterparts": Limit(upper=2.0, attack=True),
    "copies.dcr": Limit(upper=0.60),
    "utility.difference.macro.counterparts": Limit(lower=-0.05),
}


class Release(BaseModel):
    """Limits of a release by the key of the figure.

    Attributes
    ----------
    ceiling : float
        Least AUC of the attacker on real pairs, with its lower bound: a weaker one shows nothing.
    limits : dict of str to Limit
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ceiling: Annotated[float, Field(gt=0.5, lt=1)] = 0.80
    limits: dict[str, Limit] = Field(default_factory=lambda: dict(DEFAULT_LIMITS))


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
    if bound is None or figure.low is None or figure.high is None:
        return Outcome.INCONCLUSIVE, "the figure has no interval"
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
