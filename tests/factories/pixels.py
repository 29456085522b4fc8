"""Synthetic test pictures: no patient was ever in front of a detector."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _ellipse(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    centre: tuple[float, float],
    radii: tuple[float, float],
) -> NDArray[np.float64]:
    distance = ((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2
    return 1 / (1 + np.exp(np.clip((distance - 1) * 14, -60, 60)))


def chest_picture(
    rows: int = 512, columns: int = 512, *, bits: int = 12, seed: int = 7
) -> NDArray[np.uint16]:
    """A chest-like phantom in MONOCHROME2: body, lungs, heart, spine, ribs, diaphragm, noise.

    Returns
    -------
    ndarray of uint16, shape (rows, columns)
        0 to ``2 ** bits - 1``.
    """
    y, x = np.mgrid[0 : 1 : rows * 1j, 0 : 1 : columns * 1j]
    picture = 0.75 * _ellipse(y, x, (0.62, 0.5), (0.72, 0.47))
    for centre in (0.31, 0.69):
        lung = _ellipse(y, x, (0.45, centre), (0.33, 0.15))
        ribs = 0.06 * (np.sin((y + 0.55 * (x - centre) ** 2) * 62) > 0.35)
        picture -= lung * (0.5 - ribs)
    picture += 0.2 * np.exp(-(((x - 0.5) / 0.035) ** 2)) * (y > 0.05)
    picture += 0.25 * _ellipse(y, x, (0.62, 0.56), (0.15, 0.13))
    picture += 0.35 / (1 + np.exp(-(y - 0.78 - 0.12 * np.abs(x - 0.5)) * 60)) * (picture > 0.1)
    picture += np.random.default_rng(seed).normal(0, 0.012, picture.shape)
    return (np.clip(picture, 0, 1) * (2**bits - 1)).astype(np.uint16)


def colour_frames(
    frames: int = 3, rows: int = 96, columns: int = 128, seed: int = 7
) -> NDArray[np.uint8]:
    """Ultrasound-like RGB frames of shape (frames, rows, columns, 3)."""
    noise = np.random.default_rng(seed).integers(0, 120, (frames, rows, columns, 1), np.uint8)
    fan = np.abs(np.linspace(-1, 1, columns)) < np.linspace(0.1, 1, rows)[:, None]
    return np.repeat(noise * fan[None, :, :, None].astype(np.uint8), 3, axis=3)
