"""Recall at a rank in galleries of any size, exactly: no gallery is drawn by lot.

The own item of a query stands behind ``nearer`` others of its gallery. In a gallery of N items
drawn from the whole one, with the own among them, so many nearer ones are drawn as the
hypergeometric distribution says; those that are as near stand before or behind it by lot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.statistics import share, tell_size

RANKS = (1, 5)
SIZES = (100, 1000, None)
"""Galleries that linkage is told for; None is all there is."""
Counts = NDArray[np.intp]


@dataclass(frozen=True)
class Standing:
    """Where the own item of every query stands.

    Attributes
    ----------
    nearer, tied : ndarray of int, shape (q,)
        Others of the gallery that are nearer than the own one, or as near.
    sizes : ndarray of int, shape (q,)
        Of each query's gallery, with its own.
    """

    nearer: Counts
    tied: Counts
    sizes: Counts


def stand(similarity: NDArray[np.float64], own: Counts) -> Standing:
    """Where each query's own item stands, by similarity; minus infinity is not in the gallery."""
    mine = similarity[np.arange(len(similarity)), own][:, None]
    return Standing(
        (similarity > mine).sum(1),
        (similarity == mine).sum(1) - 1,
        np.isfinite(similarity).sum(1),
    )


def recall(standing: Standing, rank: int, among: int | None) -> NDArray[np.float64]:
    """Probability that each query's own item is within a rank; NaN where too few are there."""
    found = np.full(len(standing.sizes), np.nan)
    for size in np.unique(standing.sizes):
        drawn = int(size) if among is None else among
        if drawn > size:
            continue
        chosen = standing.sizes == size
        within = stats.hypergeom.cdf(rank - 1, size - 1, np.arange(size), drawn - 1)
        summed = np.concatenate([[0.0], np.cumsum(within)])
        first = standing.nearer[chosen]
        last = first + standing.tied[chosen] + 1
        found[chosen] = (summed[last] - summed[first]) / (last - first)
    held: NDArray[np.float64] = np.clip(found, 0.0, 1.0)
    return held


def measure_recall(
    standing: Standing, patients: NDArray[np.str_], *, section: Section, key: str, name: str,
    arm: str, unit: str, seed: int,
) -> Measurements:  # fmt: skip
    """Recall@1 and @5 among 100, among 1,000 and among all.

    Parameters
    ----------
    standing : Standing
    patients : ndarray of str, shape (q,)
        Whom each query belongs to: intervals draw them.
    key, name : str
        Of the figures, without rank and size.
    """
    figures = []
    for among, rank in product(SIZES, RANKS):
        said = "all" if among is None else f"{among:,}"
        figures.append(
            _describe(
                recall(standing, rank, among), standing, patients,
                among=among, rank=rank, seed=seed,
                make=partial(Figure, f"{key}.recall{rank}.{among or 'all'}.{arm}", section,
                             f"{name}, Recall@{rank} among {said}", arm=arm, unit=unit),
            )
        )  # fmt: skip
    return Measurements(tuple(figures))


def not_linked(
    section: Section, key: str, name: str, arms: Sequence[str], why: str
) -> Measurements:
    """The same figures where they could not be had, as one for each arm."""
    return Measurements(tuple(
        not_measured(f"{key}.recall1.all.{arm}", section, f"{name}, Recall@1 and @5", why, arm=arm)
        for arm in arms
    ))  # fmt: skip


def _describe(
    hits: NDArray[np.float64], standing: Standing, patients: NDArray[np.str_], *,
    among: int | None, rank: int, seed: int, make: Callable[..., Figure],
) -> Figure:  # fmt: skip
    there = np.isfinite(hits) & (standing.sizes > 1)
    if not there.any():
        most = int(standing.sizes.max(initial=0))
        return make(value=None, why=f"the gallery holds only {most}")
    value, low, high = share(hits[there], patients[there], seed=seed)
    sizes = standing.sizes[there] if among is None else np.full(int(there.sum()), among)
    return make(
        value=value, low=low, high=high, n=int(there.sum()),
        chance=float(np.minimum(rank / sizes, 1).mean()),
        detail={"gallery": tell_size(sizes), "patients": len(np.unique(patients[there]))},
    )  # fmt: skip
