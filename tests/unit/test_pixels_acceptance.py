"""Acceptance of candidates: what each test refuses, on real tiny tensors."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.factories.encoder import TinyEncoder
from updp_node.model import Prompt
from updp_node.pixels.acceptance import Examiner, Floors, shows_text
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.generator import Generator, load_generator
from updp_node.pixels.synthesis import count_faults, draw_candidates
from updp_node.pixels.vocabulary import Vocabulary

VOCABULARY = load_default_vocabulary()
SICK = Prompt(("adult", "PA view", "pneumonia"))
CLEAN = Prompt(("adult", "PA view", "no finding"))


@pytest.fixture(scope="module")
def generator() -> Generator:
    return load_generator("default", threads=1)


@pytest.fixture(scope="module")
def drawn(generator: Generator) -> np.ndarray:
    return generator.generate(SICK, 7)


@pytest.fixture(scope="module")
def encoder() -> TinyEncoder:
    return TinyEncoder(VOCABULARY.terms)


def judge(
    encoder: TinyEncoder, pixels: np.ndarray, prompt: Prompt, **floors: dict[str, float]
) -> str | None:
    examiner = Examiner("another", encoder, Floors(**floors), VOCABULARY.findings)
    return examiner.judge(pixels, prompt).fault


def test_without_floors_nothing_is_refused_for_its_findings(
    encoder: TinyEncoder, drawn: np.ndarray
) -> None:
    assert judge(encoder, drawn, SICK) is None


def test_a_finding_that_the_heads_do_not_see_refuses(
    encoder: TinyEncoder, drawn: np.ndarray
) -> None:
    assert judge(encoder, drawn, SICK, present={"adult/pneumonia": 0.999}) == "finding-disagrees"
    assert judge(encoder, drawn, SICK, present={"child/pneumonia": 0.999}) is None
    assert judge(encoder, drawn, CLEAN, present={"adult/pneumonia": 0.999}) is None


def test_a_sick_prompt_may_not_look_clean(encoder: TinyEncoder, drawn: np.ndarray) -> None:
    floors = {"adult/no finding": 0.001}
    assert judge(encoder, drawn, SICK, absent=floors) == "finding-disagrees"
    assert judge(encoder, drawn, CLEAN, absent=floors) is None
    assert judge(encoder, drawn, Prompt(("adult", "PA view")), absent=floors) is None


def test_a_candidate_far_from_its_prompt_refuses(encoder: TinyEncoder, drawn: np.ndarray) -> None:
    assert judge(encoder, drawn, SICK, alignment={"adult": 0.999}) == "poorly-aligned"
    assert judge(encoder, drawn, SICK, alignment={"adult": -1.0}) is None


def test_burned_in_letters_refuse(drawn: np.ndarray, encoder: TinyEncoder) -> None:
    picture = Image.fromarray(drawn)
    pen = ImageDraw.Draw(picture)
    pen.text((60, 60), "SMITH JOHN 1970", 255, ImageFont.load_default(size=16))
    lettered = np.asarray(picture)
    assert not shows_text(drawn)
    assert shows_text(lettered)
    assert judge(encoder, lettered, SICK) == "readable-text"


def test_no_drawn_image_is_taken_for_text(generator: Generator) -> None:
    prompts = VOCABULARY.list_prompts()[::6]
    assert not any(shows_text(generator.generate(prompt, 3)) for prompt in prompts)


def test_the_accepted_candidate_comes_last_and_the_refused_keep_their_verdicts(
    generator: Generator,
) -> None:
    examiner = Examiner(generator.name)
    drawn = list(draw_candidates(generator, SICK, seed=3, max_candidates=6, examiner=examiner))
    assert [each.verdict.fault is None for each in drawn] == [False] * (len(drawn) - 1) + [True]
    assert count_faults(["b", "a", "b"]) == "a=1 b=2"


def test_floors_are_those_of_the_manifest() -> None:
    read = Floors.read({"acceptance": {"floors": {"alignment": {"adult": 0.4}, "present": {}}}})
    assert read == Floors({"adult": 0.4})
    assert Floors.read({}) == Floors()


def test_the_bound_is_the_sum_of_its_parts() -> None:
    small = Vocabulary(("adult", "no finding"), {"adult": ()}, {"adult": ("no finding",)}, {}, {})
    bound = small.bound()
    assert (bound.prompt, bound.choice) == (1.0, 0.0)
    assert bound.total == pytest.approx(np.log2(3))
    assert small.bound(choice=2.0).total == pytest.approx(np.log2(3) + 2)
