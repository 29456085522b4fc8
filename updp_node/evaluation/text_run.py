"""All figures of scrubbed texts, as one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from updp_node.evaluation.figure import Section
from updp_node.evaluation.gate import Release, judge_release
from updp_node.evaluation.report import Report
from updp_node.evaluation.text_figures import compare_texts, judge_zeros, measure_removal
from updp_node.evaluation.text_likeness import measure_likeness
from updp_node.evaluation.text_retention import measure_retention
from updp_node.evaluation.texts import load_texts


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
    )
    verdicts = judge_zeros(measured)
    if question.limits is not None:
        asked = {key: limit for key, limit in question.limits.limits.items()
                 if key.startswith("text.")}  # fmt: skip
        verdicts += judge_release(
            measured.figures, question.limits.model_copy(update={"limits": asked})
        )
    spans = sum(len(pair.gold or ()) for pair in pairs)
    facts: Mapping[str, str] = {
        "Texts": f"{len(pairs):,}",
        "Gold spans": f"{spans:,} in {sum(p.gold is not None for p in pairs):,} texts"
        if question.gold else "none given",
        "Replaced by": "categories" if any(t.removal.is_tagged for t in texts) else "surrogates",
        "Seed": str(question.seed),
    }  # fmt: skip
    return Report(
        kind="text evaluation", title="What scrubbing removed, and what it left",
        measurements=measured, verdicts=verdicts, sections=(Section.TEXT,), made_at=now,
        facts=tuple(facts.items()), notes=notes,
    )  # fmt: skip
