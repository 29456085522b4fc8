"""Utility and agreement with known answers: labels that are right, noisy, or drawn by lot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from tests.factories.radiographs import draw
from updp_node.evaluation.agreement import measure_agreement
from updp_node.evaluation.classifier import Lesson, School
from updp_node.evaluation.effort import EFFORTS, choose_effort
from updp_node.evaluation.figure import Figure, Measurements
from updp_node.evaluation.utility import (
    NO_WIDTH,
    Examination,
    choose_findings,
    compare_scores,
    measure_scores,
)

COUNT = 200


def get(measured: Measurements, key: str) -> Figure:
    return next(each for each in measured.figures if each.key == key)


def examination(noise: float = 0.0) -> tuple[Examination, NDArray[np.bool_]]:
    """Labels of which a share is drawn by lot, and what is true."""
    rng = np.random.default_rng(0)
    truth = rng.random(COUNT) < 0.4
    told = np.where(rng.random(COUNT) < noise, rng.random(COUNT) < 0.4, truth)
    patients = np.repeat(np.arange(COUNT // 2), 2).astype(str)
    views = np.where(rng.random(COUNT) < 0.5, "PA", "AP")
    images = np.zeros((COUNT, 8, 8), dtype=np.uint8)
    labels = told.astype(np.float32)[:, None]
    return Examination(images, labels, patients, views, ("Opacity",)), truth


def scores(truth: NDArray[np.bool_], seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (truth + 0.3 * rng.standard_normal(len(truth))).astype(np.float32)[:, None]


def test_label_noise_costs_what_it_must():
    found = {}
    for noise in (0.0, 0.3, 1.0):
        test, truth = examination(noise)
        measured = measure_scores(test, scores(truth), arm="real", seed=0)
        found[noise] = get(measured, "utility.auroc.Opacity.real")
        expected = roc_auc_score(test.labels[:, 0], scores(truth)[:, 0])
        assert found[noise].value == pytest.approx(expected)
    assert found[0.0].low > 0.95
    assert 0.75 < found[0.3].value < 0.93
    assert found[1.0].low < 0.5 < found[1.0].high


def test_a_view_that_tells_the_label_does_not_count_within_one_view():
    test, truth = examination()
    views = np.where(truth, "PA", "AP")
    views[:20] = "PA"
    told = (views == "PA").astype(np.float32)[:, None]
    confounded = Examination(test.images, test.labels, test.patients, views, test.findings)
    measured = measure_scores(confounded, told, arm="real", seed=0)
    assert get(measured, "utility.auroc.Opacity.real").value > 0.9
    assert get(measured, "utility.auroc-stratified.Opacity.real").value == 0.5


def test_the_difference_is_paired():
    test, truth = examination()
    better, worse = scores(truth), scores(truth) + 0.4 * scores(truth, seed=2)
    noise = np.random.default_rng(3).standard_normal((COUNT, 1)).astype(np.float32)
    same = compare_scores(test, better, better, arm="counterparts", seed=0, size=COUNT)
    none = get(same, "utility.difference.macro.counterparts")
    assert (none.low, none.value, none.high) == (None, 0, None)
    assert none.why == NO_WIDTH  # the same scores: no patients drawn could tell them apart
    measured = compare_scores(test, worse, noise, arm="counterparts", seed=0, size=COUNT)
    assert get(measured, "utility.difference.Opacity.counterparts").high < -0.3


def test_only_frequent_findings_are_asked_about():
    taught = [frozenset({"A"})] * 30 + [frozenset({"B"})] * 15 + [frozenset({"No Finding"})] * 30
    assert choose_findings(taught, taught) == ("A",)
    assert choose_findings(taught, [frozenset({"A"})] * 30) == ()


class Fixed:
    """Reads the answer from the first pixel."""

    def score(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return images[:, :1, 0].astype(np.float32)


def test_kappa_is_that_of_scikit_learn_and_drift_is_seen():
    test, truth = examination()
    images = np.zeros((COUNT, 8, 8), dtype=np.uint8)
    images[:, 0, 0] = np.where(truth, 200, 10) + np.arange(COUNT) % 10
    test = Examination(images, test.labels, test.patients, test.strata, test.findings)
    made = images.copy()
    made[::5, 0, 0] = 255  # a fifth of the counterparts all show it
    measured = measure_agreement(Fixed(), test, made, np.arange(COUNT), arm="counterparts", seed=0)  # type: ignore[arg-type]
    assert get(measured, "agreement.kappa.Opacity.real").value > 0.97
    calls = truth | (np.arange(COUNT) % 5 == 0)
    kappa = get(measured, "agreement.kappa.Opacity.counterparts")
    assert kappa.value == pytest.approx(cohen_kappa_score(truth, calls), abs=0.02)
    drift = get(measured, "agreement.drift.Opacity.counterparts")
    assert drift.value == pytest.approx(calls.mean() - truth.mean(), abs=0.02)
    assert measured.matrices[0].rows == ("Opacity",)


def test_kappa_of_a_classifier_that_says_the_same_of_all_has_no_interval():
    test, _ = examination()
    same = np.zeros((COUNT, 8, 8), dtype=np.uint8)
    measured = measure_agreement(Fixed(), test, same, np.arange(COUNT), arm="counterparts", seed=0)  # type: ignore[arg-type]
    kappa = get(measured, "agreement.kappa.Opacity.counterparts")
    assert kappa.value == pytest.approx(0)
    assert (kappa.low, kappa.high, kappa.why) == (None, None, NO_WIDTH)


def test_kappa_that_is_neither_perfect_nor_none_has_an_interval_of_patients():
    test, truth = examination()
    images = np.zeros((COUNT, 8, 8), dtype=np.uint8)
    images[:, 0, 0] = 100 * scores(truth)[:, 0].clip(0, 2)
    own = np.arange(COUNT)
    measured = measure_agreement(Fixed(), test, images, own, arm="counterparts", seed=0)  # type: ignore[arg-type]
    kappa = get(measured, "agreement.kappa.Opacity.counterparts")
    assert kappa.low < kappa.value < kappa.high


def test_a_classifier_learns_is_kept_and_is_the_same_twice(tmp_path: Path):
    ill = np.arange(80) % 2 == 0
    images = np.stack([draw(number, 0, ill=bool(ill[number])) for number in range(80)])
    lesson = Lesson(images, ill.astype(np.float32)[:, None])
    school = School(steps=12, cache=tmp_path)
    first = school.teach(lesson).score(images)
    assert roc_auc_score(ill, first[:, 0]) > 0.8
    assert len(list(tmp_path.iterdir())) == 1
    assert np.array_equal(school.teach(lesson).score(images), first)
    (kept,) = tmp_path.iterdir()
    kept.unlink()
    assert np.array_equal(school.teach(lesson).score(images), first)


def test_a_budget_sets_steps_and_never_a_clock():
    assert choose_effort(1) == EFFORTS[1]
    assert choose_effort(29) == EFFORTS[15]
    assert choose_effort(600) == EFFORTS[60]
