"""Verification: how well an attacker tells that a counterpart and a real image are of one patient.

A positive pair is a counterpart and another real image of its patient, a negative one a
counterpart and a real image of someone else; as a second set, of someone else with the same
findings and view. The same attacker on pairs of real images is the ceiling.

References
----------
K. Packhaeuser et al., Sci Rep 2022; K. Packhaeuser et al., "Deep learning-based anonymization of
chest radiographs (PriCheXy-Net)", MICCAI 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.figure import Curve, Figure, Measurements, Section, not_measured
from updp_node.evaluation.linkage import Queries
from updp_node.evaluation.statistics import REPLICATES, Roc, interval, widen

_S = Section.IDENTITY
_MOST_NEGATIVES = 40_000
_FEWEST_PATIENTS = 5
_RATES = ((0.01, "tpr-1", "1 %"), (0.001, "tpr-01", "0.1 %"))
_TITLES = (
    ("auc", "Verification AUC", 0.5),
    *((key, f"TPR at {title} FPR", rate) for rate, key, title in _RATES),
)


@dataclass(frozen=True)
class Verification:
    """What an attacker reached on one set of pairs.

    Attributes
    ----------
    measurements : Measurements
    auc : float
        NaN where it was not measured.
    resampled : ndarray, shape (replicates,)
        AUC of every draw of patients; draws of one seed and gallery belong together.
    """

    measurements: Measurements
    auc: float
    resampled: NDArray[np.float64]


def measure_verification(
    asked: Queries,
    *,
    seed: int,
    attacker: str,
    arm: str,
    alike: NDArray[np.str_] | None = None,
) -> Verification:
    """AUC, and true-positive rate at 1 % and 0.1 % false positives, of scored pairs.

    Parameters
    ----------
    asked : Queries
        Vectors of the attacker, rows of length 1: the product is the score.
    seed : int
        Of the negatives and of the draws of patients.
    attacker : str
        ``frozen`` or ``adaptive``, or the name of an encoder.
    arm : str
        ``real``, ``counterparts`` or an arm of prompts.
    alike : ndarray of str, shape (n,), optional
        Findings and view of every gallery image: negatives only among the same.
    """
    matched = "" if alike is None else ".matched"
    stem, name = f"verification.{{}}.{attacker}.{arm}{matched}", f"{attacker} attacker"
    pairs = _pair(asked, alike, seed)
    if isinstance(pairs, str):
        missing = (not_measured(stem.format(key), _S, f"{title}, {name}", pairs, arm=arm)
                   for key, title, _ in _TITLES)  # fmt: skip
        return Verification(Measurements(tuple(missing)), float("nan"), np.full(REPLICATES, np.nan))
    query, other, same = pairs
    roc = Roc(same, np.einsum("ij,ij->i", asked.queries[query], asked.gallery[other]))
    rates = [rate for rate, _, _ in _RATES]
    values = roc.measure(rates)
    weights = _weigh(asked, query, other, same, seed)
    draws = np.array([roc.measure(rates, drawn) for drawn in weights])
    name += ", negatives of the same findings and view" if matched else ""
    make = partial(
        Figure, section=_S, n=int(same.sum()), unit="pairs", arm=arm,
        detail={"negatives": int((~same).sum()),
                "patients": len(np.unique(asked.query_patients[query[same]]))},
    )  # fmt: skip
    figures = []
    for place, (key, title, chance) in enumerate(_TITLES):
        low, high = interval(draws[:, place])
        if place:
            low, high = widen((low, high), values[place], int(same.sum()))
        figures.append(
            make(stem.format(key), name=f"{title}, {name}", value=values[place], low=low,
                 high=high, chance=chance)
        )  # fmt: skip
    curve = Curve("roc", f"{name}, {arm}", *roc.points(), "false-positive rate",
                  "true-positive rate")  # fmt: skip
    return Verification(Measurements(tuple(figures), (curve,)), values[0], draws[:, 0])


def measure_leakage(
    found: Verification, ceiling: Verification, *, attacker: str, arm: str, matched: bool = False
) -> Figure:
    """Normalized leakage: how much of what the ceiling reaches above chance is left.

    (AUC of counterparts - 0.5) / (AUC of real pairs - 0.5), 0 is none, 1 is a copy. Where both are
    matched, what the prompt tells (findings and view) is no leakage.
    """
    key = f"verification.leakage.{attacker}.{arm}{'.matched' if matched else ''}"
    name = f"Normalized leakage, {attacker} attacker"
    name += ", negatives of the same findings and view" if matched else ""
    if not np.isfinite(found.auc) or not np.isfinite(ceiling.auc):
        missing = found if not np.isfinite(found.auc) else ceiling
        return not_measured(key, _S, name, missing.measurements.figures[0].why, arm=arm)
    if ceiling.auc <= 0.5:
        why = "the attacker is no better than chance on real images"
        return not_measured(key, _S, name, why, arm=arm)
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = (found.resampled - 0.5) / np.maximum(ceiling.resampled - 0.5, 1e-3)
    pairs = found.measurements.figures[0]
    return Figure(
        key, _S, name, (found.auc - 0.5) / (ceiling.auc - 0.5), *interval(draws), n=pairs.n,
        unit=pairs.unit, chance=0.0, arm=arm,
        detail={"ceiling": ceiling.auc, "ceiling low": interval(ceiling.resampled)[0],
                "patients": pairs.detail["patients"]},
    )  # fmt: skip


Places = NDArray[np.intp]


def _pair(
    asked: Queries, alike: NDArray[np.str_] | None, seed: int
) -> tuple[Places, Places, NDArray[np.bool_]] | str:
    """Places of both members and whether they are of one patient, or why there are none."""
    rng = np.random.default_rng(seed)
    same = asked.query_patients[:, None] == asked.gallery_patients[None]
    other = ~same & asked.allow(alike)
    same[np.arange(len(same)), asked.sources] = False
    patients = len(np.unique(asked.query_patients[same.any(1)]))
    if patients < _FEWEST_PATIENTS:
        return f"only {patients} patients have a second image"
    keep = other & (rng.random(other.shape) * max(other.sum(), 1) < _MOST_NEGATIVES)
    positive, negative = np.nonzero(same), np.nonzero(keep)
    if not len(negative[0]):
        return "no other patient has the same findings and view"
    query = np.concatenate([positive[0], negative[0]])
    gallery = np.concatenate([positive[1], negative[1]])
    return query, gallery, np.arange(len(query)) < len(positive[0])


def _weigh(
    asked: Queries, query: Places, other: Places, same: NDArray[np.bool_], seed: int
) -> Iterator[NDArray[np.float64]]:
    """How often every pair occurs when patients are drawn with replacement."""
    names, owner = np.unique(asked.gallery_patients, return_inverse=True)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPLICATES)
    one = np.searchsorted(names, asked.query_patients)[query]
    two = owner[other]
    for counts in drawn.astype(np.float64):
        yield counts[one] * np.where(same, 1.0, counts[two])
