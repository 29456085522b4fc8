"""Whether a counterpart leads to its patient's report: what a classifier sees, what reports say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.classifier import Classifier, Lesson
from updp_node.evaluation.figure import Measurements, Section
from updp_node.evaluation.recall import measure_recall, not_linked, stand
from updp_node.evaluation.report_linkage import (
    FEW,
    IMAGE_NAME,
    KEY,
    mark_reports,
    match_findings,
    name_findings,
)
from updp_node.evaluation.study import MAIN_ARM, Places, Study
from updp_node.text.findings import load_finding_rules

_S = Section.IDENTITY
_KEY = f"{KEY}.image"
_ARMS = ("real", MAIN_ARM)


def explain_images(study: Study, why: str) -> Measurements:
    """The figures where no classifier could be had."""
    said = why if study.reports is not None else "no reports were given (--reports)"
    return not_linked(_S, _KEY, IMAGE_NAME, _ARMS, said)


def link_images(
    judge: Classifier, real: Lesson, findings: tuple[str, ...], study: Study, *, seed: int
) -> Measurements:
    """Rank of the source's report among those of all test images, for originals and counterparts.

    The classifier learned from real images of other patients. What it sees in an image is held
    against the findings that rules read in each report; the originals are the ceiling.

    Parameters
    ----------
    judge : Classifier
    real : Lesson
        What it learned from.
    findings : tuple of str
        Labels of the table, in the classifier's order.
    study : Study
    seed : int
    """
    reports = study.reports
    if reports is None:
        return explain_images(study, "")
    names = [reports.name_of(entry.report) for entry in study.test.entries]
    gallery = sorted({name for name in names if name is not None})
    if not gallery:
        return explain_images(study, "the table of the originals names no report of a test image")
    if len(gallery) < 2:
        return explain_images(study, FEW)
    terms = name_findings(findings, load_finding_rules())
    columns = [place for place, term in enumerate(terms) if term is not None]
    if not columns:
        return explain_images(study, "no label of the table is a finding that is read in reports")
    said = mark_reports(
        [reports.originals[name] for name in gallery], [term for term in terms if term is not None]
    )
    of_test = np.array([-1 if name is None else gallery.index(name) for name in names])
    places = study.of_test(MAIN_ARM)
    sources = np.searchsorted(study.test_places, study.sources[places])
    asked = {
        "real": (study.test.images, np.arange(len(study.test))),
        MAIN_ARM: (study.counterparts.images[places], sources),
    }
    measured = Measurements()
    for arm, (images, owners) in asked.items():
        known = of_test[owners] >= 0
        if not known.any():
            why = "no counterpart of a test image whose report is there"
            measured += not_linked(_S, _KEY, IMAGE_NAME, (arm,), why)
            continue
        logits = (judge.score(images[known]).astype(float) - _lean(real))[:, columns]
        likelihood = match_findings(logits, said)
        own = of_test[owners[known]]
        likelihood[~_at_one_hospital(study, of_test, own, len(gallery))] = -np.inf
        measured += measure_recall(
            stand(likelihood, own), study.test.patients[owners[known]], section=_S, key=_KEY,
            name=IMAGE_NAME, arm=arm, unit="images", seed=seed,
        )  # fmt: skip
    return measured


def _lean(real: Lesson) -> NDArray[np.float64]:
    """By how much training leaned towards each finding: its weight is taken back."""
    share = np.clip(real.labels.mean(0), 0.02, 0.98).astype(float)
    lean: NDArray[np.float64] = np.log(np.clip((1 - share) / share, 0.2, 10))
    return lean


def _at_one_hospital(study: Study, of_test: Places, own: Places, size: int) -> NDArray[np.bool_]:
    """Which reports are of the hospital of each query's own: age and device are no link."""
    hospitals = np.zeros(size, dtype=object)
    for place, report in enumerate(of_test):
        if report >= 0:
            hospitals[report] = study.groups[place]
    allowed: NDArray[np.bool_] = hospitals[own][:, None] == hospitals[None]
    return allowed
