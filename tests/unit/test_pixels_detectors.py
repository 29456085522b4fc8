"""The frontal-chest detector and the small readers: numpy only."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from updp_node.model import Prompt
from updp_node.pixels.detectors import looks_child, looks_frontal_chest
from updp_node.pixels.generator import load_generator

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module", params=[("child", "no finding"), ("adult", "PA view")])
def chest(request: pytest.FixtureRequest) -> Picture:
    return load_generator("default", threads=1).generate(Prompt(request.param), 8)


def test_a_chest_is_a_chest_in_any_size_and_window(chest: Picture) -> None:
    wide = np.kron(chest, np.ones((2, 3), dtype=np.uint8))
    assert looks_frontal_chest(chest)
    assert looks_frontal_chest(chest[::2, ::2].copy())
    assert looks_frontal_chest(wide)
    assert looks_frontal_chest((chest // 2 + 40).astype(np.uint8))


def test_a_chest_with_black_margins_is_a_chest(chest: Picture) -> None:
    assert looks_frontal_chest(np.pad(chest, ((10, 16), (20, 8))))


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_turned_chest_is_none(chest: Picture, quarter: int) -> None:
    assert not looks_frontal_chest(np.rot90(chest, quarter).copy())


def test_an_inverted_chest_is_none(chest: Picture) -> None:
    assert not looks_frontal_chest(255 - chest)


def test_noise_and_even_grey_are_no_chest() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (256, 256), dtype=np.uint8)
    assert not looks_frontal_chest(noise)
    assert not looks_frontal_chest(np.full((256, 256), 90, dtype=np.uint8))


def test_a_bright_hand_on_black_is_no_chest() -> None:
    hand = np.zeros((256, 256), dtype=np.uint8)
    hand[150:230, 80:180] = 140
    for finger in range(5):
        hand[40:150, 80 + 21 * finger : 92 + 21 * finger] = 200
    assert not looks_frontal_chest(hand)


def test_a_drawn_child_looks_like_one() -> None:
    generator = load_generator("default", threads=1)
    assert looks_child(generator.generate(Prompt(("child", "pneumonia")), 3))


def test_the_detectors_do_without_torch() -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np\n"
        "from updp_node.pixels.detectors import looks_frontal_chest\n"
        "grain = np.random.default_rng(1).integers(0, 256, (128, 128), dtype=np.uint8)\n"
        "print(looks_frontal_chest(grain))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
