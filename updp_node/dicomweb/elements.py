"""The elements of a stored object, walked in the file: where each value lies, not what it is.

Nothing but element and item headers is read, so that an object of any size costs the same
memory.

References
----------
PS3.5 7.1 (data elements), 7.5 (sequences), A.4 (encapsulated pixel data).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from struct import Struct, error
from typing import BinaryIO, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.uid import ImplicitVRLittleEndian

from updp_node.errors import InstanceError

UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_TAG = Struct("<HH")
_HEAD = Struct("<HHI")
_EXPLICIT = Struct("<HH2sH")
_LENGTH = Struct("<I")
_DEEPEST = 32

Path = tuple[int, ...]
"""Tags and item numbers (from 1) in turn: ``(0x54000100, 1, 0x54001010)``."""


class Kind(Enum):
    """What was met."""

    VALUE = "value"
    FRAGMENTS = "fragments"  # an encapsulated value
    SEQUENCE = "sequence"
    ITEM = "item"
    ITEM_END = "item end"
    SEQUENCE_END = "sequence end"


class Event(NamedTuple):
    """One step of the walk.

    Attributes
    ----------
    kind : Kind
    path : tuple of int
        Of the element or item.
    vr : str
    offset : int
        Where the value, item or first fragment begins; at an end, where it ended.
    length : int
        Of the value; -1 where it is not known beforehand.
    """

    kind: Kind
    path: Path
    vr: str
    offset: int
    length: int

    @property
    def tag(self) -> int:
        """Tag of the element."""
        return self.path[-1]


class Walk:
    """Walks the data set of a Part 10 file.

    Parameters
    ----------
    file : binary file
        Open for reading; the walk moves its position.
    transfer_syntax_uid : str
        Of the data set. Little endian; what is released is never deflated.
    start : int
        Where the data set begins.
    size : int
        How many bytes it has.
    into : callable, optional
        Whether a sequence or an item is walked into; what says its length is else jumped over.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``: the elements do not fit the file.
    """

    def __init__(
        self, file: BinaryIO, transfer_syntax_uid: str, start: int, size: int,
        *, into: Callable[[Path], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        self._file = file
        self._at = start
        self._end = start + size
        self._content_end = start
        self._into = into
        self._explicit = transfer_syntax_uid != ImplicitVRLittleEndian

    def __iter__(self) -> Iterator[Event]:
        return self._elements((), self._end, explicit=self._explicit)

    def _elements(self, path: Path, end: int, *, explicit: bool) -> Iterator[Event]:
        """Elements of a data set or item up to its end or delimiter."""
        if len(path) > 2 * _DEEPEST:
            raise InstanceError("released-file-unreadable", "nested too deeply")
        while self._at < end:
            tag, vr, length = self._element_head(explicit)
            if tag == _ITEM_END:
                self._content_end = self._at - 8
                return
            here = (*path, tag)
            undefined = length == UNDEFINED
            if tag in PIXEL_DATA and undefined:
                yield Event(Kind.FRAGMENTS, here, vr, self._at, -1)
                self._skip_fragments()
            elif vr == "SQ" or undefined:
                nested = explicit and vr != "UN"  # PS3.5 6.2.2: UN of unknown length is implicit
                yield from self._sequence(here, length, explicit=nested)
            else:
                self._require(length)
                yield Event(Kind.VALUE, here, vr, self._at, length)
                self._at += length
        self._content_end = self._at

    def _sequence(self, path: Path, length: int, *, explicit: bool) -> Iterator[Event]:
        end = self._end if length == UNDEFINED else self._at + self._require(length)
        yield Event(Kind.SEQUENCE, path, "SQ", self._at, -1 if length == UNDEFINED else length)
        number, closed = 0, self._at
        if length != UNDEFINED and not self._into(path):
            self._at = closed = end
        while self._at < end:
            closed = self._at
            tag, size = self._item_head()
            if tag == _SEQUENCE_END:
                break
            if tag != _ITEM:
                raise InstanceError("released-file-unreadable", "no item in a sequence")
            number += 1
            yield from self._item((*path, number), size, explicit=explicit)
            closed = self._at
        yield Event(Kind.SEQUENCE_END, path, "SQ", closed, 0)

    def _item(self, path: Path, size: int, *, explicit: bool) -> Iterator[Event]:
        end = self._end if size == UNDEFINED else self._at + self._require(size)
        yield Event(Kind.ITEM, path, "", self._at, -1 if size == UNDEFINED else size)
        if size != UNDEFINED and not self._into(path):
            self._at = self._content_end = end
        else:
            yield from self._elements(path, end, explicit=explicit)
        yield Event(Kind.ITEM_END, path, "", self._content_end, 0)

    def _skip_fragments(self) -> None:
        while True:
            tag, size = self._item_head()
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise InstanceError("released-file-unreadable", "no fragment in pixel data")
            self._at += self._require(size)

    def _element_head(self, explicit: bool) -> tuple[int, str, int]:
        head = self._read(8)
        group, element = _TAG.unpack_from(head)
        tag = (group << 16) | element
        if not explicit or group == 0xFFFE:
            return tag, _implicit_vr(tag), _LENGTH.unpack_from(head, 4)[0]
        _, _, vr, short = _EXPLICIT.unpack(head)
        if vr in _SHORT_VRS:
            return tag, vr.decode(), short
        if vr not in _LONG_VRS:
            raise InstanceError("released-file-unreadable", "unknown value representation")
        return tag, vr.decode(), _LENGTH.unpack(self._read(4))[0]

    def _item_head(self) -> tuple[int, int]:
        group, element, size = _HEAD.unpack(self._read(8))
        return (group << 16) | element, size

    def _read(self, count: int) -> bytes:
        self._require(count)
        self._file.seek(self._at)
        content = self._file.read(count)
        if len(content) != count:
            raise InstanceError("released-file-unreadable", "shorter than it says")
        self._at += count
        return content

    def _require(self, count: int) -> int:
        if count > self._end - self._at:
            raise InstanceError("released-file-unreadable", "a length beyond the end")
        return count


def leads_to(wanted: Iterable[Path]) -> Callable[[Path], bool]:
    """Whether a sequence or item lies on the way to one of some paths, for `Walk`."""
    paths = tuple(wanted)
    return lambda path: any(each[: len(path)] == path for each in paths)


def read_fragments(file: BinaryIO, offset: int) -> Iterator[tuple[int, int]]:
    """Where the fragments of an encapsulated value lie; the first is the Basic Offset Table.

    Parameters
    ----------
    file : binary file
    offset : int
        Of the first item.

    Returns
    -------
    iterator of (int, int)
        Offset and length of each.
    """
    while True:
        file.seek(offset)
        try:
            group, element, size = _HEAD.unpack(file.read(8))
        except error as short:
            raise InstanceError("released-file-unreadable", "pixel data without end") from short
        tag = (group << 16) | element
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise InstanceError("released-file-unreadable", "no fragment in pixel data")
        yield offset + 8, size
        offset += 8 + size


def _implicit_vr(tag: int) -> str:
    if tag & 0xFFFF == 0:
        return "UL"
    if (tag >> 16) & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return "UN"
    return _resolve(vr)


def _resolve(vr: str) -> str:
    """Ambiguous VRs of implicit objects: words where a choice of bytes or numbers is open."""
    if " or " not in vr:
        return vr
    return "OW" if "OW" in vr else "US"
