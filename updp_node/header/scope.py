"""What one walk over one instance knows, and how it writes a value down.

Every value that leaves is an encoded element of explicit VR little endian in UTF-8: pydicom
writes such elements as they are, and decodes them when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from updp_node.header.residual import Identifiers
from updp_node.header.rules import CompiledProfile
from updp_node.header.values import Element
from updp_node.subject import Subject, UidMap

UTF8 = "utf8"
CleanText = Callable[[str], str]


class Mode(StrEnum):
    """How the attributes of an item are treated that their own rules would keep."""

    KEEP = "keep"
    CLEAN = "clean"  # text is cleaned
    STRUCTURED = "structured"  # content items, by their concept names
    DUMMY = "dummy"  # the whole sequence had D: structure stays, values go


@dataclass(frozen=True, slots=True)
class Scope:
    """What the walk over one instance needs everywhere.

    Attributes
    ----------
    is_signed : bool
        Pixel Representation (0028,0103) of the source: fixes the VR ``US or SS``.
    study_uid : str
        Study Instance UID of the source: a reference by it names the study, not an instance.
    private_blocks : set of (int, str)
        Collects group and creator of the private blocks that stay.
    """

    rules: CompiledProfile
    subject: Subject
    uids: UidMap
    clean_text: CleanText | None
    identifiers: Identifiers
    is_signed: bool = False
    study_uid: str = ""
    private_blocks: set[tuple[int, str]] = field(default_factory=set)

    @property
    def times(self) -> str:
        """What becomes of times with modified dates."""
        return self.rules.profile.times


def encoded(tag: int, vr: str, value: bytes) -> RawDataElement:
    """An element of explicit VR little endian; padded to even length (PS3.5 6.2)."""
    if len(value) & 1:
        value += b"\0" if vr in {"UI", "OB", "UN"} else b" "
    return RawDataElement(BaseTag(tag), vr, len(value), value, 0, False, True)


def encoded_text(tag: int, vr: str, text: str) -> RawDataElement:
    """The same from text."""
    return encoded(tag, vr, text.encode("utf-8"))


def new_item(elements: dict[BaseTag, Element]) -> Dataset:
    """A data set of encoded elements; an item inherits the character set of the whole."""
    item = Dataset(elements, parent_encoding=[UTF8])
    item.set_original_encoding(False, True, [UTF8])
    return item
