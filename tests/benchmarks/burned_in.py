"""Burned-in text: how much of it goes, what stays, and how long it takes.

``python -m tests.benchmarks.burned_in`` writes docs/acceptance/burned-in.md. A text is gone where
at most 2 % of its pixels keep their stored value; a marker is kept where at least 98 % do.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tests.factories.burned_in import KINDS, MARKERS, make_image, make_text
from updp_node.config import packaged_policy
from updp_node.pixels.clean import clean_pixels
from updp_node.pixels.cleaning import load_cleaning
from updp_node.pixels.stored import decode_stored

TARGET = Path(__file__).resolve().parents[2] / "docs" / "acceptance" / "burned-in.md"
_CURVE = ((8, 80), (10, 80), (12, 80), (12, 40), (16, 20), (16, 30), (24, 20), (24, 40))


@dataclass(frozen=True)
class Job:
    """One image to be made, cleaned and judged."""

    kind: str
    seed: int
    texts: tuple[str, ...]
    size_px: int
    contrast: float
    group: str


@dataclass(frozen=True)
class Judged:
    """What became of one text: the share of its pixels that keep their stored value."""

    group: str
    kind: str
    turns: int
    share: float


@dataclass(frozen=True)
class Result:
    """One image.

    Attributes
    ----------
    texts : tuple of Judged
    elsewhere : float
        Share of the pixels more than three lines from any text that were changed.
    """

    texts: tuple[Judged, ...]
    elsewhere: float


def judge(job: Job) -> Result:
    """Make one image, clean it, and compare it with what was planted."""
    dirty, _, planted = make_image(
        job.kind, job.texts, seed=job.seed, size_px=job.size_px, contrast=job.contrast
    )
    before = decode_stored(dirty).frames
    cleaned = clean_pixels(dirty, load_cleaning([packaged_policy()]))
    after = before if cleaned is None else cleaned.samples
    changed = (before != after).reshape(*before.shape[:3], -1).any(axis=-1)
    far = np.ones(before.shape[1:3], bool)
    judged = []
    for each in planted:
        shares = [1 - changed[(frame, *each.place)][each.ink > 0.5].mean() for frame in each.frames]
        judged.append(Judged(job.group, job.kind, each.turns, float(np.mean(shares))))
        rows, columns = each.place
        room = 3 * max(job.size_px, 8)
        far[max(rows.start - room, 0) : rows.stop + room,
            max(columns.start - room, 0) : columns.stop + room] = False  # fmt: skip
    elsewhere = float(changed[:, far].mean()) if far.any() else 0.0
    return Result(tuple(judged), elsewhere)


def plan_texts(count: int, per_image: int) -> Iterator[Job]:
    """Names, dates and numbers of 16 px and 40 grey levels and more, kinds in turn."""
    contrasts = (40.0, 40.0, 60.0, 100.0, 160.0)
    for number in range(-(-count // per_image)):
        dice = random.Random(number)
        texts = tuple(make_text(dice) for _ in range(per_image))
        size = dice.choice((16, 16, 18, 22))
        contrast = contrasts[number // len(KINDS) % len(contrasts)]
        yield Job(KINDS[number % len(KINDS)], number, texts, size, contrast, "texts")


def plan_markers(count: int, per_image: int) -> Iterator[Job]:
    """Markers that may stay."""
    for number in range(-(-count // per_image)):
        dice = random.Random(f"marker {number}")
        texts = tuple(dice.choice(MARKERS) for _ in range(per_image))
        size = dice.choice((18, 24, 32))
        yield Job(KINDS[number % 4], 5000 + number, texts, size, 100.0, "markers")


def plan_curve(count: int, per_image: int) -> Iterator[Job]:
    """Smaller and fainter than promised."""
    for size, contrast in _CURVE:
        for number in range(-(-count // per_image)):
            dice = random.Random(f"{size} {contrast} {number}")
            texts = tuple(make_text(dice) for _ in range(per_image))
            kind = KINDS[number % 4]
            yield Job(kind, 9000 + number, texts, size, contrast, f"{size} px, {contrast}")


def measure_seconds() -> list[tuple[str, float, float]]:
    """Seconds of one image: processor and clock, with four texts in it."""
    from tests.factories import chest_cr, chest_picture  # noqa: PLC0415

    cleaning = load_cleaning([packaged_policy()])
    dirty, _, _ = make_image("SC", ["SMITH^JOHN", "01.02.1970"], seed=1)
    clean_pixels(dirty, cleaning)
    rows = []
    for rows_px, columns_px in ((512, 512), (2500, 2048)):
        for texts in (0, 4):
            picture = chest_picture(rows_px, columns_px)
            image = chest_cr(picture, rows=rows_px, columns=columns_px)
            image.file_meta = dirty.file_meta
            if texts:
                _write_lines(image, texts)
            clock, processor = time.perf_counter(), time.process_time()
            clean_pixels(image, cleaning)
            said = f"{rows_px} x {columns_px}, {texts or 'no'} lines of text"
            spent = time.process_time() - processor
            rows.append((said, spent, time.perf_counter() - clock))
    return rows


def _write_lines(image: object, count: int) -> None:
    from tests.factories.burned_in import draw  # noqa: PLC0415

    dice = random.Random(1)
    samples = np.frombuffer(image.PixelData, "<u2").reshape(image.Rows, image.Columns).copy()
    for number in range(count):
        ink = draw(make_text(dice), 20, 0, dice) > 0.5
        top = 10 + 40 * number
        samples[top : top + ink.shape[0], 10 : 10 + ink.shape[1]][ink] = 4095
    image.PixelData = samples.tobytes()


def _percent(good: int, all_of_them: int) -> str:
    return f"{100 * good / max(all_of_them, 1):.1f} % ({good} of {all_of_them})"


def report(results: Iterable[Result], seconds: list[tuple[str, float, float]]) -> str:
    """The figures as Markdown."""
    results = list(results)
    judged = [each for result in results for each in result.texts]
    gone: Counter[str] = Counter()
    all_of: Counter[str] = Counter()
    for each in judged:
        names = (each.group, f"{each.group}/{each.kind}", f"{each.group}/{90 * each.turns}°")
        good = each.share >= 0.98 if each.group == "markers" else each.share <= 0.02
        all_of.update(names)
        gone.update(name for name in names if good)
    said = [
        "# Burned-in text", "",
        f"{datetime.now(UTC):%Y-%m-%d}, made by `python -m tests.benchmarks.burned_in`: generated "
        "names, dates and numbers in several faces, in four directions, on ultrasound, "
        "radiographs, screenshots, colour and multi-frame images. The text is brighter than 95 "
        "of 100 pixels under it by the contrast named (of 256 grey levels), or darker. Sizes are "
        "those of the font; capital letters are about 0.7 of it. Gone: at most 2 % of the pixels "
        "of the text keep their stored value. Kept: at least 98 % do.", "",
        "| | gone |", "|---|---|",
        f"| 16 px and more, 40 grey levels and more | {_percent(gone['texts'], all_of['texts'])} |",
    ]  # fmt: skip
    said += [
        f"| of these: {name.partition('/')[2]} | {_percent(gone[name], all_of[name])} |"
        for name in sorted(all_of) if name.startswith("texts/")
    ]  # fmt: skip
    said += [
        f"| {name} grey levels | {_percent(gone[name], all_of[name])} |"
        for name in all_of if "px" in name and "/" not in name
    ]  # fmt: skip
    said += [
        "",
        "| | kept |",
        "|---|---|",
        f"| markers that may stay | {_percent(gone['markers'], all_of['markers'])} |",
    ]
    touched = sum(result.elsewhere > 0 for result in results)
    mean = float(np.mean([result.elsewhere for result in results])) if results else 0.0
    said += [
        "",
        f"Pixels more than three lines away from any text: changed in {touched} of "
        f"{len(results)} images, {100 * mean:.3f} % of them on average (taken for text).",
    ]
    said += [
        "",
        f"Seconds of one image, 12 bits, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}:",
        "",
        "| image | processor | clock |",
        "|---|---|---|",
    ]
    said += [f"| {name} | {spent:.2f} | {clock:.2f} |" for name, spent, clock in seconds]
    return "\n".join(said) + "\n"


def main() -> None:
    """Run, print, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--texts", type=int, default=1000)
    asked.add_argument("--markers", type=int, default=200)
    asked.add_argument("--curve", type=int, default=40, help="texts of each size and contrast")
    asked.add_argument("--per-image", type=int, default=8)
    asked.add_argument("--processes", type=int, default=1)
    asked.add_argument("--out", type=Path, default=TARGET)
    options = asked.parse_args()
    jobs = [
        *plan_texts(options.texts, options.per_image),
        *plan_markers(options.markers, options.per_image),
        *plan_curve(options.curve, options.per_image),
    ]
    results = []
    with ProcessPoolExecutor(options.processes) as pool:
        for number, result in enumerate(pool.map(judge, jobs), start=1):
            results.append(result)
            if number % 10 == 0:
                texts = [each for done in results for each in done.texts if each.group == "texts"]
                gone = sum(each.share <= 0.02 for each in texts)
                print(f"{number} of {len(jobs)} images; texts {_percent(gone, len(texts))} gone",
                      flush=True)  # fmt: skip
    made = report(results, measure_seconds())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(made, encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()
