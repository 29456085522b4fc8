"""How much is trained: fixed beforehand by the budget, never by the clock.

A clock would train another network on a busy machine, and no figure would come out twice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Steps of the networks of one evaluation.

    Attributes
    ----------
    frozen, adaptive : int
        Of 64 pairs, for either attacker.
    classifier : int
        Of 64 images, for every classifier.
    width : int
        Channels of the attacker's first layer.
    """

    frozen: int
    adaptive: int
    classifier: int
    width: int = 24


EFFORTS = {
    1: Effort(60, 30, 30, 8),
    5: Effort(100, 60, 60, 16),
    15: Effort(300, 150, 150),
    30: Effort(600, 300, 250),
    60: Effort(1000, 500, 400),
}
DEFAULT_MINUTES = 60


def choose_effort(minutes: int) -> Effort:
    """The largest effort that fits into a budget of minutes on two CPU cores."""
    fitting = [budget for budget in sorted(EFFORTS) if budget <= minutes]
    return EFFORTS[fitting[-1] if fitting else min(EFFORTS)]
