"""Between what the plan decides and what the index records: prompts, decisions, releases."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError
from updp_node.line import Line, finding_to_record
from updp_node.model import PixelAction, Prompt
from updp_node.pipeline import COUNTERPART_SOP_CLASS, ReleasedFile
from updp_node.pixels.anonymity import AnonymityPolicy
from updp_node.pixels.suggestion import Question, answer_by_rules
from updp_node.pixels.workshop import (
    SuggestionTask,
    count_population,
    has_encoder,
    read_vocabulary,
    suggest,
)
from updp_node.plan import (
    Decision,
    Earlier,
    Examined,
    Fate,
    Granted,
    History,
    PromptGate,
    decide,
    gather_findings,
)
from updp_node.storage.prompt_index import PromptDesk, Wish
from updp_node.storage.run_records import Known, Release, Work, WorkDecision


def make_plan(
    line: Line, crew: Crew, works: Sequence[tuple[Work, Examined]], history: History, *,
    may_wait: bool, threads: int,
) -> Callable[[PromptDesk], list[WorkDecision]]:  # fmt: skip
    """The plan of a run as the index asks for it, within the transaction that records it."""
    instances = [examined for _, examined in works]
    proposals = propose_prompts(line, crew, instances, history, may_wait=may_wait, threads=threads)

    def plan(desk: PromptDesk) -> list[WorkDecision]:
        decisions = decide(
            instances, history, beside_counterpart=line.beside_counterpart,
            may_wait=may_wait, grant_prompt=grant_prompts(line, proposals, desk),
        )  # fmt: skip
        return [to_record(*pair, each) for pair, each in zip(works, decisions, strict=True)]

    return plan


def propose_prompts(
    line: Line, crew: Crew, examined: Sequence[Examined], history: History, *,
    may_wait: bool, threads: int = 2,
) -> dict[str, Prompt | InstanceError]:  # fmt: skip
    """The prompt that fits each image best, by source SOP Instance UID.

    Found before the plan, since it takes a while; whether it may be drawn is for the plan.
    """
    findings, reported = gather_findings(examined, history)
    if may_wait and not reported:
        return {}
    questions = {
        each.source_uid: Question(
            each.display, findings, reported, each.age_years, each.view, line.optimization,
            each.image_findings,
        )
        for each in examined
        if each.action is PixelAction.SYNTHESIZE and each.display is not None
    }  # fmt: skip
    if line.optimization.solver == "none" or not has_encoder():
        words = read_vocabulary(line.tools)
        return {uid: answer_by_rules(each, words) for uid, each in questions.items()}
    tasks = [SuggestionTask(line.tools, each, threads) for each in questions.values()]
    return {
        uid: found if isinstance(found, InstanceError) else found.prompt
        for uid, found in zip(questions, crew.map_synthesis(suggest, tasks), strict=True)
    }


def grant_prompts(
    line: Line, proposals: Mapping[str, Prompt | InstanceError], desk: PromptDesk | None = None
) -> PromptGate:
    """What the profile's anonymity allows of the proposed prompts.

    Parameters
    ----------
    line : Line
    proposals : Mapping
        Of `propose_prompts`.
    desk : PromptDesk, optional
        Where subjects are counted; without one the public population alone can gate.

    Raises
    ------
    ConfigError
        The subjects of the release gate, and nobody counts them.
    """
    policy = line.anonymity
    if desk is None and policy.gate == "k_released":
        raise ConfigError(
            "only a node counts the subjects of its release; use a profile that gates on k_map",
            key="pixels.anonymity.gate",
        )

    def grant(examined: Examined) -> Granted:
        proposed = proposals[examined.source_uid]
        if isinstance(proposed, InstanceError):
            return Granted(Fate.QUARANTINE, code=proposed.code)
        population = count_population(line.tools)
        allowed = policy.list_allowed(proposed, population)
        if not allowed:
            k_map = population.count(proposed)
            return Granted(Fate.QUARANTINE, code="rare-prompt", k_map=k_map)
        number, k_released = 0, None
        if desk is not None:
            reserved = desk.reserve(_to_wish(examined, policy, allowed))
            k_released = reserved.k_released
            if reserved.chosen is None:
                return Granted(Fate.WAIT, code="rare-prompt", k_released=k_released)
            number = reserved.chosen
        chosen = allowed[number]
        k_map = population.count(chosen)
        return Granted(Fate.RELEASE, chosen, k_map=k_map, k_released=k_released)

    return grant


def _to_wish(examined: Examined, policy: AnonymityPolicy, allowed: Sequence[Prompt]) -> Wish:
    gates = policy.gate == "k_released"
    prompts = tuple(each.text for each in (allowed if gates else allowed[:1]))
    subject = examined.subject
    k_min = policy.k_min if gates else 0
    return Wish(subject.project, subject.subject_id, examined.source_uid, prompts, k_min)


def to_record(work: Work, examined: Examined, decision: Decision) -> WorkDecision:
    """What the index keeps of a decision; the seed is drawn here, from the system."""
    prompt = decision.prompt
    findings = examined.findings
    return WorkDecision(
        instance_id=work.instance_id,
        outcome=None if decision.fate is Fate.RELEASE else decision.fate.value,
        code=decision.code,
        action=decision.action.value,
        generation=decision.generation,
        prompt=list(prompt.terms) if prompt else None,
        unrendered=list(prompt.unrendered) if prompt else None,
        withheld=list(prompt.withheld) if prompt else None,
        k_map=decision.k_map,
        k_released=decision.k_released,
        seed=str(secrets.randbits(63)) if prompt else None,
        references=list(examined.references),
        findings=None if findings is None else [finding_to_record(each) for each in findings],
    )


def to_prompt(work: Work) -> Prompt:
    """The prompt that was decided for an instance."""
    parts = (work.prompt, work.unrendered, work.withheld)
    terms, unrendered, withheld = (tuple(part or ()) for part in parts)
    return Prompt(terms, unrendered, withheld)


def to_earlier(known: Known, work: Work | None) -> Earlier:
    """A recorded release as the plan sees it; `work` is the instance at hand of that UID."""
    return Earlier(
        generation=known.generation,
        same_source=work is None or work.instance_id == known.instance_id,
        action=PixelAction(known.action),
        prompt=None if known.prompt is None else tuple(known.prompt),
        sop_class_uid=known.sop_class_uid,
        references=tuple(known.references),
    )


def map_references(
    works: Sequence[Work], known: Mapping[str, Known]
) -> tuple[dict[str, int], dict[str, str]]:
    """Generation and replaced SOP Class of everything a released object may name."""
    generations = {uid: each.generation for uid, each in known.items()}
    classes = {
        uid: each.sop_class_uid
        for uid, each in known.items()
        if each.action == PixelAction.SYNTHESIZE
    }
    for work in works:
        if work.action is not None and work.outcome in (None, "released", "unchanged"):
            generations[work.sop_instance_uid] = work.generation or 1
        if work.action == PixelAction.SYNTHESIZE:
            classes[work.sop_instance_uid] = COUNTERPART_SOP_CLASS
    return generations, classes


def to_release(work: Work, result: ReleasedFile, root: Path) -> Release:
    """What the index records of a released file; its path relative to `root`."""
    return Release(
        instance_id=work.instance_id, source_uid=work.sop_instance_uid,
        generation=work.generation or 1, action=work.action or "", prompt=work.prompt,
        references=work.references, sop_instance_uid=result.sop_instance_uid,
        sop_class_uid=result.sop_class_uid, study_uid=result.study_uid,
        series_uid=result.series_uid, transfer_syntax_uid=result.transfer_syntax_uid,
        file=str(result.path.relative_to(root)), sha256=result.sha256,
    )  # fmt: skip
