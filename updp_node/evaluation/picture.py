"""Pictures as arrays of one size."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """An 8- or 16-bit picture as 8-bit gray."""
    with Image.open(io.BytesIO(content)) as picture:
        if picture.mode.startswith("I"):
            deep = np.asarray(picture).astype(np.int64)
            shallow: NDArray[np.uint8] = np.clip(deep >> 8, 0, 255).astype(np.uint8)
            return shallow
        gray: NDArray[np.uint8] = np.asarray(picture.convert("L"))
        return gray


def resize(display: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Stretch an image to a square: by area where it shrinks."""
    if display.shape == (side, side):
        return display
    shrinks = min(display.shape) >= side
    method = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    resized = Image.fromarray(display).resize((side, side), method)
    return np.asarray(resized, dtype=np.uint8)


def describe_sizes(sizes: dict[tuple[int, ...], int], side: int) -> list[str]:
    """Say what was resized."""
    others = sum(count for size, count in sizes.items() if size != (side, side))
    if not others:
        return []
    kinds = f" of {len(sizes)} sizes" if len(sizes) > 1 else ""
    return [f"{others} images{kinds} were resized to {side} x {side}"]
