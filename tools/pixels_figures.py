"""Measure the default generator for docs/model-card.md and draw its contact sheet.

Speed, memory, refusals, copies (distance to closest record, against held-out people), and
whether the readers find in an image what its prompt says.
"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from rich.progress import track
from train_dataset import VIEWS, read_images, read_index
from train_readers import area

from updp_node.model import Prompt
from updp_node.pixels.detectors import describe, read_score
from updp_node.pixels.generator import load_generator
from updp_node.pixels.synthesis import find_fault

CODE_SIZE = 64
SHEET = [
    ("adult", "PA view", "no finding"),
    ("adult", "AP view", "no finding"),
    ("adult", "AP view", "pneumonia"),
    ("adult", "PA view", "pleural effusion"),
    ("adult", "AP view", "infiltration"),
    ("adult", "PA view", "atelectasis"),
    ("child", "no finding"),
    ("child", "pneumonia"),
]
Images = list[NDArray[np.uint8]]
app = typer.Typer(add_completion=False)


@app.command()
def sheet(path: Path, columns: int = 8, size: int = 112, seed: int = 2_000) -> None:
    """Draw the contact sheet: one row per prompt, seeds in order, none picked."""
    generator = load_generator("default", threads=2)
    strip = 16
    page = Image.new("L", (columns * size, len(SHEET) * (size + strip)), 255)
    for row, terms in enumerate(SHEET):
        top = row * (size + strip)
        ImageDraw.Draw(page).text((4, top + 2), ", ".join(terms), fill=0)
        for column in range(columns):
            pixels = generator.generate(Prompt(terms), seed + column)
            tile = Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
            page.paste(tile, (column * size, top + strip))
    page.save(path, optimize=True)


@app.command()
def measure(data: Path, count: int = 320, seed: int = 3_000, pairs: Path | None = None) -> None:
    """Print the figures as JSON; `pairs` gets a sheet of the ten closest pairs."""
    generator = load_generator("default", threads=2)
    begun = time.monotonic()
    generator.generate(Prompt(SHEET[0]), 0)
    figures: dict[str, object] = {"first_image_s": round(time.monotonic() - begun, 2)}
    prompts = [Prompt(SHEET[i % len(SHEET)]) for i in range(count)]
    begun = time.monotonic()
    images = [generator.generate(p, seed + i) for i, p in enumerate(track(prompts, "draw"))]
    figures["seconds_per_image"] = round((time.monotonic() - begun) / count, 3)
    figures["peak_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    drawn = zip(images, prompts, strict=True)
    faults = [str(find_fault(image, prompt, model="default")) for image, prompt in drawn]
    figures["faults"] = {fault: faults.count(fault) for fault in sorted(set(faults))}
    for band in ("adult", "child"):
        mine = [i for i, prompt in enumerate(prompts) if band in prompt.terms]
        taken = [images[i] for i in mine if faults[i] == "None"]
        figures[f"copies_{band}"] = _measure_copies(data, band, [images[i] for i in mine], None)
        figures[f"copies_{band}_accepted"] = _measure_copies(data, band, taken, pairs)
    figures["agreement"] = _measure_agreement(images, prompts)
    print(json.dumps(figures, indent=1))


def _measure_copies(data: Path, band: str, drawn: Images, pairs: Path | None) -> dict[str, object]:
    """Share of samples nearer to training than to held-out people, sets of equal size."""
    rows = [row for row in read_index(data) if band in row.terms]
    codes, pictures, inside = [], [], []
    for kind in VIEWS:
        part = [row for row in rows if row.kind == kind]
        if part:
            images = read_images(data, part)
            pictures += list(images)
            inside += [row.split == "train" for row in part]
            codes += [describe(image)[0][:CODE_SIZE] for image in images]
    table, trained = np.stack(codes), np.array(inside)
    drawn_codes = np.stack([describe(image)[0][:CODE_SIZE] for image in drawn])
    distance = np.sqrt(np.square(drawn_codes[:, None] - table[None]).sum(2))
    held = distance[:, ~trained].min(1)
    generator = np.random.default_rng(0)
    train_columns, size = np.flatnonzero(trained), int((~trained).sum())
    shares = [
        (distance[:, generator.choice(train_columns, size, replace=False)].min(1) < held).mean()
        for _ in range(50)
    ]
    share, n = float(np.mean(shares)), len(drawn)
    margin = 1.96 * float(np.sqrt(share * (1 - share) / n))
    real = np.sqrt(np.square(table[~trained][:, None] - table[trained][None]).sum(2)).min(1)
    if pairs is not None:
        _draw_pairs(pairs.with_stem(f"{pairs.stem}_{band}"), drawn, pictures, distance, trained)
    return {
        "n": n,
        "dcr_share": round(share, 3),
        "dcr_share_95": [round(share - margin, 3), round(share + margin, 3)],
        "held_out_images": size,
        "median_nearest_training": round(float(np.median(distance[:, trained].min(1))), 2),
        "median_nearest_training_of_real_held_out": round(float(np.median(real)), 2),
        "closest": round(float(distance[:, trained].min()), 2),
    }


def _draw_pairs(
    path: Path,
    drawn: Images,
    pictures: Images,
    distance: NDArray[np.float32],
    trained: NDArray[np.bool_],
) -> None:
    """The ten samples that lie closest to a training image, above that image."""
    masked = np.where(trained[None], distance, np.inf)
    page = Image.new("L", (10 * 160, 320))
    for column, sample in enumerate(np.argsort(masked.min(1))[:10]):
        nearest = pictures[int(masked[sample].argmin())]
        page.paste(Image.fromarray(drawn[sample]).resize((160, 160)), (column * 160, 0))
        page.paste(Image.fromarray(nearest).resize((160, 160)), (column * 160, 160))
    page.save(path)


def _measure_agreement(images: Images, prompts: list[Prompt]) -> dict[str, object]:
    """Whether the readers, trained on real images only, tell the prompts apart."""
    result: dict[str, object] = {}
    for band in ("adult", "child"):
        asked = [
            (read_score(image, f"pneumonia_{band}"), "pneumonia" in prompt.terms)
            for image, prompt in zip(images, prompts, strict=True)
            if band in prompt.terms and {"pneumonia", "no finding"} & set(prompt.terms)
        ]
        scores, labels = (np.array(column) for column in zip(*asked, strict=True))
        auroc = round(area(scores, labels), 3)
        result[f"pneumonia_{band}"] = {"auroc": auroc, "n": len(labels)}
    return result


if __name__ == "__main__":
    app()
