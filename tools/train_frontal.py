"""Train the frontal-chest detector and count its errors on held-out images.

Chests of the train split, moved and toned, against the same images spoiled, other modalities,
drawn limbs, and projections and slices of a chest CT (a folder of one series). Of the phantoms,
hand and spine are trained on, knee and skull only tested; of the projections one side is
trained on and the other tested. Writes the weights into the model folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional
from train_dataset import VIEWS, read_images, read_index
from train_export import write_manifest
from train_negatives import other_pictures, spoil, vary
from train_phantoms import draw_phantom, project, read_volume, slice_volume

from updp_node.pixels.frontal import FRONTAL_FILE, SIZE, score_frontal, standardize
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

CHANNELS = (1, 16, 32, 48, 64)
HIDDEN = 32
_EDGE = 0.001
_TRAINED = ("hand", "spine")
Picture = NDArray[np.uint8]
Groups = dict[str, list[NDArray[np.float32]]]


class Detector(nn.Module):
    """What `updp_node.pixels.frontal` computes, to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(narrow, wide, 3, stride=2, padding=1) for narrow, wide in pairwise(CHANNELS)
        )
        self.enter = nn.Linear(CHANNELS[-1] * (SIZE // 16) ** 2, HIDDEN)
        self.leave = nn.Linear(HIDDEN, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n,) of standardized images (n, 1, 64, 64)."""
        for layer in self.layers:
            images = functional.relu(layer(images))
        kept = functional.dropout(images.flatten(1), 0.2, self.training)
        hidden = functional.relu(self.enter(kept))
        logits: Tensor = self.leave(hidden)[:, 0]
        return logits

    def export(self) -> dict[str, NDArray[np.float32]]:
        """Weights under the names that the package reads."""
        arrays = {}
        for number, layer in enumerate(self.layers):
            arrays[f"{number}.kernel"] = layer.weight
            arrays[f"{number}.bias"] = layer.bias
        for name in ("enter", "leave"):
            arrays[name] = getattr(self, name).weight
            arrays[f"{name}.bias"] = getattr(self, name).bias
        arrays["leave"] = arrays["leave"][0]
        return {name: value.detach().numpy() for name, value in arrays.items()}


def train(
    data: Path,
    volume: Path,
    steps: int = 3_000,
    batch: int = 256,
    *,
    seed: int = 1,
    folder: Path = DEFAULT_FOLDER,
    threads: int = 1,
) -> None:
    """Train the detector, calibrate its limit on validation chests, and print the figures."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    images = {split: _read_split(data, split) for split in ("train", "val", "test")}
    body = read_volume(volume)
    good = _shrink(_vary_all(images["train"], seed), "chests")
    bad = {kind: _shrink(made, kind) for kind, made in _make_negatives(images["train"], body, seed)}
    detector = _fit(good, bad, steps, batch)
    arrays = {name: value.astype(np.float16) for name, value in detector.export().items()}
    weights = {name: value.astype(np.float32) for name, value in arrays.items()}

    def score(pictures: Iterable[Picture]) -> NDArray[np.float64]:
        return np.array([score_frontal(picture, weights) for picture in pictures])

    limit = _calibrate(images["val"], body, score)
    arrays["limit"] = np.array([limit], dtype=np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(arrays, folder / FRONTAL_FILE)
    figures = _measure(images["test"], body, lambda pictures: score(pictures) > limit)
    if (folder / "model.json").exists():
        manifest = read_manifest(folder)
        manifest["figures"]["frontal"] = figures
        write_manifest(folder, manifest)
    print(json.dumps({"limit": limit, **figures}, indent=1))


def _calibrate(
    chests: list[Picture],
    body: NDArray[np.float32],
    score: Callable[[Iterable[Picture]], NDArray[np.float64]],
) -> float:
    """Midway between the worst chests of validation patients and the best of what is none."""
    good = score([*chests, *_vary_all(chests, 77)])
    spoiled = [spoil(image, 900_000 + 7 * i)[1] for i, image in enumerate(chests)]
    spoiled += [spoil(image, 900_003 + 8 * i)[1] for i, image in enumerate(chests)]
    drawn = [draw_phantom(kind, 30_000 + i) for kind in _TRAINED for i in range(40)]
    sides = [project(body, 70 + i % 41, 20_000 + i) for i in range(60)]
    bad = score([*spoiled, *drawn, *sides, *other_pictures()[::2]])
    return float(np.quantile(good, _EDGE) + np.quantile(bad, 1 - _EDGE)) / 2


def _read_split(data: Path, split: str) -> list[Picture]:
    rows = [row for row in read_index(data) if row.split == split]
    parts = [[row for row in rows if row.kind == kind] for kind in VIEWS]
    return [image for part in parts for image in read_images(data, part)]


def _vary_all(images: list[Picture], seed: int) -> list[Picture]:
    """Every image once as it is, twice as other devices show it."""
    shown = list(images)
    for view in range(2):
        numbered = enumerate(track(images, f"vary {view + 1}"))
        shown += [
            _frame(vary(image, seed * 7 + view * 100_000 + i), i + view) for i, image in numbered
        ]
    return shown


def _frame(image: Picture, seed: int) -> Picture:
    """Sometimes wide margins, black or bright, as collimation and padding leave them."""
    generator = np.random.default_rng(seed)
    if generator.random() > 0.3:
        return image
    margin = generator.integers(0, image.shape[0] // 7, 4)
    value = int(generator.choice([0, 0, 0, 30, 255]))
    sides = (tuple(margin[:2]), tuple(margin[2:]))
    return np.pad(image, sides, constant_values=value)


def _make_negatives(
    images: list[Picture], body: NDArray[np.float32], seed: int
) -> Iterable[tuple[str, list[Picture]]]:
    """What the detector learns to refuse, by kind."""
    spoiled = [spoil(image, seed + 1000 * i)[1] for i, image in enumerate(images)]
    again = [spoil(image, seed + 1000 * i + 3)[1] for i, image in enumerate(images)]
    yield "spoiled", spoiled + again
    yield "other", other_pictures()[::2] * 20
    yield "phantoms", [draw_phantom(_TRAINED[i % 2], i) for i in track(range(500), "phantoms")]
    sides = [70 + i % 41 for i in range(500)]
    yield "sides", [project(body, angle, i) for i, angle in enumerate(track(sides, "sides"))]
    yield "slices", [slice_volume(body, i) for i in range(0, 1200, 2)]


def _shrink(pictures: list[Picture], name: str) -> Tensor:
    return torch.from_numpy(np.stack([standardize(picture) for picture in track(pictures, name)]))


def _fit(good: Tensor, bad: dict[str, Tensor], steps: int, batch: int) -> Detector:
    """Half chests, a quarter spoiled ones, the rest evenly from the other kinds."""
    detector = Detector()
    optimizer = torch.optim.AdamW(detector.parameters(), lr=2e-3, weight_decay=0.05)
    rest = [kind for kind in bad if kind != "spoiled"]
    for step in track(range(steps), "frontal"):
        generator = torch.Generator().manual_seed(step)
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 100) * (1 - step / steps)
        counts = {"spoiled": batch // 4} | {kind: batch // 4 // len(rest) for kind in rest}
        parts = [_draw(good, batch // 2, generator)]
        parts += [_draw(bad[kind], count, generator) for kind, count in counts.items()]
        inputs = torch.cat(parts)
        wanted = (torch.arange(len(inputs)) < batch // 2).float()
        shift = torch.randint(-3, 4, (2,), generator=generator).tolist()
        shifted = torch.roll(inputs, shift, (1, 2))
        noisy = shifted + 0.08 * torch.randn(shifted.shape, generator=generator)
        logits = detector(noisy[:, None])
        loss = functional.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return detector.eval()


def _draw(pool: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return pool[torch.randint(len(pool), (count,), generator=generator)]


def _measure(
    chests: list[Picture],
    body: NDArray[np.float32],
    accept: Callable[[Iterable[Picture]], NDArray[np.bool_]],
) -> dict[str, object]:
    """Chests rejected and other images accepted, by kind, all held out."""
    result: dict[str, object] = {}
    taken = accept(chests)
    result["chests_rejected"] = f"{int((~taken).sum())} of {len(taken)}"
    moved = accept(_vary_all(chests, 55)[len(chests) :])
    result["moved_chests_rejected"] = f"{int((~moved).sum())} of {len(moved)}"
    spoiled = [spoil(image, 5_000_000 + i) for i, image in enumerate(chests)]
    groups: dict[str, list[Picture]] = {}
    for kind, image in spoiled:
        groups.setdefault(kind, []).append(image)
    groups["other_modalities"] = other_pictures()[1::2]
    for kind in ("knee", "skull"):
        groups[f"drawn_{kind}"] = [draw_phantom(kind, 9_000 + i) for i in range(100)]
    groups["simulated_lateral"] = [project(body, -(75 + i % 31), 7_000 + i) for i in range(100)]
    groups["ct_slices"] = [slice_volume(body, 7_001 + 2 * i) for i in range(100)]
    for kind, pictures in sorted(groups.items()):
        result[f"accepted_{kind}"] = f"{int(accept(pictures).sum())} of {len(pictures)}"
    fronts = accept([project(body, -8 + i % 17, 8_000 + i) for i in range(50)])
    result["simulated_frontal_accepted"] = f"{int(fronts.sum())} of {len(fronts)}"
    return result


if __name__ == "__main__":
    typer.run(train)
