"""Pictures whose patients, findings and leaks are known: a procedural stand-in for radiographs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64


def smooth(noise: NDArray[np.float64], times: int = 6) -> NDArray[np.float64]:
    for _ in range(times):
        noise = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 3
    return noise / noise.std()


def draw(patient: int, number: int, *, ill: bool, seed: int = 0) -> NDArray[np.uint8]:
    """An image: the patient's own pattern, the image's own, and a bright spot if ill."""
    own = smooth(np.random.default_rng([seed, patient]).standard_normal((SIDE, SIDE)))
    rest = smooth(np.random.default_rng([seed, patient, number + 1]).standard_normal((SIDE, SIDE)))
    picture = 120 + 25 * own + 20 * rest
    if ill:
        rows, columns = np.mgrid[:SIDE, :SIDE]
        picture += 90 * np.exp(-((rows - 44) ** 2 + (columns - 20) ** 2) / 60)
    return np.clip(picture, 0, 255).astype(np.uint8)


def write_set(
    folder: Path,
    patients: range,
    *,
    images: int = 2,
    seed: int = 0,
    split: bool = True,
) -> Path:
    """Originals of some patients with their table; every third patient is a test patient."""
    folder.mkdir(parents=True)
    rows = []
    for patient in patients:
        for number in range(images):
            ill = (patient + number) % 2 == 0
            name = f"{patient}-{number}.png"
            Image.fromarray(draw(patient, number, ill=ill, seed=seed)).save(folder / name)
            rows.append({
                "image_id": f"i{patient}-{number}", "patient_id": f"p{patient}", "file": name,
                "labels": "Opacity" if ill else "No Finding", "view": "PA",
                "split": ("test" if patient % 3 == 0 else "train") if split else "",
            })  # fmt: skip
    write_table(folder / "index.csv", rows)
    return folder


def write_counterparts(folder: Path, originals: Path, *, leak: float = 0.0) -> Path:
    """A stranger's image with the source's finding, blended with a share of the source."""
    folder.mkdir(parents=True)
    with (originals / "index.csv").open(newline="") as source:
        sources = list(csv.DictReader(source))
    rows = []
    for number, row in enumerate(sources):
        stranger = draw(100_000 + number, 0, ill=row["labels"] == "Opacity", seed=9)
        own = np.asarray(Image.open(originals / row["file"]), dtype=float)
        Image.fromarray(((1 - leak) * stranger + leak * own).astype(np.uint8)).save(
            folder / f"{number}.png"
        )
        rows.append({"image_id": f"c{number}", "file": f"{number}.png", "source": row["image_id"]})
    write_table(folder / "index.csv", rows)
    return folder


def write_reports(folder: Path, originals: Path) -> Path:
    """A report for each original, as it is and as it is shared; the table then names it."""
    table = originals / "index.csv"
    with table.open(newline="") as source:
        rows = list(csv.DictReader(source))
    for number, row in enumerate(rows):
        row["report"] = f"r{number}.txt"
        says = "Left lung opacity." if row["labels"] == "Opacity" else "Clear lungs."
        words = np.random.default_rng(number).choice([f"w{n}" for n in range(500)], 20)
        for part in ("originals", "shared"):
            path = folder / part / row["report"]
            path.parent.mkdir(parents=True, exist_ok=True)
            name = f"Patient {number}" if part == "originals" else "[NAME]"
            path.write_text(f"{name}: {says} {' '.join(words)}\n")
    write_table(table, rows)
    return folder


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as target:
        table = csv.DictWriter(target, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
