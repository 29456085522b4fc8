"""Cross-hospital training: what a shared release gives a hospital with images of its own.

Hospital A shares S_A, hospital B has R_B and is tested on its own real images. R_A, which A would
not share, is the upper bound.

References
----------
C. Liu et al., arXiv 2604.07128 (local and shared images against local ones alone).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.classifier import Classifier, Lesson, School
from updp_node.evaluation.figure import Curve, Figure, Measurements
from updp_node.evaluation.statistics import Roc
from updp_node.evaluation.utility import Examination, compare_scores, measure_scores

SHARES = (0.1, 0.3, 1.0)
ALONE = "R_B"
_FEWEST = 20
_KEPT = (".auroc.", ".auroc-stratified.")
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Exchange:
    """What two hospitals have.

    Attributes
    ----------
    giver, taker : str
        As the report names them.
    synthetic_a, real_a, real_b : Lesson
        All for training.
    test_b : Examination
    """

    giver: str
    taker: str
    synthetic_a: Lesson
    real_a: Lesson
    real_b: Lesson
    test_b: Examination

    @property
    def key(self) -> str:
        """Of the figures."""
        return f"cross-hospital.{self.giver}.{self.taker}"


def measure_exchange(
    exchange: Exchange, school: School, *, shares: tuple[float, ...] = SHARES
) -> Measurements:
    """Five arms over growing |R_B|, tested on B's real images.

    AUROC of every arm with the whole of R_B; for every size of R_B the paired difference to R_B
    alone; curves over the sizes. All arms have the same steps: fine-tuning shares them.

    Parameters
    ----------
    exchange : Exchange
    school : School
    shares : tuple of float
        Of R_B, growing to 1; smaller sets are part of larger ones. A share of fewer than 20
        images is left out, but the last.
    """
    only = school.teach(exchange.synthetic_a).score(exchange.test_b.images)
    measured = Measurements()
    curves: dict[str, list[tuple[int, float]]] = {}
    scores: dict[str, Scores] = {}
    for size in list_sizes(len(exchange.real_b.images), shares):
        own = exchange.real_b.thin(size, school.seed)
        scores = {arm: teach().score(exchange.test_b.images)
                  for arm, teach in _list_arms(exchange, own, school).items()}  # fmt: skip
        scores["S_A"] = only
        for arm, told in scores.items():
            curves.setdefault(arm, []).append((size, _average(exchange.test_b, told)))
        measured += _compare(exchange, scores, size, school.seed)
    for arm, told in scores.items():
        measured += _describe(exchange, told, arm, school.seed)
    return measured + Measurements(curves=_draw(exchange, curves))


def list_sizes(count: int, shares: tuple[float, ...]) -> list[int]:
    """How many images of R_B each share has; too small ones are left out, but the last."""
    sizes = sorted({round(share * count) for share in shares})
    return [size for size in sizes[:-1] if size >= _FEWEST] + sizes[-1:]


def _list_arms(
    exchange: Exchange, own: Lesson, school: School
) -> dict[str, Callable[[], Classifier]]:
    return {
        ALONE: lambda: school.teach(own),
        "R_B + S_A": lambda: school.teach(own + exchange.synthetic_a),
        "R_B + R_A": lambda: school.teach(own + exchange.real_a),
        "S_A then R_B": lambda: school.teach(exchange.synthetic_a, own),
    }


def _describe(exchange: Exchange, told: Scores, arm: str, seed: int) -> Measurements:
    """AUROC of the findings on the real images of B, also within one view."""
    found = measure_scores(exchange.test_b, told, arm=arm, seed=seed, key=exchange.key)
    return Measurements(tuple(
        _name(exchange, figure)
        for figure in found.figures if any(part in figure.key for part in _KEPT)
    ))  # fmt: skip


def _compare(exchange: Exchange, scores: dict[str, Scores], size: int, seed: int) -> Measurements:
    """AUROC of every arm less that of R_B alone, of as many images of R_B."""
    figures = []
    for arm, told in scores.items():
        if arm == ALONE:
            continue
        found = compare_scores(exchange.test_b, scores[ALONE], told, arm=arm, seed=seed, size=size)
        for figure in found.figures:
            finding = figure.name.rpartition(", ")[2]
            named = replace(
                figure, key=f"{exchange.key}.difference.{size}.{finding}.{arm}",
                name=f"AUROC less that of R_B alone, {size} images, {finding}",
                detail={"images of R_B": size},
            )  # fmt: skip
            figures.append(_name(exchange, named))
    return Measurements(tuple(figures))


def _name(exchange: Exchange, figure: Figure) -> Figure:
    """Both directions have the same figures: the name tells which."""
    return replace(figure, name=f"{exchange.giver} to {exchange.taker}: {figure.name}")


def _draw(exchange: Exchange, curves: dict[str, list[tuple[int, float]]]) -> tuple[Curve, ...]:
    title = f"cross-hospital, {exchange.giver} to {exchange.taker}"
    return tuple(
        Curve(title, arm, tuple(float(x) for x, _ in points), tuple(y for _, y in points),
              "|R_B|, images", "macro AUROC on real images of B")
        for arm, points in sorted(curves.items())
    )  # fmt: skip


def _average(test: Examination, told: Scores) -> float:
    """Mean AUROC over the findings; NaN where one is never or always there."""
    areas = [Roc(test.labels[:, p] > 0, told[:, p]).auc() for p in range(len(test.findings))]
    return float(np.round(np.mean(areas), 6))
