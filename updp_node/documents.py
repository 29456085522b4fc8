"""Text on the line: reports made anew, single attributes cleaned, with the study's identifiers.

The text engine is heavy; each worker process loads it once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from functools import lru_cache, partial
from pathlib import Path

from pydicom import Dataset

from updp_node.assemble.encapsulated import NewDocument, lay_out
from updp_node.errors import InstanceError
from updp_node.line import Line
from updp_node.reading import read_source
from updp_node.subject import Subject, UidMap
from updp_node.text.cda import clean_cda
from updp_node.text.content import ContentScrubber
from updp_node.text.declared import Speech, listen_to_cda, listen_to_pdf, listen_to_report
from updp_node.text.identity import RETAINED_WITH, Identity, read_identity
from updp_node.text.items import ContentPolicy
from updp_node.text.language import LanguageJudge, choose_language
from updp_node.text.pdf import read_pdf, read_pdf_language
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement, Scrubber, load_scrubber

_KINDS = {
    "1.2.840.10008.5.1.4.1.1.104.1": ("pdf", "application/pdf"),
    "1.2.840.10008.5.1.4.1.1.104.2": ("cda", "text/xml"),
}


def scrub_report(
    source: Dataset, witnesses: tuple[Path, ...], line: Line, subject: Subject, uids: UidMap
) -> ReportContent:
    """The content tree of a report made anew, and its findings.

    Raises
    ------
    InstanceError
        ``unread-language``; or the report cannot be cleaned.
    """
    policy = _policy_of(line)
    return scrub_content(
        source, _scrubber_of(listen_to_report(source, policy), line),
        _identity_of(source, witnesses, line), subject, _uids_of(line, subject, uids),
        Replacement(line.replacement), policy=policy,
    )  # fmt: skip


def scrub_document(
    source: Dataset, witnesses: tuple[Path, ...], line: Line, subject: Subject, uids: UidMap
) -> NewDocument:
    """An encapsulated document made anew, by its kind and the profile.

    Raises
    ------
    InstanceError
        ``encapsulated-document``: a kind that is not cleaned, or that the profile holds back;
        ``unread-language``; or the document cannot be cleaned.

    References
    ----------
    PS3.3 A.45.1 (Encapsulated PDF), A.45.2 (Encapsulated CDA), C.24.2.
    """
    kind = _kind_of(source)
    rules = line.profile.documents
    content = bytes(source.EncapsulatedDocument or b"")
    if length := source.get("EncapsulatedDocumentLength"):
        content = content[: int(length)]
    writer = partial(
        ContentScrubber, identity=_identity_of(source, witnesses, line), subject=subject,
        uids=uids, replacement=Replacement(line.replacement), policy=_policy_of(line),
    )  # fmt: skip
    if kind == "cda" and rules.cda == "clean":
        cleaned = clean_cda(content, writer(_scrubber_of(listen_to_cda(content), line)))
        return NewDocument(cleaned.content, "text/XML", cleaned.instance_id)
    if kind == "pdf" and rules.pdf == "text":
        text = read_pdf(content)
        scrubber = _scrubber_of(listen_to_pdf(text, read_pdf_language(content)), line)
        return NewDocument(lay_out(writer(scrubber).clean(text)), "application/pdf")
    raise InstanceError("encapsulated-document", "(0042,0011)")


def _scrubber_of(speech: Speech, line: Line) -> Scrubber:
    """The text engine for the language of a document."""
    strict = line.profile.report.unread_language == "quarantine"
    judges = [_judge(*pack) for pack in line.text_packs]
    language = choose_language(speech.declared, speech.texts, judges, strict=strict)
    return _scrubber(language, line.site_lexicons)


def _kind_of(source: Dataset) -> str:
    """What SOP Class and MIME type agree on: ``cda``, ``pdf`` or nothing."""
    mime = str(source.get("MIMETypeOfEncapsulatedDocument") or "").strip(" \0").lower()
    found = _KINDS.get(str(source.get("SOPClassUID") or ""))
    return found[0] if found is not None and mime == found[1] else ""


def _policy_of(line: Line) -> ContentPolicy:
    return ContentPolicy(frozenset(line.profile.options), line.profile.times)


def _uids_of(line: Line, subject: Subject, uids: UidMap) -> UidMap:
    if "Retain UIDs" not in line.rules.options:
        return uids
    return _RetainedUids(subject, uids.profile_digest, uids.generations, uids.replaced_classes)


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
    strict = line.profile.report.unread_language == "quarantine"
    return partial(
        _clean, identity=identity, subject=subject, replacement=replacement, pack=line.text_pack,
        strict=strict,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _clean(
    text: str, *, identity: Identity, subject: Subject, replacement: Replacement,
    pack: tuple[str, Path | None], strict: bool,
) -> str:  # fmt: skip
    """Text of one attribute cleaned; nothing of one in a language that the pack does not read."""
    scrubber = _scrubber(*pack)
    if strict and _judge(*pack).name_other(text):
        return ""
    return scrubber.scrub(text, identity, subject, replacement, closed=False).text


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


@lru_cache(maxsize=4)
def _scrubber(language: str, site: Path | None) -> Scrubber:
    """The text engine of this process for a language, loaded when it is first needed."""
    return load_scrubber(None, language, site)


@lru_cache(maxsize=4)
def _judge(language: str, site: Path | None) -> LanguageJudge:
    """Who tells what texts the engine of a language does not read."""
    return LanguageJudge(_scrubber(language, site).lexicons)


def load_text_engine(packs: Collection[tuple[str, Path | None]] = (("en", None),)) -> None:
    """Load the text engines, so that the first report does not wait for them.

    Parameters
    ----------
    packs : collection of pairs
        `Line.text_packs` of the lines of this node.
    """
    for language, site in packs:
        _judge(language, site)
