"""The line: one instance from the staged bytes to the released file.

`examine` reads an instance and says what the plan needs; `release_instance` takes it down
the line. Both run in worker processes and are pure but for the file that is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import Dataset

from updp_node import __version__, verify
from updp_node.assemble import (
    assemble_cleaned,
    assemble_counterpart,
    assemble_kept,
    assemble_report,
    encode,
)
from updp_node.assemble.provenance import Provenance
from updp_node.documents import read_witnesses, root_item, scrub_report, text_cleaner
from updp_node.errors import InstanceError
from updp_node.facts import (
    has_coordinates,
    read_age_years,
    read_references,
    tells_findings,
)
from updp_node.header import deidentify
from updp_node.line import Line
from updp_node.model import CleanedPixels, Counterpart, Finding, PixelAction, Prompt
from updp_node.pixels.filter import (
    choose_action,
    load_default_vocabulary,
    looks_child,
    read_image,
    read_view,
    refuse_unclaimed,
)
from updp_node.pixels.frames import decode, to_display
from updp_node.pixels.prompt import ADULT_FROM_YEARS, build_prompt
from updp_node.plan import Examined, PromptBuilder
from updp_node.reading import read_source
from updp_node.storage.files import write_released
from updp_node.subject import Subject, UidMap

if TYPE_CHECKING:
    from updp_node.pixels.generator import Generator

COUNTERPART_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage: a synthetic image has no physical scale (PS3.3 A.8.1)."""


@dataclass(frozen=True, slots=True)
class ExamineTask:
    """An instance to be examined."""

    path: Path
    line: Line


@dataclass(frozen=True, slots=True)
class SynthesisTask:
    """A counterpart to be made. The generator learns `prompt` and `seed`, nothing else."""

    line: Line
    prompt: Prompt
    seed: int
    threads: int = 2


