"""A released instance in an uncompressed transfer syntax, made frame by frame.

The stored instance is not changed and keeps its SOP Instance UID: what is decoded is the same
image (PS3.5 A.4). Memory is the header and one frame.

References
----------
PS3.5 A.1, A.2 and A.4: native and encapsulated encoding. PS3.4 C.4.3.2: transfer syntaxes of
sub-operations.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

from pydicom import Dataset
from pydicom.filebase import DicomFileLike
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from updp_node.errors import InstanceError
from updp_node.research.files import StoredFile, read_head

TARGETS = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
"""What instances can be transcoded to; the first that is accepted is taken."""

_READABLE = "1.2.840.10008.1.2.4", "1.2.840.10008.1.2.5"
_PIXELS = {0x7FE00008: b"OF", 0x7FE00009: b"OD", 0x7FE00010: b"OW"}
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_COPIED_BYTES = 1 << 20


class TranscodingError(Exception):
    """The instance cannot be brought into the wanted form."""


@contextmanager
def transcode(path: Path, accepted: Sequence[str]) -> Iterator[StoredFile]:
    """Make an instance in a transfer syntax that is accepted; the file goes at the end.

    Parameters
    ----------
    path : pathlib.Path
        A released Part 10 file.
    accepted : sequence of str
        Transfer syntax UIDs.

    Yields
    ------
    StoredFile
        A temporary file that is the data set alone.

    Raises
    ------
    InstanceError
        ``transcoding-impossible``: no uncompressed syntax is accepted, or the pixels cannot be
        decoded.
    """
    target = next((each for each in TARGETS if each in accepted), None)
    if target is None:
        raise InstanceError("transcoding-impossible", "no uncompressed syntax is accepted")
    with tempfile.NamedTemporaryFile(prefix="updp-transcoded-") as made:
        try:
            _write(path, target, made.file)
            made.flush()
            size = made.tell()
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - pylibjpeg-rle: PanicException is no Exception
            raise InstanceError("transcoding-impossible", type(error).__name__) from None
        yield StoredFile(Path(made.name), str(target), 0, size)


def _write(path: Path, target: UID, made: IO[bytes]) -> None:
    stored = read_head(path)
    syntax = UID(stored.transfer_syntax_uid)
    if syntax not in TARGETS and not syntax.startswith(_READABLE):
        raise TranscodingError("no native and no encapsulated syntax")
    with path.open("rb") as file:
        file.seek(stored.data_offset)
        header = _read_header(file, syntax)
        head = _read_pixel_head(file, syntax)
        if head is None:
            _write_header(made, header, target)
            return
        tag, length = head
        if length == _UNDEFINED:
            start = file.tell()
            _write_decoded(file, header, syntax, target, made)
            file.seek(start)
            _skip_fragments(file)
        else:
            _write_header(made, header, target)
            made.write(_pixel_head(tag, length, header, target))
            _copy(file, made, length)
        rest = read_dataset(file, syntax.is_implicit_VR, True)
        _write_header(made, rest, target)


def _read_header(file: BinaryIO, syntax: UID) -> Dataset:
    """Everything before the pixels; the file then stands at their tag, or at its end."""
    return read_dataset(
        file,
        syntax.is_implicit_VR,
        True,
        stop_when=lambda tag, _vr, _length: int(tag) in _PIXELS,
    )


def _read_pixel_head(file: BinaryIO, syntax: UID) -> tuple[int, int] | None:
    """Tag and length of the pixels; None where the instance has none."""
    size = 8 if syntax.is_implicit_VR else 12
    head = file.read(size)
    if not head:
        return None
    group, element = struct.unpack_from("<HH", head)
    (length,) = struct.unpack_from("<I", head, size - 4)
    return group << 16 | element, length


def _write_decoded(
    file: BinaryIO, header: Dataset, syntax: UID, target: UID, made: IO[bytes]
) -> None:
    """Decode frame by frame; what the first frame turns out to be is written before it."""
    if header.BitsAllocated == 1:
        raise TranscodingError("encapsulated single bits")
    options = as_pixel_options(header, pixel_keyword="PixelData", pixel_vr="OB")
    frames = get_decoder(syntax).iter_array(file, raw=False, **options)
    count = int(header.get("NumberOfFrames") or 1)
    total = seen = 0
    for array, properties in frames:
        frame = array.tobytes()
        if not total:
            total = len(frame) * count
            if total + total % 2 >= _UNDEFINED:
                raise TranscodingError("longer than an element may be")
            _describe(header, properties)
            _write_header(made, header, target)
            made.write(_pixel_head(_PIXEL_DATA, total + total % 2, header, target))
        made.write(frame)
        seen += len(frame)
    if not total or seen != total:
        raise TranscodingError("another number of frames than the header says")
    made.write(b"\0" * (total % 2))


def _describe(header: Dataset, properties: dict[str, Any]) -> None:
    """What decoding changed of the Image Pixel attributes (PS3.3 C.7.6.3)."""
    header.PhotometricInterpretation = properties["photometric_interpretation"]
    if int(properties["samples_per_pixel"]) > 1:
        header.PlanarConfiguration = int(properties["planar_configuration"])
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in header:
            del header[keyword]


def _write_header(made: IO[bytes], header: Dataset, target: UID) -> None:
    if not len(header):
        return
    writer = DicomFileLike(made)
    writer.is_little_endian = True
    writer.is_implicit_VR = target.is_implicit_VR
    write_dataset(writer, header)


def _pixel_head(tag: int, length: int, header: Dataset, target: UID) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not target.is_implicit_VR:
        is_bytes = tag == _PIXEL_DATA and header.BitsAllocated <= 8
        head += (b"OB" if is_bytes else _PIXELS[tag]) + b"\0\0"
    return head + struct.pack("<I", length)


def _copy(source: IO[bytes], target: IO[bytes], length: int) -> None:
    while length:
        part = source.read(min(length, _COPIED_BYTES))
        if not part:
            raise TranscodingError("the pixels are cut short")
        target.write(part)
        length -= len(part)


def _skip_fragments(file: IO[bytes]) -> None:
    """Go behind the Sequence Delimitation Item of encapsulated pixels (PS3.5 A.4)."""
    while True:
        group, element, length = struct.unpack("<HHI", file.read(8))
        tag = group << 16 | element
        if tag == _DELIMITER:
            return
        if tag != _ITEM:
            raise TranscodingError("no item where a fragment should be")
        file.seek(length, os.SEEK_CUR)
