"""Draw images with the networks of the default generator (torch, diffusers)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from diffusers import DDIMScheduler
from numpy.typing import NDArray
from torch import Tensor, nn

from updp_node.pixels.network import COARSE_SIZE, CoarseDenoiser, TexturePainter
from updp_node.pixels.weights import read_arrays, read_manifest

_BAND_PARTS = {
    "adult": ("adult.safetensors", "adult_coefficients"),
    "child": ("coarse.safetensors", "coefficients"),
}
Network = TypeVar("Network", bound=nn.Module)


class Sampler:
    """Both stages of the default generator, ready to draw.

    The first stage has a network per band. The few adults taught theirs the leading
    coefficients only: how the others belong together was not learned, and they would be ripples.

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
        self._coarse = {}
        for band, (name, size) in _BAND_PARTS.items():
            network = CoarseDenoiser(sizes[size], terms, **sizes["coarse"])
            self._coarse[band] = _fill(network, read_arrays(folder, name))
        texture = TexturePainter(**sizes["texture"])
        self._texture = _fill(texture, read_arrays(folder, "texture.safetensors"))

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
        network = self._coarse["child" if child else "adult"]
        coarse = self._draw_coarse(network, torch.from_numpy(terms)[None], generator)
        band = torch.tensor([float(child)])
        noise = torch.randn(1, 2, COARSE_SIZE, COARSE_SIZE, generator=generator)
        image = self._texture(coarse, band, noise)
        pixels: NDArray[np.uint8] = (image[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
        return pixels

    def _draw_coarse(
        self, network: CoarseDenoiser, terms: Tensor, generator: torch.Generator
    ) -> Tensor:
        """The anatomy: coefficients by guided diffusion, rendered at 64 x 64."""
        guidance = float(self._sampling["guidance"])
        prompts = torch.cat([terms, torch.zeros_like(terms)])

        def predict(noisy: Tensor, step: Tensor) -> Tensor:
            told, untold = network(noisy.repeat(2, 1), step.repeat(2), prompts).chunk(2)
            velocity: Tensor = untold + guidance * (told - untold)
            return velocity

        make: Callable[..., Any] = DDIMScheduler
        scheduler = make(**self._schedule, timestep_spacing="trailing", clip_sample=False)
        count = network.coefficients
        noise = torch.randn(1, count, generator=generator)
        codes = _denoise(scheduler, predict, noise, int(self._sampling["coarse_steps"]))
        flat = codes * self._space["scale"][:count] @ self._space["basis"][:count]
        flat = flat + self._space["mean"]
        return flat.reshape(1, 1, COARSE_SIZE, COARSE_SIZE)


def _fill(network: Network, arrays: dict[str, NDArray[Any]]) -> Network:
    """Every weight in its place, in full precision, none left over."""
    weights = {k: torch.from_numpy(v) for k, v in arrays.items() if not k.endswith(".step")}
    network.load_state_dict(weights)
    network.eval()
    return network


def _denoise(
    scheduler: Any, predict: Callable[[Tensor, Tensor], Tensor], noisy: Tensor, steps: int
) -> Tensor:
    """Run a diffusers scheduler from noise to a sample."""
    scheduler.set_timesteps(steps)
    for step in scheduler.timesteps:
        noisy = scheduler.step(predict(noisy, step[None]), step, noisy).prev_sample
    return noisy
