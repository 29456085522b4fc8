"""Text on the line: reports made anew, single attributes cleaned, with the study's identifiers.

The text engine is heavy; each worker process loads it once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache, partial
from pathlib import Path

from pydicom import Dataset

from updp_node.line import Line
from updp_node.reading import read_source
from updp_node.subject import Subject, UidMap
from updp_node.text.identity import RETAINED_WITH, Identity, read_identity
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement, Scrubber, load_scrubber


def scrub_report(
    source: Dataset, witnesses: tuple[Path, ...], line: Line, subject: Subject, uids: UidMap
) -> ReportContent:
    """The content tree of a report made anew, and its findings."""
    if "Retain UIDs" in line.rules.options:
        uids = _RetainedUids(subject, uids.profile_digest, uids.generations, uids.replaced_classes)
    return scrub_content(
        source, _scrubber(), _identity_of(source, witnesses, line), subject, uids,
        Replacement(line.replacement), shift_dates=line.shifts_dates,
    )  # fmt: skip


class _RetainedUids(UidMap):
    """UIDs as the source has them: the header keeps its own, so references keep theirs."""

    __slots__ = ()

    def instance(self, source_uid: str) -> str:
        return source_uid

    def other(self, source_uid: str) -> str:
        return source_uid


def root_item(content: ReportContent) -> Dataset:
    """The root content item of a scrubbed report (PS3.3 C.17.3)."""
    parts = {
        "ConceptNameCodeSequence": content.concept_name,
        "ContinuityOfContent": content.continuity,
        "ContentTemplateSequence": content.template,
        "ContentSequence": content.content,
    }
    root = Dataset()
    for keyword, value in parts.items():
        if value:
            setattr(root, keyword, value)
    return root


def text_cleaner(
    source: Dataset, witnesses: tuple[Path, ...], line: Line, subject: Subject
) -> Callable[[str], str] | None:
    """The text engine for single attributes (Clean Descriptors), or None if not asked for."""
    if not line.rules.needs_cleaner:
        return None
    identity = _identity_of(source, witnesses, line)
    replacement = Replacement(line.replacement)
    return partial(_clean, identity=identity, subject=subject, replacement=replacement)


@lru_cache(maxsize=4096)
def _clean(text: str, *, identity: Identity, subject: Subject, replacement: Replacement) -> str:
    return _scrubber().scrub(text, identity, subject, replacement).text


def _identity_of(source: Dataset, witnesses: tuple[Path, ...], line: Line) -> Identity:
    """Identifiers of the source and its study's witnesses, less what the profile retains."""
    options = line.profile.options
    retained = frozenset(
        keyword for option, keywords in RETAINED_WITH.items() if option in options
        for keyword in keywords
    )  # fmt: skip
    own, others = read_identity([source], retained), _witness_identity(witnesses, retained)
    merged = {
        part.name: tuple(sorted({*getattr(own, part.name), *getattr(others, part.name)}))
        for part in fields(Identity)
    }
    return Identity(**merged)


@lru_cache(maxsize=8)
def _witness_identity(witnesses: tuple[Path, ...], retained: frozenset[str]) -> Identity:
    return read_identity(read_witnesses(witnesses), retained)


@lru_cache(maxsize=8)
def read_witnesses(witnesses: tuple[Path, ...]) -> tuple[Dataset, ...]:
    """Headers of sources of the same study, whose identifiers must not leave either."""
    return tuple(read_source(path, with_pixels=False) for path in witnesses if path.exists())


@lru_cache(maxsize=1)
def _scrubber() -> Scrubber:
    """The text engine of this process, loaded when it is first needed."""
    return load_scrubber()


def load_text_engine() -> None:
    """Load the text engine, so that the first report does not wait for it."""
    _scrubber()
