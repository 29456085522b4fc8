"""Candidates, their acceptance, and the weights behind them."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from updp_node.errors import ConfigError, InstanceError
from updp_node.model import Prompt
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.generator import DefaultGenerator, Generator, load_generator
from updp_node.pixels.synthesis import derive_seed, find_fault, measure_nearest, synthesize
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, digest_model, load_default_arrays

ADULT = Prompt(("adult", "PA view", "no finding"))
CHILD = Prompt(("child", "pneumonia"))


@dataclass
class Grey:
    """A generator that draws even grey until a given number of candidates was refused."""

    then: Generator
    refusals: int
    name: str = "grey"
    sha256: str = "0" * 64
    vocabulary: Vocabulary = field(default_factory=load_default_vocabulary)
    seeds: list[int] = field(default_factory=list)

    def generate(self, prompt: Prompt, seed: int) -> NDArray[np.uint8]:
        self.seeds.append(seed)
        if len(self.seeds) <= self.refusals:
            return np.full((256, 256), 128, dtype=np.uint8)
        return self.then.generate(prompt, 7)


@pytest.fixture(scope="module")
def default() -> Generator:
    return load_generator("default", threads=1)


@pytest.mark.parametrize("prompt", [ADULT, CHILD])
def test_a_counterpart_carries_prompt_model_and_bits(default: Generator, prompt: Prompt) -> None:
    counterpart = synthesize(default, prompt, seed=7)
    assert counterpart.pixels.shape == (256, 256)
    assert counterpart.prompt == prompt
    assert (counterpart.model_name, counterpart.model_sha256) == ("default", default.sha256)
    assert 1 <= counterpart.candidates <= 4
    assert counterpart.bits == default.vocabulary.bound().total
    assert 0 < counterpart.bits < 8


def test_the_same_seed_gives_the_same_counterpart(default: Generator) -> None:
    first, second = (synthesize(default, ADULT, seed=5) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)


def test_a_refused_candidate_is_followed_by_another_seed(default: Generator) -> None:
    grey = Grey(default, refusals=2)
    counterpart = synthesize(grey, ADULT, seed=5)
    assert counterpart.candidates == 3
    assert grey.seeds == [5, derive_seed(5, 1), derive_seed(5, 2)]
    assert len(set(grey.seeds)) == 3
    assert all(0 <= seed < 2**63 for seed in grey.seeds)


def test_without_an_acceptable_candidate_the_instance_is_refused(default: Generator) -> None:
    grey = Grey(default, refusals=99)
    with pytest.raises(InstanceError, match="no-acceptable-counterpart: blank=3") as caught:
        synthesize(grey, ADULT, seed=5, max_candidates=3)
    assert caught.value.code == "no-acceptable-counterpart"
    assert len(grey.seeds) == 3


def test_what_is_no_chest_is_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (256, 256), dtype=np.uint8)
    assert find_fault(noise, ADULT, model="default") == "not-frontal-chest"


def test_the_distance_to_the_training_set_is_measured(default: Generator) -> None:
    assert measure_nearest(default.generate(ADULT, 7), ADULT) > 0


def test_a_near_copy_of_a_training_image_is_refused() -> None:
    space = load_default_arrays("eigenspace.safetensors")
    code = load_default_arrays("codes.safetensors")["adult"][0]
    leading = len(code)
    flat = space["mean"] + (code * space["scale"][:leading]) @ space["basis"][:leading]
    copy = np.kron((flat.clip(0, 1) * 255).astype(np.uint8).reshape(64, 64), np.ones((4, 4)))
    assert find_fault(copy.astype(np.uint8), ADULT, model="default") == "near-copy"


def test_an_unknown_generator_refuses_to_start() -> None:
    with pytest.raises(ConfigError, match="unknown generator"):
        load_generator("roentgen")


def test_the_shipped_weights_stay_below_their_limit() -> None:
    sizes = [path.stat().st_size for path in DEFAULT_FOLDER.iterdir()]
    assert sum(sizes) <= 20_000_000


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "model")
    return tmp_path / "model"


def test_one_changed_byte_refuses_to_start(copied: Path) -> None:
    weights = copied / "coarse.safetensors"
    weights.chmod(0o644)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ConfigError, match="digest"):
        DefaultGenerator(copied)


def test_a_missing_weight_file_refuses_to_start(copied: Path) -> None:
    (copied / "texture.safetensors").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        DefaultGenerator(copied)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2}'])
def test_a_manifest_of_another_kind_refuses_to_start(copied: Path, text: str) -> None:
    (copied / "model.json").write_text(text)
    with pytest.raises(ConfigError):
        DefaultGenerator(copied)


def test_other_sampling_settings_have_another_digest(copied: Path) -> None:
    before = digest_model(copied)
    manifest = json.loads((copied / "model.json").read_text())
    manifest["sampling"]["guidance"] = 2.0
    (copied / "model.json").write_text(json.dumps(manifest))
    assert digest_model(copied) != before
    assert DefaultGenerator(copied).sha256 == digest_model(copied)
