"""Pixel modules of the matrix: tiny gradients, so that thousands of objects are quick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tests import factories
from tests.factories.modules import fill

SIDE = 32
_Y, _X = np.mgrid[0:SIDE, 0:SIDE]
PICTURES: dict[str, NDArray[np.generic]] = {
    "mono16": ((_X * 64 + _Y * 60) % 4096).astype(np.uint16),
    "mono8": ((_X * 5 + _Y * 3) % 256).astype(np.uint8),
    "rgb8": np.stack([_X * 8, _Y * 8, (_X + _Y) * 4], -1).astype(np.uint8),
}


def add_pixels(dataset: Dataset, picture: str, frames: int = 1) -> Dataset:
    """Image Pixel module, native and little endian (PS3.3 C.7.6.3)."""
    pixels = PICTURES[picture]
    allocated = pixels.dtype.itemsize * 8
    stored = 12 if allocated == 16 else 8
    is_colour = picture == "rgb8"
    fill(dataset, {
        "SamplesPerPixel": 3 if is_colour else 1,
        "PhotometricInterpretation": "RGB" if is_colour else "MONOCHROME2",
        "Rows": SIDE, "Columns": SIDE, "BitsAllocated": allocated, "BitsStored": stored,
        "HighBit": stored - 1, "PixelRepresentation": 0,
    })  # fmt: skip
    if is_colour:
        dataset.PlanarConfiguration = 0
    if frames > 1:
        dataset.NumberOfFrames = frames
    raw = pixels.tobytes() * frames
    dataset.add_new("PixelData", "OW" if allocated == 16 else "OB", raw)
    return dataset


def picture_of(dataset: Dataset) -> str | None:
    """Which picture an object shows; None for objects that no image compression takes."""
    if "PixelData" not in dataset or dataset.BitsAllocated not in (8, 16):
        return None
    if dataset.SamplesPerPixel == 3:
        return "rgb8"
    return "mono16" if dataset.BitsAllocated == 16 else "mono8"


def fill_pixels(pixels: NDArray[np.uint16], *, invert: bool = False) -> Dataset:
    """A Secondary Capture of frames of 12 bits, shape (frames, rows, columns)."""
    made = factories.secondary_capture()
    fill(made, {
        "NumberOfFrames": pixels.shape[0], "Rows": pixels.shape[1], "Columns": pixels.shape[2],
        "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
        "PhotometricInterpretation": "MONOCHROME1" if invert else "MONOCHROME2",
    })  # fmt: skip
    made.add_new("PixelData", "OW", pixels.tobytes())
    return made
