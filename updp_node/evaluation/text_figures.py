"""How much of the identifiers was removed from texts, and how much else.

With gold spans: recall of spans, precision and F1 of tokens, over-redaction, by category. Without
them only what was removed can be told, not what should have been.

References
----------
J. A. Hanley, A. Lippman-Hand, "If Nothing Goes Wrong, Is Everything All Right?", JAMA 1983: no
event in n leaves an upper bound of about 3/n. C. J. Clopper, E. S. Pearson, Biometrika 1934.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from updp_node.evaluation.diffs import Removal, compare, mark_gold, stays
from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.sums import Table, estimate_f1, estimate_share
from updp_node.evaluation.texts import TextPair
from updp_node.evaluation.verdict import Outcome, Verdict
from updp_node.model import Span
from updp_node.text.site import CATEGORIES

_S = Section.TEXT
ALL = "all"
LEAKS = "text.leaks"
FLIPS = ("text.flips.negation", "text.flips.laterality")
FEWEST = 30
_OTHER = "other"
_NO_GOLD = "no gold spans were given (--gold)"
_PRECISION = "Removed tokens that belong to an identifier"
_F1 = "F1 of removed tokens"
_NOT_ALONE = "this category never stands alone in place of what was removed"
_NO_TAGS = "surrogates stand in place of identifiers: they do not say which category was seen"


@dataclass(frozen=True, slots=True)
class Compared:
    """One text with its alignment."""

    pair: TextPair
    removal: Removal

    @property
    def gold(self) -> tuple[Span, ...]:
        """Its gold spans, none where nobody said."""
        return self.pair.gold or ()


def compare_texts(pairs: Sequence[TextPair]) -> tuple[Compared, ...]:
    """Align every original with its scrubbed text."""
    return tuple(Compared(pair, compare(pair.original, pair.scrubbed)) for pair in pairs)


def measure_removal(texts: Sequence[Compared], *, seed: int) -> Measurements:
    """Recall, precision and F1 of identifiers, leaks, over-redaction, and what was removed."""
    judged = [text for text in texts if text.pair.gold is not None]
    if not judged:
        rows = ((LEAKS, "Identifiers that stand in the scrubbed text"),
                ("text.recall.all", "Identifiers removed"),
                ("text.precision.all", _PRECISION),
                ("text.over-redaction", "Over-redaction"))  # fmt: skip
        lacking = tuple(not_measured(key, _S, name, _NO_GOLD) for key, name in rows)
        return Measurements((*lacking, *_describe_removed(texts, seed)))
    figures = [*_measure_recall(judged, seed), *_measure_tokens(judged, seed),
               *_describe_removed(texts, seed)]  # fmt: skip
    return Measurements(tuple(figures))


def _measure_recall(judged: Sequence[Compared], seed: int) -> list[Figure]:
    """Leaks over all spans, then recall by category."""
    categories = sorted({span.category for text in judged for span in text.gold})
    figures = []
    for category in (ALL, *categories):
        table = np.array([_count_spans(text, category) for text in judged], dtype=float)
        removed, spans = table[:, 0], table[:, 1]
        if not spans.sum():
            return [
                not_measured(key, _S, name, "the gold file names no identifier")
                for key, name in ((LEAKS, "Leaks"), ("text.recall.all", "Identifiers removed"))
            ]
        trials = int(spans.sum())
        if category == ALL:
            figures.append(_describe_leaks(spans - removed, spans, seed))
        figures.append(
            Figure(f"text.recall.{category}", _S, "Identifiers removed",
                   *estimate_share(removed, spans, seed=seed), n=trials, unit="spans",
                   arm=category, detail={"texts": int((spans > 0).sum())})
        )  # fmt: skip
    return figures


def _describe_leaks(leaks: Table, spans: Table, seed: int) -> Figure:
    count, trials = int(leaks.sum()), int(spans.sum())
    detail: dict[str, float | int | str] = {"count": count}
    if not count:
        detail["rule of three"] = 3 / trials
    return Figure(
        LEAKS, _S, "Identifiers that stand in the scrubbed text, whole or in part",
        *estimate_share(leaks, spans, seed=seed), n=trials, unit="spans", detail=detail,
    )  # fmt: skip


def _count_spans(text: Compared, category: str) -> tuple[int, int]:
    """Removed and all gold spans of a category."""
    spans = [span for span in text.gold if category in (ALL, span.category)]
    return sum(not stays(span, text.removal) for span in spans), len(spans)


def _measure_tokens(judged: Sequence[Compared], seed: int) -> list[Figure]:
    """Precision and F1 of tokens, of all and of each category that the tags name; the rest."""
    tagged = all(text.removal.is_tagged for text in judged if text.gold)
    categories = sorted({span.category for text in judged for span in text.gold})
    figures = []
    for category in (ALL, *(categories if tagged else ())):
        table = np.array([_count_tokens(text, category) for text in judged], dtype=float)
        wanted, found = table[:, 1].sum(), table[:, 3].sum()
        precision, f1 = f"text.precision.{category}", f"text.f1.{category}"
        if not found or not wanted:
            figures.append(not_measured(f1, _S, _F1, _NOT_ALONE, arm=category))
            continue
        make = partial(Figure, section=_S, unit="tokens", arm=category)
        value, low, high = estimate_share(table[:, 2], table[:, 3], seed=seed)
        figures.append(make(precision, name=_PRECISION, value=value, low=low, high=high,
                            n=int(found)))  # fmt: skip
        value, low, high = estimate_f1(table, seed=seed)
        figures.append(make(f1, name=_F1, value=value, low=low, high=high, n=int(wanted)))
    if not tagged:
        figures.append(not_measured("text.f1.by-category", _S, f"{_F1}, by category", _NO_TAGS))
    return [*figures, _measure_over_redaction(judged, seed)]


def _count_tokens(text: Compared, category: str) -> tuple[int, int, int, int]:
    """Removed and all tokens of gold spans; removed in a gold span and all removed tokens.

    The first two are of the gold category, whatever was written in their place; the last two of
    the category that alone was written. Tokens that identify nobody count nowhere.
    """
    removed = wanted = right = found = 0
    marks = mark_gold(text.gold, text.removal)
    rows = zip(text.removal.tokens, text.removal.is_kept, text.removal.tags, marks, strict=True)
    for token, is_kept, tag, mark in rows:
        if token.is_nobody:
            continue
        is_wanted = bool(mark) and category in (ALL, mark)
        is_found = not is_kept and category in (ALL, tag)
        wanted += is_wanted
        removed += is_wanted and not is_kept
        found += is_found
        right += is_found and bool(mark)
    return removed, wanted, right, found


def _measure_over_redaction(judged: Sequence[Compared], seed: int) -> Figure:
    rows = []
    for text in judged:
        marks = mark_gold(text.gold, text.removal)
        outside = [kept for kept, mark, token in
                   zip(text.removal.is_kept, marks, text.removal.tokens, strict=True)
                   if not mark and not token.is_nobody]  # fmt: skip
        rows.append((outside.count(False), len(outside)))
    table = np.array(rows, dtype=float)
    key, name = "text.over-redaction", "Over-redaction: other tokens that were removed"
    if not table[:, 1].sum():
        return not_measured(key, _S, name, "the texts hold nothing but identifiers")
    return Figure(key, _S, name, *estimate_share(table[:, 0], table[:, 1], seed=seed),
                  n=int(table[:, 1].sum()), unit="tokens")  # fmt: skip


def _describe_removed(texts: Sequence[Compared], seed: int) -> list[Figure]:
    """What was removed at all: it needs no gold spans, and judges nothing."""
    table = np.array(
        [(text.removal.is_kept.count(False), len(text.removal.tokens)) for text in texts],
        dtype=float,
    )
    key, name = "text.removed", "Tokens removed or replaced"
    if not table[:, 1].sum():
        return [not_measured(key, _S, name, "the originals hold no word")]
    figures = [Figure(key, _S, name, *estimate_share(table[:, 0], table[:, 1], seed=seed),
                      n=int(table[:, 1].sum()), unit="tokens")]  # fmt: skip
    known = CATEGORIES.union(span.category for text in texts for span in text.gold)
    written = Counter(
        tag if tag in known else _OTHER for text in texts for tag in text.removal.written
    )  # a name in brackets must not become the name of a figure
    figures += [
        Figure(f"text.written.{tag}", _S, "Categories written in place of identifiers", count,
               n=len(texts), unit="texts", arm=tag)
        for tag, count in sorted(written.items())
    ]  # fmt: skip
    return figures


def judge_zeros(measured: Measurements) -> tuple[Verdict, ...]:
    """Leaks, and flips of negation and side: none may occur, in enough to say so."""
    known = {figure.key: figure for figure in measured.figures}
    return tuple(_judge_zero(known[key]) for key in (LEAKS, *FLIPS) if key in known)


def _judge_zero(figure: Figure) -> Verdict:
    asked = f"none, in at least {FEWEST} {figure.unit}".rstrip()
    make = partial(Verdict, figure.key, asked=asked, limit=0.0, value=figure.value,
                   bound=figure.high)  # fmt: skip
    if figure.value is None:
        return make(outcome=Outcome.NOT_MEASURED, why=figure.why)
    if figure.value > 0:
        return make(outcome=Outcome.FAIL, why=f"{figure.detail['count']} of {figure.n}")
    if figure.n < FEWEST:
        return make(outcome=Outcome.INCONCLUSIVE, why=f"rests on {figure.n} {figure.unit}")
    return make(outcome=Outcome.PASS, why=f"none in {figure.n}; the bound is what may still be")
