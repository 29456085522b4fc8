"""The small networks of an evaluation, and how their images are prepared (torch)."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from updp_node.evaluation.picture import resize

SIDE = 64


class Trunk(nn.Module):
    """Convolutions from a 64 x 64 image to a vector that still knows where things are.

    Parameters
    ----------
    width : int
        Channels of the first layer; later ones have twice and four times as many.
    outputs : int
        Length of the vector.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 5, stride=2, padding=2),
            _Step(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            _Step(2 * width),
            _Step(2 * width),
            nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1),
            _Step(4 * width),
            _Step(4 * width),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(4 * width * 16, outputs),
        )

    def forward(self, images: Tensor) -> Tensor:
        """From (n, 1, 64, 64) to (n, outputs)."""
        vectors: Tensor = self.layers(images)
        return vectors


class _Step(nn.Module):
    """Two normalized convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.GroupNorm(4, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(4, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.inner(features)
        return changed


def prepare(images: NDArray[np.uint8]) -> Tensor:
    """Images as (n, 1, 64, 64) with zero mean and unit spread each."""
    small = np.stack([resize(image, SIDE) for image in images])
    flat = torch.from_numpy(small).float().flatten(1)
    flat = (flat - flat.mean(1, keepdim=True)) / flat.std(1, keepdim=True).clamp(min=1)
    return flat.reshape(-1, 1, SIDE, SIDE)


def augment(images: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Turn, shift, stretch and recolour a little; never mirrored, the heart stays on its side."""
    count = len(images)
    spread = (torch.rand(count, 8, generator=generator) * 2 - 1) * strength
    angle = spread[:, 0] * math.radians(8)
    wide, high = torch.exp(0.1 * spread[:, 1]), torch.exp(0.1 * spread[:, 2])
    matrix = torch.stack(
        [
            torch.stack([wide * angle.cos(), -wide * angle.sin(), 0.12 * spread[:, 3]], 1),
            torch.stack([high * angle.sin(), high * angle.cos(), 0.12 * spread[:, 4]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    bent = moved + 0.15 * spread[:, 5, None, None, None] * (moved.square() - 1)
    contrast = torch.exp(0.2 * spread[:, 6])[:, None, None, None]
    noise = (
        torch.randn(images.shape, generator=generator)
        * 0.1
        * spread[:, 7].abs()[:, None, None, None]
    )
    return bent * contrast + noise
