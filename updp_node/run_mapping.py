"""Between what the plan decides and what the index records."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from updp_node.line import finding_to_record
from updp_node.model import PixelAction
from updp_node.pipeline import COUNTERPART_SOP_CLASS, ReleasedFile
from updp_node.plan import Decision, Earlier, Examined, Fate
from updp_node.storage.run_records import Known, Release, Work, WorkDecision


def to_record(work: Work, decision: Decision, examined: Examined) -> WorkDecision:
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
        seed=str(secrets.randbits(63)) if prompt else None,
        references=list(examined.references),
        findings=None if findings is None else [finding_to_record(each) for each in findings],
    )


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
    """What the index records of a released file; paths relative to the released zone."""
    return Release(
        instance_id=work.instance_id, source_uid=work.sop_instance_uid,
        generation=work.generation or 1, action=work.action or "", prompt=work.prompt,
        references=work.references, sop_instance_uid=result.sop_instance_uid,
        sop_class_uid=result.sop_class_uid, study_uid=result.study_uid,
        series_uid=result.series_uid, transfer_syntax_uid=result.transfer_syntax_uid,
        file=str(result.path.relative_to(root)), sha256=result.sha256,
    )  # fmt: skip


def is_known(known: Mapping[str, Known], source_uid: str, generation: int) -> bool:
    """Whether the release is recorded; a file that is not was never seen and may be replaced."""
    return source_uid in known and known[source_uid].generation >= generation
