"""Where the frames of a stored object lie: by arithmetic, by its offset tables or by its fragments.

References
----------
PS3.5 8.1.1 (native), A.4 (encapsulated, offset tables); PS3.3 C.7.6.3.1.8 (extended offsets).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pydicom.uid import ImplicitVRLittleEndian

from updp_node.dicomweb.elements import (
    PIXEL_DATA,
    Event,
    Kind,
    Path,
    Walk,
    leads_to,
    read_fragments,
)
from updp_node.dicomweb.multipart import Span
from updp_node.errors import InstanceError
from updp_node.research.files import StoredFile

LAYOUT = frozenset(
    {
        0x00080005, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011,
        0x00280100, 0x00280101, 0x00280102, 0x00280103,
    }
)  # fmt: skip
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_START_MARKERS = (b"\xff\xd8", b"\xff\x4f")  # JPEG and JPEG-LS; JPEG 2000
_LARGEST_HEADER = 16 << 20


@dataclass(frozen=True, slots=True)
class Image:
    """An image object as it lies in its file.

    Attributes
    ----------
    stored : StoredFile
    header : pydicom.Dataset
        The attributes that were asked for.
    pixels : Event
        The pixel data element.
    offsets, lengths : Event or None
        Extended Offset Table and its lengths.
    frames : int
    """

    stored: StoredFile
    header: Dataset
    pixels: Event
    offsets: Event | None
    lengths: Event | None
    frames: int

    @property
    def is_encapsulated(self) -> bool:
        """Whether the frames are compressed or at least in fragments."""
        return self.pixels.kind is Kind.FRAGMENTS

    @property
    def frame_bits(self) -> int:
        """Size of a native frame; frames of one-bit images need not begin at a byte."""
        header = self.header
        samples = int(header.get("SamplesPerPixel") or 1)
        if header.get("PhotometricInterpretation") == "YBR_FULL_422":
            samples = 2
        bits = int(header.get("BitsAllocated") or 0)
        return int(header.get("Rows") or 0) * int(header.get("Columns") or 0) * samples * bits


def read_image(
    stored: StoredFile, *, wanted: frozenset[int] = LAYOUT, items: Iterable[Path] = ()
) -> Image | None:
    """Find the pixel data and read some attributes.

    Parameters
    ----------
    stored : StoredFile
    wanted : frozenset of int
        Tags of attributes at the top of the data set.
    items : iterable of path
        Items of sequences whose elements are read as if they stood at the top.

    Returns
    -------
    Image or None
        None: the object has no pixel data.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``.
    """
    items = frozenset(items)
    is_implicit = stored.transfer_syntax_uid == ImplicitVRLittleEndian
    reader = _HeaderReader(wanted | LAYOUT, items, is_implicit=is_implicit)
    with stored.path.open("rb", buffering=1 << 16) as file:
        walk = Walk(
            file, stored.transfer_syntax_uid, stored.data_offset, stored.data_size,
            into=leads_to(items),
        )  # fmt: skip
        for event in walk:
            reader.take(file, event)
            if len(event.path) == 1 and event.tag in PIXEL_DATA:
                return reader.finish(stored, event)
    return None


class _HeaderReader:
    def __init__(
        self, wanted: frozenset[int], items: frozenset[Path], *, is_implicit: bool
    ) -> None:
        self._is_implicit = is_implicit
        self._wanted = wanted
        self._items = items
        self._elements: dict[int, RawDataElement] = {}
        self._tables: dict[int, Event] = {}
        self._begun: dict[Path, int] = {}

    def take(self, file: BinaryIO, event: Event) -> None:
        if event.kind is Kind.SEQUENCE and self._is_wanted(event.path):
            self._begun[event.path] = event.offset
        elif event.kind is Kind.SEQUENCE_END and event.path in self._begun:
            start = self._begun.pop(event.path)
            self._keep(file, event.tag, "SQ", start, event.offset - start)
        elif event.kind is Kind.VALUE and event.path in ((_OFFSETS,), (_LENGTHS,)):
            self._tables[event.tag] = event
        elif event.kind is Kind.VALUE and self._is_wanted(event.path):
            self._keep(file, event.tag, event.vr, event.offset, event.length)

    def _is_wanted(self, path: Path) -> bool:
        """At the top by tag; in a chosen item everything that stands directly in it."""
        return path[-1] in self._wanted if len(path) == 1 else path[:-1] in self._items

    def _keep(self, file: BinaryIO, tag: int, vr: str, offset: int, length: int) -> None:
        if length > _LARGEST_HEADER:
            raise InstanceError("released-file-unreadable", "an attribute of an image is too long")
        file.seek(offset)
        raw = file.read(length)
        self._elements[tag] = RawDataElement(
            Tag(tag), vr, length, raw, offset, self._is_implicit, True, True, False
        )

    def finish(self, stored: StoredFile, pixels: Event) -> Image:
        header = Dataset({Tag(tag): self._elements[tag] for tag in sorted(self._elements)})
        header.set_original_encoding(self._is_implicit, True)
        try:
            frames = int(header.get("NumberOfFrames") or 1)
        except (TypeError, ValueError) as error:
            raise InstanceError("released-file-unreadable", "(0028,0008)") from error
        tables = self._tables
        return Image(
            stored, header, pixels, tables.get(_OFFSETS), tables.get(_LENGTHS), max(frames, 1)
        )


def find_frames(image: Image, numbers: Sequence[int]) -> Iterator[list[Span]]:
    """Where frames lie in the file.

    Parameters
    ----------
    image : Image
        Of whole bytes a frame if native; else see `read_bits`.
    numbers : sequence of int
        Frames, from 1, in any order.

    Yields
    ------
    list of (int, int)
        Offset and length of the stretches that a frame consists of.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``: frames cannot be told apart.
    """
    if not image.is_encapsulated:
        size = image.frame_bits // 8
        if not size or image.frames * size > image.pixels.length:
            raise InstanceError("released-file-unreadable", "fewer pixels than its attributes say")
        yield from ([(image.pixels.offset + (each - 1) * size, size)] for each in numbers)
        return
    with image.stored.path.open("rb", buffering=4096) as file:
        yield from _Fragments(image, file).find(numbers)


def read_bits(image: Image, number: int) -> bytes:
    """One frame of an image of single bits, moved to the beginning of a byte (PS3.5 8.1.1)."""
    start = (number - 1) * image.frame_bits
    first, last = start // 8, (start + image.frame_bits + 7) // 8
    with image.stored.path.open("rb") as file:
        file.seek(image.pixels.offset + first)
        raw = np.frombuffer(file.read(last - first), dtype=np.uint8)
    bits = np.unpackbits(raw, bitorder="little")[start % 8 :][: image.frame_bits]
    return np.packbits(bits, bitorder="little").tobytes()


class _Fragments:
    """The frames of an encapsulated value."""

    def __init__(self, image: Image, file: BinaryIO) -> None:
        self._image = image
        self._file = file
        offset, length = next(read_fragments(file, image.pixels.offset))
        self._first = offset + length
        self._table = (offset, length)

    def find(self, numbers: Sequence[int]) -> Iterator[list[Span]]:
        image = self._image
        starts = self._read_starts()
        if starts is None:
            starts = self._scan()
        if len(starts) != image.frames:
            raise InstanceError("released-file-unreadable", "frames cannot be told apart")
        sizes = self._read_sizes()
        for number in numbers:
            start = starts[number - 1]
            end = starts[number] if number < image.frames else None
            spans = list(self._spans(start, end))
            yield spans if sizes is None else [(spans[0][0], min(sizes[number - 1], spans[0][1]))]

    def _spans(self, start: int, end: int | None) -> Iterator[Span]:
        for offset, length in read_fragments(self._file, self._first + start):
            if end is not None and offset - 8 >= self._first + end:
                return
            yield offset, length

    def _read_starts(self) -> array[int] | None:
        """Starts of the frames behind the Basic Offset Table, as a table tells."""
        image = self._image
        if image.offsets is not None:
            return self._numbers("Q", image.offsets.offset, image.offsets.length)
        if image.frames == 1:
            return array("Q", [0])
        return self._numbers("I", *self._table) if self._table[1] else None

    def _read_sizes(self) -> array[int] | None:
        lengths = self._image.lengths
        if lengths is None or self._image.offsets is None:
            return None
        sizes = self._numbers("Q", lengths.offset, lengths.length)
        return sizes if len(sizes) == self._image.frames else None

    def _numbers(self, code: str, offset: int, length: int) -> array[int]:
        numbers = array(code)
        self._file.seek(offset)
        numbers.frombytes(self._file.read(length - length % numbers.itemsize))
        return numbers

    def _scan(self) -> array[int]:
        """Without a table: a fragment for each frame, or a codestream that begins with each."""
        all_starts, marked = array("Q"), array("Q")
        for offset, _ in read_fragments(self._file, self._first):
            all_starts.append(offset - 8 - self._first)
            self._file.seek(offset)
            if self._file.read(2) in _START_MARKERS:
                marked.append(offset - 8 - self._first)
        return all_starts if len(all_starts) == self._image.frames else marked
