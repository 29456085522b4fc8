"""A local diffusers folder as a generator."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.config.generators import DiffusersGenerator
from updp_node.errors import ConfigError
from updp_node.model import Prompt
from updp_node.pixels.site.approval import read_approved
from updp_node.pixels.vocabulary import Vocabulary


class SiteGenerator:
    """Draws with a pipeline that an operator approved.

    Parameters
    ----------
    source : DiffusersGenerator
        The section of the configuration.
    threads : int, optional
        CPU threads of torch, for the whole process.

    Raises
    ------
    ConfigError
        The manifest is not the approved one.
    """

    def __init__(self, source: DiffusersGenerator, *, threads: int | None = None) -> None:
        self._source = source
        self._threads = threads
        self._manifest = read_approved(source)
        self._vocabulary = self._manifest.read_vocabulary()

    @property
    def name(self) -> str:
        """As the configuration and the manifest have it."""
        return self._source.name

    @property
    def sha256(self) -> str:
        """Digest over the manifest, which names that of every file, and the device."""
        return digest_source(self._source)

    @property
    def vocabulary(self) -> Vocabulary:
        """The terms that the manifest says this model draws."""
        return self._vocabulary

    def load(self) -> None:
        """Load the networks now.

        Raises
        ------
        ConfigError
            As `updp_node.pixels.site.loading.load_pipeline`.
        """
        _ = self._pipeline

    def generate(self, prompt: Prompt, seed: int) -> NDArray[np.uint8]:
        """Draw one image; see `updp_node.pixels.generator.Generator.generate`."""
        check_request(self._vocabulary, prompt, seed)
        import torch  # noqa: PLC0415 - torch only when needed

        wanted, sampling = self._vocabulary.order(prompt.terms), self._manifest.sampling
        settings: dict[str, Any] = {}
        if self._manifest.pipeline == "SanaPipeline":
            settings = {"use_resolution_binning": False, "complex_human_instruction": None}
        with torch.inference_mode():
            drawn = self._pipeline(
                prompt=self._manifest.write_text(wanted.terms),
                negative_prompt=self._manifest.negative,
                num_inference_steps=sampling.steps,
                guidance_scale=sampling.guidance,
                height=sampling.rows,
                width=sampling.columns,
                generator=torch.Generator("cpu").manual_seed(seed),
                output_type="np",
                **settings,
            ).images[0]
        return to_luminance(np.asarray(drawn, dtype=np.float32))

    @cached_property
    def _pipeline(self) -> Any:
        """The pipeline, loaded once."""
        import torch  # noqa: PLC0415 - torch only when needed

        from updp_node.pixels.site.loading import load_pipeline  # noqa: PLC0415

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        if self._source.device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("no CUDA device", key=f"generators.{self.name}.device")
        return load_pipeline(self._source.folder, self._manifest, device=self._source.device)


def digest_source(source: DiffusersGenerator) -> str:
    """Digest of what decides the pixels: the approved manifest, and the device's arithmetic."""
    return hashlib.sha256(f"diffusers\n{source.sha256}\n{source.device}".encode()).hexdigest()


def check_request(vocabulary: Vocabulary, prompt: Prompt, seed: int) -> None:
    """Refuse what a generator must not be asked.

    Raises
    ------
    ValueError
        A term beside the vocabulary, or a seed out of range.
    """
    if not set(prompt.terms) <= set(vocabulary.terms):
        raise ValueError("a prompt holds whole terms of the vocabulary only")
    if not 0 <= seed < 2**63:
        raise ValueError("a seed lies between 0 and 2**63 - 1")


def to_luminance(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """One gray channel of an RGB image between 0 and 1 (ITU-R BT.601 weights)."""
    gray = image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if not np.isfinite(gray).all():
        return np.zeros(gray.shape, dtype=np.uint8)
    return np.ascontiguousarray(np.clip(gray * 255 + 0.5, 0, 255).astype(np.uint8))
