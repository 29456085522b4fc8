"""One population, measured: identity, utility, copies, membership, likeness, and the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from tools.evidence.plan import WHITELIST, Plan, Population
from tools.evidence.sources import Sample, in_archives, in_split
from updp_node.evaluation.attackers import Attacker, Pairs, Training, train_attacker
from updp_node.evaluation.attacks import measure_attacks
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.copies import Nearness, measure_copies
from updp_node.evaluation.denoiser import ShippedDenoiser
from updp_node.evaluation.features import Features, normalize
from updp_node.evaluation.figure import Curve, Measurements
from updp_node.evaluation.gate import judge_release, load_release
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.lessons import measure_lessons
from updp_node.evaluation.linkage import Queries, rank_sources
from updp_node.evaluation.membership import Candidates, measure_black_box, measure_membership
from updp_node.evaluation.quality import measure_quality
from updp_node.evaluation.study import MAIN_ARM, Study, make_study
from updp_node.evaluation.verdict import Verdict
from updp_node.pixels.detectors import describe

CODE_SIZE = 64
"""Leading coefficients of which the directions are compared, as in the near-copy test."""
_RANKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Setting:
    """What both populations are measured with.

    Attributes
    ----------
    everything : Collection
        All radiographs: the generator was trained on the split ``train``.
    frozen : Attacker
    laboratory : Laboratory
    plan : Plan
    """

    everything: Collection
    frozen: Attacker
    laboratory: Laboratory
    plan: Plan


@dataclass(frozen=True)
class Result:
    """What came out for one population."""

    population: Population
    facts: dict[str, int]
    measured: Measurements
    verdicts: tuple[Verdict, ...]


def train_frozen(everything: Collection, plan: Plan, laboratory: Laboratory) -> Attacker:
    """The attacker of real images: taught by all sets, by no test patient of any."""
    taught = everything.select(~in_split(everything, ("test",)))
    groups = np.array([each.hospital for each in taught.entries], dtype=str)
    pairs = Pairs(taught.images, taught.images, taught.patients, taught.patients, groups)
    training = Training(plan.frozen, width=plan.width, seed=laboratory.seed)
    with laboratory.watch(plan.frozen, "frozen attacker, all sets") as advance:
        return train_attacker(pairs, training, cache=laboratory.cache, advance=advance)


def measure_population(sample: Sample, counterparts: Collection, setting: Setting) -> Result:
    """Every figure of one population, of all arms of counterparts."""
    laboratory, frozen = setting.laboratory, setting.frozen
    whole = make_study(sample.originals, counterparts, seed=laboratory.seed)
    asked = make_study(
        sample.originals.select(sample.for_identity), counterparts, seed=laboratory.seed
    )
    population = sample.population
    with laboratory.watch(1, f"{population.name}, attacks") as advance:
        measured = measure_attacks(asked, laboratory, frozen=frozen)
        advance()
    measured += _draw_ranks(asked, frozen)
    measured += _keep_own(measure_lessons(whole, laboratory))
    measured += measure_leaving(whole, population, setting)
    facts = _count(whole, asked)
    limits = load_release(None)
    return Result(population, facts, measured, judge_release(measured.figures, limits))


def _count(whole: Study, asked: Study) -> dict[str, int]:
    taught = whole.sources[whole.of_taught(MAIN_ARM)]
    return {
        "images": len(whole.originals),
        "patients": len(set(whole.originals.patients.tolist())),
        "test images": len(whole.test),
        "test patients": len(set(whole.test.patients.tolist())),
        "identity patients": len(set(asked.test.patients.tolist())),
        "identity images": len(asked.test),
        "counterparts of test images": len(whole.of_test(MAIN_ARM)),
        "counterparts of taught images": len(taught),
        "counterparts, all arms": len(whole.counterparts),
    }


def _keep_own(measured: Measurements) -> Measurements:
    """Without the line that one population names no two hospitals."""
    figures = tuple(f for f in measured.figures if not f.key.startswith("cross-hospital"))
    return replace(measured, figures=figures)


def _draw_ranks(study: Study, frozen: Attacker) -> Measurements:
    """Share of sources found within so many ranks by the frozen attacker, for each arm."""
    gallery = frozen.encode(study.test.images)
    size = len(gallery)
    ranks = [rank for rank in _RANKS if rank < size] + [size]
    x = tuple(map(float, ranks))
    curves = [_draw_curve("chance", x, tuple(rank / size for rank in ranks))]
    for arm in study.arms:
        asked = study.ask(
            frozen.encode(study.counterparts.images[study.of_test(arm)]), gallery, arm
        )
        name = WHITELIST if arm == MAIN_ARM else arm
        curves.append(_draw_curve(name, x, _share(asked, ranks)))
    return Measurements(curves=tuple(curves))


def _share(asked: Queries, ranks: list[int]) -> tuple[float, ...]:
    found = rank_sources(asked, asked.allow())
    return tuple(float((found <= rank).mean()) for rank in ranks)


def _draw_curve(label: str, x: tuple[float, ...], y: tuple[float, ...]) -> Curve:
    return Curve("linkage", label, x, y, "within so many ranks of the real images",
                 "share of sources found")  # fmt: skip


def measure_leaving(study: Study, population: Population, setting: Setting) -> Measurements:
    """Copies, membership and likeness: what the generator took from its training set."""
    everything, laboratory = setting.everything, setting.laboratory
    band = everything.select(in_archives(everything, population.band_archives))
    training = band.select(in_split(band, ("train",)))
    held_out = band.select(in_split(band, ("test",)))
    places = np.flatnonzero(study.arms[MAIN_ARM])
    samples = study.counterparts.images[places]
    owners = study.originals.patients[study.sources[places]]
    with laboratory.watch(3, f"{population.name}, copies and membership") as advance:
        codes = [encode_codes(each) for each in (training.images, held_out.images, samples)]
        sets = Nearness(codes[0], codes[1], codes[2], owners)
        measured = measure_copies(sets, seed=laboratory.seed)
        advance()
        measured += _ask_membership(training, held_out, sets, population, setting)
        advance()
        measured += _measure_likeness(study, population, everything, laboratory)
        advance()
    return measured


def encode_codes(images: NDArray[np.uint8]) -> Features:
    """Directions in the leading whitened coefficients of the shipped eigen-space."""
    return normalize(np.stack([describe(image)[0][:CODE_SIZE] for image in images]))


def _ask_membership(
    training: Collection,
    held_out: Collection,
    sets: Nearness,
    population: Population,
    setting: Setting,
) -> Measurements:
    """As many members as others, chosen by the seed."""
    seed = setting.laboratory.seed
    rng = np.random.default_rng(seed)
    size = min(len(training), len(held_out), setting.plan.asked)
    chosen = [np.sort(rng.permutation(len(each))[:size]) for each in (training, held_out)]
    asked = [each.select(place) for each, place in zip((training, held_out), chosen, strict=True)]
    member = np.arange(2 * size) < size
    patients = np.concatenate([each.patients for each in asked])
    model = ShippedDenoiser(population.band)
    candidates = Candidates(
        torch.cat([model.encode(each.images) for each in asked]),
        torch.cat([model.condition(each) for each in asked]), member, patients,
    )  # fmt: skip
    measured = measure_membership(model.diffusion, candidates, seed=seed)
    features: Features = np.concatenate([sets.training[chosen[0]], sets.held_out[chosen[1]]])
    return measured + measure_black_box(features, member, patients, sets.samples, seed=seed)


def _measure_likeness(
    study: Study, population: Population, everything: Collection, laboratory: Laboratory
) -> Measurements:
    """Counterparts of test images against them; the floor is training against test images."""
    own = everything.select(in_archives(everything, (population.archive,)))
    encode = laboratory.encoder.encode
    places = study.of_test(MAIN_ARM)
    return measure_quality(
        encode(study.counterparts.images[places]), encode(study.test.images),
        seed=laboratory.seed, training=encode(own.select(in_split(own, ("train",))).images),
    )  # fmt: skip
