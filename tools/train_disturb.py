"""Another view of every image at every step of train_encoder.py."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from updp_node.pixels.towers import IMAGE_SIZE

_SIZES = (64, 48, 32, 24)


def disturb(images: Tensor, generator: torch.Generator) -> Tensor:
    """Turn, shift, stretch, blur, recolour and cover; never mirror."""
    count = len(images)
    spread = torch.rand(count, 6, generator=generator) * 2 - 1
    angle = spread[:, 0] * np.deg2rad(8)
    matrix = torch.zeros(count, 2, 3)
    scale_x, scale_y = 1 + 0.12 * spread[:, 1], 1 + 0.12 * spread[:, 2]
    matrix[:, 0, 0], matrix[:, 0, 1] = scale_x * angle.cos(), -scale_x * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = scale_y * angle.sin(), scale_y * angle.cos()
    matrix[:, 0, 2], matrix[:, 1, 2] = 0.1 * spread[:, 3], 0.1 * spread[:, 4]
    batch = images.float()[:, None] / 255
    grid = functional.affine_grid(matrix, list(batch.shape), align_corners=False)
    moved = functional.grid_sample(batch, grid, padding_mode="zeros", align_corners=False)
    gamma = torch.exp(0.3 * spread[:, 5])[:, None, None, None]
    moved = moved.clamp(0, 1) ** gamma
    moved = _soften(moved, generator)
    moved += 0.02 * torch.randn(moved.shape, generator=generator)
    corner = torch.randint(0, IMAGE_SIZE - 24, (count, 2), generator=generator).tolist()
    for image, (top, left) in zip(moved, corner, strict=True):
        image[:, top : top + 24, left : left + 24] = image.mean()
    return moved * 255


def _soften(images: Tensor, generator: torch.Generator) -> Tensor:
    """Reduce half of the images and enlarge them again: sharpness must predict nothing.

    One source has 64 pixels only and hardly any pneumonia, and drawn images are soft.
    """
    chosen = torch.randint(0, 2 * len(_SIZES), (len(images),), generator=generator)
    for number, size in enumerate(_SIZES):
        mine = chosen == number
        if mine.any():
            reduced = functional.interpolate(images[mine], size=size, mode="area")
            images[mine] = functional.interpolate(reduced, size=IMAGE_SIZE, mode="bicubic")
    return images
