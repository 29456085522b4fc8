"""Read the images, make the augmented views, fit the eigen-space.

Writes ``prepared.pt`` for train_generator.py; about a minute on two CPU cores.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from train_dataset import (
    MORE_VIEWS,
    VIEWS,
    Radiograph,
    augment,
    choose_vocabulary,
    count_terms,
    encode_terms,
    read_images,
    read_index,
)

from updp_node.pixels.network import COARSE_SIZE, reduce

_STRONGER = 1.6


def prepare(data: Path, work: Path, coefficients: int = 640, seed: int = 1) -> None:
    """Prepare the training of both stages."""
    work.mkdir(parents=True, exist_ok=True)
    rows = read_index(data)
    vocabulary = choose_vocabulary(rows)
    views: dict[str, list[_View]] = {"train": [], "val": []}
    for kind, split in [(kind, split) for split in views for kind in VIEWS]:
        chosen = [row for row in rows if row.kind == kind and row.split == split]
        images = read_images(data, chosen)
        terms = torch.from_numpy(np.stack([encode_terms(row, vocabulary) for row in chosen]))
        count = VIEWS[kind] if split == "train" else 1
        for number in track(range(count), f"{kind} {split}"):
            shown = augment(images, seed * 100 + number) if number else images
            views[split].append(_View(shown, terms))
    space = _fit_eigenspace(_join(views["train"]), coefficients)
    arrays: dict[str, Any] = {"vocabulary": vocabulary, "counts": dict(count_terms(rows)), **space}
    more = _make_more(data, rows, vocabulary, space, seed)
    for split, part in views.items():
        codes, terms = more if split == "train" else ([], [])
        arrays[f"{split}_codes"] = torch.cat([project(_join(part), space), *codes])
        arrays[f"{split}_terms"] = torch.cat([*(view.terms for view in part), *terms])
    detailed = [view for view in views["train"] if view.is_fine]
    arrays["detail_codes"] = project(_join(detailed), space)
    arrays["detail_terms"] = torch.cat([view.terms for view in detailed])
    arrays["detail_images"] = torch.from_numpy(np.concatenate([v.images for v in detailed]))
    torch.save(arrays, work / "prepared.pt")


def _make_more(
    data: Path,
    rows: list[Radiograph],
    vocabulary: list[str],
    space: dict[str, Tensor],
    seed: int,
) -> tuple[list[Tensor], list[Tensor]]:
    """Codes and terms of further, stronger views of the few adults: for the coarse stage only."""
    codes, terms = [], []
    for kind, count in MORE_VIEWS.items():
        chosen = [row for row in rows if row.kind == kind and row.split == "train"]
        images = read_images(data, chosen)
        told = torch.from_numpy(np.stack([encode_terms(row, vocabulary) for row in chosen]))
        for number in track(range(count), f"{kind} more"):
            view = _View(augment(images, seed * 100 + 50 + number, _STRONGER), told)
            codes.append(project(_join([view]), space))
            terms.append(told)
    return codes, terms


class _View:
    """All images of one kind and split once, moved and recoloured in one way."""

    def __init__(self, images: NDArray[np.uint8], terms: Tensor) -> None:
        small = torch.from_numpy(images).float()[:, None] / 255
        self.is_fine = images.shape[1] != COARSE_SIZE
        self.coarse = reduce(small) if self.is_fine else small
        self.images, self.terms = images, terms


def _join(views: list[_View]) -> Tensor:
    """Coarse images of some views as rows."""
    return torch.cat([view.coarse for view in views])[:, 0].flatten(1)


def _fit_eigenspace(flat: Tensor, coefficients: int) -> dict[str, Tensor]:
    """Mean, orthonormal rows and standard deviations of the leading coefficients."""
    mean = flat.mean(0)
    centred = flat - mean
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(flat))
    basis = vectors[:, -coefficients:].flip(1).T.contiguous()
    scale = values[-coefficients:].flip(0).sqrt()
    space = {"mean": mean, "basis": basis, "scale": scale}
    error = (render(project(flat[:2000], space), space).flatten(1) - flat[:2000]).square().mean()
    print(f"eigen-space of {coefficients}: {-10 * torch.log10(error):.1f} dB")
    return space


def project(flat: Tensor, space: dict[str, Tensor]) -> Tensor:
    return (flat - space["mean"]) @ space["basis"].T / space["scale"]


def render(codes: Tensor, space: dict[str, Tensor]) -> Tensor:
    flat = codes * space["scale"] @ space["basis"] + space["mean"]
    return flat.reshape(-1, 1, COARSE_SIZE, COARSE_SIZE)


if __name__ == "__main__":
    typer.run(prepare)
