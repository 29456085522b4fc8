"""The shipped generator, opened: many images at once, from conditions that no prompt can say.

The node draws from whole terms only (`updp_node.pixels.sampling`). The study needs what the node
refuses: conditions that were fitted to a patient's image, and diffusion that begins at the
image itself. Networks, schedule, guidance and steps are the shipped ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler
from numpy.typing import NDArray
from torch import Tensor, nn

from updp_node.evaluation.denoiser import ShippedDenoiser
from updp_node.pixels.network import COARSE_SIZE, CoarseDenoiser, TexturePainter
from updp_node.pixels.weights import DEFAULT_FOLDER, read_arrays, read_manifest

BATCH = 64
_PARTS = {
    "adult": ("adult.safetensors", "adult_coefficients"),
    "child": ("coarse.safetensors", "coefficients"),
}


class Studio:
    """Both stages of the default generator for one band.

    Attributes
    ----------
    denoiser : ShippedDenoiser
        Encodes images as coefficients, and says what their prompts would be.
    """

    def __init__(self, band: str, folder: Path = DEFAULT_FOLDER) -> None:
        manifest = read_manifest(folder)
        self.denoiser = ShippedDenoiser(band, folder)
        self._is_child = float(band == "child")
        self._schedule: dict[str, Any] = manifest["schedule"]
        self._sampling: dict[str, Any] = manifest["sampling"]
        sizes, terms = manifest["sizes"], len(manifest["vocabulary"]["terms"])
        file, size = _PARTS[band]
        network = CoarseDenoiser(sizes[size], terms, **sizes["coarse"])
        _fill(network, read_arrays(folder, file))
        self._term_rows = network.term.weight.detach().T.clone()
        network.term = nn.Identity()  # type: ignore[assignment]  # conditions enter as they are
        self._network = network
        self._texture = TexturePainter(**sizes["texture"])
        _fill(self._texture, read_arrays(folder, "texture.safetensors"))
        space = read_arrays(folder, "eigenspace.safetensors")
        count = network.coefficients
        self._space = {
            "mean": torch.from_numpy(space["mean"]),
            "rows": torch.from_numpy(space["basis"][:count] * space["scale"][:count, None]),
        }

    def embed(self, told: Tensor) -> Tensor:
        """Conditions of prompts: the sum of their terms' rows, shape (n, condition)."""
        return told @ self._term_rows

    def measure_loss(self, codes: Tensor, conditions: Tensor, generator: torch.Generator) -> Tensor:
        """Squared error of the velocity at one random step for every image, shape (n,)."""
        times = torch.randint(len(self._alphas), (len(codes),), generator=generator)
        noise = torch.randn(codes.shape, generator=generator)
        kept = self._alphas[times][:, None]
        noisy = kept.sqrt() * codes + (1 - kept).sqrt() * noise
        wanted = kept.sqrt() * noise - (1 - kept).sqrt() * codes
        error: Tensor = (self._network(noisy, times, conditions) - wanted).square().mean(1)
        return error

    @torch.inference_mode()
    def draw(
        self, conditions: Tensor, seeds: Sequence[int], *, start: Tensor | None = None,
        share: float = 1.0,
    ) -> NDArray[np.uint8]:  # fmt: skip
        """Draw one image for every condition and seed.

        Parameters
        ----------
        conditions : Tensor, shape (n, condition)
        seeds : sequence of int
            Noise is drawn for each image as the node draws it.
        start : Tensor, shape (n, coefficients), optional
            Images to begin with; noise alone if absent.
        share : float
            Of the steps that are gone: at 1 nothing of `start` is left.

        Returns
        -------
        ndarray of uint8, shape (n, 256, 256)
        """
        parts = []
        for first in range(0, len(seeds), BATCH):
            place = slice(first, first + BATCH)
            begun = None if start is None else start[place]
            parts.append(self._draw(conditions[place], seeds[place], begun, share))
        return np.concatenate(parts)

    @property
    def _alphas(self) -> Tensor:
        return torch.from_numpy(self.denoiser.diffusion.alphas).float()

    def _draw(
        self, conditions: Tensor, seeds: Sequence[int], start: Tensor | None, share: float
    ) -> NDArray[np.uint8]:
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        count = self._network.coefficients
        noise = torch.cat([torch.randn(1, count, generator=each) for each in generators])
        codes = self._denoise(conditions, noise, start, share)
        coarse = (codes @ self._space["rows"] + self._space["mean"]).reshape(
            -1, 1, COARSE_SIZE, COARSE_SIZE
        )
        grain = torch.cat([
            torch.randn(1, 2, COARSE_SIZE, COARSE_SIZE, generator=each) for each in generators
        ])  # fmt: skip
        painted = self._texture(coarse, torch.full((len(coarse),), self._is_child), grain)
        pixels: NDArray[np.uint8] = (
            (painted[:, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        )
        return pixels

    def _denoise(
        self, conditions: Tensor, noise: Tensor, start: Tensor | None, share: float
    ) -> Tensor:
        """Guided DDIM, from the first step or from a later one."""
        make: Callable[..., Any] = DDIMScheduler
        scheduler = make(**self._schedule, timestep_spacing="trailing", clip_sample=False)
        scheduler.set_timesteps(int(self._sampling["coarse_steps"]))
        steps = scheduler.timesteps
        state = noise
        if start is not None:
            steps = steps[round((1 - share) * len(steps)) :]
            state = self.denoiser.diffusion.blend(start, noise, int(steps[0]))
        prompts = torch.cat([conditions, torch.zeros_like(conditions)])
        guidance = float(self._sampling["guidance"])
        for step in steps:
            told, untold = self._network(
                state.repeat(2, 1), step.repeat(2 * len(state)), prompts
            ).chunk(2)
            state = scheduler.step(untold + guidance * (told - untold), step, state).prev_sample
        return state


def _fill(network: nn.Module, arrays: dict[str, NDArray[Any]]) -> None:
    weights = {k: torch.from_numpy(v) for k, v in arrays.items() if not k.endswith(".step")}
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
