"""When a destination is tried again."""

from __future__ import annotations

from collections.abc import Callable

_DOUBLINGS = 60  # beyond, 2**n says nothing that the cap does not


def delay_s(attempt: int, *, base: float, cap: float, jitter: Callable[[], float]) -> float:
    """Seconds to wait after a failed attempt: exponential, with full jitter.

    Parameters
    ----------
    attempt : int
        Attempts that have failed so far; 1 after the first.
    base : float
        Longest wait after the first failure, in seconds.
    cap : float
        Longest wait at all, in seconds.
    jitter : callable
        A random number in [0, 1); `random.random` outside of tests. It keeps many studies
        from coming back to a restarted peer at one moment.
    """
    if attempt < 1:
        raise ValueError("the first failed attempt is attempt 1")
    return float(jitter() * min(cap, base * 2.0 ** min(attempt - 1, _DOUBLINGS)))
