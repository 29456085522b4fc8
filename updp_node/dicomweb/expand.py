"""Compressed objects in Explicit VR Little Endian, decoded frame by frame while they are sent.

References
----------
PS3.18 8.7.3: default transfer syntax. PS3.5 8.1.1, A.2 (native pixel data); PS3.10 7.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_file_meta_info
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian

from updp_node.dicomweb.elements import Kind, Path, Walk, read_fragments
from updp_node.dicomweb.multipart import Span, read_spans
from updp_node.dicomweb.pixels import Image, read_image
from updp_node.dicomweb.render import decode_frame
from updp_node.errors import InstanceError
from updp_node.research.files import StoredFile

_PHOTOMETRIC, _PLANAR = 0x00280004, 0x00280006
_TABLES = frozenset({0x7FE00001, 0x7FE00002, 0x7FE00003})
_MADE_RGB = frozenset({"YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"})
_LARGEST = 0xFFFFFFFE
_SHORT_HEAD, _LONG_HEAD = 8, 12


def expand(stored: StoredFile) -> tuple[Iterator[bytes], int]:
    """The object with native pixel data.

    Parameters
    ----------
    stored : StoredFile
        Encapsulated, explicit VR.

    Returns
    -------
    tuple of (iterator of bytes, int)
        A Part 10 file in pieces, and its size.

    Raises
    ------
    InstanceError
        ``transcoding-impossible``: nothing to decode, too large, or no decoder can; found out
        with the first frame, before anything is returned.
    """
    image = read_image(stored)
    if image is None or not image.is_encapsulated:
        raise InstanceError("transcoding-impossible", "no encapsulated pixel data")
    first = decode_frame(image, 1).tobytes()
    size = len(first) * image.frames
    if size + size % 2 > _LARGEST:
        raise InstanceError("transcoding-impossible", "too large for native pixel data")
    before, after = _surroundings(image)
    meta = _write_meta(stored)
    head = pack("<HH2s2xI", 0x7FE0, 0x0010, _pixel_vr(image), size + size % 2)
    kept = sum(len(p) if isinstance(p, bytes) else p[1] for p in (*before, *after))

    def pieces() -> Iterator[bytes]:
        yield meta
        yield from _copy(stored, before)
        yield head
        yield from _decode_frames(image, first)
        yield b"\0" * (size % 2)
        yield from _copy(stored, after)

    return pieces(), len(meta) + kept + len(head) + size + size % 2


def _decode_frames(image: Image, first: bytes) -> Iterator[bytes]:
    yield first
    for number in range(2, image.frames + 1):
        raw = decode_frame(image, number).tobytes()
        if len(raw) != len(first):
            raise InstanceError("transcoding-impossible", "frames differ in size")
        yield raw


def _pixel_vr(image: Image) -> bytes:
    return b"OB" if int(image.header.get("BitsAllocated") or 0) <= 8 else b"OW"


def _write_meta(stored: StoredFile) -> bytes:
    """Preamble and File Meta Information with the other transfer syntax."""
    meta = read_file_meta_info(stored.path)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    encoded = DicomBytesIO()
    write_file_meta_info(encoded, meta, enforce_standard=True)
    return b"\0" * 128 + b"DICM" + encoded.getvalue()


def _surroundings(image: Image) -> tuple[list[bytes | Span], list[bytes | Span]]:
    """What stands before and behind the pixel data: stretches of the file, and what is new."""
    stored = image.stored
    before: list[bytes | Span] = []
    at = stored.data_offset
    for tag, start, end in _replaced(image):
        before.append((at, start - at))
        before.append(_new_element(image, tag))
        at = end
    before.append((at, image.pixels.offset - _LONG_HEAD - at))
    last = image.pixels.offset
    for offset, length in read_fragment_spans(image):
        last = offset + length
    behind = last + 8
    return before, [(behind, stored.data_offset + stored.data_size - behind)]


def read_fragment_spans(image: Image) -> list[Span]:
    """All items of the pixel data, the Basic Offset Table among them."""
    with image.stored.path.open("rb") as file:
        return list(read_fragments(file, image.pixels.offset))


def _replaced(image: Image) -> Iterator[tuple[int, int, int]]:
    """Elements at the top that change or go: tag, start and end in the file."""
    stored = image.stored
    wanted: set[Path] = {(tag,) for tag in (_PHOTOMETRIC, _PLANAR, *_TABLES)}
    with stored.path.open("rb", buffering=1 << 16) as file:
        for event in Walk(file, stored.transfer_syntax_uid, stored.data_offset, stored.data_size):
            if event.path == image.pixels.path:
                return
            if event.kind is Kind.VALUE and event.path in wanted:
                head = _LONG_HEAD if event.tag in _TABLES else _SHORT_HEAD
                yield event.tag, event.offset - head, event.offset + event.length


def _new_element(image: Image, tag: int) -> bytes:
    """The element of decoded pixels; offset tables have none (PS3.3 C.7.6.3.1.8)."""
    if tag in _TABLES:
        return b""
    if tag == _PLANAR:
        return pack("<HH2sHH", 0x0028, 0x0006, b"US", 2, 0)
    held = str(image.header.get("PhotometricInterpretation") or "")
    text = b"RGB " if held in _MADE_RGB else held.encode("ascii", "replace")
    text += b" " * (len(text) % 2)
    return pack("<HH2sH", 0x0028, 0x0004, b"CS", len(text)) + text


def _copy(stored: StoredFile, parts: list[bytes | Span]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            yield from read_spans(stored.path, [part])
