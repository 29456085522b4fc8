"""Copies, membership and quality, run: what the generator took from its training set."""

from __future__ import annotations

import numpy as np

from updp_node.evaluation.collection import Collection
from updp_node.evaluation.copies import Nearness, find_closest, measure_copies
from updp_node.evaluation.features import Features
from updp_node.evaluation.figure import Measurements, Section, not_measured
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.membership import Candidates, measure_black_box, measure_membership
from updp_node.evaluation.quality import measure_quality
from updp_node.evaluation.report import Pair
from updp_node.evaluation.study import MAIN_ARM, Study
from updp_node.pixels.detectors import looks_child

_S = Section.COPIES
_MOST_ASKED = 1000
_FEWEST = 20
_COPY_NAMES = (
    ("copies.dcr", "Share of samples nearer to training than to held-out images"),
    ("copies.n-copies", "Copies among the samples"),
    ("copies.privacy-loss", "Privacy loss"),
    ("membership", "Membership inference"),
)


def measure_generation(
    study: Study, laboratory: Laboratory, *, is_shipped: bool
) -> tuple[Measurements, tuple[Pair, ...]]:
    """Copies and membership, with the closest pairs, where the training set is known.

    Parameters
    ----------
    study : Study
    laboratory : Laboratory
    is_shipped : bool
        Whether the counterparts come from the generator that ships with the node, and `training`
        is what that one was trained on: only then can its weights be asked.
    """
    training, held_out = study.training, study.held_out
    places = np.flatnonzero(study.arms[MAIN_ARM])
    why = _find_obstacle(training, held_out, len(places))
    if why or training is None or held_out is None:
        missing = (not_measured(key, _S, name, why) for key, name in _COPY_NAMES)
        return Measurements(tuple(missing)), ()
    owners = np.where(
        study.sources[places] >= 0,
        study.originals.patients[study.sources[places]],
        places.astype(str),
    ).astype(str)
    encode = laboratory.encoder.encode
    samples = encode(study.counterparts.images[places])
    sets = Nearness(encode(training.images), encode(held_out.images), samples, owners)
    measured = measure_copies(sets, seed=laboratory.seed)
    pairs = tuple(
        Pair(study.counterparts.images[places[sample]], training.images[partner],
             f"distance {distance:.3f}")
        for sample, partner, distance in find_closest(sets)
    )  # fmt: skip
    return measured + _ask_membership(training, held_out, sets, laboratory, is_shipped), pairs


def _find_obstacle(training: Collection | None, held_out: Collection | None, samples: int) -> str:
    if training is None:
        return "no training images were given"
    if held_out is None:
        return "no held-out images were given: nothing to compare with"
    if min(len(training), len(held_out), samples) < _FEWEST:
        return f"fewer than {_FEWEST} training or held-out images or counterparts"
    return ""


def _ask_membership(
    training: Collection,
    held_out: Collection,
    sets: Nearness,
    laboratory: Laboratory,
    is_shipped: bool,
) -> Measurements:
    """As many members as others, thinned by the seed."""
    rng = np.random.default_rng(laboratory.seed)
    size = min(len(training), len(held_out), _MOST_ASKED)
    chosen = [rng.permutation(len(each))[:size] for each in (training, held_out)]
    asked = [each.select(places) for each, places in zip((training, held_out), chosen, strict=True)]
    member = np.arange(2 * size) < size
    patients = np.concatenate([each.patients for each in asked])
    features: Features = np.concatenate([sets.training[chosen[0]], sets.held_out[chosen[1]]])
    measured = measure_black_box(features, member, patients, sets.samples, seed=laboratory.seed)
    if not is_shipped:
        why = "the weights of the generator are not at hand"
        keys = (("loss", "loss threshold"), ("secmi", "SecMI"), ("pia", "PIA"))
        return measured + Measurements(tuple(
            not_measured(f"membership.{key}.auc", _S, f"Membership inference, {name}: AUC", why)
            for key, name in keys
        ))  # fmt: skip
    return measured + _ask_shipped(asked, laboratory.seed)


def _ask_shipped(asked: list[Collection], seed: int) -> Measurements:
    """Adults and children apart: the generator has a denoiser of either."""
    import torch  # noqa: PLC0415 - heavy

    from updp_node.evaluation.denoiser import ShippedDenoiser  # noqa: PLC0415 - diffusers

    child = [np.array([looks_child(image) for image in each.images]) for each in asked]
    measured = Measurements()
    for band in ("adult", "child"):
        parts = [
            each.select(mask if band == "child" else ~mask)
            for each, mask in zip(asked, child, strict=True)
        ]
        size = min(len(each) for each in parts)
        if size < _FEWEST:
            why = f"fewer than {_FEWEST} training or held-out images of this band"
            name = f"Membership inference, {band}: AUC"
            measured += Measurements((not_measured(f"membership.{band}", _S, name, why),))
            continue
        model = ShippedDenoiser(band)
        thinned = [each.select(np.arange(size)) for each in parts]
        candidates = Candidates(
            torch.cat([model.encode(each.images) for each in thinned]),
            torch.cat([model.condition(each) for each in thinned]),
            np.arange(2 * size) < size,
            np.concatenate([each.patients for each in thinned]),
        )
        measured += measure_membership(model.diffusion, candidates, seed=seed, band=band)
    return measured


def measure_likeness(study: Study, laboratory: Laboratory) -> Measurements:
    """FID, KID and overlap of counterparts of test images with held-out or test images."""
    places = study.of_test(MAIN_ARM)
    if not len(places):
        places = np.flatnonzero(study.arms[MAIN_ARM])
    if not len(places):
        why = "no counterpart of this arm"
        return Measurements((not_measured("quality.fid.counterparts", Section.QUALITY,
                                          "Frechet distance", why, arm=MAIN_ARM),))  # fmt: skip
    encode = laboratory.encoder.encode
    real = study.held_out if study.held_out is not None else study.test
    floor = None if study.training is None else encode(study.training.images)
    return measure_quality(
        encode(study.counterparts.images[places]), encode(real.images), seed=laboratory.seed,
        training=floor,
    )  # fmt: skip
