"""Content optimization: the admissible prompt that fits image and report best.

Two solvers over sets of whole rendered terms: a deterministic beam search, exact where its beam
holds every set, and gradient-based hard prompt optimization (`updp_node.pixels.pez`). Neither
can leave the admissible prompts, so what the prompt can tell stays bounded by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from updp_node.model import Prompt
from updp_node.pixels.alignment import Alignment, Objective
from updp_node.pixels.consistency import Statements
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary

Solver = Literal["beam", "pez", "none"]
Score = Callable[[frozenset[str]], float]
GAIN = 1e-6  # a smaller one is rounding


@dataclass(frozen=True, slots=True)
class Settings:
    """How the solvers search; the profile's ``pixels.solver`` and ``pixels.optimize``.

    Attributes
    ----------
    solver : str
        ``beam``, ``pez``, or ``none``: the rules alone.
    report_weight : float
        Weight of the report against the image.
    max_terms : int
        Findings that a prompt holds at most; what the report states is never dropped for it.
    beam_width : int
        Sets kept at each step of the beam search.
    iterations, patience : int
        Steps of the gradient solver, and steps without a gain after which it stops.
    unstated_free : bool
        Whether a finding that the report does not name may enter.
    """

    solver: Solver = "beam"
    report_weight: float = 1.0
    max_terms: int = 8
    beam_width: int = 64
    iterations: int = 200
    patience: int = 50
    unstated_free: bool = False


@dataclass(frozen=True, slots=True)
class Space:
    """The prompts that a solver may choose among.

    Attributes
    ----------
    vocabulary : Vocabulary
    fixed : tuple of str
        Band and view, in every prompt.
    statements : Statements
    max_terms : int
    must_say : bool
        Whether a prompt that says nothing of findings is no answer: without a report, to say
        nothing fits every image somewhat and none well.
    """

    vocabulary: Vocabulary
    fixed: tuple[str, ...]
    statements: Statements
    max_terms: int = 8
    must_say: bool = False

    @property
    def start(self) -> frozenset[str]:
        """The least that a prompt must say."""
        return self.statements.required

    @property
    def candidates(self) -> tuple[str, ...]:
        """Findings that may be added, in the vocabulary's order."""
        free = self.statements.free
        return tuple(term for term in self.vocabulary.terms if term in free)

    def admits(self, findings: frozenset[str]) -> bool:
        """Whether a set of findings may be a prompt."""
        if NO_FINDING in findings and len(findings) > 1:
            return False
        if self.must_say and not findings:
            return not self.candidates
        if len(findings) > max(self.max_terms, len(self.start)):
            return False
        return self.start <= findings <= self.start | self.statements.free

    def order(self, findings: frozenset[str]) -> Prompt:
        """The prompt of a set of findings."""
        terms = (*self.fixed, *findings)
        return self.vocabulary.order(terms, self.statements.unrendered)

    def grow(self, findings: frozenset[str]) -> Iterator[frozenset[str]]:
        """Every admissible set with one finding more."""
        for term in self.candidates:
            larger = findings | {term}
            if larger != findings and self.admits(larger):
                yield larger


@dataclass(frozen=True, slots=True)
class Optimized:
    """The prompt that a solver chose; scores look at the source, so identified zone only.

    Attributes
    ----------
    prompt : Prompt
    before, after : Alignment
        Of the least that the report demands, and of `prompt`.
    solver : str
    steps : int
        Sets that were scored.
    """

    prompt: Prompt
    before: Alignment
    after: Alignment
    solver: str
    steps: int


def optimize(space: Space, objective: Objective, settings: Settings, *, seed: int = 0) -> Optimized:
    """Choose a prompt.

    Parameters
    ----------
    space : Space
    objective : Objective
    settings : Settings
        With a solver other than ``none``.
    seed : int
        Of the gradient solver's start; the beam search needs none.

    Returns
    -------
    Optimized

    References
    ----------
    Y. Wen et al., "Hard Prompts Made Easy: Gradient-Based Discrete Optimization for Prompt
    Tuning and Discovery", arXiv 2302.03668.
    """
    scored: dict[frozenset[str], float] = {}

    def score(findings: frozenset[str]) -> float:
        if findings not in scored:
            scored[findings] = objective.score(space.order(findings).terms).total
        return scored[findings]

    if settings.solver == "pez":
        from updp_node.pixels.pez import search_gradient  # noqa: PLC0415  # torch

        best = search_gradient(space, objective, score, settings, seed=seed)
    else:
        best = search_beam(space, score, width=settings.beam_width)
    chosen = space.order(best)
    return Optimized(
        chosen, objective.score(space.order(space.start).terms), objective.score(chosen.terms),
        settings.solver, len(scored),
    )  # fmt: skip


def search_beam(space: Space, score: Score, *, width: int) -> frozenset[str]:
    """Grow sets from what the report demands, keeping the best of each size.

    Stops when no larger set is admissible. Among equals the set that was met first wins, so
    the result is the same on every machine that scores the same.
    """
    best, beam = space.start, [space.start]
    while beam:
        larger = list(dict.fromkeys(each for kept in beam for each in space.grow(kept)))
        beam = sorted(larger, key=lambda findings: -score(findings))[:width]
        if beam and (not space.admits(best) or score(beam[0]) > score(best) + GAIN):
            best = beam[0]
    return best
