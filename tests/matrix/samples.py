"""Packaged samples down the line: how often the gate holds an object that tells nobody.

The samples are those of pydicom's wheel, real and damaged ones among them, and those of the
development data set where it is there. Where a sample has no patient, study or series it gets
them, so that it reaches the gate.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pydicom
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.factories.modules import make_uid
from updp_node.errors import InstanceError
from updp_node.line import Line, make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.subject import ProjectKey

GATE_CODES = frozenset(
    """residual-identifier residual-uid residual-date missing-attribute new-conformance-error
    identity-not-marked-removed file-meta-differs file-meta-tells preamble-not-empty
    pixel-length-differs unreadable-output unreadable-attribute unreadable-document
    unreadable-pixels""".split()
)
"""Reasons that the gate gives; a stage before it may give `unreadable-attribute` too."""

HELD_RIGHTLY = {
    "cr_chest_burned_in_rle.dcm": "name and date stand in the pixels",
    "ct_scout_burned_in.dcm": "name and date stand in the pixels",
    "us_greyscale.dcm": "name, number and dates stand in the pixels",
    "examples_jpeg2k.dcm": "the hospital of its header stands in the pixels",
    "examples_rgb_color.dcm": "the hospital of its header stands in the pixels",
    "examples_palette.dcm": "number and date of its header stand in the pixels",
    "JPEG-lossy.dcm": "no decoder reads its pixels: scan header of another process",
    "JPEG2000-embedded-sequence-delimiter.dcm": "its codestream is cut in pieces on purpose",
}
"""Samples that the gate must hold, each looked at, with the reason."""

_PACKAGED = Path(pydicom.__file__).parent / "data"
_SHARED = Path(os.environ.get("UPDP_SHARED", Path(__file__).parents[2].with_name("shared")))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a sample: `code` is empty where it was released."""

    name: str
    code: str
    detail: str = ""

    @property
    def is_held_by_gate(self) -> bool:
        return self.code in GATE_CODES

    @property
    def is_false(self) -> bool:
        return self.is_held_by_gate and self.name not in HELD_RIGHTLY


def find_samples() -> list[Path]:
    folders = [_PACKAGED / "test_files", _PACKAGED / "charset_files", _SHARED / "data" / "dicom"]
    return [path for folder in folders for path in sorted(folder.glob("*.dcm"))]


def run_samples(profile: str, folder: Path) -> Iterator[Outcome]:
    """Take every sample that pydicom reads down the line, alone."""
    line = make_line(
        profile, key=ProjectKey(bytes(range(32))), project="S", pseudonym="{project}-{code}"
    )
    for number, path in enumerate(find_samples()):
        prepared = _prepare(path, folder / f"{number}.dcm")
        if prepared is not None:
            yield _run(path.name, prepared, line, folder)


def _prepare(path: Path, target: Path) -> Path | None:
    """A copy that names a patient, a study and a series; None where it cannot be read."""
    try:
        source = dcmread(path, force=True)
        if "SOPClassUID" not in source:
            return None
        for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            if not source.get(keyword):
                setattr(source, keyword, make_uid(keyword, path.name))
        if str(source.get("PatientID") or "").upper() in {"", "ANONYMOUS", "TEST", "UNKNOWN"}:
            source.PatientID = f"PID{path.stem[:20]}77"
        if not source.file_meta.get("TransferSyntaxUID"):
            is_implicit = source.original_encoding[0]
            source.file_meta.TransferSyntaxUID = (
                ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
            )
        source.file_meta.MediaStorageSOPInstanceUID = source.SOPInstanceUID
        source.save_as(target)
    except Exception:  # noqa: BLE001  # some samples are made to break readers
        return None
    return target


def _run(name: str, path: Path, line: Line, folder: Path) -> Outcome:
    try:
        examined = examine(ExamineTask(path, line))
        release_instance(ReleaseTask(
            path=path, line=line, action=examined.action, generation=1, folder=folder / "out",
            created=datetime(2026, 1, 1, tzinfo=UTC), replace=True,
        ))  # fmt: skip
    except InstanceError as error:
        return Outcome(name, error.code, error.detail)
    return Outcome(name, "")
