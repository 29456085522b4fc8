"""The attacks on identity, run: frozen and adaptive attackers and the encoder, on every arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.attackers import Attacker, Pairs, Training, train_attacker
from updp_node.evaluation.features import Encoder, Features, normalize
from updp_node.evaluation.figure import Measurements, Section, not_measured
from updp_node.evaluation.identity import learn_identities, measure_identity
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.linkage import measure_linkage, measure_retrieval
from updp_node.evaluation.study import MAIN_ARM, Study
from updp_node.evaluation.verification import Verification, measure_leakage, measure_verification

_S = Section.IDENTITY
_FEWEST = 20
_FEWEST_SEVERAL = 5
_Ceiling = tuple[Verification, Verification]
"""On all pairs of real images, and with negatives of the same findings and view."""


@dataclass(frozen=True)
class Schooling:
    """Real images that attackers may learn from."""

    images: NDArray[np.uint8]
    patients: NDArray[np.str_]
    groups: NDArray[np.str_]


def measure_attacks(
    study: Study, laboratory: Laboratory, *, frozen: Attacker | None = None
) -> Measurements:
    """Verification, leakage, linkage, retrieval and identity, on real images and counterparts.

    Parameters
    ----------
    study : Study
    laboratory : Laboratory
    frozen : Attacker, optional
        Trained already, on real images of none of the test patients.
    """
    return _measure_attacks(study, laboratory, frozen or _train_frozen(study, laboratory))


def _measure_attacks(study: Study, laboratory: Laboratory, frozen: Attacker | str) -> Measurements:
    measured = Measurements()
    ceilings: dict[str, _Ceiling] = {}
    galleries: dict[str, Features] = {}
    attackers: dict[str, Encoder | Attacker] = {"encoder": laboratory.encoder}
    if isinstance(frozen, str):
        measured += _explain(study, "frozen", frozen, with_real=True)
    else:
        attackers["frozen"] = frozen
    for name, attacker in attackers.items():
        galleries[name] = attacker.encode(study.test.images)
        found, ceilings[name] = _measure_real(study, galleries[name], name, laboratory.seed)
        measured += found
    known = learn_identities(_join(galleries), study.test.patients, seed=laboratory.seed)
    everyone = np.arange(len(study.test))
    measured += measure_identity(known, _join(galleries), everyone, arm="real")
    for arm in study.arms:
        places = study.of_test(arm)
        if not len(places):
            why = "no counterpart of a test image"
            for name in (*attackers, "adaptive"):
                measured += _explain(study, name, why, arms=(arm,))
            continue
        queries = {
            name: each.encode(study.counterparts.images[places]) for name, each in attackers.items()
        }
        for name, vectors in queries.items():
            measured += _measure_arm(study, vectors, galleries[name], name, arm=arm,
                                     ceiling=ceilings[name], seed=laboratory.seed)  # fmt: skip
        sources = study.ask(queries["encoder"], galleries["encoder"], arm).sources
        measured += measure_identity(known, _join(queries), sources, arm=arm)
        measured += _measure_adaptive(study, laboratory, frozen, arm, ceilings.get("frozen"))
    return measured


def _measure_real(
    study: Study, gallery: Features, name: str, seed: int
) -> tuple[Measurements, _Ceiling]:
    """The ceiling: the same attacker on pairs of real images."""
    asked = study.ask_real(gallery)
    ceiling = measure_verification(asked, seed=seed, attacker=name, arm="real")
    matched = measure_verification(asked, seed=seed, attacker=name, arm="real", alike=study.alike)
    found = measure_retrieval(asked, seed=seed, arm="real", key=f"retrieval.{name}")
    return ceiling.measurements + matched.measurements + found, (ceiling, matched)


def _measure_arm(
    study: Study,
    vectors: Features,
    gallery: Features,
    name: str,
    *,
    arm: str,
    ceiling: _Ceiling,
    seed: int,
) -> Measurements:
    """One attacker on the counterparts of one arm."""
    asked = study.ask(vectors, gallery, arm)
    found = measure_verification(asked, seed=seed, attacker=name, arm=arm)
    matched = measure_verification(asked, seed=seed, attacker=name, arm=arm, alike=study.alike)
    leakage = measure_leakage(found, ceiling[0], attacker=name, arm=arm)
    beyond_prompt = measure_leakage(matched, ceiling[1], attacker=name, arm=arm, matched=True)
    return (
        found.measurements
        + matched.measurements
        + Measurements((leakage, beyond_prompt))
        + measure_linkage(asked, seed=seed, arm=arm, alike=study.alike, key=f"linkage.{name}")
        + measure_retrieval(asked, seed=seed, arm=arm, key=f"retrieval.{name}")
    )


def _measure_adaptive(
    study: Study,
    laboratory: Laboratory,
    frozen: Attacker | str,
    arm: str,
    ceiling: _Ceiling | None,
) -> Measurements:
    """The attacker that has also learned from counterparts of other patients."""
    if isinstance(frozen, str) or ceiling is None:
        return _explain(study, "adaptive", str(frozen), arms=(arm,))
    adaptive = _train_adaptive(study, laboratory, frozen, arm)
    if isinstance(adaptive, str):
        return _explain(study, "adaptive", adaptive, arms=(arm,))
    gallery = adaptive.encode(study.test.images)
    vectors = adaptive.encode(study.counterparts.images[study.of_test(arm)])
    measured = _measure_arm(study, vectors, gallery, "adaptive", arm=arm, ceiling=ceiling,
                            seed=laboratory.seed)  # fmt: skip
    if arm != MAIN_ARM:
        return measured
    asked = study.ask_real(gallery)
    real = measure_verification(asked, seed=laboratory.seed, attacker="adaptive", arm="real")
    return measured + real.measurements


def gather_schooling(study: Study) -> Schooling:
    """Originals that are not tested on, and the training folder where it names patients."""
    sets = [study.taught]
    if study.training is not None and study.training.has_patients:
        known = set(study.originals.patients.tolist())
        fresh = np.array([p not in known for p in study.training.patients], dtype=bool)
        sets.append(study.training.select(fresh))
    return Schooling(
        np.concatenate([each.images for each in sets]),
        np.concatenate([each.patients for each in sets]),
        np.array([entry.hospital for each in sets for entry in each.entries], dtype=str),
    )


def _train_frozen(study: Study, laboratory: Laboratory) -> Attacker | str:
    pool = gather_schooling(study)
    _, counts = np.unique(pool.patients, return_counts=True)
    if len(counts) < _FEWEST or (counts > 1).sum() < _FEWEST_SEVERAL:
        return (
            f"too few patients to train an attacker: {len(counts)}, "
            f"{int((counts > 1).sum())} of them with two images"
        )
    pairs = Pairs(pool.images, pool.images, pool.patients, pool.patients, pool.groups)
    effort = laboratory.effort
    training = Training(effort.frozen, width=effort.width, seed=laboratory.seed)
    with laboratory.watch(effort.frozen, "frozen attacker") as advance:
        return train_attacker(pairs, training, cache=laboratory.cache, advance=advance)


def _train_adaptive(
    study: Study, laboratory: Laboratory, frozen: Attacker, arm: str
) -> Attacker | str:
    places = study.of_taught(arm)
    patients = study.originals.patients[study.sources[places]]
    count = len(np.unique(patients))
    if count < _FEWEST:
        return f"counterparts of only {count} patients to learn from"
    taught = study.taught
    groups = np.array([entry.hospital for entry in taught.entries], dtype=str)
    pairs = Pairs(
        study.counterparts.images[places], taught.images, patients, taught.patients, groups
    )
    effort = laboratory.effort
    training = Training(effort.adaptive, width=effort.width, rate=5e-4, seed=laboratory.seed + 1)
    with laboratory.watch(effort.adaptive, f"adaptive attacker, {arm}") as advance:
        return train_attacker(
            pairs, training, start=frozen, cache=laboratory.cache, advance=advance
        )


def _join(features: dict[str, Features]) -> Features:
    """What all attackers but the adaptive one see, side by side."""
    return normalize(np.concatenate(list(features.values()), axis=1))


def _explain(
    study: Study, name: str, why: str, *, arms: tuple[str, ...] | None = None,
    with_real: bool = False,
) -> Measurements:  # fmt: skip
    """Figures that could not be had."""
    wanted = list(study.arms if arms is None else arms)
    figures = [
        not_measured(f"{key}.{name}.{part}{arm}", _S, f"{title}, {name} attacker", why, arm=arm)
        for arm in wanted
        for key, part, title in (
            ("verification.leakage", "", "Normalized leakage"),
            ("linkage", "lift.", "Source linkage, lift of Rank-1 over chance"),
        )
    ]
    asked = ["real", *wanted] if with_real else wanted
    figures += [
        not_measured(f"verification.auc.{name}.{arm}", _S, f"Verification AUC, {name} attacker",
                     why, arm=arm)
        for arm in asked
    ]  # fmt: skip
    return Measurements(tuple(figures))
