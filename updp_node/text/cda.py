"""Clinical documents (HL7 CDA) made anew: what is not known to be free of identity is left out.

The header is written from nothing but the document's kind, dates and new identifiers; of the
body, narrative is scrubbed as one text for each section, and entries keep published codes,
numbers and moved times. Attached pictures and bodies that are not XML are refused.

References
----------
HL7 CDA Release 2, 4.2 (header), 4.3 (body), 4.3.5 (narrative block); PS3.3 A.45.2, C.24.2;
PS3.15 Table E.1-1 (0042,0011).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from updp_node.errors import InstanceError
from updp_node.text.cda_values import XSI_TYPE, Values, is_time
from updp_node.text.content import ContentScrubber
from updp_node.text.markup import Node, read_markup, write_markup
from updp_node.text.runs import Leaf, scrub_leaves

SPACE = "urn:hl7-org:v3"
_PREFIXES = {XSI_TYPE.split()[0]: "xsi"}
_TYPE_ID = {"root": "2.16.840.1.113883.1.3", "extension": "POCD_HD000040"}
_HEADER = frozenset(
    "realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode "
    "setId versionNumber recordTarget author custodian component".split()
)
_BODY = frozenset(
    "component structuredBody section entry observation act organizer procedure encounter "
    "substanceAdministration supply entryRelationship referenceRange observationRange consumable "
    "manufacturedProduct manufacturedMaterial templateId id code title text statusCode "
    "effectiveTime priorityCode languageCode confidentialityCode value interpretationCode "
    "methodCode targetSiteCode approachSiteCode routeCode doseQuantity rateQuantity repeatNumber "
    "low high center width period phase numerator denominator qualifier name translation "
    "originalText reference".split()
)
_KNOWN = _BODY | {"realmCode", "versionNumber"}
_ATTACHED = frozenset("nonXMLBody observationMedia regionOfInterest thumbnail".split())
_HOLDERS = frozenset(
    "component entry entryRelationship referenceRange consumable manufacturedProduct".split()
)
_SAYING = frozenset({"title", "text", "originalText", "value", "name", "reference"})
_INLINE = frozenset({"content", "sub", "sup", "linkHtml", "footnote", "footnoteRef"})
_CELLS = frozenset({"td", "th"})
_NARRATIVE = (
    _INLINE
    | _CELLS
    | frozenset("paragraph list item caption table thead tbody tfoot tr col colgroup br".split())
)
_COUNTS = frozenset({"rowspan", "colspan"})


@dataclass(frozen=True, slots=True)
class CleanedDocument:
    """A document made anew.

    Attributes
    ----------
    content : bytes
    instance_id : str
        Its new instance identifier; empty where it has none.
    spans, removed : int
        Identifiers replaced in text; elements left out.
    """

    content: bytes
    instance_id: str
    spans: int
    removed: int


def clean_cda(content: bytes, writer: ContentScrubber) -> CleanedDocument:
    """The document without identifiers.

    Parameters
    ----------
    writer : ContentScrubber
        Of this instance; counts what it replaces.

    Raises
    ------
    InstanceError
        ``unreadable-document``, ``document-has-attachment``, ``unscrubbed-date``,
        ``text-too-long``.
    """
    source = read_markup(content)
    if source.name != "ClinicalDocument" or source.space != SPACE:
        raise InstanceError("unreadable-document", "no clinical document")
    cleaner = _Cleaner(writer)
    made = cleaner.document(source)
    written = write_markup(made, _PREFIXES)
    named = [child.attributes.get("root", "") for child in made.elements if child.name == "id"]
    return CleanedDocument(written, named[0] if named else "", writer.spans, cleaner.removed)


class _Cleaner:
    def __init__(self, writer: ContentScrubber) -> None:
        self._writer = writer
        self._values = Values(writer)
        self.removed = 0

    def document(self, source: Node) -> Node:
        made = Node("ClinicalDocument", SPACE)
        seen: set[str] = set()
        for child in source.elements:
            if child.space != SPACE or child.name not in _HEADER:
                self.removed += 1
            elif child.name in {"recordTarget", "author", "custodian"}:
                made.children += [] if child.name in seen else [self._participant(child.name)]
            elif child.name == "typeId":
                made.children.append(Node("typeId", SPACE, dict(_TYPE_ID)))
            elif child.name == "setId":
                made.children.append(Node("setId", SPACE, {"root": self._values.replace_id(child)}))
            elif (cleaned := self._element(child, times=False, narrative=False)) is not None:
                made.children.append(cleaned)
            seen.add(child.name)
        if "component" not in seen:
            raise InstanceError("unreadable-document", "no body")
        return made

    def _participant(self, name: str) -> Node:
        """Who a document must name, without saying who it is (CDA 4.2.2)."""
        masked = {"nullFlavor": "MSK"}
        if name == "recordTarget":
            called = Node("name", SPACE, {}, [self._writer.subject.pseudonym])
            inner = [Node("id", SPACE, dict(masked)), Node("patient", SPACE, {}, [called])]
            return _nested([name, "patientRole"], inner)
        if name == "author":
            made = _nested([name, "assignedAuthor"], [Node("id", SPACE, dict(masked))])
            made.children.insert(0, Node("time", SPACE, dict(masked)))
            return made
        path = [name, "assignedCustodian", "representedCustodianOrganization"]
        return _nested(path, [Node("id", SPACE, dict(masked))])

    def _element(self, source: Node, *, times: bool, narrative: bool) -> Node | None:
        """An element of the body made anew; None where it is left out."""
        if source.name in _ATTACHED or source.attributes.get("representation") == "B64":
            raise InstanceError("document-has-attachment")
        if source.space != SPACE or source.name not in _KNOWN:
            self.removed += 1
            return None
        if narrative and source.name == "text":
            return self._block(source)
        times = is_time(source, times)
        made = Node(source.name, SPACE, self._values.attributes_of(source, is_time=times))
        if source.name == "reference":
            return self._reference(source, made)
        for child in source.elements:
            inside = self._element(child, times=times, narrative=source.name == "section")
            made.children += [] if inside is None else [inside]
        said = "".join(child for child in source.children if isinstance(child, str)).strip()
        if said and source.name in _SAYING:
            made.children.insert(0, self._writer.clean(said))
        if source.name in _HOLDERS and not made.children:
            self.removed += 1
            return None
        return made

    def _reference(self, source: Node, made: Node) -> Node | None:
        """A pointer into the narrative; pointers to anything else are left out."""
        target = source.attributes.get("value", "")
        if not target.startswith("#") or source.elements:
            self.removed += 1
            return None
        made.attributes = {"value": f"#{self._values.anchor(target[1:])}"}
        return made

    def _block(self, source: Node) -> Node:
        """The narrative of a section, scrubbed as one text."""
        leaves: list[Leaf] = []
        made = self._copy_narrative(source, leaves)
        scrub_leaves(leaves, self._writer)
        _fill(made, iter(leaves))
        return made

    def _copy_narrative(self, source: Node, leaves: list[Leaf]) -> Node:
        made = Node(source.name, SPACE, self._style(source))
        for child in source.children:
            if isinstance(child, str):
                leaves.append(Leaf(child))
                made.children.append("")
            elif child.name in _ATTACHED or child.name == "renderMultiMedia":
                raise InstanceError("document-has-attachment")
            elif child.space != SPACE or child.name not in _NARRATIVE:
                self.removed += 1
            else:
                made.children.append(self._copy_narrative(child, leaves))
                if child.name not in _INLINE and leaves:
                    leaves[-1].ends_with = " " if child.name in _CELLS else "\n"
        return made

    def _style(self, source: Node) -> dict[str, str]:
        made = {name: value for name, value in source.attributes.items()
                if name in _COUNTS and value.isdigit() and len(value) < 4}  # fmt: skip
        for name in ("ID", "IDREF"):
            if name in source.attributes:
                made[name] = self._values.anchor(source.attributes[name])
        return made


def _fill(node: Node, leaves: Iterator[Leaf]) -> None:
    """Put the scrubbed texts where the empty ones stand, in the same order."""
    for number, child in enumerate(node.children):
        if isinstance(child, str):
            node.children[number] = next(leaves).text
        else:
            _fill(child, leaves)


def _nested(path: list[str], inner: list[Node]) -> Node:
    made = Node(path[-1], SPACE, {}, list(inner))
    for name in reversed(path[:-1]):
        made = Node(name, SPACE, {}, [made])
    return made
