"""Waiting between attempts."""

from __future__ import annotations

import pytest

from updp_node.forward import delay_s


def test_the_longest_wait_doubles_up_to_the_cap() -> None:
    waits = [delay_s(attempt, base=5, cap=60, jitter=lambda: 1.0) for attempt in range(1, 7)]
    assert waits == [5, 10, 20, 40, 60, 60]


def test_jitter_spreads_the_wait_from_nothing_to_the_longest() -> None:
    assert delay_s(3, base=5, cap=60, jitter=lambda: 0.0) == 0
    assert delay_s(3, base=5, cap=60, jitter=lambda: 0.25) == 5


def test_a_thousandth_attempt_waits_the_cap() -> None:
    assert delay_s(1000, base=5, cap=600, jitter=lambda: 1.0) == 600


def test_attempts_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="attempt 1"):
        delay_s(0, base=5, cap=600, jitter=lambda: 1.0)
