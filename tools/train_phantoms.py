"""Radiographs that are no frontal chest: projections of a chest CT, and drawn limbs and skulls.

No open lateral radiograph was at hand; a CT series projected from the side stands in for them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

_VOXEL_MM = 2.5
_BONE_HU = 250
KINDS = ("hand", "knee", "skull", "spine")


def read_volume(folder: Path) -> NDArray[np.float32]:
    """Attenuation of a CT series (slices from head to foot, rows front to back, columns)."""
    slices = [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]
    slices.sort(key=lambda item: -float(item.ImagePositionPatient[2]))
    positions = [float(item.ImagePositionPatient[2]) for item in slices]
    hounsfield = np.stack(
        [
            item.pixel_array * float(item.RescaleSlope) + float(item.RescaleIntercept)
            for item in slices
        ]
    )
    attenuation = np.clip(1 + hounsfield / 1000, 0, None)
    attenuation = np.where(hounsfield > _BONE_HU, attenuation * 1.8, attenuation)
    step = abs(positions[0] - positions[1]) / _VOXEL_MM
    plane = float(slices[0].PixelSpacing[0]) / _VOXEL_MM
    zoomed: NDArray[np.float32] = ndimage.zoom(
        attenuation.astype(np.float32), (step, plane, plane), order=1
    )
    return zoomed


def project(volume: NDArray[np.float32], degrees: float, seed: int) -> NDArray[np.uint8]:
    """One simulated radiograph: 0 degrees frontal, 90 and -90 lateral; cut and toned at random."""
    generator = np.random.default_rng(seed)
    turned = ndimage.rotate(volume, degrees, axes=(1, 2), reshape=False, order=1)
    thick = turned.sum(1) ** generator.uniform(0.5, 1.1)
    rows, columns = thick.shape
    filled = np.flatnonzero(thick.mean(0) > 0.15 * thick.mean())
    left = max(int(filled[0]) - int(generator.integers(-4, 12)), 0)
    right = min(int(filled[-1]) + int(generator.integers(-4, 12)), columns)
    top, bottom = int(rows * generator.uniform(0, 0.12)), int(rows * generator.uniform(0.62, 1))
    cut = thick[top:bottom, left:right]
    low, high = np.percentile(cut, [generator.uniform(0.5, 12), generator.uniform(97, 99.8)])
    return (np.clip((cut - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def slice_volume(volume: NDArray[np.float32], seed: int) -> NDArray[np.uint8]:
    """A CT slice in a random plane with a random window."""
    generator = np.random.default_rng(seed)
    plane = np.take(volume, int(volume.shape[seed % 3] * generator.uniform(0.2, 0.8)), seed % 3)
    low, high = (0.0, 1.6) if generator.random() < 0.5 else (0.8, 1.3)
    return (np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def draw_phantom(kind: str, seed: int) -> NDArray[np.uint8]:
    """A drawn hand, knee, skull or spine: bones in soft tissue on a dark ground."""
    generator = np.random.default_rng(seed)
    size = 256
    tissue, bone = Image.new("L", (size, size)), Image.new("L", (size, size))
    painters = (ImageDraw.Draw(tissue), ImageDraw.Draw(bone))
    for start, end, width in _list_bones(kind, generator):
        for painter, wide in zip(painters, (width * 2.2, width), strict=True):
            painter.line([*start, *end], fill=255, width=int(wide))
            for x, y in (start, end):
                reach = wide * 0.62
                painter.ellipse([x - reach, y - reach, x + reach, y + reach], fill=255)
    soft = np.asarray(tissue.filter(ImageFilter.GaussianBlur(6)), np.float32)
    hard = np.asarray(bone.filter(ImageFilter.GaussianBlur(2)), np.float32)
    shown = generator.uniform(0.25, 0.5) * soft + generator.uniform(0.4, 0.6) * hard
    shown += generator.normal(size=shown.shape) * generator.uniform(1, 6) + generator.uniform(0, 30)
    picture = Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8))
    return np.asarray(picture.rotate(float(generator.uniform(-25, 25))))


Point = tuple[float, float]


def _list_bones(kind: str, generator: np.random.Generator) -> list[tuple[Point, Point, float]]:
    """Ends and widths of the bones of one phantom."""
    jitter = generator.normal(size=(16, 2)) * 5
    bones: list[tuple[Point, Point, float]] = []
    if kind == "hand":
        for finger in range(5):
            angle = np.deg2rad(-50 + 22 * finger + generator.normal() * 4)
            x, y = 128 + 60 * np.sin(angle), 190 - 60 * np.cos(angle)
            bones.append(((128, 200), (x, y), 10))
            for part in range(3 if finger else 2):
                near, far = 68 + 30 * part, 92 + 30 * part
                bones.append((_polar(angle, near), _polar(angle, far), 9 - 1.5 * part))
        return [*bones, ((118, 215), (114, 255), 16), ((138, 215), (142, 255), 12)]
    if kind == "knee":
        wide = generator.uniform(30, 46)
        x = 128 + jitter[0, 0]
        return [
            ((x, -20), (x, 85), wide),
            ((x - 22, 105), (x + 22, 105), wide * 0.9),
            ((x - 20, 145), (x + 20, 145), wide * 0.8),
            ((x, 165), (x - 4, 280), wide * 0.8),
            ((x + 34, 160), (x + 30, 280), wide * 0.3),
        ]
    if kind == "skull":
        for step in range(24):
            angle = 2 * np.pi * step / 24
            ends = [
                (128 + 88 * float(np.cos(a)), 115 + 98 * float(np.sin(a)))
                for a in (angle, angle + 2 * np.pi / 24)
            ]
            bones.append((ends[0], ends[1], 9))
        return [
            *bones,
            ((95, 150), (110, 150), 22),
            ((150, 150), (165, 150), 22),
            ((105, 205), (150, 205), 26),
        ]
    for level in range(9):
        y = 10 + 29 * level
        bones.append(((108 + jitter[level, 0], y), (148 + jitter[level, 0], y), 17))
    return bones


def _polar(angle: float, radius: float) -> Point:
    return 128 + radius * float(np.sin(angle)), 200 - radius * float(np.cos(angle))
