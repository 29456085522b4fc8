"""The line: one instance from the staged bytes to the released file.

`examine` reads an instance and says what the plan needs; `release_instance` takes it down
the line. Both run in worker processes and are pure but for the file that is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from updp_node import __version__, verify
from updp_node.assemble import (
    assemble_cleaned,
    assemble_counterpart,
    assemble_document,
    assemble_kept,
    assemble_report,
    encode,
)
from updp_node.assemble.provenance import Provenance
from updp_node.documents import (
    read_witnesses,
    root_item,
    scrub_document,
    scrub_report,
    text_cleaner,
)
from updp_node.errors import InstanceError
from updp_node.facts import (
    has_coordinates,
    read_age_years,
    read_references,
    tells_findings,
)
from updp_node.header import deidentify
from updp_node.line import Line
from updp_node.model import CleanedPixels, Counterpart, Finding, PixelAction
from updp_node.pixels.filter import (
    choose_action,
    looks_child,
    read_image,
    read_view,
    refuse_unclaimed,
    show_first,
)
from updp_node.pixels.prompt import ADULT_FROM_YEARS, choose_band
from updp_node.pixels.suggestion import reduce
from updp_node.pixels.workshop import read_vocabulary
from updp_node.plan import Examined
from updp_node.reading import read_source
from updp_node.storage.files import write_released
from updp_node.subject import Subject, UidMap

_TEXTS = frozenset({"ContentSequence", "EncapsulatedDocument"})
_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})

COUNTERPART_SOP_CLASS = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage: a synthetic image has no physical scale (PS3.3 A.8.1)."""


@dataclass(frozen=True, slots=True)
class ExamineTask:
    """An instance to be examined."""

    path: Path
    line: Line


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
        Root of the files that are written.
    created : datetime
        Of the run, so that a repeated step writes the same bytes.
    replace : bool
        A file that an interrupted step left, never recorded and never sent, may go.
    anonymity : str
        How many people share the prompt of the counterpart, as the object tells it.
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
    anonymity: str = ""


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
    show = cache(partial(show_first, source))
    action = choose_action(source, task.line.pixel_policy, show)
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
    display: NDArray[np.uint8] | None = None
    if action is PixelAction.SYNTHESIZE:
        age_years, image_findings, display = _read_chest(show(), age_years)
        if choose_band(age_years) not in read_vocabulary(task.line.tools).bands:
            raise InstanceError("population-not-rendered", choose_band(age_years))
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
        display=display,
    )


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


def _assemble(
    task: ReleaseTask, source: Dataset, header: Dataset, subject: Subject, uids: UidMap,
    *, cleaned: CleanedPixels | None,
) -> Dataset:  # fmt: skip
    """The new data set, by the pixel action and the kind of object."""
    provenance = Provenance(
        node_version=__version__, profile=task.line.profile_name,
        profile_digest=task.line.profile_digest, generation=task.generation,
        created=task.created, lexicon_sha256=task.line.lexicon_sha256,
        solver=task.line.profile.pixels.solver, anonymity=task.anonymity,
    )  # fmt: skip
    if task.action is PixelAction.SYNTHESIZE:
        if task.counterpart is None:
            raise InstanceError("counterpart-missing")
        return assemble_counterpart(header, task.counterpart, provenance)
    if _TEXTS.intersection(source.dir()) and _PIXELS.intersection(source.dir()):
        raise InstanceError("pixels-beside-text")
    if "EncapsulatedDocument" in source:
        document = scrub_document(source, task.witnesses, task.line, subject, uids)
        return assemble_document(header, document, provenance)
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


def _read_chest(
    display: NDArray[np.uint8], age_years: int | None
) -> tuple[int, tuple[Finding, ...], NDArray[np.uint8]]:
    """Age band and findings as the image itself shows them, and the image, reduced."""
    if age_years is None:
        age_years = 0 if looks_child(display) else ADULT_FROM_YEARS
    child = age_years < ADULT_FROM_YEARS
    return age_years, read_image(display, child=child), reduce(display)
