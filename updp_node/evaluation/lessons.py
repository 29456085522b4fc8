"""Utility and agreement, run: which images teach, which test, which hospitals exchange."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from itertools import permutations

import numpy as np

from updp_node.evaluation.agreement import measure_agreement
from updp_node.evaluation.classifier import Lesson, School
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.figure import Measurements, Section, not_measured
from updp_node.evaluation.hospitals import SHARES, Exchange, measure_exchange
from updp_node.evaluation.image_linkage import explain_images, link_images
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.study import MAIN_ARM, Places, Study
from updp_node.evaluation.utility import (
    Examination,
    choose_findings,
    mark_labels,
    measure_utility,
)

_S = Section.UTILITY
_FEWEST = 100
_ARMS = 4
_UTILITY = "utility.difference.macro.counterparts"
_UTILITY_NAME = "AUROC less that of real training, macro"
_EXCHANGE = "cross-hospital"


def measure_lessons(study: Study, laboratory: Laboratory) -> Measurements:
    """Train real / synthetic / both, finding agreement, cross-hospital arms."""
    why = _find_obstacle(study)
    if why:
        return Measurements((
            not_measured(_UTILITY, _S, _UTILITY_NAME, why, arm=MAIN_ARM),
            not_measured(_EXCHANGE, _S, "Cross-hospital training", why),
        )) + explain_images(study, why)  # fmt: skip
    return _measure_whole(study, laboratory) + _measure_exchanges(study, laboratory)


def _find_obstacle(study: Study) -> str:
    """Why nothing can be taught, or nothing."""
    if not study.originals.has_labels:
        return "the originals have no labels"
    if len(study.taught) < _FEWEST or len(study.test) < _FEWEST:
        return f"fewer than {_FEWEST} originals to learn from or to be tested on"
    if len(study.of_taught(MAIN_ARM)) < _FEWEST:
        return f"fewer than {_FEWEST} counterparts of originals that are not tested on"
    if not _choose(study.taught, study.test):
        return "no finding is frequent enough"
    return ""


def _measure_whole(study: Study, laboratory: Laboratory) -> Measurements:
    findings = _choose(study.taught, study.test)
    test = _examine(study.test, findings)
    real = _teach(study.taught, findings)
    steps = laboratory.effort.classifier
    with laboratory.watch(3 * steps, "classifiers, real and counterparts") as advance:
        school = School(steps, laboratory.seed, laboratory.cache, advance)
        synthetic = _teach_counterparts(study, study.of_taught(MAIN_ARM), findings)
        measured, judge = measure_utility(real, synthetic, test, school, arm=MAIN_ARM)
    measured += link_images(judge, real, findings, study, seed=laboratory.seed)
    places = study.of_test(MAIN_ARM)
    if not len(places):
        return measured
    sources = np.searchsorted(study.test_places, study.sources[places])
    return measured + measure_agreement(
        judge, test, study.counterparts.images[places], sources, arm=MAIN_ARM,
        seed=laboratory.seed,
    )  # fmt: skip


def _measure_exchanges(study: Study, laboratory: Laboratory) -> Measurements:
    """Both directions between the two largest hospitals."""
    hospitals = Counter(entry.hospital for entry in study.originals.entries if entry.hospital)
    largest = [name for name, _ in hospitals.most_common(2)]
    measured = Measurements()
    if len(largest) < 2:
        return Measurements((
            not_measured(_EXCHANGE, _S, "Cross-hospital training",
                         "the table names no two hospitals"),
        ))  # fmt: skip
    for giver, taker in permutations(largest):
        measured += _exchange(study, laboratory, giver, taker)
    return measured


def _exchange(study: Study, laboratory: Laboratory, giver: str, taker: str) -> Measurements:
    parts = {name: (_of(study.taught, name), _of(study.test, name)) for name in (giver, taker)}
    findings = tuple(
        finding for finding in _choose(*parts[taker]) if finding in _choose(*parts[giver])
    )
    key, name = f"{_EXCHANGE}.{giver}.{taker}", f"Cross-hospital training, {giver} to {taker}"
    if not findings:
        why = "no finding is frequent enough at both hospitals"
        return Measurements((not_measured(key, _S, name, why),))
    taught = study.of_taught(MAIN_ARM)
    at_giver = [study.originals.entries[study.sources[p]].hospital == giver for p in taught]
    shared = taught[np.array(at_giver, dtype=bool)]
    if len(shared) < _FEWEST:
        why = f"fewer than {_FEWEST} counterparts of the giving hospital"
        return Measurements((not_measured(key, _S, name, why),))
    exchange = Exchange(
        giver, taker, _teach_counterparts(study, shared, findings),
        _teach(parts[giver][0], findings), _teach(parts[taker][0], findings),
        _examine(parts[taker][1], findings),
    )  # fmt: skip
    steps = laboratory.effort.classifier
    total = steps * (1 + _ARMS * len(SHARES))
    with ExitStack() as stack:
        advance = stack.enter_context(laboratory.watch(total, f"{giver} to {taker}"))
        return measure_exchange(exchange, School(steps, laboratory.seed, laboratory.cache, advance))


def _of(collection: Collection, hospital: str) -> Collection:
    return collection.select(
        np.array([entry.hospital == hospital for entry in collection.entries], dtype=bool)
    )


def _choose(taught: Collection, test: Collection) -> tuple[str, ...]:
    return choose_findings(
        [entry.labels or frozenset() for entry in taught.entries],
        [entry.labels or frozenset() for entry in test.entries],
    )


def _teach(collection: Collection, findings: tuple[str, ...]) -> Lesson:
    labels = [entry.labels or frozenset() for entry in collection.entries]
    return Lesson(collection.images, mark_labels(labels, findings))


def _teach_counterparts(study: Study, places: Places, findings: tuple[str, ...]) -> Lesson:
    """Counterparts with their own labels, or with those of their sources."""
    labels = [
        study.counterparts.entries[place].labels
        or study.originals.entries[study.sources[place]].labels
        or frozenset()
        for place in places
    ]
    return Lesson(study.counterparts.images[places], mark_labels(labels, findings))


def _examine(collection: Collection, findings: tuple[str, ...]) -> Examination:
    labels = [entry.labels or frozenset() for entry in collection.entries]
    strata = np.array([f"{entry.hospital}/{entry.view}" for entry in collection.entries], dtype=str)
    return Examination(
        collection.images, mark_labels(labels, findings), collection.patients, strata, findings
    )
