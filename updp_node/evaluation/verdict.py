"""What a release gate says of one figure, and of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Whether a limit is kept. Everything but `PASS` fails the gate."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit of a profile held against one figure.

    Attributes
    ----------
    key : str
        Of the figure.
    outcome : Outcome
    asked : str
        The rule in words: ``the upper 95 % bound lies below 0.2``.
    limit : float
        What the profile declares.
    value : float or None
        Of the figure.
    bound : float or None
        The end of its interval that the rule looks at.
    why : str
        What the outcome rests on; for anything but a pass, what is missing.
    """

    key: str
    outcome: Outcome
    asked: str
    limit: float
    value: float | None
    bound: float | None
    why: str = ""


def decide(verdicts: Sequence[Verdict]) -> Outcome:
    """The gate's outcome: the worst of all limits; without limits nothing is decided.

    A crossed limit weighs most, then one that could not be decided.
    """
    outcomes = {verdict.outcome for verdict in verdicts}
    for worst in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_MEASURED):
        if worst in outcomes:
            return worst
    return Outcome.PASS if outcomes else Outcome.NOT_MEASURED
