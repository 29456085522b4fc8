"""Cross-hospital training with known answers: what helps, what misleads, what adds nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from updp_node.evaluation.classifier import Lesson
from updp_node.evaluation.figure import Figure, Measurements
from updp_node.evaluation.hospitals import Exchange, list_sizes, measure_exchange
from updp_node.evaluation.utility import Examination

KEY = "cross-hospital.north.south"


class Abacus:
    """A teacher that is done at once: a line through small pictures, each lesson weighing more."""

    seed = 0

    def __init__(self) -> None:
        self.lessons: list[tuple[int, ...]] = []

    def teach(self, *lessons: Lesson) -> Abacus:
        self.lessons.append(tuple(len(lesson.images) for lesson in lessons))
        seen = np.concatenate([_shrink(lesson.images) for lesson in lessons])
        labels = np.concatenate([lesson.labels[:, 0] for lesson in lessons])
        weights = np.concatenate(
            [np.full(len(lesson.images), 10.0**number) for number, lesson in enumerate(lessons)]
        )
        learned = Abacus()
        learned._line = LogisticRegression(C=1.0).fit(seen, labels, weights)
        return learned

    def score(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._line.decision_function(_shrink(images)).astype(np.float32)[:, None]


def _shrink(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    parts = images.reshape(len(images), 8, 8, 8, 8).astype(float)
    return parts.mean((2, 4)).reshape(len(images), -1) / 255


def lesson(seed: int, count: int, *, truth: str = "right") -> Lesson:
    """Squares of noise, one of them brighter in the ill."""
    rng = np.random.default_rng(seed)
    ill = np.arange(count) % 2 == 0
    squares = 120 + 20 * rng.standard_normal((count, 8, 8))
    squares[ill, 5, 2] += 40
    images = np.kron(squares.clip(0, 255), np.ones((8, 8))).astype(np.uint8)
    told = {"right": ill, "wrong": ~ill, "lot": rng.random(count) < 0.5}
    return Lesson(images, told[truth].astype(np.float32)[:, None])


@pytest.fixture(scope="module")
def parts() -> dict[str, Lesson]:
    return {"real_b": lesson(0, 80), "test": lesson(1, 120), "real_a": lesson(2, 100)}


def exchange(parts: dict[str, Lesson], synthetic: Lesson) -> Exchange:
    test = parts["test"]
    patients = np.repeat(np.arange(60), 2).astype(str)
    examination = Examination(test.images, test.labels, patients, np.full(120, "PA"), ("Opacity",))
    return Exchange("north", "south", synthetic, parts["real_a"], parts["real_b"], examination)


def measure(parts: dict[str, Lesson], synthetic: Lesson) -> dict[str, Figure]:
    return by_key(measure_exchange(exchange(parts, synthetic), Abacus(), shares=(1.0,)))  # type: ignore[arg-type]


def by_key(measured: Measurements) -> dict[str, Figure]:
    found = {figure.key: figure for figure in measured.figures}
    assert len(found) == len(measured.figures)
    return found


@pytest.fixture(scope="module")
def good(parts: dict[str, Lesson]) -> tuple[Measurements, Abacus]:
    """What three hundred good images give, and who taught."""
    teacher = Abacus()
    asked = exchange(parts, lesson(3, 300))
    return measure_exchange(asked, teacher, shares=(0.1, 0.25, 1.0)), teacher  # type: ignore[arg-type]


def test_every_arm_is_taught_on_what_it_says(good: tuple[Measurements, Abacus]):
    assert good[1].lessons == [
        (300,), (20,), (320,), (120,), (300, 20), (80,), (380,), (180,), (300, 80)
    ]  # fmt: skip


def test_every_arm_is_drawn_over_the_size_of_b(good: tuple[Measurements, Abacus]):
    measured, found = good[0], by_key(good[0])
    arms = {"R_B", "R_B + S_A", "R_B + R_A", "S_A", "S_A then R_B"}
    assert {curve.label for curve in measured.curves} == arms
    assert all(curve.x == (20.0, 80.0) for curve in measured.curves)
    for curve in measured.curves:
        value = found[f"{KEY}.auroc.macro.{curve.label}"].value
        assert curve.y[-1] == pytest.approx(value, abs=1e-6)
    only = next(curve for curve in measured.curves if curve.label == "S_A")
    assert len(set(only.y)) == 1
    assert all(figure.name.startswith("north to south: ") for figure in measured.figures)


def test_sharing_good_images_helps_a_small_hospital_most(good: tuple[Measurements, Abacus]):
    found = by_key(good[0])
    small = found[f"{KEY}.difference.20.macro.R_B + S_A"]
    large = found[f"{KEY}.difference.80.macro.R_B + S_A"]
    assert small.low > 0
    assert small.value > large.value
    assert found[f"{KEY}.auroc.macro.S_A"].low > 0.8


def test_the_difference_is_that_of_the_areas(good: tuple[Measurements, Abacus]):
    found = by_key(good[0])
    alone = found[f"{KEY}.auroc.macro.R_B"].value
    for arm in ("R_B + S_A", "R_B + R_A", "S_A", "S_A then R_B"):
        gain = found[f"{KEY}.difference.80.macro.{arm}"]
        assert gain.value == pytest.approx(found[f"{KEY}.auroc.macro.{arm}"].value - alone)
        assert gain.low <= gain.value <= gain.high


def test_wrong_images_mislead_and_fine_tuning_on_the_own_ones_mends(parts: dict[str, Lesson]):
    found = measure(parts, lesson(3, 300, truth="wrong"))
    assert found[f"{KEY}.auroc.macro.S_A"].high < 0.3
    assert found[f"{KEY}.difference.80.macro.R_B + S_A"].high < -0.2
    mended = found[f"{KEY}.auroc.macro.S_A then R_B"].value
    assert mended > found[f"{KEY}.auroc.macro.R_B + S_A"].value + 0.2


def test_images_that_say_nothing_teach_nothing(parts: dict[str, Lesson]):
    only = measure(parts, lesson(3, 300, truth="lot"))[f"{KEY}.auroc.macro.S_A"]
    assert only.low < 0.5 < only.high


def test_shares_too_small_to_learn_from_are_left_out_but_the_last():
    assert list_sizes(1000, (0.01, 0.1, 1.0)) == [100, 1000]
    assert list_sizes(15, (0.1, 1.0)) == [15]
    assert list_sizes(100, (1.0,)) == [100]
