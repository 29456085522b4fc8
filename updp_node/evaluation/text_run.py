"""All figures of scrubbed texts, as one report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from updp_node.config.limits import Release
from updp_node.evaluation.figure import Measurements, Section
from updp_node.evaluation.gate import judge_release
from updp_node.evaluation.report import Report
from updp_node.evaluation.report_linkage import link_texts
from updp_node.evaluation.text_figures import (
    Compared,
    compare_texts,
    judge_zeros,
    measure_removal,
)
from updp_node.evaluation.text_likeness import measure_likeness
from updp_node.evaluation.text_retention import measure_retention
from updp_node.evaluation.texts import TextPair, load_texts


@dataclass(frozen=True, slots=True)
class TextQuestion:
    """What is asked of scrubbed texts.

    Attributes
    ----------
    originals, scrubbed : pathlib.Path
        Folders; texts of one name belong together.
    gold : pathlib.Path or None
    bertscore : pathlib.Path or None
        Folder of a local encoder.
    limits : Release or None
        Of a profile; those on text are asked beside the zeros.
    seed : int
    """

    originals: Path
    scrubbed: Path
    gold: Path | None = None
    bertscore: Path | None = None
    limits: Release | None = None
    seed: int = 0


def evaluate_texts(question: TextQuestion, *, now: datetime) -> Report:
    """Measure everything that texts allow.

    Raises
    ------
    ConfigError
        A folder or the gold file cannot be used.
    """
    pairs, notes = load_texts(question.originals, question.scrubbed, question.gold)
    texts = compare_texts(pairs)
    measured = (
        measure_removal(texts, seed=question.seed)
        + measure_retention(pairs, seed=question.seed)
        + measure_likeness(pairs, seed=question.seed, bertscore=question.bertscore)
        + _measure_linkage(pairs, question.seed)
    )
    verdicts = judge_zeros(measured)
    if question.limits is not None:
        verdicts += judge_release(measured.figures, question.limits.select(texts=True))
    spans = sum(len(pair.gold or ()) for pair in pairs)
    facts: Mapping[str, str] = {
        "Texts": f"{len(pairs):,}",
        "Gold spans": f"{spans:,} in {sum(p.gold is not None for p in pairs):,} texts"
        if question.gold else "none given",
        "Replaced by": _say_replacement(texts),
        "Seed": str(question.seed),
    }  # fmt: skip
    return Report(
        kind="text evaluation", title="What scrubbing removed, and what it left",
        measurements=measured, verdicts=verdicts, sections=(Section.TEXT,), made_at=now,
        facts=tuple(facts.items()), notes=notes,
    )  # fmt: skip


def _say_replacement(texts: Sequence[Compared]) -> str:
    """By what most texts in which anything was removed show."""
    changed = [text.removal.is_tagged for text in texts if not all(text.removal.is_kept)]
    tagged = sum(changed)
    if 2 * tagged > len(changed):
        return "categories"
    return "surrogates" + (f"; words in brackets in {tagged} texts" if tagged else "")


def _measure_linkage(pairs: Sequence[TextPair], seed: int) -> Measurements:
    """Every scrubbed text among all originals; each text counts as a patient."""
    places = np.arange(len(pairs))
    return link_texts(
        [pair.scrubbed for pair in pairs], [pair.original for pair in pairs], places,
        places.astype(str), seed=seed, section=Section.TEXT, key="text.linkage",
        name="Scrubbed text to its original",
    )  # fmt: skip
