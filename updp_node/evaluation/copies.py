"""Does a generator copy its training set? Distances of samples to what it saw and did not see.

T are training images, H held-out real images of other patients, S synthetic images; d is the
Euclidean distance of vectors of length 1.

References
----------
A. Yale et al., "Generation and evaluation of privacy preserving synthetic health data",
Neurocomputing 2020 (nearest-neighbour adversarial accuracy). S. U. H. Dar et al., Nat Biomed Eng
2025 (copies and memorized images by a threshold from real held-out images).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.features import Features, measure_distances
from updp_node.evaluation.figure import Figure, Histogram, Measurements, Section, not_measured
from updp_node.evaluation.statistics import (
    REPLICATES,
    Statistic,
    Weights,
    bootstrap,
    clopper_pearson,
    interval,
    resample_patients,
    share,
)

_S = Section.COPIES
_DRAWS = 50
_RESAMPLES = 40
_IDENTICAL = 1e-3
_LIMIT = 0.95
Distances = NDArray[np.float32]


@dataclass(frozen=True)
class Nearness:
    """Everything by its nearest: features of T, H and S and the patients S was made for.

    Attributes
    ----------
    training, held_out, samples : ndarray of float32
        Rows of length 1.
    sample_patients : ndarray of str
        Whose counterpart each sample is; the sample itself where that is not known.
    """

    training: Features
    held_out: Features
    samples: Features
    sample_patients: NDArray[np.str_]


def measure_copies(sets: Nearness, *, seed: int) -> Measurements:
    """DCR share, NNDR, NNAA, and counted copies; with histograms of the nearest distances."""
    to_training = measure_distances(sets.samples, sets.training)
    to_held_out = measure_distances(sets.samples, sets.held_out)
    figures = (
        measure_dcr(to_training, to_held_out, sets.sample_patients, seed=seed),
        *measure_nndr(to_training, to_held_out, sets.sample_patients, seed=seed),
        *measure_nnaa(sets, seed=seed),
        *count_copies(sets, seed=seed),
    )
    return Measurements(figures, histograms=_draw_histograms(to_training, to_held_out, sets))


def measure_dcr(
    to_training: Distances, to_held_out: Distances, patients: NDArray[np.str_], *, seed: int
) -> Figure:
    """Share of samples nearer to training than to held-out images, with as many of either.

    Parameters
    ----------
    to_training, to_held_out : ndarray, shape (samples, n)
        Distances. The larger set is thinned to the size of the smaller, fifty times.
    """
    rng = np.random.default_rng(seed)
    size = min(to_training.shape[1], to_held_out.shape[1])
    nearer = np.zeros(len(to_training))
    for _ in range(_DRAWS):
        of_training = _thin(to_training, size, rng).min(1)
        of_held_out = _thin(to_held_out, size, rng).min(1)
        nearer += (of_training < of_held_out) + 0.5 * (of_training == of_held_out)
    nearer /= _DRAWS
    value, low, high = share(nearer, patients, seed=seed)
    return Figure(
        "copies.dcr", _S, "Share of samples nearer to training than to held-out images",
        value, low, high, n=len(nearer), unit="samples", chance=0.5,
        detail={"training": to_training.shape[1], "held_out": to_held_out.shape[1],
                "compared": size},
    )  # fmt: skip


def _thin(distances: Distances, size: int, rng: np.random.Generator) -> Distances:
    if distances.shape[1] == size:
        return distances
    return distances[:, rng.choice(distances.shape[1], size, replace=False)]


def measure_nndr(
    to_training: Distances, to_held_out: Distances, patients: NDArray[np.str_], *, seed: int
) -> list[Figure]:
    """Median ratio of the nearest to the second nearest distance; near 0 is a near-copy."""
    figures = []
    for key, title, distances in (
        ("training", "training", to_training),
        ("held-out", "held-out", to_held_out),
    ):
        if distances.shape[1] < 2:
            continue
        nearest = np.partition(distances, 1, axis=1)[:, :2]
        ratio = nearest[:, 0] / np.maximum(nearest[:, 1], 1e-9)
        low, high = bootstrap(_weighted_median(ratio), patients, seed=seed)
        figures.append(
            Figure(f"copies.nndr.{key}", _S, f"Nearest over second nearest {title} image, median",
                   float(np.median(ratio)), low, high, n=len(ratio), unit="samples",
                   detail={"5th percentile": float(np.quantile(ratio, 0.05))})
        )  # fmt: skip
    return figures


def _weighted_median(values: NDArray[Any]) -> Statistic:
    order = np.argsort(values)
    ordered = values[order]

    def median(weights: Weights) -> float:
        sums = weights[order].cumsum()
        return float(ordered[np.searchsorted(sums, sums[-1] / 2)])

    return median


def measure_nnaa(sets: Nearness, *, seed: int) -> list[Figure]:
    """Nearest-neighbour adversarial accuracy against T and H, and the privacy loss between.

    An accuracy of 0.5 cannot tell samples from real images, 0 is a copy, 1 is another world;
    privacy loss = accuracy against H - accuracy against T, 0 without copying.
    """
    rng = np.random.default_rng(seed)
    size = min(len(sets.training), len(sets.held_out), len(sets.samples))
    if size < 2:
        why = "fewer than two images in one of the sets"
        keys = ("nnaa.training", "nnaa.held-out", "privacy-loss")
        return [not_measured(f"copies.{key}", _S, key, why) for key in keys]
    of_training, of_held_out = (
        np.array([_tell_apart(real, sets.samples, size, rng) for _ in range(_DRAWS)])
        for real in (sets.training, sets.held_out)
    )
    named = (
        ("nnaa.training", "Adversarial accuracy against training images", of_training, 0.5),
        ("nnaa.held-out", "Adversarial accuracy against held-out images", of_held_out, 0.5),
        ("privacy-loss", "Privacy loss (the difference of both)", of_held_out - of_training, 0.0),
    )
    return [
        Figure(f"copies.{key}", _S, name, float(values[:, 0].mean()), *interval(values.ravel()),
               n=2 * size, unit="images", chance=chance)
        for key, name, values, chance in named
    ]  # fmt: skip


def _tell_apart(
    real: Features, samples: Features, size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Accuracy of one thinning, first as it is and then resampled."""
    one = real[rng.permutation(len(real))[:size]]
    other = samples[rng.permutation(len(samples))[:size]]
    between = measure_distances(one, other)
    apart = [between.min(axis) > _nearest_within(each) for axis, each in ((1, one), (0, other))]
    drawn = rng.integers(0, size, (2, _RESAMPLES, size))
    resampled = (apart[0][drawn[0]].mean(1) + apart[1][drawn[1]].mean(1)) / 2
    return np.concatenate([[(apart[0].mean() + apart[1].mean()) / 2], resampled])


