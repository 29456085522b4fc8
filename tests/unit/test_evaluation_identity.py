"""Verification, leakage, identity and the gate, on vectors whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from updp_node.config.limits import Limit, Release
from updp_node.errors import ConfigError
from updp_node.evaluation.features import normalize
from updp_node.evaluation.figure import Figure, Section
from updp_node.evaluation.gate import CEILING, judge_release, load_release
from updp_node.evaluation.identity import learn_identities, measure_identity
from updp_node.evaluation.linkage import Queries
from updp_node.evaluation.statistics import Roc, clopper_pearson, share, wilson
from updp_node.evaluation.verdict import Outcome, decide
from updp_node.evaluation.verification import Verification, measure_leakage, measure_verification

PATIENTS = 60


def gallery(seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Three images each of sixty patients, near each other."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.standard_normal((PATIENTS, 16)), 3, axis=0)
    patients = np.repeat([f"p{number:02}" for number in range(PATIENTS)], 3)
    return normalize((centres + 0.8 * rng.standard_normal(centres.shape)).astype(np.float32)), (
        patients
    )


def counterparts(leak: float) -> Queries:
    real, patients = gallery()
    rng = np.random.default_rng(2)
    strange = normalize(rng.standard_normal(real.shape).astype(np.float32))
    made = normalize((1 - leak) * strange + leak * real)
    return Queries(made, real, patients, patients, np.arange(len(real)))


def verify(asked: Queries, arm: str = "counterparts") -> Verification:
    return measure_verification(asked, seed=0, attacker="frozen", arm=arm)


def ceiling() -> Verification:
    real, patients = gallery()
    return verify(Queries(real, real, patients, patients, np.arange(len(real))), arm="real")


def test_auc_is_that_of_scikit_learn_with_ties_and_weights():
    rng = np.random.default_rng(0)
    positive, scores = rng.random(500) < 0.3, rng.integers(0, 20, 500)
    weights = rng.integers(0, 4, 500).astype(float)
    roc = Roc(positive, scores)
    assert roc.auc() == pytest.approx(roc_auc_score(positive, scores))
    assert roc.auc(weights) == pytest.approx(roc_auc_score(positive, scores, sample_weight=weights))


def test_sensitivity_keeps_the_false_alarm_rate():
    positive = np.array([True] * 10 + [False] * 100)
    scores = np.concatenate([np.full(4, 9.0), np.full(6, 0.5), np.arange(100) / 100])
    assert Roc(positive, scores).sensitivity(0.01) == 0.4
    assert Roc(positive, scores).sensitivity(0.50) == 1.0
    assert Roc(positive, scores).accuracy() == pytest.approx(0.75)


def test_no_hit_among_few_still_has_an_upper_bound():
    value, low, high = share(np.zeros(20), np.arange(20).astype(str), seed=0)
    assert (value, low) == (0, 0)
    assert high == pytest.approx(clopper_pearson(0, 20)[1])
    assert high > 0.15


def test_wilson_is_the_published_interval():
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)


def test_an_attacker_sees_real_pairs_and_not_those_of_strangers():
    real, strange = ceiling(), verify(counterparts(leak=0.0))
    assert real.auc > 0.9
    figure = strange.measurements.figures[0]
    assert figure.low < 0.5 < figure.high
    leakage = measure_leakage(strange, real, attacker="frozen", arm="counterparts")
    assert leakage.high < 0.2


def test_a_blend_with_30_percent_of_the_source_leaks():
    found = verify(counterparts(leak=0.3))
    assert found.measurements.figures[0].low > 0.6
    leakage = measure_leakage(found, ceiling(), attacker="frozen", arm="counterparts")
    assert leakage.low > 0.2


def test_a_copy_leaks_all_that_the_ceiling_has():
    leakage = measure_leakage(
        verify(counterparts(leak=1.0)), ceiling(), attacker="frozen", arm="counterparts"
    )
    assert leakage.value == pytest.approx(1.0, abs=0.05)


def test_one_image_per_patient_is_not_measured():
    real, _ = gallery()
    alone = np.arange(len(real)).astype(str)
    found = verify(Queries(real, real, alone, alone, np.arange(len(real))))
    assert not any(figure.is_measured for figure in found.measurements.figures)
    assert found.measurements.figures[0].why == "only 0 patients have a second image"
    leakage = measure_leakage(found, ceiling(), attacker="frozen", arm="counterparts")
    assert leakage.why == "only 0 patients have a second image"


def test_negatives_may_be_held_to_the_same_findings():
    asked = counterparts(leak=0.0)
    told = np.repeat(np.arange(PATIENTS) % 5, 3).astype(str)
    found = measure_verification(asked, seed=0, attacker="frozen", arm="real", alike=told)
    assert found.measurements.figures[0].detail["negatives"] == 180 * (180 // 5 - 3)
    nobody = np.arange(180).astype(str)
    found = measure_verification(asked, seed=0, attacker="frozen", arm="real", alike=nobody)
    assert "no other patient" in found.measurements.figures[0].why


def test_another_hospital_is_no_negative():
    real, patients = gallery()
    hospital = np.repeat(["a", "b"], 90)
    asked = Queries(real, real, patients, patients, np.arange(180), hospital)
    assert verify(asked).measurements.figures[0].detail["negatives"] == 180 * (90 - 3)


def test_an_identity_classifier_knows_real_images_and_no_strangers():
    real, patients = gallery()
    known = learn_identities(real, patients, seed=0)
    on_real = measure_identity(known, real, np.arange(180), arm="real").figures[0]
    assert on_real.n == PATIENTS
    assert on_real.detail == {
        "identities": PATIENTS, "images per identity shown": 2.0, "hits": on_real.value * PATIENTS
    }  # fmt: skip
    assert on_real.low > 0.5
    made = counterparts(leak=0.0).queries
    strange = measure_identity(known, made, np.arange(180), arm="counterparts").figures[0]
    assert strange.low <= strange.chance <= strange.high


def figure(key: str, value: float, low: float, high: float, n: int = 100) -> Figure:
    return Figure(key, Section.IDENTITY, key, value, low, high, n=n, chance=0.0)


def judge(leak: Figure | None, real: Figure | None, limit: Limit | None = None) -> Outcome:
    release = Release(limits={"leak": limit or Limit(upper=0.2, attack=True)})
    verdicts = judge_release([each for each in (leak, real) if each], release)
    assert verdicts[0].why
    return decide(verdicts)


STRONG = figure(CEILING, 0.90, 0.85, 0.94)
LITTLE = figure("leak", 0.05, -0.02, 0.12)


@pytest.mark.parametrize(
    ("leak", "real", "outcome"),
    [
        (LITTLE, STRONG, Outcome.PASS),
        (figure("leak", 0.15, 0.05, 0.25), STRONG, Outcome.INCONCLUSIVE),
        (figure("leak", 0.25, -0.05, 0.50), STRONG, Outcome.INCONCLUSIVE),
        (figure("leak", 0.60, 0.40, 0.80), STRONG, Outcome.FAIL),
        (figure("leak", 0.05, -0.02, 0.12, n=12), STRONG, Outcome.INCONCLUSIVE),
        (LITTLE, figure(CEILING, 0.74, 0.70, 0.78), Outcome.INCONCLUSIVE),
        (LITTLE, figure(CEILING, 0.82, 0.55, 0.93), Outcome.INCONCLUSIVE),
        (LITTLE, None, Outcome.INCONCLUSIVE),
        (None, STRONG, Outcome.NOT_MEASURED),
    ],
)
def test_the_gate_asks_for_bound_number_and_a_strong_attacker(
    leak: Figure | None, real: Figure | None, outcome: Outcome
):
    assert judge(leak, real) is outcome


def test_a_weak_attacker_that_finds_a_leak_has_still_found_it():
    weak = figure(CEILING, 0.70, 0.65, 0.75)
    assert judge(figure("leak", 0.60, 0.40, 0.80), weak) is Outcome.FAIL


def test_a_lower_limit_is_a_margin():
    margin = Limit(lower=-0.05)
    assert judge(figure("leak", -0.01, -0.04, 0.02), None, margin) is Outcome.PASS
    assert judge(figure("leak", -0.03, -0.07, 0.01), None, margin) is Outcome.INCONCLUSIVE
    assert judge(figure("leak", -0.09, -0.15, -0.03), None, margin) is Outcome.FAIL


def test_limits_are_read_from_a_profile_and_a_wrong_key_is_named(tmp_path: Path):
    path = tmp_path / "profile.yaml"
    path.write_text("release:\n  ceiling: 0.9\n  limits:\n    copies.dcr: {upper: 0.55}\n")
    release = load_release(path)
    assert release.ceiling == 0.9
    assert release.limits == {"copies.dcr": Limit(upper=0.55)}
    path.write_text("release:\n  limits:\n    copies.dcr: {uper: 0.55}\n")
    with pytest.raises(ConfigError, match=r"release.limits.copies.dcr.uper"):
        load_release(path)
    path.write_text("release:\n  limits:\n    copies.dcr: {upper: 0.5, lower: 0.4}\n")
    with pytest.raises(ConfigError, match="one of upper and lower"):
        load_release(path)
    assert load_release(None).limits


def test_an_interval_without_width_decides_nothing():
    limits = Release(limits={"copies.dcr": Limit(upper=0.6)})
    figure = Figure("copies.dcr", Section.COPIES, "DCR", 0.5, 0.5, 0.5, n=400, chance=0.5)
    (verdict,) = judge_release([figure], limits)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "width" in verdict.why


def test_limits_on_texts_are_asked_of_texts_alone():
    both = {"copies.dcr": Limit(upper=0.55), "text.recall.all": Limit(lower=0.99)}
    release = Release(limits=both)
    assert list(release.select(texts=True).limits) == ["text.recall.all"]
    assert list(release.select(texts=False).limits) == ["copies.dcr"]
