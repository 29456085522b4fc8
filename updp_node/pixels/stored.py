"""Samples as they are stored, and pictures of them that show whatever text they hold."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, convert_color_space
from pydicom.uid import UID, JPEGBaseline8Bit, JPEGExtended12Bit

from updp_node.errors import InstanceError
from updp_node.pixels.frames import PASSED_ON, TABLE_FAULTS, read_shape, to_display

_LOSSY = frozenset(
    {
        str(JPEGBaseline8Bit), str(JPEGExtended12Bit),
        *(f"1.2.840.10008.1.2.4.{number}" for number in (81, 91, 93, 112, 203)),
    }
)  # fmt: skip
_ALIKE_LEVELS = 2.0


@dataclass(frozen=True, slots=True)
class Stored:
    """Decoded samples, not converted.

    Attributes
    ----------
    frames : ndarray, shape (frames, rows, columns) or (frames, rows, columns, samples)
        May be written to.
    photometric_interpretation : str
        Of the samples as they are here: decoding undoes the colour transforms of JPEG 2000.
    """

    frames: NDArray[Any]
    photometric_interpretation: str

    @property
    def is_index(self) -> bool:
        """Whether samples are indices into a palette."""
        return self.photometric_interpretation == "PALETTE COLOR"


def is_lossy(source: Dataset) -> bool:
    """Whether the transfer syntax may lose (PS3.5 A.4); JPEG 2000 may and may not."""
    return str(source.file_meta.TransferSyntaxUID) in _LOSSY


def decode_stored(source: Dataset) -> Stored:
    """Decode every frame without converting colours, but for subsampled ones, which become RGB.

    Parameters
    ----------
    source : pydicom.Dataset
        With its File Meta Information; not changed.

    Raises
    ------
    InstanceError
        ``undecodable-pixels``, ``oversized-pixels``, as `updp_node.pixels.frames.decode`.
    """
    shape = read_shape(source)
    try:
        decoder = get_decoder(UID(source.file_meta.TransferSyntaxUID))
        array, properties = decoder.as_array(source, raw=True)
        frames = np.array(array, order="C").reshape(shape)
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - pylibjpeg-rle: PanicException is no Exception
        raise InstanceError("undecodable-pixels", type(error).__name__) from None
    told = str(properties["photometric_interpretation"])
    if told == "YBR_FULL_422":  # decoded it is 4:4:4, of which classes allow RGB alone everywhere
        frames, told = convert_color_space(frames, "YBR_FULL", "RGB"), "RGB"
    return Stored(frames, told)


def show(source: Dataset, stored: Stored, number: int) -> list[NDArray[np.uint8]]:
    """Pictures of a frame: each window and range that may show text.

    Returns
    -------
    list of ndarray of uint8, shape (rows, columns, 3)
        One at least; of several that hardly differ, one.

    Raises
    ------
    InstanceError
        ``undisplayable-pixels``: a palette that does not fit the samples.
    """
    frame = stored.frames[number]
    try:
        if stored.is_index or frame.ndim == 3:
            return [_show_colour(source, stored, frame)]
    except TABLE_FAULTS as error:
        raise InstanceError("undisplayable-pixels", type(error).__name__) from None
    pictures = [_stretch(frame, 0, 100), _stretch(frame, 0.5, 99.5)]
    with suppress(InstanceError):  # a window that is none hides nothing: the range shows it all
        pictures.insert(0, to_display(source, frame))
    kept: list[NDArray[np.uint8]] = []
    for picture in pictures:
        if all(_differ(picture, other) for other in kept):
            kept.append(picture)
    return [np.repeat(picture[..., None], 3, axis=2) for picture in kept]


def _show_colour(source: Dataset, stored: Stored, frame: NDArray[Any]) -> NDArray[np.uint8]:
    if stored.is_index:
        frame = apply_color_lut(frame, source)
    elif stored.photometric_interpretation.startswith("YBR") and frame.dtype == np.uint8:
        frame = convert_color_space(frame, "YBR_FULL", "RGB")
    shown = frame[..., :3]
    return np.asarray(shown, np.uint8) if shown.dtype == np.uint8 else _stretch(shown, 0, 100)


def _stretch(frame: NDArray[Any], lowest: float, highest: float) -> NDArray[np.uint8]:
    """Eight bits from one percentile of the samples to another; an 8-bit range stays whole."""
    if frame.dtype == np.uint8 and (lowest, highest) == (0, 100) and frame.max() > 1:
        return np.asarray(frame, np.uint8)
    values = np.nan_to_num(frame.astype(np.float64))
    low, high = np.percentile(values, [lowest, highest])
    if high <= low:
        return np.zeros(frame.shape, np.uint8)
    scaled = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(np.round(scaled * 255), np.uint8)


def _differ(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Whether two pictures show different things; one turned black for white does not count."""
    one, other = first.astype(np.int16), second.astype(np.int16)
    change = min(np.abs(one - other).mean(), np.abs(one - (255 - other)).mean())
    return bool(change > _ALIKE_LEVELS)
