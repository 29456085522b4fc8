"""A site's own generator along the line: another process draws, and draws the same bits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.factories.site_models import (
    PROGRAM,
    approve_folder,
    approve_program,
    write_stable_diffusion,
)
from updp_node.crew import Crew
from updp_node.errors import InstanceError
from updp_node.model import Counterpart, Prompt
from updp_node.pixels.generator import load_generator
from updp_node.pixels.workshop import SynthesisTask, Tools, synthesize

pytestmark = pytest.mark.acceptance

PROMPT = Prompt(("adult", "PA view", "no finding"))
_DRAW = """
import hashlib, sys
from updp_node.config.generators import DiffusersGenerator
from updp_node.model import Prompt
from updp_node.pixels.site.opening import open_generator
source = DiffusersGenerator.model_validate_json(sys.argv[1])
pixels = open_generator(source, threads=1).generate(Prompt(("adult", "cardiomegaly")), 9)
print(hashlib.sha256(pixels.tobytes()).hexdigest())
"""


def test_two_processes_draw_the_same_bits(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers (extra site-models) is not installed")
    source = approve_folder(write_stable_diffusion(tmp_path / "sd"))
    told = [
        subprocess.run(
            [sys.executable, "-c", _DRAW, source.model_dump_json()],
            capture_output=True, text=True, check=True, timeout=100,
        ).stdout.split()[-1]
        for _ in range(2)
    ]  # fmt: skip
    assert told[0] == told[1]


def chest_program(image: Path) -> str:
    """The program, with one chest radiograph for every prompt."""
    return PROGRAM.replace(
        'image = png(request["rows"], request["columns"], key)',
        f'image = open({str(image)!r}, "rb").read()',
    )


def test_a_counterpart_of_a_program_is_made_in_the_synthesis_process(tmp_path: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    drawn = load_generator("default", threads=1).generate(PROMPT, 7)
    Image.fromarray(drawn.astype(np.uint16) * 257).save(tmp_path / "chest.png")
    source = approve_program(tmp_path / "p", chest_program(tmp_path / "chest.png"))
    crew = Crew()
    try:
        tasks = [SynthesisTask(Tools(source.name, source), PROMPT, seed) for seed in (1, 2)]
        results = list(crew.map_synthesis(synthesize, tasks))
    finally:
        crew.close()
    for result in results:
        assert isinstance(result, Counterpart), result
        assert (result.model_name, result.bound.choice) == ("program", 0)
        assert np.array_equal(result.pixels, drawn)


def test_a_program_that_draws_no_chest_gives_no_counterpart(tmp_path: Path) -> None:
    source = approve_program(tmp_path)
    crew = Crew()
    try:
        (result,) = crew.map_synthesis(
            synthesize, [SynthesisTask(Tools(source.name, source), PROMPT, 1)]
        )
    finally:
        crew.close()
    assert isinstance(result, InstanceError)
    assert result.code == "no-acceptable-counterpart"
