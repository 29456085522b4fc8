"""Counterparts of each arm, drawn once and kept by the hash of all that they depend on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tools.counterparts import derive_seed
from tools.evidence.free_prompts import DRAWS, RATE, count_steps, fit_free_prompts
from tools.evidence.plan import DRAWING_SEED, FREE, NOISED, WHITELIST, Plan
from tools.evidence.sources import Sample
from tools.evidence.studio import Studio
from updp_node.errors import InstanceError
from updp_node.evaluation.collection import SIDE, Collection
from updp_node.evaluation.index import Entry
from updp_node.evaluation.laboratory import Watch
from updp_node.evaluation.picture import resize
from updp_node.model import Prompt
from updp_node.pixels.generator import Generator
from updp_node.pixels.synthesis import synthesize

_VERSION = 1
NOISED_SHARE = 0.5
Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Atelier:
    """What counterparts are drawn with.

    Attributes
    ----------
    generator : Generator
        The shipped one.
    prompts : dict of str to Prompt
        Whitelist prompt by image_id.
    plan : Plan
    threads : int
        Of torch: another number may round differently.
    cache : pathlib.Path
    watch : callable
    """

    generator: Generator
    prompts: dict[str, Prompt]
    plan: Plan
    threads: int
    cache: Path
    watch: Watch


@dataclass(frozen=True)
class Order:
    """What is drawn: places of the sources, and which copy of each."""

    places: NDArray[np.intp]
    copies: NDArray[np.intp]


def make_counterparts(sample: Sample, atelier: Atelier) -> Collection:
    """Counterparts of a population, all arms.

    Whitelist prompts for every test image and the chosen taught ones; the other arms for those
    of them that identity is measured on.
    """
    whole = sample.has_counterpart
    asked = {WHITELIST: whole, FREE: whole & sample.for_identity,
             NOISED: whole & sample.for_identity}  # fmt: skip
    entries: list[Entry] = []
    images: list[Images] = []
    for arm, wanted in asked.items():
        order = _order(sample, wanted)
        drawn, kept = _recall(sample, order, arm, atelier)
        images.append(drawn)
        for place, copy in zip(order.places[kept], order.copies[kept], strict=True):
            source = sample.originals.entries[place].image_id
            entries.append(Entry(
                len(entries) + 2, f"{arm} {source} {copy}", "", None, "", "", "", arm, source, "",
                "",
            ))  # fmt: skip
    return Collection("counterparts", tuple(entries), np.concatenate(images))


def _order(sample: Sample, wanted: NDArray[np.bool_]) -> Order:
    """Several copies of a test image, one of a taught one."""
    counts = np.where(sample.is_test, sample.population.copies, 1) * wanted
    places = np.repeat(np.arange(len(counts)), counts)
    copies = np.concatenate([np.arange(count) for count in counts])
    return Order(places, copies)


def _recall(
    sample: Sample, order: Order, arm: str, atelier: Atelier
) -> tuple[Images, NDArray[np.bool_]]:
    """Images of an arm from the cache, or drawn; and which of the order they are."""
    name = f"{sample.population.name}-{arm.replace(' ', '-')}"
    kept = atelier.cache / f"{name}-{_digest(sample, order, arm, atelier)[:24]}.npz"
    if kept.is_file():
        with np.load(kept) as stored:
            return stored["images"], stored["kept"]
    make = {WHITELIST: _draw_whitelist, FREE: _draw_free, NOISED: _draw_noised}[arm]
    images, drawn = make(sample, order, atelier)
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = kept.with_suffix(".part.npz")
    np.savez(partial, images=images, kept=drawn)
    partial.rename(kept)
    return images, drawn


def _digest(sample: Sample, order: Order, arm: str, atelier: Atelier) -> str:
    """Of everything that the images depend on."""
    entries = sample.originals.entries
    drawn = [
        (entries[place].image_id, atelier.prompts[entries[place].image_id].text, int(copy))
        for place, copy in zip(order.places, order.copies, strict=True)
    ]
    fitted = [atelier.plan.fit, RATE, DRAWS] if arm == FREE else []
    noised = [NOISED_SHARE] if arm == NOISED else []
    seen = sample.originals.select(np.unique(order.places)).digest if arm != WHITELIST else ""
    wanted = [_VERSION, torch.__version__, atelier.threads, atelier.generator.sha256,
              arm, DRAWING_SEED, drawn, fitted, noised, seen]  # fmt: skip
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


def _draw_whitelist(
    sample: Sample, order: Order, atelier: Atelier
) -> tuple[Images, NDArray[np.bool_]]:
    """As the node draws: prompt, seed, candidates until one is acceptable."""
    entries, images = sample.originals.entries, []
    kept = np.zeros(len(order.places), dtype=bool)
    with atelier.watch(len(kept), f"{sample.population.name}, {WHITELIST}") as advance:
        for number, (place, copy) in enumerate(zip(order.places, order.copies, strict=True)):
            name = entries[place].image_id
            seed = derive_seed(DRAWING_SEED, name, int(copy))
            advance()
            try:
                made = synthesize(atelier.generator, atelier.prompts[name], seed=seed)
            except InstanceError:
                continue
            kept[number] = True
            images.append(resize(made.pixels, SIDE))
    return np.stack(images), kept


def _draw_free(sample: Sample, order: Order, atelier: Atelier) -> tuple[Images, NDArray[np.bool_]]:
    """From free prompts, one fitted to each source; nothing is refused."""
    sources, back = np.unique(order.places, return_inverse=True)
    studio = Studio(sample.population.band)
    chosen = sample.originals.select(sources)
    codes = studio.denoiser.encode(chosen.images)
    start = studio.embed(studio.denoiser.condition(chosen))
    steps = count_steps(len(sources), atelier.plan.fit)
    with atelier.watch(steps, f"{sample.population.name}, fitting free prompts") as advance:
        free = fit_free_prompts(
            studio, codes, start, steps=atelier.plan.fit, seed=DRAWING_SEED, advance=advance
        )
    seeds = _list_seeds(sample, order, FREE)
    return _reduce(studio.draw(free[back], seeds)), np.ones(len(back), dtype=bool)


def _draw_noised(
    sample: Sample, order: Order, atelier: Atelier
) -> tuple[Images, NDArray[np.bool_]]:
    """From the source's own code, half of the diffusion's steps gone; nothing is refused."""
    studio = Studio(sample.population.band)
    chosen = sample.originals.select(order.places)
    with atelier.watch(1, f"{sample.population.name}, {NOISED}") as advance:
        drawn = studio.draw(
            studio.embed(studio.denoiser.condition(chosen)), _list_seeds(sample, order, NOISED),
            start=studio.denoiser.encode(chosen.images), share=NOISED_SHARE,
        )  # fmt: skip
        advance()
    return _reduce(drawn), np.ones(len(drawn), dtype=bool)


def _list_seeds(sample: Sample, order: Order, arm: str) -> list[int]:
    """Of their own in each arm: two images of one source share no noise."""
    entries = sample.originals.entries
    return [
        derive_seed(DRAWING_SEED, f"{arm} {entries[place].image_id}", int(copy))
        for place, copy in zip(order.places, order.copies, strict=True)
    ]


def _reduce(images: Images) -> Images:
    return np.stack([resize(image, SIDE) for image in images])
