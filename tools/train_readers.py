"""Train the small readers in the eigen-space and calibrate their limits on held-out images.

Needs the exported eigen-space (train_export.py). Prints the figures of the model card.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from safetensors.numpy import save_file
from statistics_by_patient import describe_area
from torch import nn
from torch.nn import functional
from train_dataset import VIEWS, Radiograph, read_images, read_index
from train_export import write_manifest

from updp_node.pixels import detectors
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

USED, HIDDEN, CODE_SIZE = 128, 32, 64
_FLOOR_PERCENTILES = {"adult": 50, "child": 10}
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Described:
    """Images of one split: rows, pixels, coefficients and residuals."""

    rows: list[Radiograph]
    images: list[NDArray[np.uint8]]
    codes: Features
    residuals: Features


def train(data: Path, seed: int = 1, folder: Path = DEFAULT_FOLDER) -> None:
    """Train all readers, write them and the training codes, and print the figures."""
    torch.manual_seed(seed)
    rows = read_index(data)
    splits = {split: _describe_split(data, rows, split) for split in ("train", "val", "test")}
    figures: dict[str, object] = {}
    readers: dict[str, Features] = {}
    questions = {
        "child": ("child", ("adult", "child")),
        "pneumonia_adult": ("pneumonia", ("adult",)),
        "pneumonia_child": ("pneumonia", ("child",)),
    }
    for name, (term, bands) in questions.items():
        figures[name] = _fit_pair(splits, readers, name, term=term, bands=bands)
    _save(readers, folder / "readers.safetensors")
    codes = {
        band: splits["train"].codes[[band in row.terms for row in splits["train"].rows], :CODE_SIZE]
        for band in ("adult", "child")
    }
    _save(codes, folder / "codes.safetensors")
    manifest = read_manifest(folder)
    floors = _calibrate_floor(splits, codes)
    manifest["nearest"] = {
        "dimension": CODE_SIZE,
        "floor": floors,
        "percentile": _FLOOR_PERCENTILES,
    }
    manifest["figures"] = manifest.get("figures", {}) | figures
    write_manifest(folder, manifest)
    print(json.dumps({**figures, "nearest": manifest["nearest"]}, indent=1))


def _save(arrays: dict[str, Features], path: Path) -> None:
    save_file({key: value.astype(np.float16) for key, value in arrays.items()}, path)


def _is_asked(row: Radiograph, bands: tuple[str, ...]) -> bool:
    clear = "pneumonia" in row.terms or "no finding" in row.terms
    return clear and bool(set(bands) & set(row.terms))


def _describe_split(data: Path, rows: list[Radiograph], split: str) -> Described:
    chosen: list[Radiograph] = []
    images: list[NDArray[np.uint8]] = []
    for kind in VIEWS:
        part = [row for row in rows if row.kind == kind and row.split == split]
        chosen += part
        images += list(read_images(data, part))
    codes, residuals = _describe(images, split)
    return Described(chosen, images, codes, residuals)


def _describe(images: list[NDArray[np.uint8]], name: str) -> tuple[Features, Features]:
    described = [detectors.describe(image) for image in track(images, name)]
    codes = np.stack([codes for codes, _ in described])
    return codes, np.array([residual for _, residual in described], dtype=np.float32)


def _features(codes: Features, residuals: Features) -> torch.Tensor:
    shaped = np.tanh(codes[:, :USED] / 3) * 3
    ones = np.ones((len(codes), 1), dtype=np.float32)
    return torch.from_numpy(np.concatenate([shaped, 10 * residuals[:, None], ones], axis=1))


def _fit(inputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> dict[str, Features]:
    """A small network with weight decay and input noise, averaged over the last steps."""
    enter = nn.Linear(inputs.shape[1], HIDDEN, bias=False)
    leave = nn.Linear(HIDDEN, 1)
    parameters = [*enter.parameters(), *leave.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.3)
    steps = 1500
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        chosen = torch.multinomial(weights, 256, replacement=True)
        noisy = inputs[chosen] + 0.5 * torch.randn(256, inputs.shape[1])
        noisy[:, -2:] = inputs[chosen, -2:]
        logit = leave(functional.relu(enter(noisy)))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(logit, labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    bias = leave.bias.detach().numpy()
    return {
        "enter": enter.weight.detach().numpy(),
        "leave": np.concatenate([leave.weight.detach().numpy()[0], bias]),
    }


def _score(reader: dict[str, Features], inputs: torch.Tensor) -> Features:
    hidden = np.maximum(inputs.numpy() @ reader["enter"].T, 0)
    return hidden @ reader["leave"][:-1] + reader["leave"][-1]


def _fit_pair(
    splits: dict[str, Described],
    readers: dict[str, Features],
    name: str,
    *,
    term: str,
    bands: tuple[str, ...],
) -> dict[str, object]:
    """One reader of a yes/no question; its limit balances both errors on validation images."""
    parts = {}
    for split, described in splits.items():
        kept = [i for i, row in enumerate(described.rows) if _is_asked(row, bands)]
        inputs = _features(described.codes[kept], described.residuals[kept])
        labels = np.array([term in described.rows[i].terms for i in kept])
        parts[split] = (inputs, labels, [described.rows[i].patient for i in kept])
    inputs, labels, _ = parts["train"]
    share = torch.from_numpy(np.where(labels, 1 / labels.sum(), 1 / (~labels).sum()))
    reader = _fit(inputs, torch.from_numpy(labels).float(), share)
    limit = _balance(_score(reader, parts["val"][0]), parts["val"][1])
    inputs, labels, patients = parts["test"]
    scores = _score(reader, inputs)
    readers.update({f"{name}.{key}": value for key, value in reader.items()})
    readers[f"{name}.limit"] = np.array([limit], dtype=np.float32)
    return {
        **describe_area(scores, labels, patients),
        "sensitivity": round(float((scores[labels] > limit).mean()), 3),
        "specificity": round(float((scores[~labels] <= limit).mean()), 3),
    }


def _balance(scores: Features, labels: NDArray[np.bool_]) -> float:
    limits = np.quantile(scores, np.linspace(0.02, 0.98, 97))
    yes, no = scores[labels], scores[~labels]
    gains = [(yes > limit).mean() + (no <= limit).mean() for limit in limits]
    return float(limits[int(np.argmax(gains))])


def _calibrate_floor(splits: dict[str, Described], codes: dict[str, Features]) -> dict[str, float]:
    """Per band, a percentile of the distance of validation patients to the training set."""
    floors = {}
    for band, table in codes.items():
        held = splits["val"].codes[[band in row.terms for row in splits["val"].rows], :CODE_SIZE]
        alike = (_point(held) @ _point(table).T).max(1)
        nearest = np.sqrt(np.maximum(2 - 2 * alike, 0))
        floors[band] = round(float(np.percentile(nearest, _FLOOR_PERCENTILES[band])), 3)
    return floors


def _point(codes: Features) -> Features:
    lengths: Features = codes / np.linalg.norm(codes, axis=1, keepdims=True)
    return lengths


if __name__ == "__main__":
    typer.run(train)
