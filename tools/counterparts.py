"""Make counterparts of indexed images from their labels, for `updp-node evaluate`.

Every image gets the prompt that a report with exactly its labels would give; the image itself is
never looked at. Seeds follow from --seed so that a study can be repeated: a release draws them
from the operating system instead.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from PIL import Image
from rich.progress import track

from updp_node.errors import InstanceError
from updp_node.model import Certainty, Finding, Prompt
from updp_node.pixels.generator import Generator, load_generator
from updp_node.pixels.prompt import build_prompt
from updp_node.pixels.synthesis import synthesize

CHILD_YEARS = 5
_COLUMNS = ("image_id", "file", "source", "arm", "prompt")


@dataclass(frozen=True, slots=True)
class Wanted:
    """One row of the index that gets a counterpart."""

    image_id: str
    prompt: Prompt
    copies: int


def make(  # noqa: PLR0917  # typer passes them by name
    index: Annotated[Path, typer.Argument(help="Table with image_id, labels, view, age, split.")],
    out: Annotated[Path, typer.Argument(help="Folder for the pictures and their index.csv.")],
    kind: Annotated[str, typer.Option(help="Only rows whose file contains this.")] = "",
    split: Annotated[str, typer.Option(help="Only these splits, comma-separated.")] = "",
    per_test_image: Annotated[int, typer.Option(min=1, help="Counterparts of a test image.")] = 1,
    most: Annotated[int, typer.Option(help="At most so many training rows; 0 is all.")] = 0,
    *,
    accept: Annotated[bool, typer.Option(help="Draw again what the node would refuse.")] = True,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Draw the counterparts and write their table."""
    torch.set_num_threads(threads)
    generator = load_generator("default", threads=threads)
    out.mkdir(parents=True, exist_ok=True)
    rows = read_rows(index, generator, kind=kind, split=split, copies=per_test_image, most=most)
    refused = 0
    with (out / "index.csv").open("w", newline="", encoding="utf-8") as target:
        table = csv.DictWriter(target, _COLUMNS)
        table.writeheader()
        for number, row in enumerate(track(rows, "counterparts")):
            for copy in range(row.copies):
                own = derive_seed(seed, row.image_id, copy)
                try:
                    pixels = draw(generator, row.prompt, own, accept=accept)
                except InstanceError:
                    refused += 1
                    continue
                name = f"{number:05}-{copy}.png"
                Image.fromarray(pixels).save(out / name, compress_level=1)
                table.writerow({
                    "image_id": f"counterpart-{number}-{copy}", "file": name,
                    "source": row.image_id, "arm": "whitelist", "prompt": row.prompt.text,
                })  # fmt: skip
    print(f"{sum(row.copies for row in rows) - refused} counterparts, {refused} refused,"
          f" model {generator.sha256[:12]}")  # fmt: skip


def read_rows(
    index: Path, generator: Generator, *, kind: str, split: str, copies: int, most: int
) -> list[Wanted]:
    """Rows of the index with their prompts; of exact duplicates the first."""
    splits = set(split.split(",")) if split else set()
    groups: set[str] = set()
    wanted, trained = [], 0
    with index.open(newline="", encoding="utf-8") as source:
        for row in csv.DictReader(source):
            if kind not in row["file"] or (splits and row["split"] not in splits):
                continue
            group = row.get("exact_dup_group", "")
            if group and group in groups:
                continue
            groups.add(group)
            is_test = row["split"] == "test"
            trained += not is_test
            if is_test or not most or trained <= most:
                prompt = read_prompt(row, generator)
                wanted.append(Wanted(row["image_id"], prompt, copies if is_test else 1))
    return wanted


def read_prompt(row: dict[str, str], generator: Generator) -> Prompt:
    """The prompt of a report that states exactly the labels of a row."""
    labels = {label.replace("_", " ").lower() for label in row["labels"].split("|")}
    findings = [Finding(label, Certainty.PRESENT) for label in sorted(labels - {"no finding"})]
    age = CHILD_YEARS if "y" in row["age"] else int(float(row["age"] or 99))
    return build_prompt(
        findings, generator.vocabulary, age_years=age, view=row["view"] or None, reported=True
    )


def draw(generator: Generator, prompt: Prompt, seed: int, *, accept: bool):  # type: ignore[no-untyped-def]
    """Pixels of one counterpart."""
    if not accept:
        return generator.generate(prompt, seed)
    return synthesize(generator, prompt, seed=seed).pixels


def derive_seed(seed: int, image_id: str, copy: int) -> int:
    """A seed of the study: repeatable, and so never to be used for a release."""
    digest = hashlib.sha256(f"{seed} {image_id} {copy}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


if __name__ == "__main__":
    typer.run(make)
