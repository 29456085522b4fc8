"""Closed-set identity: a classifier that knows every patient, asked about unseen images.

References
----------
C. Liu et al., arXiv 2604.07128: the published pipeline's figure, 13.7 % falling to 4.6 %.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from updp_node.evaluation.features import Features
from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.statistics import wilson

_S = Section.IDENTITY
_FEWEST = 5
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Identities:
    """A classifier of patients and the images it was not shown.

    Attributes
    ----------
    classifier : sklearn.linear_model.LogisticRegression
    unseen : ndarray of int
        Places of the images kept back, one of every patient with two or more.
    patients : ndarray of str
        Of all real images.
    shown : int
        Images it was trained on.
    """

    classifier: LogisticRegression
    unseen: Places
    patients: NDArray[np.str_]
    shown: int


def learn_identities(
    features: Features, patients: NDArray[np.str_], *, seed: int
) -> Identities | str:
    """Train on all real images of patients with two or more, one of each kept back.

    Returns
    -------
    Identities or str
        Why there is none.
    """
    names, counts = np.unique(patients, return_counts=True)
    several = names[counts > 1]
    if len(several) < _FEWEST:
        return f"only {len(several)} patients have two images"
    rng = np.random.default_rng(seed)
    unseen = np.array([rng.choice(np.flatnonzero(patients == name)) for name in several])
    shown = np.isin(patients, several)
    shown[unseen] = False
    classifier = LogisticRegression(C=100.0, max_iter=300, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # many classes of few images are the point
        classifier.fit(features[shown], patients[shown])
    return Identities(classifier, unseen, patients, int(shown.sum()))


def measure_identity(
    known: Identities | str, features: Features, sources: Places, *, arm: str
) -> Measurements:
    """Accuracy on the images that were kept back, or on their counterparts.

    Parameters
    ----------
    known : Identities or str
        Of `learn_identities`.
    features : ndarray of float32, shape (q, d)
    sources : ndarray of int, shape (q,)
        Place of each image, or of its source, among the real images.
    arm : str
    """
    key, name = f"identity.accuracy.{arm}", "Closed-set identity classifier, accuracy"
    if isinstance(known, str):
        return Measurements((not_measured(key, _S, name, known, arm=arm),))
    asked = np.isin(sources, known.unseen)
    if not asked.any():
        why = "no counterpart of an image that the classifier was not shown"
        return Measurements((not_measured(key, _S, name, why, arm=arm),))
    told = known.classifier.predict(features[asked])
    hits = int((told == known.patients[sources[asked]]).sum())
    trials, count = int(asked.sum()), len(known.unseen)
    value = hits / trials
    low, high = wilson(hits, trials)
    detail = {"identities": count, "images per identity shown": known.shown / count, "hits": hits}
    return Measurements((
        Figure(key, _S, name, value, low, high, n=trials, unit="images", chance=1 / count, arm=arm,
               detail=detail),
    ))  # fmt: skip
