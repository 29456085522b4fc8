"""Ratios of sums over texts, with intervals that draw whole texts: tokens of one text are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.statistics import REPLICATES, clopper_pearson, interval

Table = NDArray[np.float64]
_CHUNK = 50


def estimate(
    table: Table, statistic: Callable[[Table], Table], *, seed: int
) -> tuple[float, float, float]:
    """A statistic of column sums, with the 95 % interval of drawing texts with replacement.

    Parameters
    ----------
    table : ndarray of float64, shape (texts, k)
        Counts of each text.
    statistic : callable
        From sums, shape (m, k), to values, shape (m,); NaN where a sum allows none.

    Returns
    -------
    value, low, high : float
        NaN where there is none.
    """
    rng = np.random.default_rng(seed)
    value = float(statistic(table.sum(axis=0, keepdims=True))[0])
    size = len(table)
    parts = []
    for _ in range(0, REPLICATES, _CHUNK):
        draws = rng.multinomial(size, np.full(size, 1 / size), size=_CHUNK)
        parts.append(statistic(draws @ table))
    low, high = interval(np.concatenate(parts))
    return value, min(low, value), max(high, value)


def estimate_share(hits: Table, trials: Table, *, seed: int) -> tuple[float, float, float]:
    """A share of counts: the wider of texts drawn again and of the exact interval."""
    value, low, high = estimate(np.stack([hits, trials], axis=1), divide, seed=seed)
    exact = clopper_pearson(round(float(hits.sum())), round(float(trials.sum())))
    if not np.isfinite([low, high]).all():
        return value, *exact
    return value, min(low, exact[0]), max(high, exact[1])


def divide(sums: Table) -> Table:
    """First column over the second."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient: Table = sums[:, 0] / sums[:, 1]
    return quotient


def estimate_f1(table: Table, *, seed: int) -> tuple[float, float, float]:
    """F1 of counts: the wider of texts drawn again and of both exact intervals together.

    Parameters
    ----------
    table : ndarray of float64, shape (texts, 4)
        Hits and all of what is wanted (recall); hits and all of what was found (precision).
    """
    sums = [round(float(each)) for each in table.sum(axis=0)]
    if not sums[3]:  # nothing was found, so nothing is right
        return 0.0, 0.0, clopper_pearson(*sums[:2])[1]
    value, low, high = estimate(table, harmonize, seed=seed)
    recall, precision = clopper_pearson(*sums[:2]), clopper_pearson(*sums[2:])
    ends = harmonize(np.array([[recall[end], 1.0, precision[end], 1.0] for end in (0, 1)]))
    low, high = np.fmin(low, ends[0]), np.fmax(high, ends[1])
    return value, float(low), float(high)


def harmonize(sums: Table) -> Table:
    """F1 of recall (first over second column) and precision (third over fourth); 0 without hits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        recall, precision = sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]
        mean: Table = 2 * recall * precision / (recall + precision)
    mean[(recall == 0) & (precision == 0)] = 0.0
    return mean
