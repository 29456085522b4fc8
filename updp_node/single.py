"""One image, one counterpart: ``updp-node synthesize``."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from PIL import Image

from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError
from updp_node.line import Line, finding_to_record
from updp_node.model import Counterpart, Finding, PixelAction
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.pixels.anonymity import tell_anonymity
from updp_node.pixels.explanation import NOTICE, Explanation, draw_sheet
from updp_node.pixels.suggestion import Question
from updp_node.pixels.workshop import (
    ExplanationTask,
    SynthesisTask,
    explain,
    has_encoder,
    synthesize,
)
from updp_node.plan import Decision, Examined, Fate, History, decide, gather_findings
from updp_node.run_mapping import grant_prompts, propose_prompts

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Made:
    """A counterpart and how its prompt came about.

    Attributes
    ----------
    counterpart : Counterpart
    k_map : int or None
        Patients of the public population whom the prompt fits.
    explanation : Explanation or None
        Where it was asked for; identified zone only.
    """

    counterpart: Counterpart
    k_map: int | None
    explanation: Explanation | None = None


def make_counterpart(
    image: Path, report: Path | None, line: Line, out: Path, *, explain_in: Path | None = None
) -> Made:
    """Make the counterpart of one chest radiograph and write it.

    Parameters
    ----------
    image : pathlib.Path
        DICOM.
    report : pathlib.Path or None
        A DICOM structured report, or a text file in UTF-8.
    line : Line
    out : pathlib.Path
        ``.dcm``: the object that the node would release; ``.png``: its pixels.
    explain_in : pathlib.Path, optional
        Folder for scores, figures, refused candidates and a contact sheet. It shows the
        patient: identified zone only.

    Raises
    ------
    InstanceError
        ``no-frontal-chest``, ``no-prompt``, ``rare-prompt``, or those of the stages.
    ConfigError
        The output has another ending.
    """
    if out.suffix.lower() not in {".dcm", ".png"}:
        raise ConfigError("the output ends in .dcm or .png", file=str(out))
    crew = Crew()
    try:
        examined = _unwrap(crew.map_cpu(examine, [ExamineTask(image, line)]))
        if examined.action is not PixelAction.SYNTHESIZE:
            raise InstanceError("no-frontal-chest", f"the profile says {examined.action.value}")
        findings = _read_report(report, line, crew) if report else None
        history = History(findings=findings or (), has_report=findings is not None)
        decision = _decide(examined, history, line, crew)
        if decision.prompt is None or decision.fate is not Fate.RELEASE:
            raise InstanceError(decision.code or "no-prompt")
        order = SynthesisTask(
            line.tools, decision.prompt, secrets.randbits(63), line.max_candidates
        )
        explanation = None
        if explain_in is not None:
            task = ExplanationTask(order, _ask(examined, history, line))
            explanation = _unwrap(crew.map_synthesis(explain, [task]))
            _write_explanation(
                explain_in,
                explanation,
                examined=examined,
                history=history,
                line=line,
                decision=decision,
            )
        counterpart = _unwrap(crew.map_synthesis(synthesize, [order]))
        if out.suffix.lower() == ".png":
            Image.fromarray(counterpart.pixels).save(out)
        else:
            told = tell_anonymity(line.anonymity.gate, k_map=decision.k_map, k_released=None)
            _write_object(image, line, counterpart, out, crew, anonymity=told)
    finally:
        crew.close()
    return Made(counterpart, decision.k_map, explanation)


def _decide(examined: Examined, history: History, line: Line, crew: Crew) -> Decision:
    """The plan for the one image."""
    proposals = propose_prompts(line, crew, [examined], history, may_wait=False)
    (decision,) = decide(
        [examined], history, may_wait=False, beside_counterpart=line.beside_counterpart,
        grant_prompt=grant_prompts(line, proposals),
    )  # fmt: skip
    return decision


def _ask(examined: Examined, history: History, line: Line) -> Question | None:
    """The question that content optimization was asked; None where it was not asked."""
    if line.optimization.solver == "none" or not has_encoder() or examined.display is None:
        return None
    findings, reported = gather_findings([examined], history)
    return Question(
        examined.display, findings, reported, examined.age_years, examined.view,
        line.optimization,
    )  # fmt: skip


def _write_explanation(
    folder: Path, explanation: Explanation, *, examined: Examined, history: History, line: Line,
    decision: Decision,
) -> None:  # fmt: skip
    """``explanation.json`` and ``contact-sheet.png``, for their owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    findings, reported = gather_findings([examined], history)
    policy = line.anonymity
    record = {
        "notice": NOTICE,
        "report": reported,
        "findings of the report": [finding_to_record(each) for each in findings],
        "anonymity": {"gate": policy.gate, "k_min": policy.k_min, "rare": policy.rare,
                      "k_map": decision.k_map, "k_released": decision.k_released},
        "lists": line.lexicon_sha256,
        "model": line.model_sha256,
        **explanation.to_record(),
    }  # fmt: skip
    sheet = io.BytesIO()
    if examined.display is not None:
        draw_sheet(examined.display, explanation.candidates).save(sheet, "PNG")
    for name, content in (
        ("explanation.json", json.dumps(record, indent=2).encode()),
        ("contact-sheet.png", sheet.getvalue()),
    ):
        path = folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


def _read_report(report: Path, line: Line, crew: Crew) -> tuple[Finding, ...]:
    """Findings of a report, of a DICOM object or of plain text."""
    with report.open("rb") as file:
        is_dicom = file.read(132)[128:] == b"DICM"
    if not is_dicom:
        return _unwrap(
            crew.map_cpu(partial(read_text_findings, language=line.text_pack[0]), [report])
        )
    examined = _unwrap(crew.map_cpu(examine, [ExamineTask(report, line)]))
    if examined.findings is None:
        raise InstanceError("no-report", "the report file is no structured report")
    return examined.findings


def read_text_findings(report: Path, *, language: str = "en") -> tuple[Finding, ...]:
    """Findings of a text file in UTF-8."""
    from updp_node.text.findings import (  # noqa: PLC0415  # in the worker only
        extract_findings,
        load_finding_rules,
    )

    return extract_findings(report.read_text(encoding="utf-8"), load_finding_rules(None, language))


def _write_object(
    image: Path, line: Line, counterpart: Counterpart, out: Path, crew: Crew, *, anonymity: str
) -> None:
    """The object that the node would release, past the gate like any other."""
    with TemporaryDirectory(dir=out.parent, prefix=".updp-") as scratch:
        task = ReleaseTask(
            path=image, line=line, action=PixelAction.SYNTHESIZE, generation=1,
            folder=Path(scratch), created=datetime.now(UTC), counterpart=counterpart,
            anonymity=anonymity,
        )  # fmt: skip
        released = _unwrap(crew.map_cpu(release_instance, [task]))
        released.path.replace(out)


def _unwrap(results: Iterator[Result | InstanceError]) -> Result:
    """The only result; what stopped it is raised."""
    (result,) = results
    if isinstance(result, InstanceError):
        raise result
    return result
