"""The rendered vocabulary: the only words a generator is ever told."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

from updp_node.model import Bound, Prompt

NO_FINDING = "no finding"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Whole terms that a generator renders, and how they may be combined.

    Attributes
    ----------
    terms : tuple of str
        In the model's order.
    views : Mapping[str, tuple of str]
        Population band to the view terms that may stand beside it.
    findings : Mapping[str, tuple of str]
        Population band to the findings it was taught with; ``no finding`` is among them.
    synonyms : Mapping[str, str]
        Report terms, lower case, to the rendered finding of the same meaning.
    counts : Mapping[str, int]
        Training images per term.
    """

    terms: tuple[str, ...]
    views: Mapping[str, tuple[str, ...]]
    findings: Mapping[str, tuple[str, ...]]
    synonyms: Mapping[str, str]
    counts: Mapping[str, int]

    @classmethod
    def read(cls, manifest: Mapping[str, Any]) -> Vocabulary:
        """Read the vocabulary of a model manifest."""
        section = manifest["vocabulary"]
        return cls(
            terms=tuple(section["terms"]),
            views={band: tuple(views) for band, views in section["views"].items()},
            findings={band: tuple(terms) for band, terms in section["findings"].items()},
            synonyms=dict(section["synonyms"]),
            counts=dict(section["counts"]),
        )

    @property
    def bands(self) -> tuple[str, ...]:
        """Population bands, coarse on purpose."""
        return tuple(self.findings)

    def find(self, term: str, band: str) -> str | None:
        """Rendered finding for a report's term in a band, or None."""
        wanted = " ".join(term.lower().split())
        wanted = self.synonyms.get(wanted, wanted)
        return wanted if wanted in self.findings[band] else None

    def list_prompts(self) -> list[Prompt]:
        """Every prompt that may ever be given to the generator."""
        return [
            self.order((band, *view, *findings))
            for band in self.bands
            for view in ((), *((view,) for view in self.views[band]))
            for findings in self._list_findings(band)
        ]

    def order(self, terms: tuple[str, ...], unrendered: tuple[str, ...] = ()) -> Prompt:
        """A prompt in the vocabulary's order.

        Raises
        ------
        ValueError
            For a term that is not in the vocabulary; the message does not repeat it.
        """
        if not set(terms) <= set(self.terms):
            raise ValueError("a prompt holds whole terms of the vocabulary only")
        return Prompt(tuple(term for term in self.terms if term in terms), unrendered)

    def count_bits(self) -> float:
        """Upper bound of what a prompt can tell: log2 of the admissible prompts."""
        return math.log2(len(self.list_prompts()))

    def bound(self, *, choice: float = 0.0) -> Bound:
        """Bound of what the pixels can tell, part by part.

        Parameters
        ----------
        choice : float
            Bits of a choice among candidates that looks at the source. None does today.

        Notes
        -----
        That nothing comes out (refused, held back, waiting) is one outcome more beside the
        prompts: together log2 of their number and one.
        """
        prompts = len(self.list_prompts())
        return Bound(math.log2(prompts), choice, math.log2(1 + 1 / prompts))

    def _list_findings(self, band: str) -> list[tuple[str, ...]]:
        """Nothing said, no finding, or any set of findings."""
        drawn = [term for term in self.findings[band] if term != NO_FINDING]
        subsets = chain.from_iterable(combinations(drawn, size) for size in range(len(drawn) + 1))
        return [(NO_FINDING,), *subsets]
