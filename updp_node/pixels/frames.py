"""Decode pixels behind a guard, and show a frame as people and detectors see it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from updp_node.errors import InstanceError

PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
MAXIMUM_SAMPLES = 2**31
PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)
TABLE_FAULTS = (
    AttributeError,
    IndexError,
    KeyError,
    NotImplementedError,
    TypeError,
    ValueError,
)
_LUMINANCE = np.array([0.299, 0.587, 0.114])


def has_pixels(source: Dataset) -> bool:
    """Whether the data set carries pixels of any kind (PS3.3 C.7.6.3)."""
    return any(keyword in source for keyword in PIXEL_KEYWORDS)


def decode(source: Dataset) -> NDArray[Any]:
    """Decode every frame of an instance.

    Parameters
    ----------
    source : pydicom.Dataset
        With its File Meta Information; not changed.

    Returns
    -------
    ndarray, shape (frames, rows, columns) or (frames, rows, columns, samples)
        Stored values; YBR is converted to RGB.

    Raises
    ------
    InstanceError
        ``undecodable-pixels``: missing attributes, a damaged or unknown encoding.
        ``oversized-pixels``: more than `MAXIMUM_SAMPLES` samples.

    References
    ----------
    PS3.5 8 and Annex A; PS3.3 C.7.6.3.
    """
    shape = read_shape(source)
    try:
        array = pixel_array(source)
        return np.asarray(array).reshape(shape)
    except PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001 - pylibjpeg-rle: PanicException is no Exception
        raise InstanceError("undecodable-pixels", type(error).__name__) from None


def read_shape(source: Dataset) -> tuple[int, ...]:
    """Frames, rows, columns and, for colour, samples.

    Raises
    ------
    InstanceError
        ``undecodable-pixels``, ``oversized-pixels``.
    """
    try:
        frames = int(source.get("NumberOfFrames") or 1)
        samples = int(source.get("SamplesPerPixel") or 1)
        shape: tuple[int, ...] = (frames, int(source.Rows), int(source.Columns))
    except (AttributeError, TypeError, ValueError, NotImplementedError) as error:
        raise InstanceError("undecodable-pixels", type(error).__name__) from None
    if min(*shape, samples) < 1:
        raise InstanceError("undecodable-pixels", "(0028,0010) (0028,0011)")
    if int(np.prod(shape, dtype=object)) * samples > MAXIMUM_SAMPLES:
        raise InstanceError("oversized-pixels", f"frames={frames}")
    return shape if samples == 1 else (*shape, samples)


def to_display(source: Dataset, frame: NDArray[Any]) -> NDArray[np.uint8]:
    """Show one decoded frame as 8-bit MONOCHROME2.

    Parameters
    ----------
    source : pydicom.Dataset
        The instance the frame was decoded from.
    frame : ndarray, shape (rows, columns) or (rows, columns, samples)

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        0 is black; padding is black; colour becomes luminance.

    Raises
    ------
    InstanceError
        ``undisplayable-pixels``: lookup tables that do not fit the pixels.

    References
    ----------
    PS3.3 C.11.1 (Modality LUT), C.11.2 (VOI LUT), C.7.6.3.1.2, C.7.5.1.1.2 (padding).
    """
    try:
        shown, low, high, dark = _apply_tables(source, frame)
    except TABLE_FAULTS as error:
        raise InstanceError("undisplayable-pixels", type(error).__name__) from None
    if high <= low:
        return np.zeros(frame.shape[:2], dtype=np.uint8)
    scaled = np.clip((shown - low) / (high - low), 0.0, 1.0)
    if source.get("PhotometricInterpretation") == "MONOCHROME1":
        scaled = 1.0 - scaled
    scaled[dark] = 0.0
    return np.round(scaled * 255).astype(np.uint8)


def _apply_tables(
    source: Dataset, frame: NDArray[Any]
) -> tuple[NDArray[np.float64], float, float, NDArray[np.bool_]]:
    """Values to show, the values of black and white, and where padding lies."""
    nothing = np.zeros(frame.shape[:2], dtype=bool)
    if source.get("PhotometricInterpretation") == "PALETTE COLOR":
        frame = apply_color_lut(frame, source)
    if frame.ndim == 3:
        top = float(np.iinfo(frame.dtype).max) if frame.dtype.kind in "iu" else 1.0
        return frame[..., :3] @ _LUMINANCE, 0.0, top, nothing
    dark = _find_padding(source, frame)
    modality = np.asarray(apply_modality_lut(frame, source), dtype=np.float64)
    kept = modality[~dark]
    if not kept.size:
        return modality, 0.0, 0.0, dark
    if "VOILUTSequence" in source:
        shown = np.asarray(apply_voi_lut(modality.astype(np.int64), source), dtype=np.float64)
        return shown, float(shown[~dark].min()), float(shown[~dark].max()), dark
    window = _read_window(source)
    if window is not None and _overlaps(kept, window):
        return modality, *window, dark
    low, high = np.percentile(kept, [0.5, 99.5])
    return modality, float(low), float(high), dark


def _read_window(source: Dataset) -> tuple[float, float] | None:
    """Lower and upper end of the first window, or None."""
    centre, width = source.get("WindowCenter"), source.get("WindowWidth")
    if centre is None or width is None:
        return None
    centre = centre[0] if isinstance(centre, list) or hasattr(centre, "append") else centre
    width = width[0] if isinstance(width, list) or hasattr(width, "append") else width
    if float(width) <= 1:
        return None
    return float(centre) - float(width) / 2, float(centre) + float(width) / 2


def _overlaps(values: NDArray[np.float64], window: tuple[float, float]) -> bool:
    """Whether a window shows anything: some fault in the field puts it beside the values."""
    inside = np.mean((values > window[0]) & (values < window[1]))
    return bool(inside > 0.2)


def _find_padding(source: Dataset, frame: NDArray[Any]) -> NDArray[np.bool_]:
    """Where Pixel Padding Value (0028,0120), or its range, stands."""
    value = source.get("PixelPaddingValue")
    if value is None:
        return np.zeros(frame.shape, dtype=bool)
    limit = source.get("PixelPaddingRangeLimit")
    ends = sorted((int(value), int(value if limit is None else limit)))
    padded: NDArray[np.bool_] = (frame >= ends[0]) & (frame <= ends[1])
    return padded
