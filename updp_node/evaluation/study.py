"""What an evaluation compares: originals, their counterparts, and who is trained on whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.features import Features
from updp_node.evaluation.linkage import Queries
from updp_node.evaluation.report_linkage import Reports, count_lacking

MAIN_ARM = "counterparts"
_MAIN_NAMES = frozenset({"", "whitelist"})
_COMMON = 0.05
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Study:
    """Sets of images that belong together.

    Attributes
    ----------
    originals : Collection
    counterparts : Collection
    sources : ndarray of int
        Place of every counterpart's source among the originals, -1 where it has none.
    is_test : ndarray of bool
        Of every original: its patient is kept from all that is trained here.
    training, held_out : Collection or None
        Of the generator.
    notes : tuple of str
        For the report.
    reports : Reports or None
        Of the patients, and as they are shared.
    """

    originals: Collection
    counterparts: Collection
    sources: Places
    is_test: NDArray[np.bool_]
    training: Collection | None
    held_out: Collection | None
    notes: tuple[str, ...]
    reports: Reports | None = None

    @cached_property
    def test_places(self) -> Places:
        """Places of the test images among the originals."""
        return np.flatnonzero(self.is_test)

    @cached_property
    def test(self) -> Collection:
        """Originals of patients that nothing is trained on."""
        return self.originals.select(self.is_test)

    @cached_property
    def taught(self) -> Collection:
        """The other originals."""
        return self.originals.select(~self.is_test)

    @cached_property
    def arms(self) -> dict[str, NDArray[np.bool_]]:
        """Which counterparts belong to each way of making prompts; the main one first."""
        said = [entry.arm for entry in self.counterparts.entries]
        named = np.array([MAIN_ARM if arm in _MAIN_NAMES else arm for arm in said], dtype=str)
        order = sorted({MAIN_ARM, *named.tolist()}, key=lambda arm: (arm != MAIN_ARM, arm))
        return {arm: named == arm for arm in order}

    def of_test(self, arm: str) -> Places:
        """Places of an arm's counterparts of test images."""
        return self._of(arm, self.is_test)

    def of_taught(self, arm: str) -> Places:
        """Places of an arm's counterparts of the other originals."""
        return self._of(arm, ~self.is_test)

    def _of(self, arm: str, which: NDArray[np.bool_]) -> Places:
        known = self.sources >= 0
        return np.flatnonzero(self.arms[arm] & known & which[np.maximum(self.sources, 0)])

    @cached_property
    def alike(self) -> NDArray[np.str_]:
        """Common findings and view of every test image: what a prompt may tell."""
        labels = [entry.labels or frozenset() for entry in self.originals.entries]
        count = len(labels) * _COMMON
        common = {name for name in set().union(*labels) if sum(name in e for e in labels) >= count}
        marks = [
            f"{'|'.join(sorted((entry.labels or frozenset()) & common))}/{entry.view}"
            for entry in self.test.entries
        ]
        return np.array(marks, dtype=str)

    @cached_property
    def groups(self) -> NDArray[np.str_]:
        """Hospital of every test image."""
        return np.array([entry.hospital for entry in self.test.entries], dtype=str)

    def ask_real(self, features: Features) -> Queries:
        """Every test image asked about all others, given their features."""
        patients = self.test.patients
        return Queries(
            features, features, patients, patients, np.arange(len(features)), self.groups
        )

    def ask(self, features: Features, gallery: Features, arm: str) -> Queries:
        """Every counterpart of a test image asked about all test images, given both features."""
        sources = np.searchsorted(self.test_places, self.sources[self.of_test(arm)])
        patients = self.test.patients
        return Queries(features, gallery, patients[sources], patients, sources, self.groups)


def make_study(
    originals: Collection,
    counterparts: Collection,
    *,
    training: Collection | None = None,
    held_out: Collection | None = None,
    reports: Reports | None = None,
    seed: int,
) -> Study:
    """Match counterparts to their sources, and part the patients.

    Raises
    ------
    ConfigError
        No counterpart belongs to an original; a patient is in training and held out; the table
        names reports, and none of them is there.
    """
    sources = _match(originals, counterparts)
    missing = int((sources < 0).sum())
    if missing == len(sources):
        raise ConfigError("no counterpart names an image of the originals as its source")
    notes = [note for each in (originals, counterparts, training, held_out) if each
             for note in (f"{each.name}: {text}" for text in each.notes)]  # fmt: skip
    if missing:
        notes.append(f"{missing} counterparts name no source among the originals")
    _refuse_overlap(training, held_out)
    if reports is not None and (lacking := count_lacking(reports, originals)):
        notes.append(f"originals: {lacking} name a report that is not there")
    is_test, note = _part(originals, training, seed)
    return Study(originals, counterparts, sources, is_test, training, held_out, (*notes, *note),
                 reports)  # fmt: skip


def _match(originals: Collection, counterparts: Collection) -> Places:
    entries = counterparts.entries
    by_source = any(entry.source for entry in entries)
    names = [entry.source if by_source else entry.image_id for entry in entries]
    return np.array([originals.positions.get(name, -1) for name in names], dtype=np.intp)


def _refuse_overlap(training: Collection | None, held_out: Collection | None) -> None:
    if training is None or held_out is None:
        return
    if training.has_patients and held_out.has_patients:
        both = set(training.patients.tolist()) & set(held_out.patients.tolist())
        if both:
            raise ConfigError(f"{len(both)} patients are both in training and held out")


def _part(
    originals: Collection, training: Collection | None, seed: int
) -> tuple[NDArray[np.bool_], list[str]]:
    """Test patients: as the table says, else those not in training, else half of them."""
    splits = np.array([entry.split for entry in originals.entries], dtype=str)
    if (splits == "test").any() and (splits != "test").any():
        return splits == "test", []
    known = set(training.patients.tolist()) if training and training.has_patients else set()
    seen = np.isin(originals.patients, sorted(known))
    if known and not seen.any():
        return np.ones(len(originals), dtype=bool), [
            "all originals are tested on; what is trained sees the training folder"
        ]
    names = np.unique(originals.patients)
    half = np.random.default_rng(seed).permutation(names)[: (len(names) + 1) // 2]
    return np.isin(originals.patients, half), [
        "the table names no split: half of the patients, drawn by the seed, are tested on"
    ]
