"""Does a scrubbed text still say what its original said? By the node's own rules for findings.

References
----------
J. Irvin et al., "CheXpert", AAAI 2019 (findings of reports by rules: mention, negation, doubt).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np

from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.statistics import clopper_pearson
from updp_node.evaluation.sums import estimate_f1, estimate_share
from updp_node.evaluation.texts import TextPair
from updp_node.model import Certainty, Finding, Laterality
from updp_node.text.findings import extract_findings, load_finding_rules
from updp_node.text.fold import fold_text

_S = Section.TEXT
_SIDES = frozenset({Laterality.LEFT, Laterality.RIGHT})
_SMALL = 5
_THESE_ALONE = "each text counts as a patient; of these texts alone: other texts group otherwise"
Findings = tuple[Finding, ...]


def measure_retention(pairs: Sequence[TextPair], *, seed: int) -> Measurements:
    """Finding F1, flips, whitelist recall, and how many texts share a set of findings."""
    rules = load_finding_rules()
    read = [
        (extract_findings(pair.original, rules), extract_findings(pair.scrubbed, rules))
        for pair in pairs
    ]
    figures = [
        *_measure_findings(read, seed),
        _measure_flips(read, "negation"),
        _measure_flips(read, "laterality"),
        _measure_whitelist(pairs, seed),
        *_count_groups([after for _, after in read]),
    ]
    return Measurements(tuple(figures))


def _measure_findings(read: Sequence[tuple[Findings, Findings]], seed: int) -> list[Figure]:
    """Micro F1 of findings with certainty and side, and the texts where nothing changed."""
    rows = []
    for before, after in read:
        ours, theirs = _state(before), _state(after)
        both = len(ours & theirs)
        rows.append((both, len(ours), both, len(theirs), ours == theirs))
    table = np.array(rows, dtype=float)
    key, name = "text.retention.findings", "Findings kept: F1 of finding, certainty and side"
    if not table[:, 1].sum():
        return [not_measured(key, _S, name, "the rules read no finding in the originals")]
    value, low, high = estimate_f1(table[:, :4], seed=seed)
    same = estimate_share(table[:, 4], np.ones(len(table)), seed=seed)
    return [
        Figure(key, _S, name, value, low, high, n=int(table[:, 1].sum()), unit="findings"),
        Figure("text.retention.unchanged", _S, "Texts whose findings are the same", *same,
               n=len(table), unit="texts"),
    ]  # fmt: skip


def _state(findings: Findings) -> set[tuple[str, Certainty, Laterality | None]]:
    return {(each.term, each.certainty, each.laterality) for each in findings}


def _measure_flips(read: Sequence[tuple[Findings, Findings]], kind: str) -> Figure:
    """Findings stated one way before and the other way after, among those that can flip."""
    collect = _by_certainty if kind == "negation" else _by_side
    flips = trials = 0
    for before, after in read:
        ours, theirs = collect(before), collect(after)
        for term in ours.keys() & theirs.keys():
            trials += 1
            flips += not ours[term] & theirs[term]
    key = f"text.flips.{kind}"
    name = f"Flips of {kind}: findings that now say the opposite"
    if not trials:
        return not_measured(key, _S, name, "no finding can flip in these texts")
    return Figure(key, _S, name, flips / trials, *clopper_pearson(flips, trials), n=trials,
                  unit="findings", detail={"count": flips})  # fmt: skip


def _by_certainty(findings: Findings) -> dict[object, set[object]]:
    """Term to how it is stated; a doubt is neither and cannot flip."""
    found: dict[object, set[object]] = {}
    for each in findings:
        if each.certainty is not Certainty.UNCERTAIN:
            found.setdefault(each.term, set()).add(each.certainty)
    return found


def _by_side(findings: Findings) -> dict[object, set[object]]:
    """Term and certainty to the one side it has; both sides cannot flip."""
    found: dict[object, set[object]] = {}
    for each in findings:
        if each.laterality in _SIDES:
            found.setdefault((each.term, each.certainty), set()).add(each.laterality)
    return found


def _measure_whitelist(pairs: Sequence[TextPair], seed: int) -> Figure:
    """Mentions of whitelisted findings that still stand, wherever in the text."""
    rules = load_finding_rules()
    rows = []
    for pair in pairs:
        before, after = (
            Counter(rules.terms[m.lastgroup or ""]
                    for m in rules.mention.finditer(fold_text(text).text.lower()))
            for text in (pair.original, pair.scrubbed)
        )  # fmt: skip
        rows.append(((before & after).total(), before.total()))
    table = np.array(rows, dtype=float)
    key, name = "text.retention.whitelist", "Mentions of whitelisted findings that still stand"
    if not table[:, 1].sum():
        return not_measured(key, _S, name, "the originals mention none")
    return Figure(key, _S, name, *estimate_share(table[:, 0], table[:, 1], seed=seed),
                  n=int(table[:, 1].sum()), unit="mentions")  # fmt: skip


def _count_groups(after: Sequence[Findings]) -> list[Figure]:
    """k-anonymity of the sets of present findings; each text counts as a patient."""
    sets = Counter(
        frozenset(each.term for each in findings if each.certainty is Certainty.PRESENT)
        for findings in after
    )
    sizes = np.array([sets[key] for key in sets for _ in range(sets[key])])
    make = partial(Figure, section=_S, n=len(after), unit="texts")
    single, few = int((sizes == 1).sum()), int((sizes < _SMALL).sum())
    return [
        make("text.groups.smallest", name="Smallest group of texts with the same present findings",
             value=int(sizes.min()), detail={"sets": len(sets)},
             why=_THESE_ALONE),
        make("text.groups.single", name="Texts whose set of present findings no other text has",
             value=single / len(after), detail={"count": single}, why=_THESE_ALONE),
        make("text.groups.few", name=f"Texts in groups of fewer than {_SMALL}",
             value=few / len(after), detail={"count": few}, why=_THESE_ALONE),
    ]  # fmt: skip
