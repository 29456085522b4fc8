"""Is it a radiograph? Distances of two sets of vectors as wholes; never sufficient alone.

References
----------
M. Heusel et al., arXiv 1706.08500 (Frechet distance). M. Binkowski et al., arXiv 1801.01401
(kernel distance). T. Kynkaanniemi et al., arXiv 1904.06991 (precision, recall). M. F. Naeem et
al., arXiv 2002.09797 (density, coverage).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.features import Features, measure_distances
from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.statistics import interval

_S = Section.QUALITY
_NEIGHBOURS = 5
_REPLICATES = 100
_LEAST = 20
_WHY_FEW = "fewer than 20 images in one of the sets"


def measure_quality(
    samples: Features,
    real: Features,
    *,
    seed: int,
    training: Features | None = None,
    arm: str = "counterparts",
) -> Measurements:
    """FID, KID, precision, recall, density and coverage against real images.

    Parameters
    ----------
    samples : ndarray of float32, shape (n, d)
    real : ndarray of float32, shape (m, d)
        Held-out images.
    training : ndarray of float32, optional
        The floor is FID and KID of training against held-out images; where it is absent, of two
        halves of the held-out ones.
    """
    rng = np.random.default_rng(seed)
    size = min(len(samples), len(real))
    floor_sets = _choose_floor(real, training, rng)
    figures: list[Figure] = []
    for key, name, measure in (
        ("fid", "Frechet distance", measure_fid),
        ("kid", "Kernel distance", measure_kid),
    ):
        make = partial(_resample, measure, rng=rng)
        figures += [
            make((samples, real), f"quality.{key}.{arm}", name=name, arm=arm),
            make(floor_sets, f"quality.{key}.floor", name=f"{name}, real to real", arm="real"),
        ]
    if size <= _NEIGHBOURS + 1:
        return Measurements(tuple(figures))
    named = ("precision", "recall", "density", "coverage")
    whole = measure_overlap(samples, real)
    parts = np.array([
        measure_overlap(_half(samples, rng), _half(real, rng)) for _ in range(_REPLICATES)
    ])  # fmt: skip
    for place, name in enumerate(named):
        low, high = _widen(whole[place], parts[:, place], shrink=np.sqrt(0.5))
        most = np.inf if name == "density" else 1.0
        low, high = min(max(low, 0.0), whole[place]), max(min(high, most), whole[place])
        figures.append(
            Figure(f"quality.{name}.{arm}", _S, f"{name.capitalize()} (k = 5)", whole[place], low,
                   high, n=len(samples), unit="images", arm=arm, detail={"real": len(real)})
        )  # fmt: skip
    return Measurements(tuple(figures))


def measure_fid(first: Features, second: Features) -> float:
    """Frechet distance of two sets as Gaussians."""
    one, other = first.astype(np.float64), second.astype(np.float64)
    gap = one.mean(0) - other.mean(0)
    spread_one, spread_other = (np.cov(each, rowvar=False) for each in (one, other))
    values, vectors = np.linalg.eigh(spread_one)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ spread_other @ root)
    between = np.sqrt(np.maximum(shared, 0)).sum()
    return float(gap @ gap + np.trace(spread_one) + np.trace(spread_other) - 2 * between)


def measure_kid(first: Features, second: Features) -> float:
    """Unbiased squared kernel distance; the kernel is (x.y + 1) cubed over rows of length 1."""
    one, other = first.astype(np.float64), second.astype(np.float64)
    within = 0.0
    for each in (one, other):
        alike = (each @ each.T + 1) ** 3
        within += float(alike.sum() - np.trace(alike)) / (len(each) * (len(each) - 1))
    return within - 2 * float(((one @ other.T + 1) ** 3).mean())


def measure_overlap(samples: Features, real: Features) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage with k = 5 neighbours."""
    real_radius, sample_radius = (_find_radius(each) for each in (real, samples))
    between = measure_distances(real, samples)
    inside = between <= real_radius[:, None]
    precision = inside.any(0).mean()
    recall = (between <= sample_radius[None]).any(1).mean()
    density = inside.sum(0).mean() / _NEIGHBOURS
    coverage = (between.min(1) <= real_radius).mean()
    return float(precision), float(recall), float(density), float(coverage)


def _find_radius(features: Features) -> NDArray[np.float32]:
    """Distance to the k-th neighbour, the point itself not counted."""
    k = min(_NEIGHBOURS, len(features) - 1)
    distances = measure_distances(features, features)
    np.fill_diagonal(distances, 0)
    radius: NDArray[np.float32] = np.partition(distances, k, axis=1)[:, k]
    return radius


def _choose_floor(
    real: Features, training: Features | None, rng: np.random.Generator
) -> tuple[Features, Features]:
    if training is not None:
        return training, real
    order = rng.permutation(len(real))
    return real[order[::2]], real[order[1::2]]


def _resample(
    measure: Callable[[Features, Features], float],
    sets: tuple[Features, Features],
    key: str,
    *,
    name: str,
    arm: str,
    rng: np.random.Generator,
) -> Figure:
    """Value at equal sizes, with the spread of halves of both sets."""
    size = min(len(each) for each in sets)
    if size < _LEAST:
        return not_measured(key, _S, name, _WHY_FEW, arm=arm)
    one, other = (each[rng.permutation(len(each))[:size]] for each in sets)
    value = measure(one, other)
    halves = np.array(
        [measure(_half(one, rng), _half(other, rng)) for _ in range(_REPLICATES // 2)]
    )
    low, high = _widen(value, halves, shrink=np.sqrt(0.5))
    return Figure(key, _S, name, value, low, high, n=size, unit="images", arm=arm,
                  detail={"dimension": one.shape[1]})  # fmt: skip


def _half(features: Features, rng: np.random.Generator) -> Features:
    return features[rng.permutation(len(features))[: max(len(features) // 2, _NEIGHBOURS + 1)]]


def _widen(value: float, halves: NDArray[np.float64], *, shrink: float) -> tuple[float, float]:
    """Interval about the value from the spread of halves, which is wider by the root of two."""
    low, high = interval((halves - halves.mean()) * shrink)
    return value + low, value + high
