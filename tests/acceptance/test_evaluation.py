"""`updp-node evaluate` on sets whose answers are known, and on the open radiographs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.acceptance.figures import record
from tests.factories.radiographs import (
    write_counterparts,
    write_reports,
    write_set,
    write_table,
)
from updp_node.config.limits import DEFAULT_LIMITS, Release
from updp_node.evaluation.attackers import Attacker, Pairs, Training, train_attacker
from updp_node.evaluation.attacks import gather_schooling, measure_attacks
from updp_node.evaluation.collection import load_collection
from updp_node.evaluation.effort import Effort
from updp_node.evaluation.features import EigenEncoder, PixelEncoder
from updp_node.evaluation.gate import CEILING, judge_release
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.linkage import Queries, measure_retrieval
from updp_node.evaluation.study import Study, make_study
from updp_node.evaluation.verdict import Outcome
from updp_node.evaluation.verification import measure_verification

SUITE = "evaluation"
IDENTITY = Release(limits={k: v for k, v in DEFAULT_LIMITS.items() if "leakage" in k})
SMALL = Effort(frozen=120, adaptive=60, classifier=40, width=8)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "updp_node",
        "evaluate",
        *map(str, arguments),
        "--threads",
        "1",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)


def figures(folder: Path) -> dict[str, dict[str, Any]]:
    report = json.loads((folder / "report.json").read_text())
    return {each["key"]: each for each in report["figures"]}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("evaluation") / "originals", range(150))


def study(originals: Path, counterparts: Path) -> Study:
    return make_study(
        load_collection(originals, "originals"),
        load_collection(counterparts, "counterparts"),
        seed=0,
    )


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    torch.set_num_threads(1)
    return Laboratory(PixelEncoder(), SMALL, cache=tmp_path_factory.mktemp("cache"))


def test_strangers_pass_the_limits_of_identity(
    originals: Path, tmp_path: Path, laboratory: Laboratory
):
    made = write_counterparts(tmp_path / "clean", originals)
    measured = measure_attacks(study(originals, made), laboratory)
    found = {each.key: each for each in measured.figures}
    assert found[CEILING].low > 0.85
    assert found["verification.leakage.frozen.counterparts"].low <= 0
    outcomes = {each.outcome for each in judge_release(measured.figures, IDENTITY)}
    assert outcomes <= {Outcome.PASS, Outcome.INCONCLUSIVE}
    record(SUITE, "real-real ceiling on pictures with a pattern per patient",
           round(found[CEILING].value, 3), "AUC")  # fmt: skip


def test_counterparts_with_30_percent_of_their_source_fail(
    originals: Path, tmp_path: Path, laboratory: Laboratory
):
    made = write_counterparts(tmp_path / "leak", originals, leak=0.3)
    measured = measure_attacks(study(originals, made), laboratory)
    found = {each.key: each for each in measured.figures}
    auc = found["verification.auc.adaptive.counterparts"]
    assert auc.low > 0.6
    verdicts = judge_release(measured.figures, IDENTITY)
    assert Outcome.FAIL in {each.outcome for each in verdicts}
    record(SUITE, "adaptive attacker on a 30 % blend", round(auc.value, 3), "AUC")


def cripple(images: np.ndarray) -> Attacker:
    """An attacker of the usual build whose last layer sees nothing."""
    names = np.arange(len(images)).astype(str)
    pairs = Pairs(images, images, names, names, np.zeros(len(images), dtype=str))
    attacker = train_attacker(pairs, Training(0, width=SMALL.width))
    weights = attacker.weights()
    last = max(
        (name for name in weights if name.endswith("weight")), key=lambda n: weights[n].size(-1)
    )
    weights[last].zero_()
    weights[last.replace("weight", "bias")].fill_(1.0)
    return attacker


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_a_crippled_attacker_never_reads_as_privacy(
    originals: Path, tmp_path: Path, laboratory: Laboratory, leak: float
):
    made = write_counterparts(tmp_path / "made", originals, leak=leak)
    no_training = Laboratory(laboratory.encoder, Effort(0, 0, 0, SMALL.width))
    parted = study(originals, made)
    measured = measure_attacks(parted, no_training, frozen=cripple(parted.test.images))
    found = {each.key: each for each in measured.figures}
    assert found[CEILING].value < 0.80
    verdicts = judge_release(measured.figures, IDENTITY)
    assert len(verdicts) == 2
    for verdict in verdicts:
        assert verdict.outcome is not Outcome.PASS


def test_the_command_writes_a_report_and_the_same_figures_twice(originals: Path, tmp_path: Path):
    made = write_counterparts(tmp_path / "made", originals)
    training = write_set(tmp_path / "t", range(1000, 1060), split=False)
    held_out = write_set(tmp_path / "h", range(2000, 2060), split=False)
    reports = write_reports(tmp_path / "r", originals)
    written = []
    begun = time.monotonic()
    for name in ("first", "second"):
        done = run(originals, made, "--training", training, "--held-out", held_out, "--budget", 1,
                   "--reports", reports, "--out", tmp_path / name, "--other-generator")  # fmt: skip
        assert done.returncode == 1, done.stderr  # the budget is too small to conclude
        assert "release gate:" in done.stdout
        written.append(figures(tmp_path / name))
    assert written[0] == written[1]
    record(SUITE, "one evaluation of 300 pictures, budget 1",
           round((time.monotonic() - begun) / 2), "s")  # fmt: skip
    for figure in written[0].values():
        assert figure["value"] is not None or figure["why"]
        if figure["value"] is not None:
            assert figure["n"] > 0
    linked = written[0]["report-linkage.recall1.all.words"]
    assert (linked["value"], linked["n"]) == (1.0, 300)
    real, made_of = (written[0][f"report-linkage.image.recall1.all.{arm}"]
                     for arm in ("real", "counterparts"))  # fmt: skip
    assert real["n"] == made_of["n"] == 100
    record(SUITE, "shared reports linked to their originals, Recall@1 of 300", linked["value"], "")
    record(SUITE, "counterparts linked to reports by one finding, Recall@1 of 100",
           made_of["value"], "; chance 0.01")  # fmt: skip


def test_planted_copies_are_counted_by_the_command(originals: Path, tmp_path: Path):
    training = write_set(tmp_path / "t", range(1000, 1060), split=False)
    held_out = write_set(tmp_path / "h", range(2000, 2060), split=False)
    made = write_counterparts(tmp_path / "made", originals)
    pictures = sorted(made.glob("*.png"))[::10]  # a tenth
    for picture, copied in zip(pictures, sorted(training.glob("*.png")), strict=False):
        Image.open(copied).save(picture)
    done = run(originals, made, "--training", training, "--held-out", held_out, "--budget", 1,
               "--out", tmp_path / "out", "--other-generator")  # fmt: skip
    assert done.returncode == 1
    copies = figures(tmp_path / "out")["copies.n-copies"]
    assert copies["detail"]["identical samples"] == len(pictures) == 30
    assert copies["detail"]["count"] >= 30
    record(SUITE, "planted copies found", copies["detail"]["identical samples"], "of 30")


def test_one_image_per_patient_is_not_measured(tmp_path: Path):
    originals = write_set(tmp_path / "o", range(60), images=1)
    made = write_counterparts(tmp_path / "c", originals)
    done = run(originals, made, "--budget", 1, "--out", tmp_path / "out")
    assert done.returncode == 1
    found = figures(tmp_path / "out")
    ceiling = found[CEILING]
    assert ceiling["value"] is None
    assert "two images" in ceiling["why"]
    assert found["copies.dcr"]["why"] == "no training images were given"
    gate = json.loads((tmp_path / "out" / "report.json").read_text())["gate"]
    assert gate["outcome"] != "pass"


def test_wrong_input_is_one_line_that_names_file_and_row(tmp_path: Path):
    originals = write_set(tmp_path / "o", range(4))
    made = write_counterparts(tmp_path / "c", originals)
    (tmp_path / "empty").mkdir()
    write_table(tmp_path / "wrong.csv", [{"image_id": "Smith^John", "patient_id": ""}])
    for arguments, said in (
        ((tmp_path / "empty", made), "holds no DICOM image and no index.csv"),
        ((originals, tmp_path / "empty"), "holds no DICOM image and no index.csv"),
        ((originals, made, "--index", tmp_path / "wrong.csv"), "row 2"),
        ((originals, made, "--profile", tmp_path / "none.yaml"), "cannot be read as YAML"),
    ):
        done = run(*arguments, "--out", tmp_path / "out")
        assert done.returncode == 2
        assert said in done.stderr
        assert "Smith" not in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


SHARED = Path(os.environ.get("UPDP_SHARED", Path(__file__).parents[2].with_name("shared")))


@pytest.mark.shared_data
def test_an_attacker_of_real_radiographs_beats_plain_correlation():
    folder = SHARED / "data" / "cxr"
    if not folder.is_dir():
        pytest.skip(f"radiographs absent: {folder}; set UPDP_SHARED to measure on them")
    torch.set_num_threads(2)
    everything = load_collection(folder, "originals")
    hospitals = np.array([entry.hospital for entry in everything.entries])
    split = make_study(everything, _stand_in(everything), seed=0)
    pool = gather_schooling(split)
    begun = time.monotonic()
    attacker = train_attacker(
        Pairs(pool.images, pool.images, pool.patients, pool.patients, pool.groups), Training(400)
    )
    record(SUITE, "training the frozen attacker, 400 steps", round(time.monotonic() - begun), "s")
    plain = {"nih_cxr14": 0.106, "nih_cxr14_64": 0.428, "kermany_pediatric": 0.073}
    for hospital, correlation in plain.items():
        test = everything.select(split.is_test & (hospitals == hospital))
        vectors = attacker.encode(test.images)
        asked = Queries(vectors, vectors, test.patients, test.patients, np.arange(len(test)))
        verified = measure_verification(asked, seed=0, attacker="frozen", arm="real")
        found = measure_retrieval(asked, seed=0, arm="real").figures[0]
        assert verified.auc > 0.80
        assert found.value > correlation
        record(SUITE, f"real-real ceiling, {hospital}", round(verified.auc, 3), "AUC")
        record(SUITE, f"real-real P@1, {hospital}", round(found.value, 3), "")
    assert EigenEncoder().encode(everything.images[:2]).shape[0] == 2


def _stand_in(everything: Any) -> Any:
    """The study wants counterparts; here only its split is asked for."""
    return everything.select(np.arange(1))
