"""The plan of a study: what becomes of each instance, decided before anything is written.

Pure: the same examined instances, history and granted prompts give the same decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from updp_node.model import Finding, PixelAction, Prompt
from updp_node.subject import Subject

PromptGate = Callable[["Examined"], "Granted"]

_REAL = frozenset({PixelAction.KEEP, PixelAction.CLEAN, PixelAction.COORDINATES})
"""Real pixels of the patient, and what points into them."""


class Fate(StrEnum):
    """What the plan says of an instance."""

    RELEASE = "release"
    DROP = "dropped"
    QUARANTINE = "quarantined"
    WAIT = "waiting"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Examined:
    """A source instance as far as the plan needs it; holds no text of the patient.

    Attributes
    ----------
    source_uid, sop_class_uid, series_uid : str
        Of the source.
    subject : Subject
    action : PixelAction
        What the profile says to the pixels of this instance alone.
    findings : tuple of Finding or None
        Of a report; None for anything else.
    image_findings : tuple of Finding
        Read from the image where no report tells.
    references : tuple of str
        Source SOP Instance UIDs that the instance names.
    age_years : int or None
    view : str or None
    display : ndarray of uint8 or None
        The image, reduced, where it is to be synthesized: for content optimization, in memory
        only.
    """

    source_uid: str
    sop_class_uid: str
    series_uid: str
    subject: Subject
    action: PixelAction
    findings: tuple[Finding, ...] | None = None
    image_findings: tuple[Finding, ...] = ()
    references: tuple[str, ...] = ()
    age_years: int | None = None
    view: str | None = None
    display: NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """What may be drawn for an image, or that nothing may be drawn yet, or ever.

    Attributes
    ----------
    fate : Fate
        RELEASE with a prompt, WAIT until enough subjects share one, or QUARANTINE.
    prompt : Prompt or None
    code : str
        Reason code where the fate is not release.
    k_map, k_released : int or None
        How many people share the prompt: of a public population, of this project's release.
    """

    fate: Fate
    prompt: Prompt | None = None
    code: str = ""
    k_map: int | None = None
    k_released: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """The newest release of a source instance.

    Attributes
    ----------
    generation : int
    same_source : bool
        Made from the very bytes at hand, not from a conflicting instance.
    action : PixelAction
    prompt : tuple of str or None
    sop_class_uid : str
        Of what was released.
    references : tuple of str
        Source SOP Instance UIDs that it names.
    """

    generation: int
    same_source: bool
    action: PixelAction
    prompt: tuple[str, ...] | None
    sop_class_uid: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a study from before.

    Attributes
    ----------
    releases : Mapping[str, Earlier]
        By source SOP Instance UID, under the profile at hand.
    actions : frozenset of PixelAction
        Of everything released of the study, under whatever profile.
    findings : tuple of Finding
        Of reports read before.
    has_report : bool
    """

    releases: Mapping[str, Earlier] = field(default_factory=dict)
    actions: frozenset[PixelAction] = frozenset()
    findings: tuple[Finding, ...] = ()
    has_report: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The plan for one instance.

    Attributes
    ----------
    source_uid : str
    fate : Fate
    action : PixelAction
    generation : int
        Of the release; 1 for the first.
    prompt : Prompt or None
    code : str
        Reason code where the fate is quarantine, or waiting for others to share the prompt.
    k_map, k_released : int or None
        As in `Granted`.
    """

    source_uid: str
    fate: Fate
    action: PixelAction
    generation: int = 1
    prompt: Prompt | None = None
    code: str = ""
    k_map: int | None = None
    k_released: int | None = None


def gather_findings(
    examined: Sequence[Examined], history: History
) -> tuple[tuple[Finding, ...], bool]:
    """Findings of every report of a study, and whether there is a report at all."""
    findings = [*history.findings]
    for each in examined:
        findings.extend(each.findings or ())
    reported = history.has_report or any(each.findings is not None for each in examined)
    return tuple(findings), reported


def decide(
    examined: Sequence[Examined], history: History, *, beside_counterpart: PixelAction,
    may_wait: bool, grant_prompt: PromptGate,
) -> list[Decision]:  # fmt: skip
    """Decide for every instance of a study.

    Parameters
    ----------
    examined : sequence of Examined
    history : History
    beside_counterpart : PixelAction
        DROP or QUARANTINE: for real pixels, and for objects that point into them, in a study
        that holds a counterpart. They would identify the counterpart's patient.
    may_wait : bool
        Whether images may still wait for the report of their study.
    grant_prompt : callable
        What may be drawn for an image; asked only where something is to be drawn.

    Returns
    -------
    list of Decision
        In the order of `examined`.
    """
    _, reported = gather_findings(examined, history)
    synthetic = PixelAction.SYNTHESIZE in history.actions or any(
        each.action is PixelAction.SYNTHESIZE for each in examined
    )
    real = bool(_REAL & history.actions)
    decisions = []
    for each in examined:
        earlier = history.releases.get(each.source_uid)
        action = _combine(each, beside_counterpart) if synthetic else each.action
        if action is not PixelAction.SYNTHESIZE:
            decision = _decide_other(each, action)
        elif earlier is not None and earlier.same_source and not reported:
            decision = Decision(each.source_uid, Fate.UNCHANGED, action, earlier.generation)
        else:
            waits = not reported and may_wait
            decision = _decide_counterpart(each, real=real, waits=waits, grant=grant_prompt)
        decisions.append(_number(decision, earlier))
    return _follow_references(examined, decisions, history)


def _combine(examined: Examined, beside_counterpart: PixelAction) -> PixelAction:
    """The action for an instance of a study that holds a counterpart."""
    if examined.action in _REAL:
        return beside_counterpart
    return examined.action


def _decide_counterpart(
    examined: Examined, *, real: bool, waits: bool, grant: PromptGate
) -> Decision:
    action = PixelAction.SYNTHESIZE
    if real:
        code = "real-pixels-released-before"
        return Decision(examined.source_uid, Fate.QUARANTINE, action, code=code)
    if waits:
        return Decision(examined.source_uid, Fate.WAIT, action)
    granted = grant(examined)
    return Decision(
        examined.source_uid, granted.fate, action, prompt=granted.prompt, code=granted.code,
        k_map=granted.k_map, k_released=granted.k_released,
    )  # fmt: skip


def _decide_other(examined: Examined, action: PixelAction) -> Decision:
    if action is PixelAction.DROP:
        return Decision(examined.source_uid, Fate.DROP, action)
    if action is PixelAction.QUARANTINE:
        code = "beside-counterpart" if examined.action is not action else "unclaimed-image"
        return Decision(examined.source_uid, Fate.QUARANTINE, action, code=code)
    return Decision(examined.source_uid, Fate.RELEASE, action)


def _number(decision: Decision, earlier: Earlier | None) -> Decision:
    """Give the generation: what comes out different is a new instance."""
    if decision.fate is not Fate.RELEASE or earlier is None:
        return decision
    terms = decision.prompt.terms if decision.prompt else None
    if earlier.same_source and earlier.prompt == terms and earlier.action is decision.action:
        return replace(decision, fate=Fate.UNCHANGED, generation=earlier.generation)
    return replace(decision, generation=earlier.generation + 1)


def _follow_references(
    examined: Sequence[Examined], decisions: Sequence[Decision], history: History
) -> list[Decision]:
    """Whatever names an instance of a new generation is a new generation itself."""
    references = {each.source_uid: set(each.references) for each in examined}
    result = {decision.source_uid: decision for decision in decisions}
    stirred = True
    while stirred:
        renewed = {
            uid
            for uid, each in result.items()
            if each.fate is Fate.RELEASE and uid in history.releases
        }
        stirred = False
        for uid, each in result.items():
            if each.fate is Fate.UNCHANGED and references[uid] & (renewed - {uid}):
                result[uid] = replace(each, fate=Fate.RELEASE, generation=each.generation + 1)
                stirred = True
    return [result[decision.source_uid] for decision in decisions]
