"""The study of docs/evidence.md: it runs, the same twice; its exchange between two hospitals."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.acceptance.figures import record
from tests.factories.radiographs import write_counterparts, write_set, write_table
from tools.evidence.plan import TINY
from tools.evidence.studio import Studio
from updp_node.evaluation.collection import load_collection
from updp_node.evaluation.effort import Effort
from updp_node.evaluation.features import PixelEncoder
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.lessons import measure_lessons
from updp_node.evaluation.study import make_study
from updp_node.model import Prompt
from updp_node.pixels.generator import load_generator

SUITE = "evidence"
ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("UPDP_SHARED", ROOT.with_name("shared")))
MADE_AT = re.compile(r'^ "made_at": .*$', re.MULTILINE)


def run(*arguments: object, shared: Path = SHARED) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.evidence", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1700, check=False,
        env={**os.environ, "UPDP_SHARED": str(shared)},
    )  # fmt: skip


@pytest.mark.shared_data
@pytest.mark.timeout(3600)
def test_the_study_writes_the_same_figures_twice(tmp_path: Path):
    if not (SHARED / "data" / "cxr" / "index.csv").is_file():
        pytest.skip(f"NOT RUN: no radiographs in {SHARED}; set UPDP_SHARED to run the study")
    texts = []
    for number in (1, 2):
        begun = time.monotonic()
        done = run("--effort", TINY.name, "--out", tmp_path / str(number), "--cache", tmp_path)
        assert done.returncode == 0, done.stderr[-2000:]
        record(SUITE, f"tiny study, run {number}", round(time.monotonic() - begun), "s")
        texts.append((tmp_path / str(number) / "evidence.json").read_text())
    assert MADE_AT.sub("", texts[0]) == MADE_AT.sub("", texts[1])
    assert len(MADE_AT.findall(texts[0])) == 1
    _look_at(tmp_path / "1")


def _look_at(out: Path) -> None:
    """Every part was measured and shown, and the pictures are small."""
    found = json.loads((out / "evidence.json").read_text())
    for population in found["populations"].values():
        keys = set(population["figures"])
        arms = {key.rpartition(".")[2] for key in keys if key.startswith("identity.accuracy.")}
        assert arms == {"real", "counterparts", "free prompts", "noised sources"}
        assert {"membership.pia.auc", "membership.nearest.auc", "copies.dcr"} <= keys
        assert "utility.difference.macro.counterparts" in keys
        assert len(population["gate"]) == 6
    directions = {curve["key"] for curve in found["cross_hospital"]["curves"]}
    assert len(directions) == 2
    pictures = list((out / "images").iterdir())
    assert len(pictures) == 7
    assert sum(each.stat().st_size for each in pictures) < 300_000
    page = (out / "evidence.md").read_text()
    assert "None" not in page
    assert all(f"images/{each.name}" in page for each in pictures)


def test_without_the_radiographs_the_study_says_so_and_writes_nothing(tmp_path: Path):
    done = run("--out", tmp_path / "out", shared=tmp_path)
    assert done.returncode != 0
    assert "NOTHING WAS MEASURED" in done.stderr
    assert not list((tmp_path / "out").glob("evidence*"))


@pytest.mark.parametrize("band", ["adult", "child"])
def test_the_opened_generator_draws_what_the_shipped_one_draws(band: str):
    """The free arm differs from the whitelist arm in what is told, and in nothing else."""
    torch.set_num_threads(1)
    generator = load_generator("default", threads=1)
    prompt = Prompt((band, "pneumonia"))
    told = torch.tensor([[float(t in prompt.terms) for t in generator.vocabulary.terms]])
    studio = Studio(band)
    drawn = studio.draw(studio.embed(told).repeat(2, 1), [11, 12])
    for seed, pixels in zip((11, 12), drawn, strict=True):
        apart = np.abs(pixels.astype(int) - generator.generate(prompt, seed).astype(int))
        assert apart.max() <= 1


def test_diffusion_that_begins_at_an_image_keeps_it_the_less_the_later_it_begins():
    studio = Studio("adult")
    rng = torch.Generator().manual_seed(0)
    codes = torch.randn(8, 128, generator=rng)
    conditions = studio.embed(torch.zeros(8, 9))
    seeds = list(range(8))
    own = studio.draw(conditions, seeds, start=codes, share=0.05).astype(float)
    noise = studio.draw(conditions, seeds).astype(float)
    apart = []
    for share in (0.3, 0.6, 1.0):
        drawn = studio.draw(conditions, seeds, start=codes, share=share).astype(float)
        apart.append(float(np.abs(drawn - own).mean()))
    assert apart == sorted(apart)
    assert np.abs(noise - own).mean() > 2 * apart[0]


def test_an_evaluation_of_two_hospitals_measures_both_directions(tmp_path: Path):
    names = ("north", "south")
    own = [write_set(tmp_path / name, range(30 * n, 30 * n + 30), images=5)
           for n, name in enumerate(names)]  # fmt: skip
    made = [write_counterparts(tmp_path / f"{each.name}-made", each) for each in own]
    originals = merge(tmp_path / "originals.csv", own, hospitals=names)
    counterparts = merge(tmp_path / "counterparts.csv", made)
    study = make_study(
        load_collection(originals, "originals"), load_collection(counterparts, "counterparts"),
        seed=0,
    )  # fmt: skip
    measured = measure_lessons(study, Laboratory(PixelEncoder(), Effort(1, 1, 1)))
    titles = {curve.key for curve in measured.curves}
    assert titles == {"cross-hospital, north to south", "cross-hospital, south to north"}
    keys = [figure.key for figure in measured.figures]
    assert len(set(keys)) == len(keys)
    exchanged = [figure for figure in measured.figures if figure.key.startswith("cross")]
    assert exchanged
    assert all(figure.is_measured for figure in exchanged)


def merge(target: Path, folders: list[Path], hospitals: tuple[str, ...] = ("", "")) -> Path:
    """One table over the images of several folders."""
    rows = []
    for folder, hospital in zip(folders, hospitals, strict=True):
        with (folder / "index.csv").open(newline="") as source:
            for row in csv.DictReader(source):
                row["file"] = f"{folder.name}/{row['file']}"
                if hospital:
                    row["hospital"] = hospital
                else:
                    row["image_id"] = f"{folder.name} {row['image_id']}"
                rows.append(row)
    write_table(target, rows)
    return target
