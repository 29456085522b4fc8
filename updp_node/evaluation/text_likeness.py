"""How like a scrubbed text is to its original: BLEU, ROUGE-L, and BERTScore with local weights.

References
----------
K. Papineni et al., "BLEU", ACL 2002, as sacrebleu counts it. C.-Y. Lin, "ROUGE", 2004.
T. Zhang et al., "BERTScore", ICLR 2020. S. Jain et al., "RadGraph", NeurIPS 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.sums import Table, divide, estimate
from updp_node.evaluation.texts import TextPair

_S = Section.TEXT
_ORDERS = 4
_NOT_LIKE = "likeness to the original: removed identifiers lower it too"


def measure_likeness(
    pairs: Sequence[TextPair], *, seed: int, bertscore: Path | None = None
) -> Measurements:
    """BLEU and ROUGE-L always; BERTScore where weights are given; RadGraph never, with why.

    Parameters
    ----------
    bertscore : pathlib.Path, optional
        Folder of an encoder in the form of the package transformers.
    """
    figures = (
        _measure_bleu(pairs, seed), _measure_rouge(pairs, seed),
        _measure_bertscore(pairs, seed, bertscore),
        not_measured("text.likeness.radgraph", _S, "RadGraph F1",
                     "its package fetches a tokenizer by name even where weights lie at hand"),
    )  # fmt: skip
    return Measurements(figures)


def _measure_bleu(pairs: Sequence[TextPair], seed: int) -> Figure:
    """Corpus BLEU from the counts of each text."""
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415

    metric = BLEU(effective_order=True)
    rows = []
    for pair in pairs:
        score = metric.sentence_score(pair.scrubbed, [pair.original])
        rows.append((*score.counts, *score.totals, score.sys_len, score.ref_len))
    table = np.array(rows, dtype=float)

    def count(sums: Table) -> Table:
        scores = [
            BLEU.compute_bleu(
                correct=[int(v) for v in row[:_ORDERS]],
                total=[int(v) for v in row[_ORDERS : 2 * _ORDERS]],
                sys_len=int(row[-2]), ref_len=int(row[-1]), smooth_method="none",
            ).score
            for row in sums
        ]  # fmt: skip
        return np.array(scores) / 100

    return Figure("text.likeness.bleu", _S, "BLEU-4 of scrubbed and original", *estimate(
        table, count, seed=seed), n=len(pairs), unit="texts", why=_NOT_LIKE)  # fmt: skip


def _measure_rouge(pairs: Sequence[TextPair], seed: int) -> Figure:
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415

    scorer: Any = RougeScorer(["rougeL"])  # type: ignore[no-untyped-call]
    scores = [scorer.score(pair.original, pair.scrubbed)["rougeL"].fmeasure for pair in pairs]
    return _describe_mean("text.likeness.rouge-l", "ROUGE-L F1", np.array(scores), seed)


def _measure_bertscore(pairs: Sequence[TextPair], seed: int, weights: Path | None) -> Figure:
    key, name = "text.likeness.bertscore", "BERTScore F1"
    if weights is None:
        return not_measured(key, _S, name, "no local weights were given (--bertscore)")
    try:
        from updp_node.evaluation.bertscore import score_pairs  # noqa: PLC0415
    except ModuleNotFoundError as error:
        return not_measured(key, _S, name, f"the package {error.name} is not installed")
    scores = score_pairs([(pair.scrubbed, pair.original) for pair in pairs], weights)
    return _describe_mean(key, name, np.array(scores), seed)


def _describe_mean(key: str, name: str, scores: NDArray[np.float64], seed: int) -> Figure:
    """The mean of a score over texts."""
    table = np.stack([scores, np.ones(len(scores))], axis=1)
    return Figure(key, _S, name, *estimate(table, divide, seed=seed), n=len(scores), unit="texts",
                  why=_NOT_LIKE)  # fmt: skip
