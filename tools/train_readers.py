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
from torch import nn
from torch.nn import functional
from train_dataset import VIEWS, Radiograph, read_images, read_index
from train_export import write_manifest
from train_negatives import other_pictures, spoil, vary

from updp_node.pixels import detectors
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

USED, HIDDEN, CODE_SIZE = 128, 32, 64
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
    figures["frontal"] = _fit_frontal(splits, readers, seed)
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
    manifest["nearest"] = {"floor": _calibrate_floor(splits, codes), "dimension": CODE_SIZE}
    manifest["figures"] = figures
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
    low, high = _bootstrap(scores, labels, patients)
    _store(readers, name, reader | {"limit": np.array([limit], dtype=np.float32)})
    return {
        "test_auroc": round(area(scores, labels), 3),
        "test_auroc_95": [low, high],
        "test_images": len(labels),
        "test_positive": int(labels.sum()),
        "sensitivity": round(float((scores[labels] > limit).mean()), 3),
        "specificity": round(float((scores[~labels] <= limit).mean()), 3),
    }


def _store(readers: dict[str, Features], name: str, reader: dict[str, Features]) -> None:
    readers.update({f"{name}.{key}": value for key, value in reader.items()})


def _balance(scores: Features, labels: NDArray[np.bool_]) -> float:
    limits = np.quantile(scores, np.linspace(0.02, 0.98, 97))
    yes, no = scores[labels], scores[~labels]
    gains = [(yes > limit).mean() + (no <= limit).mean() for limit in limits]
    return float(limits[int(np.argmax(gains))])


def area(scores: Features, labels: NDArray[np.bool_]) -> float:
    """Area under the receiver operating curve (Mann-Whitney)."""
    ranks = np.argsort(np.argsort(scores)) + 1
    positive, negative = int(labels.sum()), int((~labels).sum())
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _bootstrap(
    scores: Features, labels: NDArray[np.bool_], patients: list[str]
) -> tuple[float, float]:
    """95 % interval of the area, patients drawn with replacement."""
    generator = np.random.default_rng(0)
    groups: dict[str, list[int]] = {}
    for index, patient in enumerate(patients):
        groups.setdefault(patient, []).append(index)
    members = list(groups.values())
    areas = []
    for _ in range(300):
        picks = generator.integers(0, len(members), len(members))
        drawn = np.concatenate([members[i] for i in picks])
        areas.append(area(scores[drawn], labels[drawn]))
    low, high = np.percentile(areas, [2.5, 97.5])
    return round(float(low), 3), round(float(high), 3)


def _fit_frontal(
    splits: dict[str, Described], readers: dict[str, Features], seed: int
) -> dict[str, object]:
    """Chests against turned, inverted, cropped, shuffled and other images."""
    inputs, labels = [], []
    for view in range(2):
        images = splits["train"].images
        shown = [vary(image, seed * 7 + view * 100_000 + i) for i, image in enumerate(images)]
        inputs.append(_features(*_describe(shown, "chests")))
        labels.append(torch.ones(len(shown)))
        wrong = [spoil(image, seed + view * 100_000 + i)[1] for i, image in enumerate(images)]
        wrong += other_pictures()[::2]
        inputs.append(_features(*_describe(wrong, "others")))
        labels.append(torch.zeros(len(wrong)))
    joined, wanted = torch.cat(inputs), torch.cat(labels)
    reader = _fit(joined, wanted, torch.ones(len(wanted)))
    val = splits["val"]
    residual_limit = float(np.quantile(val.residuals, 0.998))
    limit = float(np.quantile(_score(reader, _features(val.codes, val.residuals)), 0.005))
    _store(readers, "frontal", reader)
    readers["frontal.limit"] = np.array([limit], dtype=np.float32)
    readers["frontal.residual_limit"] = np.array([residual_limit], dtype=np.float32)

    def accept(codes: Features, residuals: Features) -> NDArray[np.bool_]:
        return (_score(reader, _features(codes, residuals)) > limit) & (residuals <= residual_limit)

    test = splits["test"]
    taken = accept(test.codes, test.residuals)
    result: dict[str, object] = {"test_chests": len(taken), "chests_rejected": int((~taken).sum())}
    spoiled = [spoil(image, 5_000_000 + i) for i, image in enumerate(test.images)]
    wrong = accept(*_describe([image for _, image in spoiled], "spoiled"))
    for kind in sorted({kind for kind, _ in spoiled}):
        chosen = np.array([name == kind for name, _ in spoiled])
        result[f"accepted_{kind}"] = f"{int(wrong[chosen].sum())} of {int(chosen.sum())}"
    held = accept(*_describe(other_pictures()[1::2], "other pictures"))
    result["accepted_other_pictures_held_out"] = f"{int(held.sum())} of {len(held)}"
    return result


def _calibrate_floor(splits: dict[str, Described], codes: dict[str, Features]) -> dict[str, float]:
    """Per band, the tenth percentile of the distance of held-out people to the training set."""
    floors = {}
    for band, table in codes.items():
        held = splits["val"].codes[[band in row.terms for row in splits["val"].rows], :CODE_SIZE]
        nearest = [float(np.sqrt(np.square(table - code).sum(1).min())) for code in held]
        floors[band] = round(float(np.percentile(nearest, 10)), 3)
    return floors


if __name__ == "__main__":
    typer.run(train)
