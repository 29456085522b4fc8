"""Cross-hospital training: what a shared release gives a hospital with images of its own.

Hospital A shares S_A, hospital B has R_B and is tested on its own real images. R_A, which A would
not share, is the upper bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from updp_node.evaluation.classifier import Classifier, Lesson, School
from updp_node.evaluation.figure import Curve, Measurements
from updp_node.evaluation.utility import Examination, measure_scores

SHARES = (0.1, 0.3, 1.0)


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


def measure_exchange(
    exchange: Exchange, school: School, *, shares: tuple[float, ...] = SHARES
) -> Measurements:
    """Five arms over growing |R_B|, tested on B's real images.

    Figures hold the largest |R_B|; the curves hold all.
    """
    key = f"cross-hospital.{exchange.giver}.{exchange.taker}"
    alone = _test(school.teach(exchange.synthetic_a), exchange, f"{key}.S_A", school)
    measured, curves = alone, dict[str, list[tuple[int, float]]]()
    for share in shares:
        own = exchange.real_b.thin(round(share * len(exchange.real_b.images)), school.seed)
        for arm, teach in _list_arms(exchange, own, school).items():
            found = _test(teach(), exchange, f"{key}.{arm}", school)
            points = curves.setdefault(arm, [])
            points.append((len(own.images), _read_macro(found)))
            measured += found if share == shares[-1] else Measurements()
    curves["S_A"] = [(size, _read_macro(alone)) for size, _ in curves["R_B"]]
    title = f"cross-hospital, {exchange.giver} to {exchange.taker}"
    drawn = tuple(
        Curve(title, arm, tuple(float(x) for x, _ in points), tuple(y for _, y in points),
              "|R_B|, images", "macro AUROC on real images of B")
        for arm, points in sorted(curves.items())
    )  # fmt: skip
    return measured + Measurements(curves=drawn)


def _list_arms(
    exchange: Exchange, own: Lesson, school: School
) -> dict[str, Callable[[], Classifier]]:
    return {
        "R_B": lambda: school.teach(own),
        "R_B + S_A": lambda: school.teach(own + exchange.synthetic_a),
        "R_B + R_A": lambda: school.teach(own + exchange.real_a),
        "S_A then R_B": lambda: school.teach(exchange.synthetic_a, own),
    }


def _test(taught: Classifier, exchange: Exchange, key: str, school: School) -> Measurements:
    """AUROC of the findings on the real images of B."""
    told = taught.score(exchange.test_b.images)
    arm = key.rpartition(".")[2]
    found = measure_scores(
        exchange.test_b, told, arm=arm, seed=school.seed, key=key.rpartition(".")[0]
    )
    kept = tuple(figure for figure in found.figures if ".auroc." in figure.key)
    return Measurements(kept)


def _read_macro(found: Measurements) -> float:
    value = next(each.value for each in found.figures if ".auroc.macro." in each.key)
    return float("nan") if value is None else float(np.round(value, 6))
