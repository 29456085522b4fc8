"""Whether a release is still useful: classifiers trained on counterparts, tested on real images.

References
----------
C. Esteban et al., arXiv 1706.02633 (train on synthetic, test on real).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from updp_node.evaluation.classifier import Classifier, Lesson, School
from updp_node.evaluation.figure import Figure, Measurements, Section
from updp_node.evaluation.statistics import (
    Roc,
    Statistic,
    Weights,
    bootstrap,
    interval,
    resample_patients,
)

_S = Section.UTILITY
_FEWEST_TAUGHT = 20
_FEWEST_TESTED = 10
_PRECISION_DRAWS = 200
_NONE = 1e-9
NO_WIDTH = "every draw of patients gives this value: they do not tell how sure it is"
_NO_FINDING = frozenset({"No Finding", "no finding"})


@dataclass(frozen=True)
class Examination:
    """Real images of patients that no classifier was trained on.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, rows, columns)
    labels : ndarray of float32, shape (n, findings)
    patients : ndarray of str, shape (n,)
    strata : ndarray of str, shape (n,)
        View (and hospital): a stratified AUROC compares within one only.
    findings : tuple of str
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.float32]
    patients: NDArray[np.str_]
    strata: NDArray[np.str_]
    findings: tuple[str, ...]


def choose_findings(taught: list[frozenset[str]], tested: list[frozenset[str]]) -> tuple[str, ...]:
    """Findings with 20 images to learn from and 10 to be tested on, with and without each."""
    names = sorted(set().union(*taught, *tested) - _NO_FINDING)

    def enough(name: str) -> bool:
        parts = ((taught, _FEWEST_TAUGHT), (tested, _FEWEST_TESTED))
        return all(
            fewest <= sum(name in each for each in part) <= len(part) - fewest
            for part, fewest in parts
        )

    return tuple(name for name in names if enough(name))


def mark_labels(labels: list[frozenset[str]], findings: tuple[str, ...]) -> NDArray[np.float32]:
    """Labels as an array of 0 and 1, shape (images, findings)."""
    return np.array([[name in each for name in findings] for each in labels], dtype=np.float32)


def measure_utility(
    real: Lesson, synthetic: Lesson, test: Examination, school: School, *, arm: str
) -> tuple[Measurements, Classifier]:
    """Train real / synthetic / both, each tested on real images; and the classifier of the real.

    AUROC and AUPRC per finding and as a macro mean, and the paired difference to the classifier
    that was trained on real images: as many as there are counterparts, and no more steps.
    """
    size = min(len(real.images), len(synthetic.images))
    made = synthetic.thin(len(real.images), school.seed)
    shown = real if len(real.images) <= size else real.thin(size, school.seed)
    lessons = {"real": shown, arm: made, f"real and {arm}": shown + made}
    taught = {name: school.teach(lesson) for name, lesson in lessons.items()}
    scores = {name: each.score(test.images) for name, each in taught.items()}
    measured = Measurements()
    for name, told in scores.items():
        measured += measure_scores(test, told, arm=name, seed=school.seed)
        if name != "real":
            measured += compare_scores(
                test, scores["real"], told, arm=name, seed=school.seed, size=size
            )
    return measured, taught["real"]


