"""Prompt anonymity: how many people share a prompt, and what to leave out until enough do.

Two figures, never mixed. ``k_map``: patients of a public population whom the prompt fits; those
people are not in the release. ``k_released``: subjects of this project's release that share the
prompt; `updp_node.storage.prompt_index` counts them. Here is what is pure: the ladder of coarser
prompts, the public population, and the bands that an object may tell.

References
----------
L. Sweeney, "k-Anonymity: A Model for Protecting Privacy", 2002; k-map: L. Sweeney, 2001.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from updp_node.model import Prompt
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary

Gate = Literal["k_map", "k_released", "none"]
Rare = Literal["generalize", "wait", "refuse"]
POPULATION_FILE = Path(__file__).parent / "models" / "chestxray14.json.gz"
_BANDS = ((100, "100+"), (20, "20-99"), (10, "10-19"), (5, "5-9"))


@dataclass(frozen=True, slots=True)
class AnonymityPolicy:
    """How a profile guards prompts; its ``pixels.anonymity``.

    Attributes
    ----------
    gate : str
        Which figure decides: ``k_map``, ``k_released`` or ``none``.
    k_min : int
        Fewest people that may share a prompt.
    rare : str
        What becomes of a prompt that fewer share: ``generalize``, ``wait`` or ``refuse``.
    """

    gate: Gate = "k_map"
    k_min: int = 5
    rare: Rare = "generalize"

    def list_allowed(self, prompt: Prompt, population: Population) -> list[Prompt]:
        """The prompts that may stand for `prompt`, the finest first.

        With ``k_map`` only those common enough in the public population; empty where there is
        none.
        """
        ladder = list_coarser(prompt, population) if self.rare == "generalize" else [prompt]
        if self.gate != "k_map":
            return ladder
        return [each for each in ladder if population.count(each) >= self.k_min]


def tell_band(k: int) -> str:
    """The band of a figure as an object may tell it; the exact one stays inside."""
    return next((band for least, band in _BANDS if k >= least), "1-4" if k else "0")


def tell_anonymity(gate: str, *, k_map: int | None, k_released: int | None) -> str:
    """Which figure gated and its band, as the object tells it."""
    figure, k = ("k-released", k_released) if gate == "k_released" else ("k-map", k_map)
    if k is None:
        return ""
    return f"{figure} {tell_band(k)}" + (", not gated" if gate == "none" else "")


@dataclass(frozen=True)
class Population:
    """How common prompts are in a public population.

    Attributes
    ----------
    name : str
    vocabulary : Vocabulary
        Whose prompts are counted.
    prompts : Mapping[tuple of str, int]
        Terms of a prompt to the patients whom it fits: some image of theirs shows exactly its
        findings. A prompt without a view fits all views; one that says nothing of findings
        fits every image of its band and view.
    findings : Mapping[tuple of str, int]
        (band, finding) to the patients with that finding.
    """

    name: str
    vocabulary: Vocabulary
    prompts: Mapping[tuple[str, ...], int]
    findings: Mapping[tuple[str, str], int]

    def count(self, prompt: Prompt) -> int:
        """Patients whom a prompt fits (k-map); 0 for what the population does not know."""
        return self.prompts.get(prompt.terms, 0)


def list_coarser(prompt: Prompt, population: Population) -> list[Prompt]:
    """A prompt and every coarser one that may stand for it, step by step.

    The view goes first, then the rarest finding, until nothing is said of findings. The band
    stays: no prompt is without one. Findings that were left out are in `Prompt.withheld`; they
    never turn into ``no finding``.

    Parameters
    ----------
    prompt : Prompt
    population : Population
        Its counts tell which finding is the rarest.
    """
    vocabulary = population.vocabulary
    band = next(band for band in vocabulary.bands if band in prompt.terms)
    views = set(vocabulary.views[band])
    findings = [term for term in prompt.terms if term in vocabulary.findings[band]]
    findings.sort(key=lambda term: -population.findings.get((band, term), 0))
    ladder = [prompt]
    if views & set(prompt.terms):
        ladder.append(_leave(prompt, (band, *findings), (), vocabulary))
    for kept in range(len(findings) - 1, -1, -1):
        gone = findings[kept:]
        ladder.append(_leave(prompt, (band, *findings[:kept]), gone, vocabulary))
    return ladder


def _leave(
    prompt: Prompt, terms: tuple[str, ...], gone: Sequence[str], vocabulary: Vocabulary
) -> Prompt:
    """A coarser prompt; to say nothing instead of ``no finding`` withholds no finding."""
    ordered = vocabulary.order(terms, prompt.unrendered)
    withheld = tuple(sorted(set(prompt.withheld) | set(gone) - {NO_FINDING}))
    return Prompt(ordered.terms, ordered.unrendered, withheld)


def read_population(vocabulary: Vocabulary, file: Path = POPULATION_FILE) -> Population:
    """Count the shipped population in the words of a vocabulary.

    Parameters
    ----------
    vocabulary : Vocabulary
    file : pathlib.Path
        As ``tools/make_population.py`` wrote it: the distinct kinds of images, and how many
        patients have which set of kinds. So patients are counted once, whatever the vocabulary.
    """
    content = _read(file)
    prompts: Counter[tuple[str, ...]] = Counter()
    findings: Counter[tuple[str, str]] = Counter()
    kinds = [_list_fitting(kind, vocabulary) for kind in content["kinds"]]
    for indexes, patients in content["patients"]:
        fitting = {terms for index in indexes for terms in kinds[index][0]}
        shown = {pair for index in indexes for pair in kinds[index][1]}
        prompts.update(dict.fromkeys(fitting, patients))
        findings.update(dict.fromkeys(shown, patients))
    return Population(str(content["name"]), vocabulary, prompts, findings)


def _list_fitting(
    kind: Sequence[Any], vocabulary: Vocabulary
) -> tuple[set[tuple[str, ...]], set[tuple[str, str]]]:
    """Prompts that fit a kind of image, and its rendered findings with their band."""
    band, view, *labels = kind
    if band not in vocabulary.bands:
        return set(), set()
    rendered = {vocabulary.find(label, band) for label in labels} - {None}
    shown = {str(term) for term in rendered}
    found = shown - {NO_FINDING} if len(shown) > 1 else shown
    views = {(), (view,)} if view in vocabulary.views[band] else {()}
    sets = {(), tuple(found)}
    fitting = {vocabulary.order((band, *said, *each)).terms for said in views for each in sets}
    return fitting, {(band, term) for term in found}


@lru_cache(maxsize=2)
def _read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(file.read_bytes()))
    return content
