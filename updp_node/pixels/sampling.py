"""Draw images with the networks of the default generator (torch, diffusers)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from diffusers import DDIMScheduler
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor, nn

from updp_node.pixels.network import COARSE_SIZE, CoarseDenoiser, TexturePainter
from updp_node.pixels.weights import read_arrays, read_checked, read_manifest


class Sampler:
    """Both stages of the default generator, ready to draw.

    Parameters
    ----------
    folder : pathlib.Path
        Manifest and safetensors; every digest is checked again before use.
    threads : int, optional
        CPU threads of torch, for the whole process.
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        manifest = read_manifest(folder)
        self._schedule: dict[str, Any] = manifest["schedule"]
        self._sampling: dict[str, Any] = manifest["sampling"]
        sizes = manifest["sizes"]
        arrays = read_arrays(folder, "eigenspace.safetensors")
        self._space = {key: torch.from_numpy(value) for key, value in arrays.items()}
        terms = len(manifest["vocabulary"]["terms"])
        coarse = CoarseDenoiser(sizes["coefficients"], terms, **sizes["coarse"])
        texture = TexturePainter(**sizes["texture"])
        self._coarse = _load(coarse, read_checked(folder, "coarse.safetensors"))
        self._texture = _load(texture, read_checked(folder, "texture.safetensors"))

    @torch.inference_mode()
    def draw(self, terms: NDArray[np.float32], child: bool, seed: int) -> NDArray[np.uint8]:
        """Draw one image.

        Parameters
        ----------
        terms : ndarray of float32, shape (terms,)
            Multi-hot in the vocabulary's order.
        child : bool
            Which texture: that of the children's or of the adults' images.
        seed : int

        Returns
        -------
        ndarray of uint8, shape (256, 256)
        """
        generator = torch.Generator().manual_seed(seed)
        coarse = self._draw_coarse(torch.from_numpy(terms)[None], generator)
        band = torch.tensor([float(child)])
        noise = torch.randn(1, 2, COARSE_SIZE, COARSE_SIZE, generator=generator)
        image = self._texture(coarse, band, noise)
        pixels: NDArray[np.uint8] = (image[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        return pixels

    def _draw_coarse(self, terms: Tensor, generator: torch.Generator) -> Tensor:
        """The anatomy: coefficients by guided diffusion, rendered at 64 x 64."""
        guidance = float(self._sampling["guidance"])
        prompts = torch.cat([terms, torch.zeros_like(terms)])

        def predict(noisy: Tensor, step: Tensor) -> Tensor:
            told, untold = self._coarse(noisy.repeat(2, 1), step.repeat(2), prompts).chunk(2)
            velocity: Tensor = untold + guidance * (told - untold)
            return velocity

        make: Callable[..., Any] = DDIMScheduler
        scheduler = make(**self._schedule, timestep_spacing="trailing", clip_sample=False)
        noise = torch.randn(1, self._space["scale"].shape[0], generator=generator)
        codes = _denoise(scheduler, predict, noise, int(self._sampling["coarse_steps"]))
        flat = codes * self._space["scale"] @ self._space["basis"] + self._space["mean"]
        return flat.reshape(1, 1, COARSE_SIZE, COARSE_SIZE)


def _load(network: nn.Module, content: bytes) -> nn.Module:
    """Every weight in its place, in full precision, none left over."""
    network.load_state_dict({key: value.float() for key, value in load(content).items()})
    return network.eval()


def _denoise(
    scheduler: Any, predict: Callable[[Tensor, Tensor], Tensor], noisy: Tensor, steps: int
) -> Tensor:
    """Run a diffusers scheduler from noise to a sample."""
    scheduler.set_timesteps(steps)
    for step in scheduler.timesteps:
        noisy = scheduler.step(predict(noisy, step[None]), step, noisy).prev_sample
    return noisy