@dataclass(frozen=True, slots=True)
class ReleaseTask:
    """An instance to be taken down the line.

    Attributes
    ----------
    path : pathlib.Path
        The staged source.
    line : Line
    action : PixelAction
        As the plan decided.
    generation : int
    counterpart : Counterpart or None
        For `PixelAction.SYNTHESIZE`.
    generations, replaced_classes : Mapping
        As `updp_node.subject.UidMap` has them.
    witnesses : tuple of pathlib.Path
        Sources of the same study whose identifiers must not leave either.
    folder : pathlib.Path
        Root of the released files.
    created : datetime
        Of the run, so that a repeated step writes the same bytes.
    replace : bool
        A file that an interrupted step left, never recorded and never sent, may go.
    """

    path: Path
    line: Line
    action: PixelAction
    generation: int
    folder: Path
    created: datetime
    counterpart: Counterpart | None = None
    generations: Mapping[str, int] = field(default_factory=dict)
    replaced_classes: Mapping[str, str] = field(default_factory=dict)
    witnesses: tuple[Path, ...] = ()
    replace: bool = False


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A file in the released zone."""

    sop_instance_uid: str
    sop_class_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
    path: Path
    sha256: str


def examine(task: ExamineTask) -> Examined:
    """Read one instance and say what the plan needs to know of it.

    Raises
    ------
    InstanceError
        It cannot be read, has no usable Patient ID, or cannot be de-identified at all.
    """
    source = read_source(task.path)
    subject = task.line.subject_of(source)
    keeps_others = task.line.profile.other_objects == "keep"
    action = choose_action(source, task.line.pixel_policy)
    if action in {PixelAction.NONE, PixelAction.KEEP, PixelAction.CLEAN}:
        refuse_unclaimed(source, keeps_others=keeps_others)
    findings: tuple[Finding, ...] | None = None
    if tells_findings(source):
        uids = UidMap(subject, task.line.profile_digest)
        findings = scrub_report(source, (), task.line, subject, uids).findings
    if action is PixelAction.NONE and has_coordinates(source):
        action = PixelAction.COORDINATES
    age_years = read_age_years(source)
    image_findings: tuple[Finding, ...] = ()
    if action is PixelAction.SYNTHESIZE:
        age_years, image_findings = _read_chest(source, age_years)
    return Examined(
        source_uid=str(source.SOPInstanceUID),
        sop_class_uid=str(source.SOPClassUID),
        series_uid=str(source.SeriesInstanceUID),
        subject=subject,
        action=action,
        findings=findings,
        image_findings=image_findings,
        references=read_references(source),
        age_years=age_years,
        view=read_view(source),
    )


def synthesize(task: SynthesisTask) -> Counterpart:
    """Make a counterpart; runs in the process that holds the generator.

    Raises
    ------
    InstanceError
        ``no-acceptable-counterpart``.
    """
    from updp_node.pixels.synthesis import synthesize as draw  # noqa: PLC0415  # torch

    generator = _generator(task.line.model, task.threads)
    return draw(generator, task.prompt, seed=task.seed, max_candidates=task.line.max_candidates)


def release_instance(task: ReleaseTask) -> ReleasedFile:
    """Take one instance down the line: header, text or pixels, assembly, gate, released file.

    Raises
    ------
    InstanceError
        Any stage refused it, or the gate found an identifier in what was to leave.
    SpoolError
        The released zone cannot be written.
    """
    source = read_source(task.path)
    line = task.line
    subject = line.subject_of(source)
    uid = str(source.SOPInstanceUID)
    generations = {**task.generations, uid: task.generation}
    uids = UidMap(subject, line.profile_digest, generations, task.replaced_classes)
    undecoded = read_source(task.path, with_pixels=False)  # reading decodes in place
    cleaner = text_cleaner(undecoded, task.witnesses, line, subject)
    header = deidentify(source, line.rules, subject, uids, clean_text=cleaner)
    evidence = verify.read_evidence([source, *read_witnesses(task.witnesses)])
    cleaned = _clean(task, source)
    made = _assemble(task, source, header, subject, uids, cleaned=cleaned)
    encoded = encode(made, transfer_syntax_uid=_output_syntax(task, source, cleaned))
    checked = verify.verify(
        encoded, evidence, allow=line.allowances(subject), source=source, source_file=task.path,
        reads_pixels=task.action is not PixelAction.SYNTHESIZE,
    )  # fmt: skip
    path = write_released(task.folder, checked, replace=task.replace)
    return ReleasedFile(
        checked.sop_instance_uid, checked.sop_class_uid, checked.study_uid, checked.series_uid,
        checked.transfer_syntax_uid, path, checked.sha256,
    )  # fmt: skip


def load_model(model: str, threads: int) -> None:
    """Load the generator, so that the first image does not wait for it."""
    _generator(model, threads)


def prompt_builder() -> PromptBuilder:
    """How prompts are made for the default model: from findings, age band and view."""
    vocabulary = load_default_vocabulary()

    def build(examined: Examined, findings: Sequence[Finding]) -> Prompt:
        return build_prompt(findings, vocabulary, age_years=examined.age_years, view=examined.view)

    return build


def _assemble(
    task: ReleaseTask, source: Dataset, header: Dataset, subject: Subject, uids: UidMap,
    *, cleaned: CleanedPixels | None,
) -> Dataset:  # fmt: skip
    """The new data set, by the pixel action and the kind of object."""
    provenance = Provenance(
        node_version=__version__, profile=task.line.profile_name,
        profile_digest=task.line.profile_digest, generation=task.generation,
        created=task.created, lexicon_sha256=task.line.lexicon_sha256,
    )  # fmt: skip
    if task.action is PixelAction.SYNTHESIZE:
        if task.counterpart is None:
            raise InstanceError("counterpart-missing")
        return assemble_counterpart(header, task.counterpart, provenance)
    if "EncapsulatedDocument" in source:
        raise InstanceError("encapsulated-document", "(0042,0011)")
    if "ContentSequence" in source:
        undecoded = read_source(task.path, with_pixels=False)
        content = scrub_report(undecoded, task.witnesses, task.line, subject, uids)
        return assemble_report(header, source, root_item(content), provenance)
    if task.action is PixelAction.CLEAN:
        return assemble_cleaned(header, source, cleaned, provenance)
    if task.action in (PixelAction.KEEP, PixelAction.NONE, PixelAction.COORDINATES):
        return assemble_kept(header, source, provenance)
    raise InstanceError("no-action", task.action.value)


def _clean(task: ReleaseTask, source: Dataset) -> CleanedPixels | None:
    """Pixels without burned-in text; None where they leave as they are."""
    if task.action is not PixelAction.CLEAN:
        return None
    from updp_node.pixels.clean import clean_pixels  # noqa: PLC0415  # networks, OpenCV

    if task.line.cleaning is None:
        raise InstanceError("no-action", task.action.value)
    return clean_pixels(source, task.line.cleaning)


def _output_syntax(task: ReleaseTask, source: Dataset, cleaned: CleanedPixels | None) -> str:
    """Pixels that keep their values keep their transfer syntax; the others are native."""
    if task.action in (PixelAction.KEEP, PixelAction.CLEAN) and cleaned is None:
        return str(source.file_meta.TransferSyntaxUID)
    return "1.2.840.10008.1.2.1"


@lru_cache(maxsize=1)
def _generator(model: str, threads: int) -> Generator:
    from updp_node.pixels.generator import load_generator  # noqa: PLC0415  # torch

    return load_generator(model, threads=threads)


def _read_chest(source: Dataset, age_years: int | None) -> tuple[int, tuple[Finding, ...]]:
    """Age band and findings as the image itself shows them, where nothing else tells."""
    display = to_display(source, decode(source)[0])
    if age_years is None:
        age_years = 0 if looks_child(display) else ADULT_FROM_YEARS
    child = age_years < ADULT_FROM_YEARS
    return age_years, read_image(display, child=child)
