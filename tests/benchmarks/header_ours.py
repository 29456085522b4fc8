"""Our own ways to take a file through, for ``tests.benchmarks.header``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydicom import Dataset

from tests.benchmarks.header_peers import Step, main
from updp_node import verify
from updp_node.assemble import encode
from updp_node.header import CompiledProfile, compile_profile, deidentify, load_profile, walk
from updp_node.header.profile import Override
from updp_node.line import Line, make_line
from updp_node.model import PixelAction
from updp_node.pipeline import ReleaseTask, release_instance
from updp_node.reading import read_source
from updp_node.subject import ProjectKey, UidMap, identify_subject

KEY = ProjectKey(b"benchmark key of thirty-two byte")
_CONTENT = ("ContentSequence", "TextValue", "CodeMeaning", "ConceptNameCodeSequence")


def make_header() -> Step:
    """The header stage with the Basic Profile: read, de-identify, write."""
    return _header_step(compile_profile(load_profile("basic")))


def make_walked() -> Step:
    """The same, with the content tree walked and kept: every text of it is searched."""
    walk._LEFT_OUT = frozenset()
    kept = tuple(Override(keyword=name, action="K", why="benchmark") for name in _CONTENT)
    profile = load_profile("basic").model_copy(update={"overrides": kept})
    return _header_step(compile_profile(profile))


def _header_step(rules: CompiledProfile) -> Step:
    def step(source: str, target: str) -> None:
        read = read_source(Path(source))
        Path(target).write_bytes(_deidentify(read, rules))

    return step


def _deidentify(source: Dataset, rules: CompiledProfile) -> bytes:
    subject = identify_subject(KEY, project="B", issuer="", patient_id=str(source.PatientID))
    header = deidentify(source, rules, subject, UidMap(subject, rules.digest), clean_text=None)
    return encode(header, transfer_syntax_uid=str(source.file_meta.TransferSyntaxUID))


def make_line_step() -> Step:
    """`release_instance`: header, content tree or pixels, assembly, gate, file made durable."""
    line = _line()
    made = ReleaseTask(
        Path(), line, PixelAction.NONE, 1, Path(), datetime.now(UTC), replace=True
    )  # fmt: skip

    def step(source: str, target: str) -> None:
        action = PixelAction.NONE if Path(source).stem == "sr" else PixelAction.KEEP
        folder = Path(target).parent / "released"
        folder.mkdir(exist_ok=True)
        release_instance(replace(made, path=Path(source), action=action, folder=folder))

    return step


def make_gate() -> Step:
    """The gate alone, over what the line released: evidence of the source, search."""
    line = _line()
    release = make_line_step()
    encoded: dict[str, bytes] = {}

    def step(source: str, target: str) -> None:
        read = sources.setdefault(source, read_source(Path(source)))
        if source not in encoded:
            release(source, target)
            (path,) = (Path(target).parent / "released").rglob("*.dcm")
            encoded[source] = path.read_bytes()
        allowed = line.allowances(line.subject_of(read))
        verify.verify(encoded[source], verify.read_evidence([read]), allow=allowed)

    sources: dict[str, Dataset] = {}
    return step


def _line() -> Line:
    sys.modules["torch"] = None  # type: ignore[assignment]  # as in a worker process
    return make_line("pixel-passthrough", key=KEY, project="B", pseudonym="{project}-{code}")


OURS: dict[str, Callable[[], Step]] = {
    "header": make_header,
    "walked": make_walked,
    "line": make_line_step,
    "gate": make_gate,
}

if __name__ == "__main__":
    main(OURS)
