"""Figures of the joint encoder on held-out patients: findings, views, retrieval of labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import typer
from export_encoder import read_pictures
from numpy.typing import NDArray
from statistics_by_patient import bootstrap, describe_area
from train_dataset import Radiograph

from updp_node.pixels.encoder import ShippedEncoder
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest


def measure(data: Path, folder: Path = DEFAULT_FOLDER, threads: int = 1) -> None:
    """Print the figures as JSON."""
    encoder = ShippedEncoder(folder, threads=threads)
    rows, images = read_pictures(data, "test")
    seen, read = encoder.encode_images(images), encoder.read_many(images)
    groups = {
        "adult": [i for i, row in enumerate(rows) if "adult" in row.terms],
        "adult_256_px": [i for i, row in enumerate(rows) if row.kind == "adult_256"],
        "adult_AP_256_px": _choose(rows, "adult_256", "AP view"),
        "adult_PA_256_px": _choose(rows, "adult_256", "PA view"),
        "child": [i for i, row in enumerate(rows) if "child" in row.terms],
    }
    result: dict[str, object] = {"child": _read("child", rows, read, range(len(rows)))}
    result["AP view"] = _read("AP view", rows, read, groups["adult"])
    for name, group in groups.items():
        terms = [t for t in read[0] if t not in ("child", "AP view")]
        result[name] = {
            term: _read(term, rows, read, group)
            for term in terms
            if "child" not in name or term in ("no finding", "pneumonia")
        }
        clear = [i for i in group if {"pneumonia", "no finding"} & set(rows[i].terms)]
        result[f"{name}: pneumonia or no finding"] = _read("pneumonia", rows, read, clear)
    result["retrieval"] = _retrieve(encoder, folder, rows, seen, groups)
    print(json.dumps(result, indent=1))


def _choose(rows: list[Radiograph], kind: str, view: str) -> list[int]:
    return [i for i, row in enumerate(rows) if row.kind == kind and view in row.terms]


def _read(
    term: str, rows: list[Radiograph], read: list[dict[str, float]], group: list[int] | range
) -> dict[str, object]:
    scores = np.array([read[i][term] for i in group])
    labels = np.array([term in rows[i].terms for i in group])
    return describe_area(scores, labels, [rows[i].patient for i in group])


def _retrieve(
    encoder: ShippedEncoder,
    folder: Path,
    rows: list[Radiograph],
    seen: NDArray[np.float32],
    groups: dict[str, list[int]],
) -> dict[str, object]:
    """Rank of an image's own prompt among all prompts of its band."""
    vocabulary = Vocabulary.read(read_manifest(folder))
    result: dict[str, object] = {}
    for band in ("adult", "child"):
        prompts = [set(p.terms) for p in vocabulary.list_prompts() if band in p.terms]
        prompts += [
            told
            for told in {_tell(rows[i], vocabulary) for i in groups[band]}
            if told not in prompts
        ]
        points = np.stack([encoder.encode_terms(sorted(terms)) for terms in prompts])
        ranks = []
        for i in groups[band]:
            scores = points @ seen[i]
            own = scores[prompts.index(set(_tell(rows[i], vocabulary)))]
            ranks.append(int((scores > own).sum()) + 1)
        ranked, patients = np.array(ranks), [rows[i].patient for i in groups[band]]
        low, high = bootstrap(lambda chosen, r=ranked: float((r[chosen] <= 5).mean()), patients)
        result[band] = {
            "prompts": len(prompts),
            "images": len(ranks),
            "median_rank": float(np.median(ranked)),
            "first": round(float((ranked == 1).mean()), 3),
            "among_five": round(float((ranked <= 5).mean()), 3),
            "among_five_95": [low, high],
        }
    return result


def _tell(row: Radiograph, vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset(set(row.terms) & set(vocabulary.terms))


if __name__ == "__main__":
    typer.run(measure)
