"""Measure the default generator for docs/model-card.md and draw its contact sheet.

Speed, memory, refusals, copies, quality against the real-to-real floor, and whether heads that
were trained on real images only find in an image what its prompt says.
"""

from __future__ import annotations

import json
import resource
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import typer
from export_encoder import read_pictures
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from rich.progress import track
from statistics_by_patient import describe_area

from updp_node.evaluation.copies import Nearness, find_closest, measure_copies
from updp_node.evaluation.features import normalize
from updp_node.evaluation.figure import Measurements
from updp_node.evaluation.quality import measure_quality
from updp_node.model import Prompt
from updp_node.pixels.acceptance import Examiner
from updp_node.pixels.detectors import describe
from updp_node.pixels.encoder import ShippedEncoder
from updp_node.pixels.generator import DefaultGenerator
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

CODE_SIZE = 64
BANDS = ("adult", "child")
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
Pictures = list[NDArray[np.uint8]]
app = typer.Typer(add_completion=False)


@app.command()
def sheet(
    path: Path, columns: int = 8, size: int = 112, seed: int = 2_000, folder: Path = DEFAULT_FOLDER
) -> None:
    """Draw the contact sheet: one row per prompt, seeds in order, none picked."""
    generator = DefaultGenerator(folder, threads=1)
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
def measure(
    data: Path,
    count: int = 500,
    seed: int = 3_000,
    pairs: Path | None = None,
    folder: Path = DEFAULT_FOLDER,
) -> None:
    """Print the figures as JSON; `pairs` gets a sheet of the ten closest pairs per band."""
    generator, encoder = DefaultGenerator(folder, threads=1), ShippedEncoder(folder)
    examiner = Examiner()
    figures: dict[str, Any] = {"seconds": _time(generator)}
    figures["peak_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    real = {split: read_pictures(data, split) for split in ("train", "test")}
    for band in BANDS:
        prompts = [Prompt(terms) for terms in SHEET if band in terms]
        drawn: Pictures = []
        faults: Counter[str] = Counter()
        number = seed
        with typer.progressbar(length=count, label=f"draw {band}") as bar:
            while len(drawn) < count:
                prompt = prompts[number % len(prompts)]
                pixels = generator.generate(prompt, number)
                fault = examiner.judge(pixels, prompt).fault
                faults[str(fault)] += 1
                if fault is None:
                    drawn.append(pixels)
                    bar.update(1)
                number += 1
        figures[f"faults_{band}"] = dict(faults)
        sets = {split: _select(*real[split], band) for split in real}
        figures[f"copies_{band}"] = _compare(drawn, sets, pairs, band)
        seen = {split: encoder.encode_images(pictures) for split, pictures in sets.items()}
        quality = measure_quality(
            encoder.encode_images(drawn), seen["test"], seed=1, training=seen["train"]
        )
        figures[f"quality_{band}"] = _tell(quality)
    figures["agreement"] = _agree(generator, encoder, real["test"], folder)
    print(json.dumps(figures, indent=1))


def _time(generator: DefaultGenerator) -> dict[str, float]:
    prompt = Prompt(SHEET[0])
    begun = time.monotonic()
    generator.generate(prompt, 0)
    first = time.monotonic() - begun
    taken = []
    for seed in range(20):
        begun = time.process_time()
        generator.generate(prompt, seed)
        taken.append(time.process_time() - begun)
    return {"first_image": round(first, 2), "cpu_per_image_warm": round(float(np.median(taken)), 3)}


def _select(rows: list[Any], pictures: Pictures, band: str) -> Pictures:
    chosen = zip(rows, pictures, strict=True)
    return [picture for row, picture in chosen if band in row.terms]


def _compare(
    drawn: Pictures, sets: dict[str, Pictures], pairs: Path | None, band: str
) -> dict[str, Any]:
    """Nearest images in the eigen-space that the near-copy test uses."""
    codes = [_code(pictures) for pictures in (sets["train"], sets["test"], drawn)]
    names = np.arange(len(drawn)).astype(str)
    result = _tell(measure_copies(Nearness(*codes, sample_patients=names), seed=1))
    lengths = np.stack([describe(picture)[0][:CODE_SIZE] for picture in drawn])
    table = np.stack([describe(picture)[0][:CODE_SIZE] for picture in sets["train"]])
    nearest = np.sqrt(np.maximum(2 - 2 * normalize(lengths) @ normalize(table).T, 0))
    closest = [(int(i), int(nearest[i].argmin())) for i in np.argsort(nearest.min(1))[:10]]
    result["ten_closest"] = [round(float(nearest[i, j]), 2) for i, j in closest]
    if pairs is not None:
        page = Image.new("L", (10 * 160, 320))
        for column, (sample, other) in enumerate(closest):
            for row, picture in enumerate((drawn[sample], sets["train"][other])):
                tile = Image.fromarray(picture).resize((160, 160))
                page.paste(tile, (column * 160, row * 160))
        page.save(pairs.with_stem(f"{pairs.stem}_{band}"))
    result["closest_by_direction"] = round(
        min(distance for _, _, distance in find_closest(Nearness(*codes, names), 1)), 3
    )
    return result


def _code(pictures: Pictures) -> NDArray[np.float32]:
    return normalize(np.stack([describe(picture)[0][:CODE_SIZE] for picture in pictures]))


def _tell(measurements: Measurements) -> dict[str, Any]:
    """Value, interval and n of every figure."""
    return {
        figure.key: {
            "value": None if figure.value is None else round(figure.value, 4),
            "interval": [None if b is None else round(b, 4) for b in (figure.low, figure.high)],
            "n": figure.n,
        }
        for figure in measurements.figures
    }


def _agree(
    generator: DefaultGenerator,
    encoder: ShippedEncoder,
    held_out: tuple[list[Any], Pictures],
    folder: Path,
    count: int = 200,
) -> dict[str, Any]:
    """Heads on counterparts of held-out label sets, beside the same heads on those images."""
    vocabulary = generator.vocabulary
    result: dict[str, Any] = {}
    chooser = np.random.default_rng(7)
    floors = read_manifest(folder)["acceptance"]["heads"]
    for band in BANDS:
        rows = [row for row in held_out[0] if band in row.terms]
        images = _select(*held_out, band)
        wanted = set(vocabulary.findings[band])
        usable = [i for i, row in enumerate(rows) if wanted & set(row.terms)]
        chosen = chooser.permutation(usable)[:count]
        prompts = [
            Prompt(tuple(term for term in vocabulary.terms if term in rows[i].terms))
            for i in chosen
        ]
        drawn = [
            generator.generate(prompt, 40_000 + i)
            for i, prompt in enumerate(track(prompts, f"agree {band}"))
        ]
        patients = [rows[i].patient for i in chosen]
        read = {"counterparts": encoder.read_many(drawn)}
        read["real"] = encoder.read_many([images[i] for i in chosen])
        result[band] = {
            f"{arm}: {term}": _describe(
                np.array([chances[term] for chances in read[arm]]),
                np.array([term in prompt.terms for prompt in prompts]),
                patients,
                floors[f"{band}/{term}"]["limit"],
            )
            for term in vocabulary.findings[band]
            for arm in ("real", "counterparts")
        }
    return result


def _describe(
    chances: NDArray[np.float64], has: NDArray[np.bool_], patients: list[str], limit: float
) -> dict[str, object]:
    agreed = float(((chances > limit) == has).mean())
    return {**describe_area(chances, has, patients), "agreement": round(agreed, 3)}


if __name__ == "__main__":
    app()
