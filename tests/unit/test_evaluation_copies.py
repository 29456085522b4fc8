"""Copies, linkage and quality against sets whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from updp_node.evaluation.copies import Nearness, count_copies, find_closest, measure_copies
from updp_node.evaluation.features import normalize
from updp_node.evaluation.figure import Figure, Measurements
from updp_node.evaluation.linkage import Queries, measure_linkage, measure_retrieval
from updp_node.evaluation.quality import measure_fid, measure_kid, measure_overlap, measure_quality

DIMENSION = 12


def vectors(count: int, seed: int, shift: float = 0.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((count, DIMENSION)).astype(np.float32)
    drawn[:, 0] += shift
    return normalize(drawn)


def names(count: int) -> NDArray[np.str_]:
    return np.array([f"p{number}" for number in range(count)])


def get(measured: Measurements, key: str) -> Figure:
    return next(each for each in measured.figures if each.key == key)


def nearness(samples: NDArray[np.float32]) -> Nearness:
    return Nearness(vectors(300, 1), vectors(300, 12), samples, names(len(samples)))


def test_strangers_are_as_near_to_training_as_to_held_out_images():
    measured = measure_copies(nearness(vectors(300, 3)), seed=0)
    dcr = get(measured, "copies.dcr")
    assert dcr.low < 0.5 < dcr.high
    loss = get(measured, "copies.privacy-loss")
    assert loss.low < 0 < loss.high
    copies = get(measured, "copies.n-copies")
    assert copies.low < 0.05 < copies.high
    assert copies.detail["identical samples"] == 0


def test_a_set_that_is_its_training_set_is_nearer_to_it_always():
    measured = measure_copies(nearness(vectors(300, 1)), seed=0)
    assert get(measured, "copies.dcr").value == 1
    assert get(measured, "copies.nnaa.training").value == 0
    assert get(measured, "copies.privacy-loss").value > 0.4
    assert get(measured, "copies.n-copies").value == 1
    assert get(measured, "copies.n-mem").value == 1
    assert get(measured, "copies.nndr.training").value == pytest.approx(0, abs=1e-2)


def test_planted_copies_are_found_and_counted():
    samples = vectors(300, 3)
    samples[:30] = vectors(300, 1)[:30]
    copies = count_copies(nearness(samples), seed=0)[0]
    assert copies.detail["identical samples"] == 30
    assert copies.detail["count"] == pytest.approx(30 + 0.05 * 270, abs=20)
    assert copies.low > 0.06
    closest = find_closest(nearness(samples), count=30)
    assert {(sample, partner) for sample, partner, _ in closest} == {(n, n) for n in range(30)}


def test_dcr_does_not_depend_on_how_many_more_training_images_there_are():
    sets = Nearness(vectors(900, 1), vectors(100, 2), vectors(300, 3), names(300))
    dcr = get(measure_copies(sets, seed=0), "copies.dcr")
    assert dcr.low < 0.5 < dcr.high


def linked(noise: float, count: int = 60) -> Queries:
    gallery = vectors(2 * count, 5)
    gallery[count:] = normalize(gallery[:count] + 0.02 * vectors(count, 6))  # second image of each
    queries = normalize((1 - noise) * gallery[:count] + noise * vectors(count, 7))
    patients = names(count)
    return Queries(queries, gallery, patients, np.concatenate([patients] * 2), np.arange(count))


def test_a_counterpart_that_is_its_source_is_linked_at_rank_1():
    measured = measure_linkage(linked(noise=0.0), seed=0)
    assert get(measured, "linkage.source.rank1.counterparts").value == 1
    assert get(measured, "linkage.source.mrr.counterparts").value == 1
    lift = get(measured, "linkage.source.lift.counterparts")
    assert lift.value == 120
    assert lift.chance == 1


def test_a_counterpart_of_nobody_is_linked_no_better_than_by_chance():
    measured = measure_linkage(linked(noise=1.0), seed=0)
    rank1 = get(measured, "linkage.source.rank1.counterparts")
    assert rank1.low <= rank1.chance <= rank1.high
    assert rank1.high < 0.15
    fifth = get(measured, "linkage.source.rank5.counterparts")
    assert fifth.low <= fifth.chance <= fifth.high


def test_what_the_prompt_tells_is_no_lift_among_those_that_share_it():
    rng = np.random.default_rng(8)
    centres = vectors(6, 9)
    told = rng.integers(0, 6, 120)
    gallery = normalize(centres[told] + 0.3 * vectors(120, 10))
    queries = normalize(centres[told] + 0.3 * vectors(120, 11))
    asked = Queries(queries, gallery, names(120), names(120), np.arange(120))
    measured = measure_linkage(asked, seed=0, alike=told.astype(str))
    assert get(measured, "linkage.source.lift.counterparts").value > 2
    within = get(measured, "linkage.source.lift-alike.counterparts")
    assert within.low < 1 < within.high


def test_retrieval_finds_the_other_image_of_each_patient_and_never_the_source():
    count = 60
    gallery = linked(noise=0.0).gallery
    patients = np.concatenate([names(count)] * 2)
    asked = Queries(gallery, gallery, patients, patients, np.arange(2 * count))
    measured = measure_retrieval(asked, seed=0, arm="real")
    for part in ("p1", "r-precision", "map-r"):
        assert get(measured, f"retrieval.{part}.real").value == 1


def test_one_image_per_patient_leaves_retrieval_unmeasured():
    gallery = vectors(20, 5)
    asked = Queries(gallery, gallery, names(20), names(20), np.arange(20))
    measured = measure_retrieval(asked, seed=0, arm="real")
    assert not any(figure.is_measured for figure in measured.figures)
    assert "no patient has two images" in measured.figures[0].why


def test_equal_sets_are_at_distance_zero_and_overlap_wholly():
    one = vectors(200, 1)
    assert measure_fid(one, one) == pytest.approx(0, abs=1e-6)
    assert measure_kid(one, one) < 0  # unbiased: its own pairs are left out
    precision, recall, density, coverage = measure_overlap(one, one)
    assert (precision, recall, coverage) == (1, 1, 1)
    assert density >= 1


def test_disjoint_sets_do_not_overlap_and_are_far_apart():
    near, far = vectors(200, 1, shift=9.0), vectors(200, 2, shift=-9.0)
    precision, recall, density, coverage = measure_overlap(near, far)
    assert (precision, recall, density, coverage) == (0, 0, 0, 0)
    assert measure_fid(near, far) > 3
    assert measure_kid(near, far) > 1


def test_quality_comes_with_its_floor_and_both_hold_their_intervals():
    measured = measure_quality(vectors(120, 1, shift=3.0), vectors(150, 2), seed=0)
    distance, floor = (get(measured, f"quality.fid.{arm}") for arm in ("counterparts", "floor"))
    assert floor.high < distance.low
    for figure in measured.figures:
        assert figure.low <= figure.value <= figure.high


def test_too_few_images_leave_distances_unmeasured():
    measured = measure_quality(vectors(10, 1), vectors(150, 2), seed=0)
    assert not get(measured, "quality.fid.counterparts").is_measured


def test_figures_are_the_same_twice():
    assert measure_copies(nearness(vectors(90, 3)), seed=4) == measure_copies(
        nearness(vectors(90, 3)), seed=4
    )
