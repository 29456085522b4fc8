"""Intervals and rates: everything is resampled by patient, because images of one are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Weights = NDArray[np.float64]
Statistic = Callable[[Weights], float]

REPLICATES = 1000
LEVEL = 0.95


def resample_patients(
    patients: NDArray[np.str_], *, seed: int, replicates: int = REPLICATES
) -> NDArray[np.float64]:
    """How often each image is drawn when its patients are drawn with replacement.

    Parameters
    ----------
    patients : ndarray of str, shape (n,)
        Patient of every image.

    Returns
    -------
    ndarray of float64, shape (replicates, n)
    """
    names, owner = np.unique(patients, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=replicates)
    return drawn[:, owner].astype(np.float64)


def bootstrap(
    statistic: Statistic,
    patients: NDArray[np.str_],
    *,
    seed: int,
    replicates: int = REPLICATES,
) -> tuple[float, float]:
    """95 % percentile interval of a weighted statistic under resampling of patients.

    Parameters
    ----------
    statistic : callable
        From weights, one per image, to a value; NaN where the draw allows none.
    patients : ndarray of str, shape (n,)

    Returns
    -------
    low, high : float
        NaN where hardly any draw allowed a value.
    """
    draws = resample_patients(patients, seed=seed, replicates=replicates)
    values = np.array([statistic(weights) for weights in draws])
    return interval(values)


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Middle 95 % of bootstrap values; NaN when fewer than half are numbers."""
    valid = values[np.isfinite(values)]
    if len(valid) < max(len(values) // 2, 1):
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(valid, [tail, 1 - tail])
    return float(low), float(high)


def weighted_mean(values: NDArray[Any]) -> Statistic:
    """The mean of values as a statistic of weights."""

    def mean(weights: Weights) -> float:
        total = weights.sum()
        return float(weights @ values / total) if total else float("nan")

    return mean


def share(
    hits: NDArray[Any], patients: NDArray[np.str_], *, seed: int
) -> tuple[float, float, float]:
    """A share with its interval: the wider of patients resampled and of Clopper-Pearson.

    Resampling alone would call no hit among few images certainly none.

    Parameters
    ----------
    hits : ndarray, shape (n,)
        0 to 1 each.
    """
    area = bootstrap(weighted_mean(np.asarray(hits, dtype=float)), patients, seed=seed)
    return float(np.mean(hits)), *widen(area, float(np.mean(hits)), len(hits))


def widen(area: tuple[float, float], value: float, trials: int) -> tuple[float, float]:
    """An interval that also holds Clopper-Pearson's for as many trials, and the value."""
    exact = clopper_pearson(round(value * trials), trials)
    return min(area[0], exact[0], value), max(area[1], exact[1], value)


def tell_size(sizes: NDArray[Any]) -> int | float:
    """The mean of sizes: a whole number where it is one."""
    mean = float(np.mean(sizes))
    return int(mean) if mean.is_integer() else mean


def clopper_pearson(hits: int, trials: int) -> tuple[float, float]:
    """Exact 95 % interval of a share."""
    found = stats.binomtest(hits, trials).proportion_ci(LEVEL, method="exact")
    return float(found.low), float(found.high)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    found = stats.binomtest(hits, trials).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


class Roc:
    """A receiver operating characteristic of scores that may be weighed again and again.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    scores : ndarray of float, shape (n,)
        Higher says positive; ties count half.
    """

    def __init__(self, positive: NDArray[np.bool_], scores: NDArray[Any]) -> None:
        levels, place = np.unique(np.asarray(scores, dtype=float), return_inverse=True)
        self._levels = len(levels)
        self._place = (place[positive], place[~positive])
        self._positive = positive

    def auc(self, weights: Weights | None = None) -> float:
        """Area under the curve; NaN without both classes."""
        return self.measure((), weights)[0]

    def sensitivity(self, alarm_rate: float, weights: Weights | None = None) -> float:
        """True-positive rate at the strictest threshold that keeps a false-positive rate."""
        return self.measure((alarm_rate,), weights)[1]

    def measure(
        self, alarm_rates: Sequence[float], weights: Weights | None = None
    ) -> tuple[float, ...]:
        """Area under the curve, and the true-positive rate at each false-positive rate."""
        hits, alarms = self._count(weights)
        positive, negative = hits.sum(), alarms.sum()
        if not positive or not negative:
            return (float("nan"),) * (1 + len(alarm_rates))
        below = alarms.cumsum()
        area = float(hits @ (below - alarms / 2) / (positive * negative))
        above = (negative - below + alarms) / negative
        rates = (float(hits[above <= rate + 1e-12].sum() / positive) for rate in alarm_rates)
        return (area, *rates)

    def accuracy(self, weights: Weights | None = None) -> float:
        """Best balanced accuracy over all thresholds; NaN without both classes."""
        hits, alarms = self._count(weights)
        if not hits.sum() or not alarms.sum():
            return float("nan")
        above = hits[::-1].cumsum()[::-1] / hits.sum(), alarms[::-1].cumsum()[::-1] / alarms.sum()
        return max(0.5, float(((1 + above[0] - above[1]) / 2).max()))

    def points(self, most: int = 200) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """False- and true-positive rates from (0, 0) to (1, 1)."""
        hits, alarms = self._count(None)
        x = np.concatenate([[0.0], (alarms[::-1].cumsum() / alarms.sum())])
        y = np.concatenate([[0.0], (hits[::-1].cumsum() / hits.sum())])
        chosen = np.unique(np.linspace(0, len(x) - 1, most).astype(int))
        return tuple(map(float, x[chosen])), tuple(map(float, y[chosen]))

    def _count(self, weights: Weights | None) -> tuple[NDArray[Any], NDArray[Any]]:
        if weights is None:
            hits = np.bincount(self._place[0], minlength=self._levels)
            return hits, np.bincount(self._place[1], minlength=self._levels)
        hits = np.bincount(self._place[0], weights[self._positive], self._levels)
        return hits, np.bincount(self._place[1], weights[~self._positive], self._levels)