def _nearest_within(features: Features) -> Distances:
    distances = measure_distances(features, features)
    np.fill_diagonal(distances, np.inf)
    nearest: Distances = distances.min(1)
    return nearest


def count_copies(sets: Nearness, *, seed: int) -> list[Figure]:
    """Samples that are nearer to training than all but 5 % of held-out images are.

    N_copies counts samples, N_mem training images; identical ones are counted in the detail.
    The intervals resample the samples and the held-out images, which set the limit.
    """
    similarity = sets.samples @ sets.training.T
    held_out = (sets.held_out @ sets.training.T).max(1)
    limit = float(np.quantile(held_out, _LIMIT))
    identical = int((similarity.max(1) > 1 - _IDENTICAL**2 / 2).sum())
    title = "of which the nearest is nearer than for 95 % of held-out images"
    own = np.arange(len(sets.training)).astype(str)
    parts = (
        ("n-copies", f"Samples {title}", similarity.max(1), sets.sample_patients, 0.05),
        ("n-mem", f"Training images {title}", similarity.max(0), own, None),
    )
    rng = np.random.default_rng(seed)
    limits = np.quantile(rng.choice(held_out, (REPLICATES, len(held_out))), _LIMIT, axis=1)
    figures = []
    for key, name, best, patients, chance in parts:
        draws = resample_patients(patients, seed=seed)
        resampled = (draws * (best[None] > limits[:, None])).sum(1) / draws.sum(1)
        value = float((best > limit).mean())
        low, high = interval(resampled)
        exact = clopper_pearson(int((best > limit).sum()), len(best))
        figures.append(
            Figure(f"copies.{key}", _S, name, value, min(low, exact[0]), max(high, exact[1]),
                   n=len(best), unit="samples" if key == "n-copies" else "training images",
                   chance=chance, detail={"count": int((best > limit).sum()),
                                          "identical samples": identical,
                                          "similarity limit": limit})
        )  # fmt: skip
    return figures


def find_closest(sets: Nearness, count: int = 10) -> list[tuple[int, int, float]]:
    """The closest pairs of a sample and a training image: places and distance."""
    distances = measure_distances(sets.samples, sets.training)
    partners = distances.argmin(1)
    nearest = distances[np.arange(len(distances)), partners]
    order = np.argsort(nearest, kind="stable")[:count]
    return [(int(s), int(partners[s]), float(nearest[s])) for s in order]


def _draw_histograms(
    to_training: Distances, to_held_out: Distances, sets: Nearness
) -> tuple[Histogram, ...]:
    """Nearest distances: samples to T, samples to H, and real held-out images to T."""
    real = measure_distances(sets.held_out, sets.training)
    rows = (
        ("samples to training", to_training.min(1)),
        ("samples to held-out", to_held_out.min(1)),
        ("held-out to training", real.min(1)),
    )
    most = max(float(values.max()) for _, values in rows)
    edges = np.linspace(0, most + 1e-6, 31)
    return tuple(
        Histogram("nearest", label, tuple(map(float, edges)),
                  tuple(map(int, np.histogram(values, edges)[0])), "distance to the nearest")
        for label, values in rows
    )  # fmt: skip
