"""The joint encoder that ships with the package (torch)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from updp_node.errors import ConfigError
from updp_node.pixels.towers import IMAGE_SIZE, ImageTower, TextTower
from updp_node.pixels.weights import DEFAULT_FOLDER, MANIFEST, read_checked, read_manifest

ENCODER_FILE = "encoder.safetensors"
_BATCH = 64


class ShippedEncoder:
    """Both towers and the finding heads of a model folder.

    Parameters
    ----------
    folder : pathlib.Path
        Manifest and safetensors.
    threads : int, optional
        CPU threads of torch, for the whole process.

    Raises
    ------
    ConfigError
        When the folder has no encoder, or a file differs from the digest in the manifest.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER, *, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        manifest = read_manifest(folder)
        if "encoder" not in manifest:
            raise ConfigError("names no encoder", file=str(folder / MANIFEST), key="encoder")
        described: dict[str, Any] = manifest["encoder"]
        weights = {k: v.float() for k, v in load(read_checked(folder, ENCODER_FILE)).items()}
        self._sha256: str = manifest["files"][ENCODER_FILE]["sha256"]
        self._terms: tuple[str, ...] = tuple(described["terms"])
        self._heads: list[tuple[str, str]] = [(head[0], head[1]) for head in described["heads"]]
        self._embeddings = functional.normalize(weights.pop("term_embeddings"), dim=1)
        self._image_tower = ImageTower(**described["image_tower"], heads=len(self._heads))
        self.text_tower: nn.Module = TextTower(**described["text_tower"])
        _fill(self._image_tower, "image.", weights)
        _fill(self.text_tower, "text.", weights)

    @property
    def sha256(self) -> str:
        """Digest of the weights."""
        return self._sha256

    @property
    def terms(self) -> tuple[str, ...]:
        """Whole whitelist terms that it embeds."""
        return self._terms

    @property
    def term_embeddings(self) -> NDArray[np.float32]:
        """Shape (terms, E), rows of unit norm."""
        embeddings: NDArray[np.float32] = self._embeddings.numpy()
        return embeddings

    def encode_image(self, display: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a MONOCHROME2 image of any size as (D,) of unit norm."""
        encoded: NDArray[np.float32] = self.encode_images([display])[0]
        return encoded

    def encode_images(self, displays: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode several images as (images, D), rows of unit norm."""
        return self._see(displays)[0]

    def encode_terms(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """Encode a set of terms as (D,) of unit norm; see `JointEncoder.encode_terms`."""
        if not terms or not set(terms) <= set(self._terms):
            raise ValueError("whole terms of the encoder only, and at least one")
        rows = sorted({self._terms.index(term) for term in terms})
        with torch.inference_mode():
            encoded: NDArray[np.float32] = self.text_tower(self._embeddings[rows][None])[0].numpy()
        return encoded

    def read_findings(self, display: NDArray[np.uint8]) -> Mapping[str, float]:
        """Probability of every finding that has a head; see `read_many`."""
        return self.read_many([display])[0]

    def read_many(self, displays: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
        """Probabilities per image.

        A finding that children and adults were taught apart is read by both heads, weighted by
        how much the image looks like a child's.
        """
        chances = 1 / (1 + np.exp(-self._see(displays)[1].astype(np.float64)))
        return [self._mix(row) for row in chances]

    def _mix(self, chances: NDArray[np.float64]) -> dict[str, float]:
        by_head = {head: float(chance) for head, chance in zip(self._heads, chances, strict=True)}
        child = by_head["child", "any"]
        mixed: dict[str, float] = {}
        for (term, band), chance in by_head.items():
            other = by_head.get((term, "child" if band == "adult" else "adult"))
            if band == "any" or other is None:
                mixed[term] = chance
            elif band == "child":
                mixed[term] = child * chance + (1 - child) * other
        return mixed

    def _see(
        self, displays: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Embeddings and logits of the heads, in batches."""
        parts: list[tuple[Tensor, Tensor]] = []
        with torch.inference_mode():
            for start in range(0, len(displays), _BATCH):
                batch = [reduce_display(display) for display in displays[start : start + _BATCH]]
                parts.append(self._image_tower(torch.from_numpy(np.stack(batch))[:, None]))
        embeddings, logits = (torch.cat(column).numpy() for column in zip(*parts, strict=True))
        return embeddings, logits


def _fill(tower: nn.Module, prefix: str, weights: dict[str, Tensor]) -> None:
    """Every weight in its place, none missing, none left over; frozen."""
    part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    missing, unexpected = tower.load_state_dict(part, strict=False)
    if unexpected or not all(name.endswith("num_batches_tracked") for name in missing):
        raise ConfigError("holds other weights than the manifest describes", file=ENCODER_FILE)
    tower.eval().requires_grad_(False)


def reduce_display(display: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bring a displayed image to the encoder's size: averaged down, or enlarged.

    Parameters
    ----------
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2.

    Returns
    -------
    ndarray of float32, shape (128, 128)
        0..255.
    """
    small = min(display.shape) < IMAGE_SIZE
    how = Image.Resampling.BICUBIC if small else Image.Resampling.BOX
    return np.asarray(Image.fromarray(display).resize((IMAGE_SIZE, IMAGE_SIZE), how), np.float32)
