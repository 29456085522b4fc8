"""One image, one counterpart: ``updp-node synthesize``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from PIL import Image

from updp_node.crew import Crew
from updp_node.errors import ConfigError, InstanceError
from updp_node.line import Line
from updp_node.model import Counterpart, Finding, PixelAction
from updp_node.pipeline import (
    ExamineTask,
    ReleaseTask,
    SynthesisTask,
    examine,
    prompt_builder,
    release_instance,
    synthesize,
)
from updp_node.plan import Fate, History, decide

Result = TypeVar("Result")


def make_counterpart(image: Path, report: Path | None, line: Line, out: Path) -> Counterpart:
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

    Raises
    ------
    InstanceError
        The image is no frontal chest radiograph, or a stage refused it.
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
        (decision,) = decide(
            [examined], history, may_wait=False, beside_counterpart=line.beside_counterpart,
            build_prompt=prompt_builder(),
        )  # fmt: skip
        if decision.prompt is None or decision.fate is not Fate.RELEASE:
            raise InstanceError("no-prompt")
        order = SynthesisTask(line, decision.prompt, secrets.randbits(63))
        counterpart = _unwrap(crew.map_synthesis(synthesize, [order]))
        if out.suffix.lower() == ".png":
            Image.fromarray(counterpart.pixels).save(out)
        else:
            _write_object(image, line, counterpart, out, crew)
    finally:
        crew.close()
    return counterpart


def _read_report(report: Path, line: Line, crew: Crew) -> tuple[Finding, ...]:
    """Findings of a report, of a DICOM object or of plain text."""
    with report.open("rb") as file:
        is_dicom = file.read(132)[128:] == b"DICM"
    if not is_dicom:
        return _unwrap(crew.map_cpu(read_text_findings, [report]))
    examined = _unwrap(crew.map_cpu(examine, [ExamineTask(report, line)]))
    if examined.findings is None:
        raise InstanceError("no-report", "the report file is no structured report")
    return examined.findings


def read_text_findings(report: Path) -> tuple[Finding, ...]:
    """Findings of a text file in UTF-8."""
    from updp_node.text.findings import extract_findings  # noqa: PLC0415  # in the worker only

    return extract_findings(report.read_text(encoding="utf-8"))


def _write_object(image: Path, line: Line, counterpart: Counterpart, out: Path, crew: Crew) -> None:
    """The object that the node would release, past the gate like any other."""
    with TemporaryDirectory(dir=out.parent, prefix=".updp-") as scratch:
        task = ReleaseTask(
            path=image, line=line, action=PixelAction.SYNTHESIZE, generation=1,
            folder=Path(scratch), created=datetime.now(UTC), counterpart=counterpart,
        )  # fmt: skip
        released = _unwrap(crew.map_cpu(release_instance, [task]))
        released.path.replace(out)


def _unwrap(results: Iterator[Result | InstanceError]) -> Result:
    """The only result; what stopped it is raised."""
    (result,) = results
    if isinstance(result, InstanceError):
        raise result
    return result
