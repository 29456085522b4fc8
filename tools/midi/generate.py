"""Writes the benchmark: a folder of objects and ``answers.jsonl``, the key."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import astuple
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmwrite

from tools.midi.burning import burn
from tools.midi.header import identify
from tools.midi.key import Check, KeyMaker
from tools.midi.objects import make_study, uid_of
from tools.midi.people import Person, Site, make_person, make_site

ANSWERS = "answers.jsonl"
_BURNED = 0.15
_BURNABLE = frozenset({"CR", "DX", "US", "OT", "MG"})
_IMAGE_TYPE = "0008,0008"  # what is painted over is DERIVED (PS3.3 C.7.6.1.1.2)
_NATIVE = "1.2.840.10008.1.2.1"


def generate(folder: Path, *, instances: int, seed: int) -> int:
    """Write about so many instances and their key; returns how many.

    Parameters
    ----------
    folder : pathlib.Path
        Gets ``files/`` and ``answers.jsonl``.
    """
    rng = random.Random(seed)
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    written = 0
    sites = [make_site(rng) for _ in range(8)]
    with (folder / ANSWERS).open("w", encoding="utf-8") as answers:
        while written < instances:
            for record, dataset in _patient(rng, sites, seed, written, instances - written):
                dcmwrite(files / f"{written:05}.dcm", dataset, enforce_file_format=True)
                answers.write(json.dumps({"file": f"{written:05}.dcm", **record}) + "\n")
                written += 1
    return written


def _patient(
    rng: random.Random, sites: list[Site], seed: int, number: int, most: int
) -> list[tuple[dict[str, object], Dataset]]:
    """One patient with one or two studies."""
    person = make_person(rng, rng.choice(sites))
    made: list[tuple[dict[str, object], Dataset]] = []
    for study in range(rng.choice((1, 1, 2))):
        kind, objects = make_study(rng, person, uid_of(seed, number, study))
        made += [_answer(each, person, kind, rng) for each in objects]
    return made[:most]


def _answer(
    dataset: Dataset, person: Person, kind: str, rng: random.Random
) -> tuple[dict[str, object], Dataset]:
    marks = identify(dataset, person, kind if dataset.get("Modality") != "SR" else "SR", rng)
    checks = KeyMaker(dataset, person, marks).checks()
    pixels = _pixels(dataset, person, rng)
    if any(each.kind == "pixels_hidden" for each in pixels):
        checks = [each for each in checks if each.path != _IMAGE_TYPE]
    checks += pixels
    record: dict[str, object] = {
        "instance": str(dataset.SOPInstanceUID), "series": str(dataset.SeriesInstanceUID),
        "study": str(dataset.StudyInstanceUID), "patient": person.patient_id,
        "checks": [astuple(each) for each in checks],
    }  # fmt: skip
    return record, dataset


def _pixels(dataset: Dataset, person: Person, rng: random.Random) -> list[Check]:
    """Text burned in, or the digest of the pixels that have to stay."""
    if "PixelData" not in dataset:
        return []
    wide = dataset.file_meta.TransferSyntaxUID == _NATIVE and dataset.get("Modality") in _BURNABLE
    if wide and dataset.Rows >= 64 and rng.random() < _BURNED:
        stated = burn(dataset, rng.choice((person.last.upper(), person.patient_id, person.first)))
        if stated:
            return [Check("pixels_hidden", "7FE0,0010", stated)]
    return [Check("pixels_retained", "7FE0,0010", digest_pixels(dataset))]


def digest_pixels(dataset: Dataset) -> str:
    """SHA-256 of the decoded samples: the same in every transfer syntax that loses nothing."""
    pixels = dataset.pixel_array
    ordered = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<"))
    return hashlib.sha256(ordered.tobytes()).hexdigest()
