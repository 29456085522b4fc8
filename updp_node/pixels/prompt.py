"""From the findings of a report to a prompt of whole rendered terms."""

from __future__ import annotations

from collections.abc import Sequence

from updp_node.model import Certainty, Finding, Prompt
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary

ADULT_FROM_YEARS = 16


def build_prompt(
    findings: Sequence[Finding],
    vocabulary: Vocabulary,
    *,
    age_years: int | None,
    view: str | None,
    reported: bool = True,
) -> Prompt:
    """Build the prompt that a set of findings allows.

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
    band = "child" if age_years is not None and age_years < ADULT_FROM_YEARS else "adult"
    stated = {certainty: _select(findings, certainty) for certainty in Certainty}
    present = stated[Certainty.PRESENT] - {NO_FINDING}
    denied = {vocabulary.find(term, band) for term in stated[Certainty.ABSENT]}
    found = {term: vocabulary.find(term, band) for term in present}
    drawn = {term for term in found.values() if term is not None} - denied
    unrendered = tuple(sorted(term for term, match in found.items() if match not in drawn))
    clean = not present and not stated[Certainty.UNCERTAIN] and NO_FINDING not in denied
    if reported and clean:
        drawn = {NO_FINDING}
    shown_view = {f"{view} view"} & set(vocabulary.views[band])
    return vocabulary.order((band, *shown_view, *drawn), unrendered)


def _select(findings: Sequence[Finding], certainty: Certainty) -> set[str]:
    return {" ".join(item.term.lower().split()) for item in findings if item.certainty is certainty}
