"""The open radiographs: where they lie, which of them a population is measured on."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.counterparts import read_prompt
from tools.evidence.plan import Plan, Population
from updp_node.evaluation.collection import Collection
from updp_node.model import Prompt
from updp_node.pixels.generator import Generator

_BESIDE = Path(__file__).parents[2].with_name("shared")


def find_data() -> Path:
    """Folder of the radiographs: below UPDP_SHARED, or in ``shared`` beside the repository.

    Raises
    ------
    SystemExit
        With a message when it is not there.
    """
    folder = Path(os.environ.get("UPDP_SHARED", _BESIDE)) / "data" / "cxr"
    if not (folder / "index.csv").is_file():
        raise SystemExit(
            f"NOTHING WAS MEASURED: no open radiographs in {folder}.\n"
            "Name the folder that holds data/cxr/index.csv in UPDP_SHARED; "
            "docs/evidence.md says which data it is."
        )
    return folder


def read_prompts(folder: Path, generator: Generator) -> dict[str, Prompt]:
    """The whitelist prompt of every image: of a report that states exactly its labels."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as source:
        return {row["image_id"]: read_prompt(row, generator) for row in csv.DictReader(source)}


@dataclass(frozen=True)
class Sample:
    """What of a population is measured.

    Attributes
    ----------
    population : Population
    originals : Collection
        Taught and tested.
    has_counterpart : ndarray of bool
        Of every original: test images, and the taught ones that were chosen.
    """

    population: Population
    originals: Collection
    has_counterpart: NDArray[np.bool_]

    @property
    def is_test(self) -> NDArray[np.bool_]:
        """Of every original."""
        return in_split(self.originals, ("test",))

    @property
    def has_partner(self) -> NDArray[np.bool_]:
        """Whether the patient has two or more images: others cannot be recognized again."""
        names, counts = np.unique(self.originals.patients, return_counts=True)
        return np.isin(self.originals.patients, names[counts > 1])

    @property
    def for_identity(self) -> NDArray[np.bool_]:
        """Everything taught, and test images of patients with several."""
        return ~self.is_test | self.has_partner


def take_sample(everything: Collection, population: Population, plan: Plan, seed: int) -> Sample:
    """Choose the originals of a population."""
    own = everything.select(in_archives(everything, (population.archive,)))
    rng = np.random.default_rng(seed)
    is_test = in_split(own, ("test",))
    if plan.tested:
        several = is_test & Sample(population, own, is_test).has_partner
        kept = _choose_patients(own, several, plan.tested, rng) | ~is_test
        own, is_test = own.select(kept), is_test[kept]
    taught = np.flatnonzero(~is_test)
    chosen = rng.permutation(taught)[: plan.taught or len(taught)]
    return Sample(population, own, is_test | np.isin(np.arange(len(own)), chosen))


def in_archives(collection: Collection, archives: Iterable[str]) -> NDArray[np.bool_]:
    """Which images lie in one of some archives."""
    wanted = tuple(archives)
    return np.array([any(a in each.file for a in wanted) for each in collection.entries])


def in_split(collection: Collection, splits: Iterable[str]) -> NDArray[np.bool_]:
    """Which images belong to some splits."""
    wanted = set(splits)
    return np.array([each.split in wanted for each in collection.entries])


def _choose_patients(
    own: Collection, among: NDArray[np.bool_], most: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Images of whole patients, drawn until there are `most`."""
    chosen: list[str] = []
    count = 0
    for name in rng.permutation(np.unique(own.patients[among])):
        if count >= most:
            break
        chosen.append(str(name))
        count += int((own.patients == name).sum())
    return np.isin(own.patients, chosen)
