"""Cross-hospital training on open data: adults and children stand for two hospitals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.evidence.plan import Plan
from tools.evidence.sources import Sample
from updp_node.evaluation.classifier import Lesson, School
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.figure import Measurements
from updp_node.evaluation.hospitals import Exchange, list_sizes, measure_exchange
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.study import MAIN_ARM, make_study
from updp_node.evaluation.utility import Examination, mark_labels

FINDING = "Pneumonia"
"""The only finding that both sets label."""
_ARMS = 4

Side = tuple[Sample, Collection]
"""Originals of a hospital and their counterparts."""


def measure_direction(giver: Side, taker: Side, laboratory: Laboratory, plan: Plan) -> Measurements:
    """What one hospital's counterparts give the other: `updp_node.evaluation.hospitals`."""
    own = taker[0].originals
    taught, test = own.select(~taker[0].is_test), own.select(taker[0].is_test)
    synthetic, real = _share(*giver, laboratory.seed)
    strata = np.array([entry.view for entry in test.entries], dtype=str)
    exchange = Exchange(
        giver[0].population.name, taker[0].population.name, synthetic, real, _teach(taught),
        Examination(test.images, _mark(test), test.patients, strata, (FINDING,)),
    )  # fmt: skip
    runs = 1 + _ARMS * len(list_sizes(len(taught), plan.shares))
    title = f"cross-hospital, {exchange.giver} to {exchange.taker}"
    with laboratory.watch(plan.classifier * runs, title) as advance:
        school = School(plan.classifier, laboratory.seed, laboratory.cache, advance)
        return measure_exchange(exchange, school, shares=plan.shares)


def _share(sample: Sample, counterparts: Collection, seed: int) -> tuple[Lesson, Lesson]:
    """Counterparts of taught images with their sources' labels, and the sources themselves."""
    study = make_study(sample.originals, counterparts, seed=seed)
    places = study.of_taught(MAIN_ARM)
    sources = study.originals.select(study.sources[places])
    return Lesson(counterparts.images[places], _mark(sources)), _teach(sources)


def _teach(collection: Collection) -> Lesson:
    return Lesson(collection.images, _mark(collection))


def _mark(collection: Collection) -> NDArray[np.float32]:
    return mark_labels([entry.labels or frozenset() for entry in collection.entries], (FINDING,))
