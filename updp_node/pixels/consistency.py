"""Consistency of a prompt with its report: never contradict, never drop.

Pure functions over terms. Every prompt passes `find_contradiction` before anything is drawn
from it, whoever made it: the rules, a solver, or the step to a coarser prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from updp_node.model import Certainty, Finding, Prompt
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary


@dataclass(frozen=True, slots=True)
class Statements:
    """What a report says, in the rendered words of a population band.

    Attributes
    ----------
    required : frozenset of str
        Findings that a prompt must hold: stated present, or ``no finding`` of a clean report.
    denied : frozenset of str
        Findings that no prompt may hold.
    free : frozenset of str
        Findings that the report leaves open.
    stated : frozenset of str
        Every finding that is stated present, rendered or not, in the report's own terms.
    unrendered : tuple of str
        Those of `stated` that no prompt of the band can hold.
    """

    required: frozenset[str]
    denied: frozenset[str]
    free: frozenset[str]
    stated: frozenset[str] = frozenset()
    unrendered: tuple[str, ...] = ()


def read_statements(
    findings: Sequence[Finding], vocabulary: Vocabulary, band: str, *,
    reported: bool = True, unstated_free: bool = False,
) -> Statements:  # fmt: skip
    """Say what a prompt must hold, may not hold, and may hold.

    Parameters
    ----------
    findings : sequence of Finding
        Of the reports of a study.
    vocabulary : Vocabulary
    band : str
        Population band.
    reported : bool
        Whether there was a report at all. Without one nothing is required and all is free.
    unstated_free : bool
        Whether findings that a report does not name are free too. A radiologist's silence
        mostly means absence, so by default they are not.
    """
    rendered = frozenset(vocabulary.findings[band])
    if not reported and not findings:
        return Statements(frozenset(), frozenset(), rendered)
    by_certainty = {kind: _select(findings, kind) for kind in Certainty}
    stated = by_certainty[Certainty.PRESENT] - {NO_FINDING}
    negated = frozenset(_list_negated(findings))
    denied = {vocabulary.find(term, band) for term in negated} - {None}
    matches = {term: vocabulary.find(term, band) for term in stated}
    required = frozenset(match for match in matches.values() if match and match not in denied)
    unrendered = tuple(sorted(term for term, match in matches.items() if match not in required))
    doubted = by_certainty[Certainty.UNCERTAIN]
    if reported and not stated and not doubted and NO_FINDING not in denied:
        only = frozenset({NO_FINDING}) & rendered
        return Statements(only, rendered - only, frozenset())
    open_ones = {vocabulary.find(term, band) for term in doubted} - {None}
    free = rendered if unstated_free or not reported else rendered & open_ones
    shut = frozenset(term for term in denied if term) | {NO_FINDING}
    return Statements(required, shut, free - required - shut, frozenset(stated), unrendered)


def find_contradiction(
    prompt: Prompt, statements: Statements, vocabulary: Vocabulary
) -> str | None:
    """Say how a prompt contradicts a report, or None.

    Parameters
    ----------
    prompt : Prompt
        What was withheld from it is no contradiction: it is counted and told.
    statements : Statements
    vocabulary : Vocabulary

    Returns
    -------
    str or None
        To say nothing where ``no finding`` could be said drops no finding.
        ``negated``: it holds what the report negates. ``dropped``: it lacks what the report
        states. ``unstated``: it holds what the report neither states nor leaves open.
    """
    findings = {term for terms in vocabulary.findings.values() for term in terms}
    drawn = findings & set(prompt.terms)
    if drawn & statements.denied:
        return "negated"
    if statements.required - drawn - set(prompt.withheld) - {NO_FINDING}:
        return "dropped"
    if drawn - statements.required - statements.free:
        return "unstated"
    return None


def _select(findings: Iterable[Finding], certainty: Certainty) -> frozenset[str]:
    return frozenset(_normalize(each.term) for each in findings if each.certainty is certainty)


def _normalize(term: str) -> str:
    return " ".join(term.lower().split())


def _list_negated(findings: Sequence[Finding]) -> Iterable[str]:
    """Terms that are negated: for good, or at a place where nothing states them elsewhere."""
    present = [each for each in findings if each.certainty is Certainty.PRESENT]
    for absent in findings:
        if absent.certainty is not Certainty.ABSENT:
            continue
        same = [each for each in present if _normalize(each.term) == _normalize(absent.term)]
        if not same or not all(_lies_elsewhere(each, absent) for each in same):
            yield _normalize(absent.term)


def _lies_elsewhere(present: Finding, absent: Finding) -> bool:
    """``no left effusion`` does not take back an effusion on the right."""
    other_side = absent.laterality is not None and present.laterality != absent.laterality
    other_place = absent.location is not None and present.location != absent.location
    return other_side or other_place
