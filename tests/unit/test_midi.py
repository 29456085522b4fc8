"""The benchmark in the shape of MIDI-B: its key and scorer, and a small run down the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.midi.generate import ANSWERS, generate
from tools.midi.key import KINDS
from tools.midi.score import NOT_RELEASED, Score, score
from updp_node.crew import Crew
from updp_node.line import make_line
from updp_node.offline import deidentify_files, find_files
from updp_node.subject import ProjectKey

ROOT = Path(__file__).parents[2]
RETAINING = ("tag_retained", "text_notnull", "text_retained", "pixels_retained")
REMOVING = ("text_removed", "date_shifted", "uid_changed")
CERTAIN = (*REMOVING, "uid_consistent", "patid_consistent")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("midi")
    generate(folder, instances=60, seed=3)
    return folder


def _records(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / ANSWERS).read_text("utf-8").splitlines()]


def _score(folder: Path, released: Path, told: dict[str, str]) -> Score:
    path = folder / "map.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return score(folder, released, path)


def test_the_same_seed_gives_the_same_benchmark(benchmark: Path, tmp_path: Path) -> None:
    generate(tmp_path, instances=12, seed=3)
    lines = (benchmark / ANSWERS).read_text("utf-8").splitlines()
    assert (tmp_path / ANSWERS).read_text("utf-8").splitlines()[:8] == lines[:8]
    for path in sorted((tmp_path / "files").iterdir())[:8]:
        assert path.read_bytes() == (benchmark / "files" / path.name).read_bytes()


def test_the_key_asks_for_every_kind_of_action(benchmark: Path) -> None:
    kinds = {check[0] for record in _records(benchmark) for check in record["checks"]}
    assert kinds == set(KINDS)


def test_originals_keep_everything_and_hide_nothing(benchmark: Path) -> None:
    told = {record["instance"]: record["file"] for record in _records(benchmark)}
    result = _score(benchmark, benchmark / "files", told)
    for kind in RETAINING:
        assert result.passed[kind] == result.total[kind], kind
    for kind in (*REMOVING, "pixels_hidden", "patid_consistent"):
        assert result.passed[kind] == 0, kind


def test_what_is_not_released_is_hidden_and_not_retained(benchmark: Path, tmp_path: Path) -> None:
    result = _score(benchmark, tmp_path, {})
    assert result.missing == 60
    for kind in REMOVING:
        assert result.passed[kind] == result.total[kind], kind
    for kind in (*RETAINING, "uid_consistent", "patid_consistent"):
        assert result.passed[kind] == 0, kind


def test_a_small_benchmark_comes_out_as_the_key_asks(benchmark: Path, tmp_path: Path) -> None:
    key = ProjectKey(b"m" * 32)
    profile = str(ROOT / "profiles" / "midi-b.yaml")
    line = make_line(profile, key=key, project="midi", pseudonym="{project}-{code}")
    crew = Crew(cpu_processes=2)
    try:
        files = find_files([benchmark / "files"])
        outcomes = list(deidentify_files(files, line, crew, tmp_path / "out"))
    finally:
        crew.close()
    told = {each.source_uid: str(each.target) for each in outcomes if each.target}
    result = _score(benchmark, tmp_path / "out", told)
    print(result.table())
    released = [each for each in result.failures if each.found != NOT_RELEASED]
    assert [each for each in released if each.kind in CERTAIN] == []
    kept = sum(result.total[kind] for kind in RETAINING)
    assert sum(each.kind in RETAINING for each in released) <= kept * 0.002
