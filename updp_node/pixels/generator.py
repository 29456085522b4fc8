"""Generators: a prompt and a seed in, pixels out, nothing else of the patient.

The Protocol is one of the three extension points; ``tests/contracts/test_generator.py`` runs
over every implementation. torch is imported when the first image is drawn, not before.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError
from updp_node.model import Prompt
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, digest_model, read_checked, read_manifest

if TYPE_CHECKING:
    from updp_node.config.generators import SiteModel
    from updp_node.pixels.sampling import Sampler


class Generator(Protocol):
    """Draws a radiograph from a prompt and a seed."""

    @property
    def name(self) -> str:
        """Name as a profile has it."""

    @property
    def sha256(self) -> str:
        """Digest over weights, vocabulary and sampling settings."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms this generator renders."""

    def generate(self, prompt: Prompt, seed: int) -> NDArray[np.uint8]:
        """Draw one image.

        Parameters
        ----------
        prompt : Prompt
            Terms of `vocabulary` only.
        seed : int
            0 to 2**63 - 1; the same prompt and seed give bit-identical pixels on one machine.

        Returns
        -------
        ndarray of uint8, shape (rows, columns)
            MONOCHROME2: 0 is black.

        Raises
        ------
        ValueError
            For a term that is not in the vocabulary, or a seed out of range.
        """


class DefaultGenerator:
    """The generator that ships with the package.

    Parameters
    ----------
    folder : pathlib.Path
        Manifest and safetensors.
    threads : int, optional
        CPU threads of torch, for the whole process; torch's own choice if absent.

    Raises
    ------
    ConfigError
        When a file is absent or differs from the digest in the manifest.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER, *, threads: int | None = None) -> None:
        self._folder = folder
        self._threads = threads
        self._manifest = read_manifest(folder)
        for name in self._manifest["files"]:
            read_checked(folder, name)
        self._vocabulary = Vocabulary.read(self._manifest)
        self._sha256 = digest_model(folder)

    @property
    def name(self) -> str:
        """``default``."""
        return str(self._manifest["name"])

    @property
    def sha256(self) -> str:
        """Digest of the manifest, which names the digest of every file."""
        return self._sha256

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms with at least a hundred training images."""
        return self._vocabulary

    def generate(self, prompt: Prompt, seed: int) -> NDArray[np.uint8]:
        """Draw one 256 x 256 image; see `Generator.generate`."""
        if not set(prompt.terms) <= set(self._vocabulary.terms):
            raise ValueError("a prompt holds whole terms of the vocabulary only")
        if not 0 <= seed < 2**63:
            raise ValueError("a seed lies between 0 and 2**63 - 1")
        wanted = [term in prompt.terms for term in self._vocabulary.terms]
        return self._sampler.draw(np.array(wanted, dtype=np.float32), "child" in prompt.terms, seed)

    @cached_property
    def _sampler(self) -> Sampler:
        """The networks, loaded once, at the first image."""
        from updp_node.pixels.sampling import Sampler  # noqa: PLC0415 - torch only when needed

        return Sampler(self._folder, threads=self._threads)


def load_generator(
    name: str, *, threads: int | None = None, source: SiteModel | None = None
) -> Generator:
    """Load a generator by the name that a profile gives.

    Parameters
    ----------
    name : str
        ``default``, or that of `source`.
    threads : int, optional
        CPU threads of torch.
    source : DiffusersGenerator or ExternalGenerator, optional
        A site's own, as the configuration has it.

    Raises
    ------
    ConfigError
        For an unknown name, or weights that differ from their digests.
    """
    if name == "default":
        return DefaultGenerator(threads=threads)
    if source is None or source.name != name:
        raise ConfigError("unknown generator; known: default", key="pixels.model")
    from updp_node.pixels.site.opening import open_generator  # noqa: PLC0415 - seldom needed

    return open_generator(source, threads=threads)
