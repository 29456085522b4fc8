"""Structured reports: the content tree made anew, fail closed, and its findings."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from updp_node.errors import InstanceError
from updp_node.model import Finding
from updp_node.subject import Subject, UidMap
from updp_node.text.coded import enumerated
from updp_node.text.content import ContentScrubber
from updp_node.text.findings import extract_findings, load_finding_rules
from updp_node.text.identity import Identity
from updp_node.text.items import ContentPolicy
from updp_node.text.links import Place, named_place, plan_places
from updp_node.text.narrative import narrate
from updp_node.text.scrub import Replacement, Scrubber

_LEADS_TO_REFERENCES = (
    "ContentSequence", "ReferencedSOPSequence", "ReferencedSeriesSequence",
    "CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence",
)  # fmt: skip
_ENCAPSULATED = frozenset(f"1.2.840.10008.5.1.4.1.1.104.{number}" for number in range(1, 6))


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What takes the place of a report's content tree.

    Attributes
    ----------
    content : pydicom.Sequence or None
        The new Content Sequence of the root.
    concept_name : pydicom.Sequence or None
        Concept Name Code Sequence of the root: the title.
    continuity : str
        Continuity of Content of the root.
    template : pydicom.Sequence or None
        Content Template Sequence of the root.
    findings : tuple of Finding
    spans : int
        Identifiers replaced.
    removed : int
        Content items left out by Table E.3.4-1.
    text : str
        The new report as a person reads it.
    has_coordinates : bool
        Content rests on coordinates in other objects.
    issued : frozenset of str
        Words of every surrogate that was written.
    verification_flag : str
        What Verification Flag must say: the verifying observer is gone.
    """

    content: Sequence | None
    concept_name: Sequence | None
    continuity: str
    template: Sequence | None
    findings: tuple[Finding, ...]
    spans: int
    removed: int
    text: str
    has_coordinates: bool
    issued: frozenset[str] = frozenset()
    verification_flag: str = "UNVERIFIED"


def is_report(source: Dataset) -> bool:
    """Whether an object is a structured report with a content tree.

    References
    ----------
    PS3.3 C.17.1 (SR Document Series), C.17.3 (SR Document Content).
    """
    return str(source.get("Modality") or "") == "SR" and "ContentSequence" in source


def narrative(source: Dataset) -> str:
    """Section headings and text of a report, for reading.

    Raises
    ------
    InstanceError
        ``encapsulated-document``, ``content-too-deep``.
    """
    _refuse_encapsulated(source)
    return narrate(source)


def scrub_content(  # noqa: PLR0917 - the line calls it with all it knows of a report
    source: Dataset, scrubber: Scrubber, identity: Identity, subject: Subject, uids: UidMap,
    replacement: Replacement, *, policy: ContentPolicy, known: frozenset[str] = frozenset(),
) -> ReportContent:  # fmt: skip
    """A new content tree without identifiers; the source is not changed.

    Of every content item only what its value type defines is carried over. Names are replaced,
    dates moved or replaced, references and UIDs relinked, text scrubbed.

    Parameters
    ----------
    identity : Identity
        What the headers of the study say.
    replacement : Replacement
    policy : ContentPolicy
        What the profile asks of content trees.
    known : frozenset of str
        `ReportContent.issued` of the run that made this tree: its surrogates stay.

    Raises
    ------
    InstanceError
        ``encapsulated-document``, ``content-too-deep``, ``unknown-value-type``,
        ``unscrubbed-date``, ``unreadable-attribute``, ``text-too-long``.

    References
    ----------
    PS3.3 C.17.3; PS3.15 E.3.4 (Clean Structured Content Option), Table E.3.4-1.
    """
    _refuse_encapsulated(source)
    writer = ContentScrubber(
        scrubber,
        identity,
        subject,
        uids,
        replacement,
        policy,
        named_instances(source),
        known,
    )
    root = Dataset()
    if source.get("ConceptNameCodeSequence"):
        root.ConceptNameCodeSequence = writer.rewrite_codes(source.ConceptNameCodeSequence)
    writer.rewrite_template(source, root)
    if source.get("ContentSequence"):
        root.ContentSequence = _rewrite_tree(source, writer)
    text = narrate(root)
    return ReportContent(
        content=root.get("ContentSequence"),
        concept_name=root.get("ConceptNameCodeSequence"),
        continuity=enumerated(source, "ContinuityOfContent") or "SEPARATE",
        template=root.get("ContentTemplateSequence"),
        findings=extract_findings(text, load_finding_rules(None, scrubber.lexicons.language)),
        spans=writer.spans,
        removed=writer.removed,
        text=text,
        has_coordinates=writer.has_coordinates,
        issued=frozenset(writer.issued),
    )


def named_instances(source: Dataset) -> frozenset[str]:
    """SOP Instance UIDs that the content tree, or the evidence in its header, refers to."""
    found: set[str] = set()
    waiting = [source]
    while waiting:
        item = waiting.pop()
        for keyword in _LEADS_TO_REFERENCES:
            waiting.extend(item.get(keyword) or [])
        found.add(str(item.get("ReferencedSOPInstanceUID") or ""))
    return frozenset(found - {""})


def _rewrite_tree(source: Dataset, writer: ContentScrubber) -> Sequence:
    """The new tree, level by level, without recursion."""
    top: list[Dataset] = []
    owners: list[tuple[Dataset, list[Dataset]]] = []
    places = plan_places(source, writer.is_removed)
    waiting: list[tuple[Dataset, list[Dataset], Place]] = [(source, top, (1,))]
    while waiting:
        parent, siblings, above = waiting.pop()
        for number, item in enumerate(parent.get("ContentSequence") or [], start=1):
            place = (*above, number)
            if place not in places:
                writer.removed += 1
                continue
            made = writer.rewrite(item)
            if target := named_place(item):
                made.ReferencedContentItemIdentifier = list(places[target])
            siblings.append(made)
            if item.get("ContentSequence"):
                children: list[Dataset] = []
                owners.append((made, children))
                waiting.append((item, children, place))
    for owner, children in reversed(owners):
        if children:
            owner.ContentSequence = Sequence(children)
    return Sequence(top)


def _refuse_encapsulated(source: Dataset) -> None:
    if str(source.get("SOPClassUID") or "") in _ENCAPSULATED or "EncapsulatedDocument" in source:
        raise InstanceError("encapsulated-document", "(0042,0011)")
