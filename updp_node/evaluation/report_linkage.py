"""Report linkage: whether a shared report, or a counterpart, leads back to an original report.

A scrubbed report is meant to keep its findings and most of its words, so it is likened to its
original by wording. What is measured is what somebody can do who holds the originals already.

References
----------
G. Salton, C. Buckley, "Term-weighting approaches in automatic text retrieval", 1988 (TF-IDF).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError
from updp_node.evaluation.collection import Collection
from updp_node.evaluation.figure import Measurements, Section
from updp_node.evaluation.recall import Counts, Standing, measure_recall, not_linked, stand
from updp_node.evaluation.texts import read_folder
from updp_node.model import Certainty
from updp_node.text.findings import FindingRules, extract_findings, load_finding_rules
from updp_node.text.fold import fold_text

KEY = "report-linkage"
NAME = "Shared report to its original"
IMAGE_NAME = "Image to its report, by findings"
READINGS: Mapping[str, Mapping[str, Any]] = {
    "words": {"token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 5)},
}
"""How texts are likened: the settings of the TF-IDF."""
FEW = "fewer than two reports"
_ROWS = 256
_DIGITS = 9
_SURE = 4.0


@dataclass(frozen=True)
class Reports:
    """Reports of an evaluation by name.

    Attributes
    ----------
    originals, shared : Mapping of str to str
        Text by its name below ``originals`` and ``shared``, without ending; `shared` may be empty.
    """

    originals: Mapping[str, str]
    shared: Mapping[str, str]

    def name_of(self, told: str) -> str | None:
        """The original that a table names, with or without its ending."""
        names = (told, str(Path(told).with_suffix(""))) if told else ()
        return next((name for name in names if name in self.originals), None)


def load_reports(folder: Path) -> Reports:
    """Read ``originals`` and, if it is there, ``shared`` below a folder.

    Raises
    ------
    ConfigError
        ``originals`` is absent, empty or cannot be read; so ``shared`` where it is there.
    """
    shared = folder / "shared"
    return Reports(
        read_folder(folder / "originals"), read_folder(shared) if shared.exists() else {}
    )


def link_texts(
    queries: Sequence[str], gallery: Sequence[str], own: Counts, patients: NDArray[np.str_], *,
    seed: int, section: Section, key: str, name: str,
) -> Measurements:  # fmt: skip
    """Recall of each query's own text among all of a gallery, by words and by characters.

    Parameters
    ----------
    queries, gallery : sequence of str
    own : ndarray of int, shape (q,)
        Place of each query's own text in the gallery.
    patients : ndarray of str, shape (q,)
    """
    if len(gallery) < 2 or not len(queries):
        return not_linked(section, key, name, tuple(READINGS), FEW)
    measured = Measurements()
    for reading, settings in READINGS.items():
        standing = liken(queries, gallery, own, settings)
        if standing is None:
            measured += not_linked(section, key, name, (reading,), "the texts hold no word")
            continue
        measured += measure_recall(standing, patients, section=section, key=key, name=name,
                                   arm=reading, unit="texts", seed=seed)  # fmt: skip
    return measured


def liken(
    queries: Sequence[str], gallery: Sequence[str], own: Counts, settings: Mapping[str, Any]
) -> Standing | None:
    """Where each query's own text stands by cosine of TF-IDF; None where there is no word."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415  # heavy

    reader = TfidfVectorizer(sublinear_tf=True, **settings)
    try:
        known = reader.fit_transform(gallery)
    except ValueError:  # scikit-learn: empty vocabulary
        return None
    asked, parts = reader.transform(queries), []
    for start in range(0, len(queries), _ROWS):
        rows = slice(start, start + _ROWS)
        likeness = np.round((asked[rows] @ known.T).toarray(), _DIGITS)
        parts.append(stand(likeness, own[rows]))
    return Standing(
        *(np.concatenate([getattr(part, each) for part in parts])
          for each in ("nearer", "tied", "sizes"))
    )  # fmt: skip


def link_reports(reports: Reports | None, originals: Collection, *, seed: int) -> Measurements:
    """Shared reports among all originals; patients as the table of the originals tells."""
    arms = tuple(READINGS)
    if reports is None:
        why = "no reports were given (--reports)"
        return not_linked(Section.IDENTITY, KEY, NAME, arms, why)
    names = sorted(reports.originals)
    common = sorted(reports.originals.keys() & reports.shared.keys())
    if not common:
        why = "the folder of reports holds no shared report that bears the name of an original"
        return not_linked(Section.IDENTITY, KEY, NAME, arms, why)
    owners = {
        name: str(patient)
        for entry, patient in zip(originals.entries, originals.patients, strict=True)
        if (name := reports.name_of(entry.report)) is not None
    }
    patients = np.array([owners.get(name, f"report {name}") for name in common], dtype=str)
    return link_texts(
        [reports.shared[name] for name in common], [reports.originals[name] for name in names],
        np.searchsorted(np.array(names), np.array(common)), patients, seed=seed,
        section=Section.IDENTITY, key=KEY, name=NAME,
    )  # fmt: skip


def name_findings(labels: Sequence[str], rules: FindingRules) -> list[str | None]:
    """The finding that rules for reports read in each label, or None."""
    said = [fold_text(label.replace("_", " ")).text.lower() for label in labels]
    found = [rules.mention.search(each) for each in said]
    return [rules.terms[match.lastgroup or ""] if match else None for match in found]


def mark_reports(texts: Sequence[str], terms: Sequence[str]) -> NDArray[np.bool_]:
    """Which findings each report states as present, shape (reports, terms)."""
    rules = load_finding_rules()
    read = [
        {each.term for each in extract_findings(text, rules) if each.certainty is Certainty.PRESENT}
        for text in texts
    ]
    return np.array([[term in each for term in terms] for each in read], dtype=bool)


def match_findings(logits: NDArray[np.float64], reports: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-likelihood of every report given what a classifier sees in every image.

    Parameters
    ----------
    logits : ndarray of float64, shape (images, findings)
        Cut at plus and minus 4: no classifier is surer than that.
    reports : ndarray of bool, shape (reports, findings)
    """
    held = np.clip(logits, -_SURE, _SURE)
    absent = -np.log1p(np.exp(held)).sum(1)[:, None]
    likelihood: NDArray[np.float64] = np.round(absent + held @ reports.T.astype(float), _DIGITS)
    return likelihood


def count_lacking(reports: Reports, originals: Collection) -> int:
    """How many originals name a report that is not there.

    Raises
    ------
    ConfigError
        The table names reports, and none of them is there.
    """
    told = [entry.report for entry in originals.entries if entry.report]
    lacking = sum(reports.name_of(name) is None for name in told)
    if told and lacking == len(told):
        raise ConfigError("the table names reports, and the folder of reports holds none of them")
    return lacking
