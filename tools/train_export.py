"""Write trained weights as safetensors and the manifest that names their digests."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file
from train_dataset import MINIMUM_IMAGES, read_index
from train_generator import COARSE_SIZES, SCHEDULE
from train_texture import TEXTURE_SIZES

from updp_node.pixels.weights import FORMAT, MANIFEST, read_manifest

_STAGES = ("coarse", "adult", "texture")
SAMPLING = {"coarse_steps": 20, "guidance": 1.3}
_SYNONYMS = {
    "normal": "no finding",
    "pneumonitis": "pneumonia",
    "bronchopneumonia": "pneumonia",
    "infiltrate": "infiltration",
    "infiltrates": "infiltration",
    "pulmonary infiltrate": "infiltration",
    "effusion": "pleural effusion",
    "pleural effusions": "pleural effusion",
    "atelectases": "atelectasis",
    "atelectatic change": "atelectasis",
}


def export(work: Path, folder: Path, data: Path) -> None:
    """Write eigenspace, coarse and texture weights in half precision, and the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = torch.load(work / "prepared.pt", weights_only=False, mmap=True)
    stages = {name: torch.load(work / f"{name}.pt", weights_only=False) for name in _STAGES}
    space = {key: arrays[key] for key in ("mean", "basis", "scale")}
    space["display"] = _measure_display(arrays)
    _save(space, folder / "eigenspace.safetensors", bytewise={"basis"})
    for name, state in stages.items():
        weights = state["chosen"]
        matrices = {key for key, value in weights.items() if value.ndim == 2}
        bytewise = matrices if name == "adult" else set()
        _save(weights, folder / f"{name}.safetensors", bytewise=bytewise)
    known = read_manifest(folder) if (folder / MANIFEST).exists() else {}
    manifest = known | {
        "format": FORMAT,
        "name": "default",
        "vocabulary": _describe_vocabulary(arrays, data),
        "sizes": {
            "coefficients": _count_coefficients(stages["coarse"]),
            "adult_coefficients": _count_coefficients(stages["adult"]),
            "coarse": COARSE_SIZES,
            "texture": TEXTURE_SIZES,
        },
        "schedule": SCHEDULE,
        "sampling": SAMPLING,
        "training": known.get("training", {})
        | {
            name: {"step": state["step"], "best": state["best"], "log": state["log"][::4]}
            for name, state in stages.items()
        },
    }
    write_manifest(folder, manifest)


def _count_coefficients(state: dict[str, Any]) -> int:
    return int(state["chosen"]["enter.weight"].shape[1])


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with size and SHA-256 of every weight file in the folder."""
    manifest["files"] = {
        path.name: {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size_bytes": path.stat().st_size,
        }
        for path in sorted(folder.glob("*.safetensors"))
    }
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)
    text = json.dumps(manifest, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def as_stored(value: torch.Tensor, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """A weight as safetensors writes it: row by row, whatever memory format it was trained in."""
    return np.ascontiguousarray(value.detach().cpu().numpy().astype(dtype))


def _save(tensors: dict[str, Any], path: Path, *, bytewise: set[str]) -> None:
    """Half precision, but the named matrices as signed bytes with a step per row."""
    arrays = {key: as_stored(value, np.float16) for key, value in tensors.items()}
    for name in bytewise:
        matrix = np.asarray(tensors[name].cpu(), dtype=np.float32)
        step = np.maximum(np.abs(matrix).max(axis=1, keepdims=True), 1e-9) / 127
        arrays[name] = np.round(matrix / step).astype(np.int8)
        arrays[f"{name}.step"] = step.astype(np.float32)
    save_file(arrays, path)


def _measure_display(arrays: dict[str, Any]) -> torch.Tensor:
    """Mean brightness and mean contrast of the training images, for normalization."""
    codes = arrays["train_codes"][::7]
    flat = codes * arrays["scale"] @ arrays["basis"] + arrays["mean"]
    return torch.stack([flat.mean(), flat.std(1).mean()])


def _describe_vocabulary(arrays: dict[str, Any], data: Path) -> dict[str, Any]:
    """Terms, and which findings and views each band was taught with."""
    terms: list[str] = arrays["vocabulary"]
    rows = [row for row in read_index(data) if row.split == "train"]
    views = [term for term in terms if term.endswith(" view")]
    findings = {}
    for band in ("adult", "child"):
        shown = [row.terms for row in rows if band in row.terms]
        candidates = [term for term in terms if term not in ("adult", "child", *views)]
        findings[band] = [
            term for term in candidates if sum(term in row for row in shown) >= MINIMUM_IMAGES
        ]
    return {
        "terms": terms,
        "counts": arrays["counts"],
        "minimum_images": MINIMUM_IMAGES,
        "views": {"adult": views, "child": []},
        "findings": findings,
        "synonyms": {key: term for key, term in _SYNONYMS.items() if term in terms},
    }


if __name__ == "__main__":
    typer.run(export)
