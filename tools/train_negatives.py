"""Images that are no upright frontal chest radiograph, and chests as other devices show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import torch
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from torch.nn import functional
from train_dataset import augment

from updp_node.errors import InstanceError
from updp_node.pixels.frames import decode, to_display


def vary(image: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """A chest as another device shows it: moved, other gamma, sometimes with dark margins."""
    moved = augment(image[None], seed)[0]
    generator = np.random.default_rng(seed)
    if generator.random() < 0.25:
        margin = generator.integers(0, moved.shape[0] // 10, 4)
        moved = np.pad(moved, (tuple(margin[:2]), tuple(margin[2:])))
    return moved


def spoil(image: NDArray[np.uint8], seed: int) -> tuple[str, NDArray[np.uint8]]:
    """An image that is no upright frontal chest, made from one, and the name of the change."""
    generator = np.random.default_rng(seed)
    size = image.shape[0]
    kind = ("turned", "upside_down", "inverted", "cropped", "shuffled", "noise", "blobs")[seed % 7]
    if kind == "turned":
        return kind, np.rot90(image, generator.choice([1, 3])).copy()
    if kind == "upside_down":
        return kind, image[::-1].copy() if generator.random() < 0.5 else np.rot90(image, 2).copy()
    if kind == "inverted":
        return kind, 255 - image
    if kind == "cropped":
        side = int(size * generator.uniform(0.3, 0.5))
        top, left = generator.integers(0, size - side, 2)
        return kind, image[top : top + side, left : left + side].copy()
    if kind == "shuffled":
        half = size // 2
        tiles = [image[r : r + half, c : c + half] for r in (0, half) for c in (0, half)]
        order = [[3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1]][generator.integers(0, 3)]
        moved = [tiles[i] for i in order]
        return kind, np.block([moved[:2], moved[2:]])
    grain = generator.normal(size=(256, 256) if kind == "noise" else (6, 6))
    scaled = (grain - grain.min()) / (grain.max() - grain.min()) * 255
    picture = torch.from_numpy(scaled)[None, None].float()
    enlarged = functional.interpolate(picture, size=256, mode="bicubic", align_corners=False)
    return kind, enlarged[0, 0].clamp(0, 255).numpy().astype(np.uint8)


def other_pictures() -> list[NDArray[np.uint8]]:
    """Frames of pydicom's own test files: CT, MR, ultrasound, PET, dose; no chest radiograph."""
    anchor = get_testdata_file("CT_small.dcm")
    pictures = []
    for path in sorted(Path(str(anchor)).parent.glob("*.dcm")):
        try:
            source = pydicom.dcmread(path)
            frame = decode(source)[0]
            display = to_display(source, frame)
        except (InstanceError, pydicom.errors.InvalidDicomError, AttributeError):
            continue
        if min(display.shape) >= 32 and display.std() >= 4:
            pictures.append(display)
    return pictures
