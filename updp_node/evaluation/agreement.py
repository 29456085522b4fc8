"""Whether counterparts show what their sources show, as a classifier of real images sees it.

References
----------
J. Cohen, "A Coefficient of Agreement for Nominal Scales", 1960 (kappa).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.classifier import Classifier
from updp_node.evaluation.figure import Matrix, Measurements
from updp_node.evaluation.statistics import Weights, bootstrap
from updp_node.evaluation.utility import Examination, describe


def measure_agreement(
    judge: Classifier,
    test: Examination,
    counterparts: NDArray[np.uint8],
    sources: NDArray[np.intp],
    *,
    arm: str,
    seed: int,
) -> Measurements:
    """Kappa of what a classifier of real images sees with what the source's labels say.

    Its threshold gives the real test images as many positives as their labels have; the same
    threshold then reads the counterparts, so that a drift of prevalence shows.
    """
    on_real, on_counterparts = judge.score(test.images), judge.score(counterparts)
    figures, rows = [], []
    for place, finding in enumerate(test.findings):
        labels = test.labels[:, place] > 0
        limit = np.quantile(on_real[:, place], 1 - labels.mean())
        calls = on_real[:, place] > limit, on_counterparts[:, place] > limit
        told = labels[sources]
        pairs = (("real", labels, calls[0], test.patients),
                 (arm, told, calls[1], test.patients[sources]))  # fmt: skip
        for name, truth, call, patients in pairs:
            kappa = partial(_kappa, truth, call)
            value = kappa(np.ones(len(truth)))
            area = bootstrap(kappa, patients, seed=seed)
            figures.append(
                describe(f"agreement.kappa.{finding}.{name}", f"Kappa with the labels, {finding}",
                        value, area, n=len(truth), arm=name, chance=0.0)
            )  # fmt: skip
        drift = partial(_drift, calls[1], float(calls[0][np.unique(sources)].mean()))
        area = bootstrap(drift, test.patients[sources], seed=seed)
        figures.append(
            describe(f"agreement.drift.{finding}.{arm}", f"Drift of prevalence, {finding}",
                    drift(np.ones(len(told))), area, n=len(told), arm=arm, chance=0.0)
        )  # fmt: skip
        rows.append((figures[-3].value or 0.0, figures[-2].value or 0.0,
                     float(calls[0].mean()), float(calls[1].mean())))  # fmt: skip
    columns = ("kappa, real", f"kappa, {arm}", "prevalence, real", f"prevalence, {arm}")
    matrix = Matrix(f"agreement.{arm}", test.findings, columns, tuple(rows))
    return Measurements(tuple(figures), matrices=(matrix,))


def _kappa(truth: NDArray[np.bool_], call: NDArray[np.bool_], weights: Weights) -> float:
    total = weights.sum()
    agreed = weights[truth == call].sum() / total
    one, other = weights[truth].sum() / total, weights[call].sum() / total
    expected = one * other + (1 - one) * (1 - other)
    return float((agreed - expected) / (1 - expected)) if expected < 1 else float("nan")


def _drift(call: NDArray[np.bool_], before: float, weights: Weights) -> float:
    return float(weights[call].sum() / weights.sum()) - before
