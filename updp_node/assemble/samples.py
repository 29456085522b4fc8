"""Kept pixel data with nothing beside the values: no metadata, no surplus, no unused bits.

References
----------
PS3.3 C.7.6.3 (Image Pixel); PS3.5 8.1.1 (unused bits), 8.2, A.4 (encapsulation).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from updp_node.assemble.segments import strip_j2k, strip_jpeg, strip_rle
from updp_node.errors import InstanceError

_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))
_J2K = frozenset(JPEG2000TransferSyntaxes) | _HTJ2K
_JPEG = frozenset(JPEGTransferSyntaxes)
_JPEG_LS = frozenset(JPEGLSTransferSyntaxes)
_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_OFFSET_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_SAID = "Unused bits of the pixel data cleared"


def strip_pixels(made: Dataset, source: Dataset) -> None:
    """Take from pixel data what stands beside the values of the pixels.

    Parameters
    ----------
    made : pydicom.Dataset
        The new data set; its pixel data are replaced where something goes.
    source : pydicom.Dataset
        For the transfer syntax.

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``: a compression whose metadata cannot be taken out.
        ``undecodable-pixels``: attributes that tell the size of the pixel data are missing.
    """
    syntax = UID(source.file_meta.TransferSyntaxUID) if hasattr(source, "file_meta") else None
    for keyword in _KEYWORDS:
        if keyword not in made:
            continue
        element = made[keyword]
        if keyword == "PixelData":
            _check_high_bit(made)
        is_encapsulated = bool(source[keyword].is_undefined_length)
        if is_encapsulated:
            value = _strip_frames(made, element.value, syntax)
            refuse_unused_bits(made, source)
        else:
            value = strip_native(made, element, big=syntax == ExplicitVRBigEndian)
        made[keyword] = DataElement(
            element.tag, element.VR, value, is_undefined_length=is_encapsulated
        )


def _check_high_bit(made: Dataset) -> None:
    """Samples lie in the lowest bits: whoever reads them otherwise would see something else.

    References
    ----------
    PS3.3 C.7.6.3 (High Bit is one less than Bits Stored).
    """
    try:
        stored, high = int(made.get("BitsStored") or 0), int(made.get("HighBit") or 0)
    except (TypeError, ValueError) as error:
        raise InstanceError("undecodable-pixels", type(error).__name__) from None
    if high != stored - 1:
        raise InstanceError("undecodable-pixels", "High Bit (0028,0102)")


def refuse_unused_bits(made: Dataset, source: Dataset) -> None:
    """Compressed samples hold nothing above Bits Stored: an overlay there shows a name.

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``: they do, or they cannot be decoded.
    """
    allocated, stored = int(made.get("BitsAllocated") or 0), int(made.get("BitsStored") or 0)
    if not 0 < stored < allocated:
        return
    is_signed = made.get("PixelRepresentation") == 1
    try:
        decoder = get_decoder(UID(source.file_meta.TransferSyntaxUID))
        for frame, told in decoder.iter_buffer(source, raw=True):
            kind = np.dtype(f"<u{int(told['bits_allocated']) // 8}")
            samples = np.frombuffer(frame, kind, len(frame) // kind.itemsize)
            if _clear_bits(samples, stored, stored - 1, is_signed=is_signed) is not samples:
                raise InstanceError("pixel-metadata-unsearched", "unused bits")
    except (InstanceError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001  # decoders raise what they like
        raise InstanceError("pixel-metadata-unsearched", type(error).__name__) from None


def _strip_frames(made: Dataset, raw: bytes, syntax: UID | None) -> bytes:
    """Encapsulated frames without metadata segments; as they were where there are none."""
    if syntax not in _J2K | _JPEG | _JPEG_LS | {RLELossless}:
        raise InstanceError("pixel-metadata-unsearched", "(0002,0010)")
    try:
        frames = list(generate_frames(raw, number_of_frames=int(made.get("NumberOfFrames") or 1)))
        size = int(made.Rows) * int(made.Columns)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise InstanceError("pixel-metadata-unsearched", type(error).__name__) from None
    if syntax == RLELossless:
        stripped = [strip_rle(frame, size) for frame in frames]
    elif syntax in _J2K:
        stripped = [strip_j2k(frame) for frame in frames]
    else:
        stripped = [strip_jpeg(frame, is_ls=syntax in _JPEG_LS) for frame in frames]
    if all(
        old.rstrip(b"\0") == new.rstrip(b"\0") for old, new in zip(frames, stripped, strict=True)
    ):
        return raw
    for keyword in _OFFSET_TABLES:
        if keyword in made:
            del made[keyword]
    has_table = sum(map(len, stripped)) < 2**32 - 16 * len(stripped)
    return encapsulate(stripped, has_bot=has_table)


def strip_native(made: Dataset, element: DataElement, *, big: bool) -> bytes:
    """Native samples: as long as the attributes say, unused bits cleared.

    Raises
    ------
    InstanceError
        ``undecodable-pixels``: attributes that tell the size of the pixel data are missing, or
        say more than there is.
    """
    raw: bytes = element.value
    is_turned = big and element.VR == "OW"
    try:
        expected = get_expected_length(made)
        allocated, stored = int(made.BitsAllocated), int(made.get("BitsStored") or 0)
        high = int(made.get("HighBit", stored - 1))
        is_signed = made.get("PixelRepresentation") == 1
    except (AttributeError, TypeError, ValueError) as error:
        raise InstanceError("undecodable-pixels", type(error).__name__) from None
    if expected < 1 or len(raw) < expected:
        raise InstanceError("undecodable-pixels", "fewer pixels than the attributes say")
    if len(raw) > expected:
        raw = raw[: expected + expected % 2]
        if expected % 2:  # the padding byte; it comes first in a big-endian word of two bytes
            pad = expected - 1 if is_turned else expected
            raw = raw[:pad] + b"\0" + raw[pad + 1 :]
    if allocated not in {8, 16, 32, 64} or not 0 < stored < allocated or not stored - 1 <= high:
        return raw
    samples = np.frombuffer(
        raw, f"{'>' if big else '<'}u{allocated // 8}", len(raw) * 8 // allocated
    )
    cleared = _clear_bits(samples, stored, high, is_signed=is_signed)
    if cleared is samples:
        return raw
    said = str(made.get("DerivationDescription") or "")
    made.DerivationDescription = f"{said}; {_SAID}"[:1024] if said else _SAID
    return cleared.tobytes() + raw[cleared.nbytes :]


def _clear_bits(samples: NDArray[Any], stored: int, high: int, *, is_signed: bool) -> NDArray[Any]:
    """Samples without what unused bits hold; the same array where they hold nothing."""
    kind = samples.dtype.type
    used = kind(((1 << stored) - 1) << (high + 1 - stored))
    unused = samples & ~used
    if not unused.size or unused.min() == unused.max():
        return samples
    cleared: NDArray[Any] = samples & used
    if is_signed and high == stored - 1:
        negative = (samples & kind(1 << high)) != 0
        cleared[negative] |= ~used
    return samples if np.array_equal(cleared, samples) else cleared
