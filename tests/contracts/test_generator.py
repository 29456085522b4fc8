"""What every generator promises; add an implementation to `GENERATORS` and it is held to it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import structlog

from tests.factories.site_models import (
    approve_folder,
    approve_program,
    write_sana,
    write_stable_diffusion,
)
from updp_node.config.generators import SiteModel
from updp_node.model import Prompt
from updp_node.pixels.generator import Generator, load_generator

FOLDERS: list[Path] = []
SITE: dict[str, Callable[[Path], SiteModel]] = {
    "program": approve_program,
    "stable-diffusion": lambda folder: approve_folder(write_stable_diffusion(folder / "sd")),
    "sana": lambda folder: approve_folder(write_sana(folder / "sana")),
}
"""A site's own; each call writes it anew, so that another loading is another folder too."""


def load_site(kind: str) -> Generator:
    if kind != "program" and find_spec("transformers") is None:
        pytest.skip("transformers is not installed (extra site-models)")
    source = SITE[kind](Path(mkdtemp(dir=FOLDERS[0])))
    return load_generator(source.name, threads=1, source=source)


GENERATORS: dict[str, Callable[[], Generator]] = {
    "default": lambda: load_generator("default", threads=1),
    **{kind: partial(load_site, kind) for kind in SITE},
}


@pytest.fixture(scope="module", autouse=True)
def _folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    FOLDERS.append(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module", autouse=True)
def _log_anew() -> None:
    """A command that ran before may have bound the log to a stream that is closed."""
    structlog.reset_defaults()


@pytest.fixture(scope="module", params=sorted(GENERATORS))
def generator(request: pytest.FixtureRequest) -> Generator:
    return GENERATORS[request.param]()


@pytest.fixture(scope="module")
def prompt(generator: Generator) -> Prompt:
    return generator.vocabulary.list_prompts()[0]


def test_it_has_a_name_and_a_digest(generator: Generator) -> None:
    assert generator.name
    assert len(generator.sha256) == 64
    assert int(generator.sha256, 16) >= 0


def test_pixels_are_eight_bit_grayscale_of_at_least_256(
    generator: Generator, prompt: Prompt
) -> None:
    pixels = generator.generate(prompt, 1)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 2
    assert min(pixels.shape) >= 256
    assert pixels.flags.c_contiguous


def test_the_same_prompt_and_seed_give_the_same_bits(generator: Generator, prompt: Prompt) -> None:
    assert np.array_equal(generator.generate(prompt, 11), generator.generate(prompt, 11))


def test_another_loading_gives_the_same_bits(
    generator: Generator, prompt: Prompt, request: pytest.FixtureRequest
) -> None:
    again = GENERATORS[request.node.callspec.params["generator"]]()
    assert np.array_equal(generator.generate(prompt, 12), again.generate(prompt, 12))


def test_another_seed_gives_another_image(generator: Generator, prompt: Prompt) -> None:
    first, second = (generator.generate(prompt, seed).astype(int) for seed in (1, 2))
    assert np.abs(first - second).mean() > 2


def test_another_prompt_gives_another_image(generator: Generator) -> None:
    first, *_, last = generator.vocabulary.list_prompts()
    assert not np.array_equal(generator.generate(first, 3), generator.generate(last, 3))


def test_what_a_prompt_could_not_render_changes_nothing(
    generator: Generator, prompt: Prompt
) -> None:
    flagged = Prompt(prompt.terms, ("pneumothorax",))
    assert np.array_equal(generator.generate(prompt, 4), generator.generate(flagged, 4))


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_every_seed_in_range_is_drawn(generator: Generator, prompt: Prompt, seed: int) -> None:
    assert generator.generate(prompt, seed).std() > 0


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(generator: Generator, prompt: Prompt, seed: int) -> None:
    with pytest.raises(ValueError, match="seed"):
        generator.generate(prompt, seed)


def test_a_word_beside_the_vocabulary_is_refused_and_not_repeated(generator: Generator) -> None:
    with pytest.raises(ValueError, match="vocabulary") as caught:
        generator.generate(Prompt(("adult", "smith")), 1)
    assert "smith" not in str(caught.value)
