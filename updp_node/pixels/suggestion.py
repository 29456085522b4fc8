"""What is asked of content optimization for one image, and the answer.

A question holds the image and the findings of its report: identified zone, in memory only. It
travels to the process that holds torch; an answer is a prompt of admissible terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from updp_node.errors import InstanceError
from updp_node.model import Finding, Prompt
from updp_node.pixels.alignment import Objective
from updp_node.pixels.consistency import Statements, find_contradiction, read_statements
from updp_node.pixels.joint import JointEncoder
from updp_node.pixels.optimization import Optimized, Settings, Space, optimize
from updp_node.pixels.prompt import build_prompt, choose_band, fixed_terms
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary

Limits = Mapping[str, float]
SIDE = 512
"""Longer side of the image that a question carries; encoders look at fewer pixels."""


@dataclass(frozen=True, slots=True)
class Question:
    """One image that needs a prompt.

    Attributes
    ----------
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2, as `reduce` made it.
    findings : tuple of Finding
        Of the reports of its study.
    reported : bool
        Whether there is a report.
    age_years : int or None
    view : str or None
    settings : Settings
    image_findings : tuple of Finding
        What the small readers saw; used by the solver ``none`` where there is no report.
    """

    display: NDArray[np.uint8] = field(repr=False, compare=False)
    findings: tuple[Finding, ...]
    reported: bool
    age_years: int | None
    view: str | None
    settings: Settings
    image_findings: tuple[Finding, ...] = ()


def answer_by_rules(question: Question, vocabulary: Vocabulary) -> Prompt:
    """The prompt that the report demands, or what the small readers saw without one."""
    findings = question.findings if question.reported else question.image_findings
    return build_prompt(
        findings, vocabulary, age_years=question.age_years, view=question.view,
        reported=question.reported or bool(findings),
    )  # fmt: skip


def answer(
    question: Question, vocabulary: Vocabulary, encoder: JointEncoder, limits: Limits | None = None
) -> Optimized:
    """The admissible prompt that fits image and report best.

    Without a report, what the encoder's own finding heads read stands in its place: measured on
    held-out patients, the image alone says too little (docs/model-card.md).

    Parameters
    ----------
    question : Question
        With a solver other than ``none``.
    vocabulary : Vocabulary
        Of the generator.
    encoder : JointEncoder
    limits : Mapping[str, float], optional
        ``band/finding`` to the probability from which a head's finding counts.

    Raises
    ------
    InstanceError
        ``prompt-contradicts-report``; never with the solvers that are there.
    """
    settings = question.settings
    statements = _read(question, vocabulary)
    fixed = fixed_terms(vocabulary, choose_band(question.age_years), question.view)
    silent = not question.reported
    space = Space(vocabulary, fixed, statements, settings.max_terms, must_say=silent)
    found = optimize(space, make_objective(question, vocabulary, encoder, limits), settings)
    if (fault := find_contradiction(found.prompt, statements, vocabulary)) is not None:
        raise InstanceError("prompt-contradicts-report", fault)
    return found


def make_objective(
    question: Question, vocabulary: Vocabulary, encoder: JointEncoder, limits: Limits | None = None
) -> Objective:
    """What the solvers maximise for a question."""
    if question.reported:
        statements = _read(question, vocabulary)
        stated = tuple(sorted(statements.stated or statements.required))
    else:
        chances = encoder.read_findings(question.display)
        band = choose_band(question.age_years)
        stated = read_heads(chances, vocabulary.findings[band], band, limits or {})
    return Objective(encoder, question.display, stated, question.settings.report_weight)


def read_heads(
    chances: Mapping[str, float], findings: Sequence[str], band: str, limits: Limits
) -> tuple[str, ...]:
    """Findings that the heads see; ``no finding`` goes before the others.

    Parameters
    ----------
    chances : Mapping[str, float]
        Finding to its probability.
    findings : sequence of str
        Of the band.
    band : str
    limits : Mapping[str, float]

    Returns
    -------
    tuple of str
        Empty where no head has a limit.
    """
    ratios = {
        term: chances[term] / limits[f"{band}/{term}"]
        for term in findings
        if term in chances and f"{band}/{term}" in limits
    }
    if ratios.pop(NO_FINDING, 0.0) >= 1:
        return (NO_FINDING,)
    seen = tuple(term for term, ratio in ratios.items() if ratio >= 1)
    return seen or ((max(ratios, key=lambda term: ratios[term]),) if ratios else ())


def _read(question: Question, vocabulary: Vocabulary) -> Statements:
    return read_statements(
        question.findings, vocabulary, choose_band(question.age_years),
        reported=question.reported, unstated_free=question.settings.unstated_free,
    )  # fmt: skip


def reduce(display: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image of at most `SIDE` pixels a side, averaged down."""
    largest = max(display.shape)
    if largest <= SIDE:
        return display
    rows, columns = (max(round(side * SIDE / largest), 1) for side in display.shape)
    return np.asarray(Image.fromarray(display).resize((columns, rows), Image.Resampling.BOX))
