"""From the findings of a report to a prompt of whole rendered terms."""

from __future__ import annotations

from collections.abc import Sequence

from updp_node.model import Finding, Prompt
from updp_node.pixels.consistency import read_statements
from updp_node.pixels.vocabulary import Vocabulary

ADULT_FROM_YEARS = 16


def build_prompt(
    findings: Sequence[Finding],
    vocabulary: Vocabulary,
    *,
    age_years: int | None,
    view: str | None,
    reported: bool = True,
) -> Prompt:
    """Build the prompt that a set of findings demands, and nothing beyond.

    A finding enters only if it is stated present and never stated absent, and if the
    vocabulary renders it; ``no finding`` enters only if nothing is present or doubted.
    Laterality, location and severity are not rendered and therefore never enter.

    Parameters
    ----------
    findings : sequence of Finding
        Of the report, or of `updp_node.pixels.detectors.read_image` when there is none.
    vocabulary : Vocabulary
    age_years : int or None
        Whole years; only whether they reach `ADULT_FROM_YEARS` is used. None counts as adult.
    view : str or None
        ``PA`` or ``AP``; dropped where the band has no views.
    reported : bool
        Whether a report (or a reading of the image) was there at all. Without one, an empty
        set of findings says nothing, and ``no finding`` is not claimed.

    Returns
    -------
    Prompt
        Present findings that cannot be drawn are in `Prompt.unrendered`.
    """
    band = choose_band(age_years)
    stated = read_statements(findings, vocabulary, band, reported=reported)
    fixed = fixed_terms(vocabulary, band, view)
    return vocabulary.order((*fixed, *stated.required), stated.unrendered)


def choose_band(age_years: int | None) -> str:
    """Population band: ``child`` or ``adult``, no finer; None counts as adult."""
    return "child" if age_years is not None and age_years < ADULT_FROM_YEARS else "adult"


def fixed_terms(vocabulary: Vocabulary, band: str, view: str | None) -> tuple[str, ...]:
    """What the header settles: the band, and the view where the band has one."""
    return (band, *({f"{view} view"} & set(vocabulary.views[band])))
