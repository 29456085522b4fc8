"""What a document says of its own language, and its free text.

References
----------
PS3.16 TID 1200 (Language Designation), CID 5000 (Languages); HL7 CDA R2 4.2.1.5 (languageCode);
ISO 32000-2, 14.9.2 (Natural language specification).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from updp_node.text.coded import code_of
from updp_node.text.items import ContentPolicy, item_action
from updp_node.text.language import read_tag
from updp_node.text.markup import Node, read_markup
from updp_node.text.narrative import walk_content

_LANGUAGE_OF = frozenset({"121047", "121048", "121049"})  # of value; name and value; item and below
_SPOKEN = "languageCommunication"
_UNREADABLE = "mis"  # a language without a code of its own (ISO 639-2)


@dataclass(frozen=True, slots=True)
class Speech:
    """What a document says, and in which languages it says so.

    Attributes
    ----------
    declared : frozenset of str
        Languages as `read_tag` reads them; none where the document does not tell.
    texts : tuple of str
    """

    declared: frozenset[str]
    texts: tuple[str, ...]

    @classmethod
    def none(cls) -> Speech:
        """A document that says nothing, in no language."""
        return cls(frozenset(), ())


def listen_to_report(source: Dataset, policy: ContentPolicy) -> Speech:
    """Languages of a structured report, of a part as well, and the TEXT values that stay.

    A report of which no text stays, such as one of radiation dose, may be in any language.

    Raises
    ------
    InstanceError
        ``content-too-deep``.

    References
    ----------
    PS3.16 TID 1200: Language of Content Item and Descendants (121049, DCM).
    """
    declared: set[str] = set()
    texts: list[str] = []
    for item, _ in walk_content(source):
        value, scheme = code_of(item)
        if scheme == "DCM" and value in _LANGUAGE_OF:
            declared |= {_language_of(code) for code in item.get("ConceptCodeSequence") or []}
        elif str(item.get("ValueType") or "") == "TEXT":
            stays = item_action(item, "TEXT", policy) in {"C", "K"}
            texts += [str(item.get("TextValue") or "")] if stays else []
    return Speech(frozenset(declared - {""}), tuple(texts)) if texts else Speech.none()


def listen_to_cda(content: bytes) -> Speech:
    """Language codes and narrative of a clinical document.

    Raises
    ------
    InstanceError
        ``unreadable-document``.
    """
    declared: set[str] = set()
    texts: list[str] = []
    for node in _walk(read_markup(content)):
        if node.name == "languageCode":
            declared.add(read_tag(node.attributes.get("code", "")))
        elif node.name == "text":
            texts.append(" ".join(each.strip() for each in node.texts()))
    return Speech(frozenset(declared - {""}), tuple(texts))


def listen_to_pdf(text: str, tag: str) -> Speech:
    """The text of a PDF and its catalogue's ``/Lang``."""
    told = read_tag(tag)
    return Speech(frozenset({told} if told else ()), (text,))


def _language_of(code: Dataset) -> str:
    """Language of a code; whatever is no tag is none that a pack is for."""
    value = str(code.get("CodeValue") or code.get("LongCodeValue") or "")
    return read_tag(value) if value.strip() else _UNREADABLE


def _walk(root: Node) -> Iterator[Node]:
    """Every element but those that say which languages a person speaks."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += (each for each in reversed(node.elements) if each.name != _SPOKEN)