def measure_scores(
    test: Examination, told: NDArray[np.float32], *, arm: str, seed: int, key: str = "utility"
) -> Measurements:
    """AUROC (also within strata) and AUPRC per finding, and the macro mean of AUROC."""
    figures = []
    several = len(np.unique(test.strata)) > 1
    for place, finding in enumerate(test.findings):
        positive, scores = test.labels[:, place] > 0, told[:, place]
        make = partial(describe, n=len(positive), arm=arm, detail={"positive": int(positive.sum())})
        roc = Roc(positive, scores)
        area = bootstrap(roc.auc, test.patients, seed=seed)
        figures.append(make(f"{key}.auroc.{finding}.{arm}", f"AUROC, {finding}", roc.auc(), area))
        if several:
            within = _stratify(positive, scores, test.strata)
            area = bootstrap(within, test.patients, seed=seed)
            figures.append(
                make(f"{key}.auroc-stratified.{finding}.{arm}",
                     f"AUROC within one view, {finding}", within(np.ones(len(positive))), area)
            )  # fmt: skip
        precision = partial(_precision, positive, scores)
        whole = np.ones(len(scores))
        area = bootstrap(precision, test.patients, seed=seed, replicates=_PRECISION_DRAWS)
        figures.append(
            make(f"{key}.auprc.{finding}.{arm}", f"AUPRC, {finding}", precision(whole),
                 area, chance=float(positive.mean()))
        )  # fmt: skip
    macro = _macro(test, told)
    area = bootstrap(macro, test.patients, seed=seed)
    value = macro(np.ones(len(test.labels)))
    figures.append(
        describe(f"{key}.auroc.macro.{arm}", "AUROC, macro mean", value, area, n=len(test.labels),
                arm=arm, detail={"findings": len(test.findings)})
    )  # fmt: skip
    return Measurements(tuple(figures))


def compare_scores(
    test: Examination,
    reference: NDArray[np.float32],
    told: NDArray[np.float32],
    *,
    arm: str,
    seed: int,
    size: int,
) -> Measurements:
    """Paired difference of AUROC to the classifier trained on real images, by patients."""
    parts: list[tuple[str, Statistic, Statistic]] = [
        (name, Roc(positive, reference[:, place]).auc, Roc(positive, told[:, place]).auc)
        for place, name in enumerate(test.findings)
        for positive in [test.labels[:, place] > 0]
    ]
    parts.append(("macro", _macro(test, reference), _macro(test, told)))
    draws = resample_patients(test.patients, seed=seed)
    whole = np.ones(len(test.labels))
    figures = []
    for name, one, other in parts:
        values = np.array([other(weights) - one(weights) for weights in draws])
        figures.append(
            describe(f"utility.difference.{name}.{arm}", f"AUROC less that of real, {name}",
                    other(whole) - one(whole), interval(values), n=len(whole), arm=arm,
                    chance=0.0, detail={"images trained on": size})
        )  # fmt: skip
    return Measurements(tuple(figures))


def describe(
    key: str,
    name: str,
    value: float,
    area: tuple[float, float],
    *,
    n: int,
    arm: str,
    chance: float = 0.5,
    detail: dict[str, float | int | str] | None = None,
) -> Figure:
    """A figure over images, or the reason when the draw allowed no value or no interval."""
    if not np.isfinite([value, *area]).all():
        why = "too few images with and without the finding"
        return Figure(key, _S, name, None, arm=arm, why=why)
    make = partial(Figure, key, _S, name, value, n=n, unit="images", chance=chance, arm=arm,
                   detail=detail or {})  # fmt: skip
    if area[1] - area[0] < _NONE:
        return make(why=NO_WIDTH)
    return make(low=min(area[0], value), high=max(area[1], value))


def _stratify(
    positive: NDArray[np.bool_], scores: NDArray[Any], strata: NDArray[np.str_]
) -> Statistic:
    """AUROC over the pairs of one stratum only."""
    masks = [strata == name for name in np.unique(strata)]
    parts = [(mask, Roc(positive[mask], scores[mask])) for mask in masks]

    def area(weights: Weights) -> float:
        total, pairs = 0.0, 0.0
        for mask, roc in parts:
            drawn = weights[mask]
            count = drawn[positive[mask]].sum() * drawn[~positive[mask]].sum()
            if count:
                total, pairs = total + roc.auc(drawn) * count, pairs + count
        return total / pairs if pairs else float("nan")

    return area


def _precision(positive: NDArray[np.bool_], scores: NDArray[Any], weights: Weights) -> float:
    if not weights[positive].sum():
        return float("nan")
    return float(average_precision_score(positive, scores, sample_weight=weights))


def _macro(test: Examination, told: NDArray[np.float32]) -> Statistic:
    """Mean AUROC over the findings."""
    rocs = [Roc(test.labels[:, p] > 0, told[:, p]) for p in range(len(test.findings))]
    return lambda weights: float(np.mean([roc.auc(weights) for roc in rocs]))
