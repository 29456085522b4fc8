"""Read the open chest radiographs, choose the rendered vocabulary, make augmented views."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

FINE_SIZE = 256
COARSE_SIZE = 64
MINIMUM_IMAGES = 100
VIEWS = {"adult_256": 6, "child_192": 2, "adult_64": 6}
MORE_VIEWS = {"adult_256": 18, "adult_64": 18}
_TERMS = {
    "No Finding": "no finding",
    "Pneumonia": "pneumonia",
    "Effusion": "pleural effusion",
    "Infiltration": "infiltration",
    "Pleural_Thickening": "pleural thickening",
}


@dataclass(frozen=True, slots=True)
class Radiograph:
    """One row of the index.

    Attributes
    ----------
    patient, split, file, kind : str
        ``kind`` is ``adult_256``, ``child_192`` or ``adult_64``.
    terms : tuple of str
    """

    patient: str
    split: str
    file: str
    kind: str
    terms: tuple[str, ...]


def read_index(folder: Path) -> list[Radiograph]:
    """Read index.csv; of exact duplicates only the first stays."""
    seen: set[str] = set()
    rows = []
    with (folder / "index.csv").open(newline="") as source:
        for row in csv.DictReader(source):
            group = row["exact_dup_group"]
            if group and group in seen:
                continue
            seen.add(group)
            rows.append(_parse(row))
    return rows


def _parse(row: dict[str, str]) -> Radiograph:
    kind = next(kind for kind in VIEWS if kind in row["file"])
    labels = set(row["labels"].split("|")) - {"Bacterial", "Viral"}
    terms = {_TERMS.get(label, label.replace("_", " ").lower()) for label in labels}
    if kind == "child_192":
        terms.add("child")
    else:
        terms |= {"adult", f"{row['view']} view"}
    return Radiograph(row["patient_id"], row["split"], row["file"], kind, tuple(sorted(terms)))


def count_terms(rows: list[Radiograph]) -> Counter[str]:
    """Count training images per term."""
    return Counter(term for row in rows if row.split == "train" for term in row.terms)


def choose_vocabulary(rows: list[Radiograph]) -> list[str]:
    """Terms with at least `MINIMUM_IMAGES` training images: bands, views, then findings."""
    counts = count_terms(rows)
    first = ["adult", "child", "AP view", "PA view", "no finding"]
    rest = sorted(set(counts) - set(first), key=lambda term: (-counts[term], term))
    return [term for term in first + rest if counts[term] >= MINIMUM_IMAGES]


def encode_terms(row: Radiograph, vocabulary: list[str]) -> NDArray[np.float32]:
    """Multi-hot vector of the rendered terms."""
    return np.array([term in row.terms for term in vocabulary], dtype=np.float32)


def read_images(folder: Path, rows: list[Radiograph]) -> NDArray[np.uint8]:
    """Read rows of one kind as (n, size, size); 192 px is enlarged to 256."""
    size = COARSE_SIZE if rows[0].kind == "adult_64" else FINE_SIZE
    images = np.empty((len(rows), size, size), dtype=np.uint8)
    archive_name = rows[0].file.split(":")[0]
    with zipfile.ZipFile(folder / archive_name) as archive:
        for index, row in enumerate(rows):
            image = Image.open(io.BytesIO(archive.read(row.file.split(":")[1]))).convert("L")
            images[index] = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    return images


def augment(images: NDArray[np.uint8], seed: int, strength: float = 1.0) -> NDArray[np.uint8]:
    """One view of every image: a small turn, shift and stretch, and another gamma.

    Never mirrored: the heart stays on its side.
    """
    generator = torch.Generator().manual_seed(seed)
    count = len(images)
    spread = strength * (torch.rand(count, 6, generator=generator) * 2 - 1)
    angle = spread[:, 0] * np.deg2rad(5)
    scale_x, scale_y = 1 + 0.08 * spread[:, 1], 1 + 0.08 * spread[:, 2]
    matrix = torch.zeros(count, 2, 3)
    matrix[:, 0, 0], matrix[:, 0, 1] = scale_x * angle.cos(), -scale_x * angle.sin()
    matrix[:, 1, 0], matrix[:, 1, 1] = scale_y * angle.sin(), scale_y * angle.cos()
    matrix[:, 0, 2], matrix[:, 1, 2] = 0.06 * spread[:, 3], 0.06 * spread[:, 4]
    gamma = torch.exp(0.2 * spread[:, 5])
    out = np.empty_like(images)
    for start in range(0, count, 256):
        part = slice(start, start + 256)
        batch = torch.from_numpy(images[part]).float()[:, None] / 255
        grid = functional.affine_grid(matrix[part], list(batch.shape), align_corners=False)
        moved = functional.grid_sample(
            batch, grid, mode="bicubic", padding_mode="border", align_corners=False
        ).clamp(0, 1)
        moved = moved ** gamma[part][:, None, None, None]
        out[part] = (moved[:, 0] * 255).round().to(torch.uint8).numpy()
    return out
