"""Instances that carry the attributes of Table E.1-1 at every place where their IOD names them.

Each instance holds, beside what the IOD names, the remaining rows three more times: at the top
level (a Standard Extended SOP Class), in items that the IOD names, and in items that it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from pydicom import dcmread, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.oracle.tables import Branch, Row, branches, rows, tag_of, vr_of
from tests.oracle.values import planted_value

_TEXT_STAGE = frozenset({"ContentSequence", "EncapsulatedDocument"})
_ELSEWHERE = frozenset({"OverlayData", "CurveData", "OverlayComments"})
_WRITTEN_ANEW = frozenset({"DeidentificationMethodCodeSequence", "DeidentificationActionSequence",
                           "PrivateDataElementCharacteristicsSequence"})  # fmt: skip
_LEFT_OUT = _TEXT_STAGE | _ELSEWHERE | _WRITTEN_ANEW
_KEPT = "Manufacturer"  # not in the table and never changed: only what is around it removes it
_NOWHERE = ("VOILUTSequence", "ModalityLUTSequence")
_DEEPEST = 7


@dataclass
class Planted:
    """One attribute of an instance, and what the oracle knows of its place.

    `types` are those that the IOD gives; `is_place_named` tells whether the IOD names the data
    set or item around it; `row` is None for sequences that the table does not list.
    """

    where: tuple[str, ...]
    tag: int
    vr: str
    row: Row | None
    types: frozenset[str]
    is_place_named: bool
    value: object = None
    items: list[list[Planted]] = field(default_factory=list)

    @property
    def keyword(self) -> str:
        return self.where[-1]


@dataclass
class Factory:
    """Makes one instance; numbers its canaries."""

    sop_class: str
    number: int = 1

    def make(self) -> list[Planted]:
        """Everything that is planted."""
        root = branches(self.sop_class)
        level = self._branch(root, (), 0)
        level += self._rest(level, (), is_named=True)
        inner = self._rest([], _NOWHERE, is_named=False)
        level = [one for one in level if one.keyword != _NOWHERE[0]]
        level.append(self._nested(_NOWHERE, [inner], root))
        host = next(self._hosts(level), None)
        if host is not None:
            host.items[0] += self._rest(host.items[0], host.where, is_named=True)
        return level

    def _branch(self, branch: Branch, where: tuple[str, ...], depth: int) -> list[Planted]:
        level = []
        for keyword, below in branch.below.items():
            if keyword in _LEFT_OUT or (depth == _DEEPEST and below.below):
                continue
            path = (*where, keyword)
            one = self._plant(path, frozenset(below.types), is_named=True)
            if below.below:
                one.vr, one.value = "SQ", None
                one.items = [self._branch(below, path, depth + 1)]
            level.append(one)
        return level

    def _rest(
        self, level: list[Planted], where: tuple[str, ...], *, is_named: bool
    ) -> list[Planted]:
        """The rows that are not in a level yet."""
        there = {one.keyword for one in level}
        return [
            self._plant((*where, keyword), frozenset(), is_named=is_named)
            for keyword in rows()
            if keyword not in there | _LEFT_OUT
        ]

    def _plant(self, where: tuple[str, ...], types: frozenset[str], *, is_named: bool) -> Planted:
        keyword = where[-1]
        tag, vr = tag_of(keyword), vr_of(keyword)
        one = Planted(where, tag, vr, rows().get(keyword), types, is_named)
        if vr == "SQ":
            one.items = [[
                self._plant((*where, inner), frozenset(), is_named=False)
                for inner in ("ReferencedSOPInstanceUID", "InstitutionName", "StudyDate", _KEPT)
            ]]  # fmt: skip
        else:
            one.value = planted_value(keyword, tag, vr, self.number)
            self.number += 3
        return one

    def _nested(self, path: tuple[str, ...], items: list[list[Planted]], root: Branch) -> Planted:
        """Sequences within sequences that the IOD does not name from the second one on."""
        inner = Planted(path, tag_of(path[-1]), "SQ", None, frozenset(), False, items=items)
        named = root.below.get(path[0])
        return Planted(
            path[:1], tag_of(path[0]), "SQ", None,
            frozenset(named.types) if named else frozenset(), True, items=[[inner]],
        )  # fmt: skip

    def _hosts(self, level: list[Planted]) -> Iterator[Planted]:
        """Sequences of the second level that neither the table lists nor what is around them."""
        for one in level:
            if one.vr == "SQ" and one.row is None and one.where[0] != _NOWHERE[0]:
                for inner in one.items[0]:
                    if inner.vr == "SQ" and inner.row is None and inner.is_place_named:
                        yield inner


def to_dataset(level: list[Planted]) -> Dataset:
    """A data set of what was planted."""
    made = Dataset()
    for one in level:
        value = [to_dataset(item) for item in one.items] if one.vr == "SQ" else one.value
        made[one.tag] = DataElement(one.tag, one.vr, value)
    return made


def read_back(encoded: bytes) -> Dataset:
    """The data set as it comes from a file."""
    return dcmread(BytesIO(encoded))


def write(source: Dataset) -> bytes:
    """A data set as a Part 10 file."""
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    dcmwrite(buffer, source, enforce_file_format=True)
    return buffer.getvalue()
