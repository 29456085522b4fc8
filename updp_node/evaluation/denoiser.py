"""The shipped generator as an attacker sees it who holds its weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from updp_node.evaluation.collection import Collection
from updp_node.evaluation.membership import Diffusion
from updp_node.evaluation.picture import resize
from updp_node.pixels.network import COARSE_SIZE, CoarseDenoiser
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, read_arrays, read_manifest

_PARTS = {
    "adult": ("adult.safetensors", "adult_coefficients"),
    "child": ("coarse.safetensors", "coefficients"),
}


class ShippedDenoiser:
    """The stage of the shipped generator that learned from whole images: the anatomy of a band.

    Parameters
    ----------
    band : str
        ``adult`` or ``child``: each has a network of its own.
    folder : pathlib.Path
        Manifest and safetensors.
    """

    def __init__(self, band: str, folder: Path = DEFAULT_FOLDER) -> None:
        manifest = read_manifest(folder)
        self._vocabulary = Vocabulary.read(manifest)
        self._band = band
        sizes, arrays = manifest["sizes"], read_arrays(folder, "eigenspace.safetensors")
        name, key = _PARTS[band]
        self._mean = arrays["mean"]
        self._basis, self._scale = arrays["basis"][: sizes[key]], arrays["scale"][: sizes[key]]
        network = CoarseDenoiser(sizes[key], len(self._vocabulary.terms), **sizes["coarse"])
        weights = {
            part: torch.from_numpy(value)
            for part, value in read_arrays(folder, name).items()
            if not part.endswith(".step")
        }
        network.load_state_dict(weights)
        self._network = network.eval()
        self._alphas = _list_alphas(manifest["schedule"])

    @property
    def diffusion(self) -> Diffusion:
        """For `updp_node.evaluation.membership.measure_membership`."""
        return Diffusion(self._predict_noise, self._alphas)

    def encode(self, images: NDArray[np.uint8]) -> Tensor:
        """Whitened coefficients, as the denoiser was trained on."""
        small = np.stack([resize(image, COARSE_SIZE).reshape(-1) for image in images])
        centred = small.astype(np.float32) / 255 - self._mean
        return torch.from_numpy(centred @ self._basis.T / self._scale)

    def condition(self, collection: Collection) -> Tensor:
        """What the prompt of each image would be: the band, its view and findings."""
        rows, band = [], self._band
        for entry in collection.entries:
            found = {self._vocabulary.find(label.replace("_", " "), band)
                     for label in entry.labels or ()}  # fmt: skip
            view = {f"{entry.view} view"} & set(self._vocabulary.views[band])
            terms = {band, *view, *found}
            rows.append([term in terms for term in self._vocabulary.terms])
        return torch.tensor(rows, dtype=torch.float32)

    def _predict_noise(self, noisy: Tensor, steps: Tensor, condition: Tensor) -> Tensor:
        """From the velocity that the network predicts."""
        velocity = self._network(noisy, steps, condition)
        kept = torch.from_numpy(self._alphas).float()[steps][:, None]
        noise: Tensor = kept.sqrt() * velocity + (1 - kept).sqrt() * noisy
        return noise


def _list_alphas(schedule: dict[str, Any]) -> NDArray[np.float64]:
    from diffusers import DDIMScheduler  # noqa: PLC0415 - heavy

    make: Callable[..., Any] = DDIMScheduler
    return np.asarray(make(**schedule).alphas_cumprod.numpy(), dtype=np.float64)
