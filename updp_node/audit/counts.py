"""Figures of the identified index: counts by state, reason and action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from updp_node.evaluation.figure import Figure, Section, not_measured
from updp_node.evaluation.statistics import clopper_pearson
from updp_node.storage.audit_index import AuditIndex

_S = Section.RELEASES
GATE = frozenset(
    "residual-identifier residual-uid residual-date pixel-length-differs missing-attribute "
    "identity-not-marked-removed file-meta-differs file-meta-tells preamble-not-empty "
    "unreadable-output new-conformance-error unreadable-pixels "
    "unreadable-document".split()
)
"""Codes with which the gate refuses an instance that the line would have released."""


def count_passage(index: AuditIndex) -> Iterator[Figure]:
    """What came in, what was held back and why, what went out, and what the gate refused."""
    yield from _count("received", "Instances received, by what became of them", index.instances())
    held = index.held()
    yield from _count("held", "Held back, by reason", held)
    yield from _count("held-state", "Held back, by what became of it", index.held_states())
    yield from _count("outcome", "Instances of runs, by outcome", index.outcomes())
    yield from _count("runs", "Runs, by state", index.runs())
    released = index.releases()
    yield from _count("released", "Instances released, by what was done with pixels", released)
    yield from _count("subjects", "Released, in all", index.subjects())
    yield from _count("deliveries", "Deliveries, by state", index.deliveries())
    yield _measure_gate(sum(held.get(code, 0) for code in GATE), sum(released.values()))


def _count(key: str, name: str, counts: Mapping[str, int]) -> Iterator[Figure]:
    """One figure for each count, and their sum where they add up."""
    if not counts:
        yield not_measured(f"audit.{key}", _S, name, "none in this time")
    for arm, count in counts.items():
        yield Figure(f"audit.{key}.{arm}", _S, name, count, arm=arm)


def _measure_gate(refused: int, passed: int) -> Figure:
    key, name = "audit.gate.refused", "Share of instances that the gate refused"
    trials = refused + passed
    if not trials:
        return not_measured(key, _S, name, "nothing reached the gate in this time")
    return Figure(key, _S, name, refused / trials, *clopper_pearson(refused, trials), n=trials,
                  unit="instances", detail={"refused": refused, "passed": passed})  # fmt: skip
