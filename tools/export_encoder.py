"""Write the trained joint encoder into the model folder, with the floors of acceptance.

The floors come from validation patients: how well real images align with their own labels, and
what the finding heads say of real images that have, or have not, a finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file
from train_dataset import VIEWS, Radiograph, read_images, read_index
from train_encoder import IMAGE_SIZES, TEXT_SIZES, name_heads
from train_export import as_stored, write_manifest

from updp_node.pixels.encoder import ENCODER_FILE, ShippedEncoder
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

_LOWEST = 0.02
_PRESENT, _ABSENT = 0.05, 0.95


def export(data: Path, work: Path, folder: Path = DEFAULT_FOLDER) -> None:
    """Write weights in half precision, sizes, terms, heads, floors and the training log."""
    state = torch.load(work / "encoder.pt", weights_only=False)
    arrays = {
        name: as_stored(value, np.float32 if "running" in name else np.float16)
        for name, value in state["chosen"].items()
        if not name.endswith("num_batches_tracked") and name != "log_scale"
    }
    save_file(arrays, folder / ENCODER_FILE)
    manifest = read_manifest(folder)
    manifest["encoder"] = {
        "terms": state["terms"],
        "heads": name_heads(state["terms"]),
        "image_tower": IMAGE_SIZES,
        "text_tower": TEXT_SIZES,
    }
    best = next(entry for entry in state["log"] if entry["held_out"] == state["best"])
    manifest["training"]["encoder"] = {"step": state["step"], "best": best}
    write_manifest(folder, manifest)
    manifest["acceptance"] = calibrate(data, folder)
    write_manifest(folder, manifest)


def calibrate(data: Path, folder: Path) -> dict[str, Any]:
    """Floors per band, from real images of validation patients."""
    encoder = ShippedEncoder(folder)
    vocabulary = read_manifest(folder)["vocabulary"]
    rows, images = read_pictures(data, "val")
    seen, read = encoder.encode_images(images), encoder.read_many(images)
    told = [[term for term in vocabulary["terms"] if term in row.terms] for row in rows]
    aligned = np.array(
        [
            float(image @ encoder.encode_terms(terms))
            for image, terms in zip(seen, told, strict=True)
        ]
    )
    floors: dict[str, dict[str, float]] = {"alignment": {}, "present": {}, "absent": {}}
    heads: dict[str, dict[str, float]] = {}
    for band in ("adult", "child"):
        mine = np.array([band in row.terms for row in rows])
        floors["alignment"][band] = round(float(np.quantile(aligned[mine], _LOWEST)), 4)
        for term in vocabulary["findings"][band]:
            chances = np.array([chances[term] for chances in read])[mine]
            has = np.array([term in row.terms for row in rows])[mine]
            name = f"{band}/{term}"
            floors["present"][name] = round(float(np.quantile(chances[has], _PRESENT)), 4)
            floors["absent"][name] = round(float(np.quantile(chances[~has], _ABSENT)), 4)
            heads[name] = {"limit": _balance(chances, has), "images": int(has.sum())}
    return {"floors": floors, "heads": heads}


def _balance(chances: NDArray[np.float64], has: NDArray[np.bool_]) -> float:
    """The limit with the best sum of sensitivity and specificity."""
    limits = np.quantile(chances, np.linspace(0.02, 0.98, 97))
    gains = [(chances[has] > limit).mean() + (chances[~has] <= limit).mean() for limit in limits]
    return round(float(limits[int(np.argmax(gains))]), 4)


def read_pictures(data: Path, split: str) -> tuple[list[Radiograph], list[NDArray[np.uint8]]]:
    """Rows and images of one split."""
    rows: list[Radiograph] = []
    images: list[NDArray[np.uint8]] = []
    for kind in VIEWS:
        part = [row for row in read_index(data) if row.kind == kind and row.split == split]
        rows += part
        images += list(read_images(data, part))
    return rows, images


if __name__ == "__main__":
    typer.run(export)
