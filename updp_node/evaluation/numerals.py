"""Numbers as a person reads them: the same in tables, plots and sentences."""

from __future__ import annotations


def say(value: float | int | None) -> str:
    """A count in full; anything else with three decimals, or two digits where it is smaller.

    >>> say(1234), say(0.87654), say(1 / 3000), say(54.2), say(None)
    ('1,234', '0.877', '0.00033', '54.20', 'not measured')
    """
    if value is None:
        return "not measured"
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    size = abs(value)
    if 0 < size < 0.001:
        return f"{value:.2g}".replace("-", "−", value < 0)
    decimals = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def say_interval(low: float | int | None, high: float | int | None) -> str:
    """An interval in a sentence; empty where there is none."""
    if low is None or high is None:
        return ""
    return f"95 % interval {say(low)} to {say(high)}"
