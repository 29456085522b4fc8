"""Source linkage: whether a counterpart points at its source, or its patient, in a gallery.

References
----------
K. Packhaeuser et al., Sci Rep 2022 (P@1, R-precision and mAP@R on chest radiographs).
K. Musgrave et al., "A Metric Learning Reality Check", arXiv 2003.08505 (R-precision, mAP@R).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.features import Features
from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.statistics import (
    bootstrap,
    clopper_pearson,
    interval,
    resample_patients,
    share,
    tell_size,
    weighted_mean,
)

_S = Section.IDENTITY
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Queries:
    """What is looked for, and where.

    Attributes
    ----------
    queries : ndarray of float32, shape (q, d)
        Rows of length 1.
    gallery : ndarray of float32, shape (n, d)
        Real images.
    query_patients, gallery_patients : ndarray of str
    sources : ndarray of int, shape (q,)
        Place of each query's source in the gallery; of a real query, its own place.
    groups : ndarray of str, shape (n,), optional
        Hospital of every gallery image. A query is asked about its source's only: that an image
        is a child's is no link to a child.
    """

    queries: Features
    gallery: Features
    query_patients: NDArray[np.str_]
    gallery_patients: NDArray[np.str_]
    sources: Places
    groups: NDArray[np.str_] | None = None

    def allow(self, alike: NDArray[np.str_] | None = None) -> NDArray[np.bool_]:
        """Which gallery images each query is asked about, shape (q, n)."""
        allowed = np.ones((len(self.queries), len(self.gallery)), dtype=bool)
        for marks in (self.groups, alike):
            if marks is not None:
                allowed &= marks[self.sources][:, None] == marks[None]
        return allowed


def measure_linkage(
    asked: Queries,
    *,
    seed: int,
    arm: str = "counterparts",
    alike: NDArray[np.str_] | None = None,
    key: str = "linkage.source",
) -> Measurements:
    """Rank of the source among all real images: Rank-1, Rank-5, MRR, lift.

    Parameters
    ----------
    asked : Queries
    seed : int
    arm : str
    alike : ndarray of str, shape (n,), optional
        What a prompt tells of every gallery image. A second lift then looks only among those
        that share the source's: what is left is not in the prompt.
    key : str
        Prefix of the figures' keys; its last part names the attacker.
    """
    allowed, who = asked.allow(), _name_attacker(key)
    ranks, patients, crowd = rank_sources(asked, allowed), asked.query_patients, allowed.sum(1)
    make = partial(
        Figure, section=_S, n=len(ranks), unit="counterparts", arm=arm,
        detail={"gallery": tell_size(crowd), "patients": len(np.unique(patients)),
                "hits": int((ranks == 1).sum())},
    )  # fmt: skip
    figures = []
    for limit, part, title in ((1, "rank1", "Rank-1"), (5, "rank5", "Rank-5")):
        value, low, high = share(ranks <= limit, patients, seed=seed)
        figures.append(
            make(f"{key}.{part}.{arm}", name=f"Source linkage, {title}{who}", value=value, low=low,
                 high=high, chance=float(np.minimum(limit / crowd, 1).mean()))
        )  # fmt: skip
    mrr = bootstrap(weighted_mean(1 / ranks), patients, seed=seed)
    harmonic = float(np.mean([(1 / np.arange(1, size + 1)).mean() for size in crowd]))
    figures += [
        make(f"{key}.mrr.{arm}", name=f"Source linkage, MRR{who}", value=float((1 / ranks).mean()),
             low=mrr[0], high=mrr[1], chance=harmonic),
        _measure_lift(asked, allowed, seed, f"{key}.lift.{arm}", arm),
    ]  # fmt: skip
    if alike is not None:
        figures.append(
            _measure_lift(asked, asked.allow(alike), seed, f"{key}.lift-alike.{arm}", arm)
        )
    return Measurements(tuple(figures))


def rank_sources(asked: Queries, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Rank of each query's source in its gallery, 1 is nearest; ties share their mean rank."""
    similarity = np.where(allowed, asked.queries @ asked.gallery.T, -np.inf)
    own = similarity[np.arange(len(similarity)), asked.sources][:, None]
    nearer = (similarity > own).sum(1)
    tied = (similarity == own).sum(1) - 1
    ranks: NDArray[np.float64] = 1 + nearer + np.ceil(tied / 2)
    return ranks


