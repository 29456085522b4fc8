"""Areas under the curve with intervals by patient, for the figures of the model card."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


def area(scores: NDArray[np.floating], labels: NDArray[np.bool_]) -> float:
    """Area under the receiver operating curve (Mann-Whitney; ties count half)."""
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def bootstrap(
    figure: Callable[[NDArray[np.intp]], float], patients: Sequence[str], *, draws: int = 500
) -> tuple[float, float]:
    """95 % interval of a figure of image numbers, patients drawn with replacement."""
    generator = np.random.default_rng(0)
    groups: dict[str, list[int]] = {}
    for index, patient in enumerate(patients):
        groups.setdefault(patient, []).append(index)
    members = [np.array(group) for group in groups.values()]
    values = []
    for _ in range(draws):
        picks = generator.integers(0, len(members), len(members))
        values.append(figure(np.concatenate([members[i] for i in picks])))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return round(float(low), 3), round(float(high), 3)


def describe_area(
    scores: NDArray[np.floating], labels: NDArray[np.bool_], patients: Sequence[str]
) -> dict[str, object]:
    """Area with interval, n, and how many are positive."""
    low, high = bootstrap(lambda chosen: area(scores[chosen], labels[chosen]), patients)
    return {
        "auroc": round(area(scores, labels), 3),
        "auroc_95": [low, high],
        "images": len(labels),
        "positive": int(labels.sum()),
        "patients": len(set(patients)),
    }