def _measure_lift(
    asked: Queries, allowed: NDArray[np.bool_], seed: int, key: str, arm: str
) -> Figure:
    """Rank-1 over what chance gives, each query in its own gallery of two or more."""
    among = " among images of the same findings and view" if "alike" in key else ""
    who = _name_attacker(key.partition(".lift")[0])
    name = f"Source linkage{among}, lift of Rank-1 over chance{who}"
    crowd = allowed.sum(1)
    chosen = crowd > 1
    if not chosen.any():
        return not_measured(key, _S, name, "no two images share findings and view", arm=arm)
    hits = (rank_sources(asked, allowed) == 1)[chosen].astype(float)
    expected, patients = 1 / crowd[chosen], asked.query_patients[chosen]
    draws = resample_patients(patients, seed=seed)
    low, high = interval((draws @ hits) / np.maximum(draws @ expected, 1e-12))
    exact = clopper_pearson(int(hits.sum()), len(hits))
    chance = float(expected.mean())
    return Figure(
        key, _S, name, float(hits.mean()) / chance, min(low, exact[0] / chance),
        max(high, exact[1] / chance), n=len(hits), unit="counterparts", chance=1.0, arm=arm,
        detail={"rank1": float(hits.mean()), "expected": chance, "hits": int(hits.sum()),
                "patients": len(np.unique(patients))},
    )  # fmt: skip


def _name_attacker(key: str) -> str:
    """From ``linkage.frozen``; nothing where the key names none."""
    last = key.rpartition(".")[2]
    return "" if last in {"source", "retrieval"} else f", {last} attacker"


def measure_retrieval(
    asked: Queries, *, seed: int, arm: str, key: str = "retrieval"
) -> Measurements:
    """P@1, R-precision and mAP@R: other images of the same patient among all real ones.

    The source itself (of a real query, the query) is out of its gallery, so that arms compare.
    """
    name = f"Retrieval of the patient's other images{_name_attacker(key)}"
    allowed = asked.allow()
    similarity = np.where(allowed, asked.queries @ asked.gallery.T, -np.inf)
    rows = np.arange(len(similarity))
    same = asked.query_patients[:, None] == asked.gallery_patients[None]
    same[rows, asked.sources] = False
    similarity[rows, asked.sources] = -np.inf
    wanted = same.sum(1)
    chosen = wanted > 0
    if not chosen.any():
        why = "no patient has two images"
        parts = ("p1", "r-precision", "map-r")
        return Measurements(
            tuple(not_measured(f"{key}.{p}.{arm}", _S, f"{name}, {p}", why, arm=arm) for p in parts)
        )
    order = np.argsort(-similarity[chosen], axis=1, kind="stable")
    relevant = np.take_along_axis(same[chosen], order, axis=1)
    wanted, patients = wanted[chosen], asked.query_patients[chosen]
    within = np.arange(relevant.shape[1])[None] < wanted[:, None]
    found = relevant & within
    precision = np.cumsum(relevant, axis=1) / (np.arange(relevant.shape[1]) + 1)
    values = {
        "p1": ("P@1", relevant[:, 0].astype(float)),
        "r-precision": ("R-precision", found.sum(1) / wanted),
        "map-r": ("mAP@R", (precision * found).sum(1) / wanted),
    }
    others = allowed[chosen].sum(1) - 1
    chance = float((wanted / others).mean())
    detail = {"gallery": tell_size(others), "patients": len(np.unique(patients))}
    figures = []
    for part, (title, scores) in values.items():
        value, low, high = share(scores, patients, seed=seed)
        figures.append(
            Figure(f"{key}.{part}.{arm}", _S, f"{name}, {title}", value, low, high, n=len(scores),
                   unit="images", chance=chance, arm=arm, detail=detail)
        )  # fmt: skip
    return Measurements(tuple(figures))
