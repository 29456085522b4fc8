"""Reading released real pixels, as a second pair of eyes.

The gate looks at another scale than the stage that cleans pixels, at other windows, and asks
one thing only: does it read an identifier of the sources there? It reads Latin letters, digits
and ideographs of about eight pixels and more, once the longest side is no longer than `_SIDE`.
Larger pictures than a tile are read twice, whole and in tiles: the detector loses small letters
in large pictures.

Its cost is bounded: equal tiles are read once, of all frames; of a multi-frame image
`_MOST_READ` frames are read, the first and the last among them, and the brightest and the
darkest value that each pixel has in `_MOST_SEEN` frames, evenly spread, where text that stands
in some of them only shows too.

References
----------
PS3.15 E.3.1 (Clean Pixel Data); PS3.3 C.7.6.3.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement

from updp_node.errors import InstanceError

if TYPE_CHECKING:
    from rapidocr import RapidOCR

Picture = NDArray[np.uint8]

_PIXEL_DATA = 0x7FE00010

_SIDE, _TILE, _OVERLAP, _SMALLEST, _LEAST_CONTRAST = 1600, 640, 96, 12, 16
_NEARLY_ONE, _WIDE = 0.95, 0.25
_RESIZED = frozenset({"uint8", "uint16", "int16", "float32"})
_MOST_READ, _MOST_SEEN = 2, 64
_LEAST_SCORE = 0.4
_PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)


def read_lines(made: Dataset) -> Iterator[str]:
    """The lines of text that are read in the pixels of an object.

    Parameters
    ----------
    made : pydicom.Dataset
        As read back from the encoded bytes, with its File Meta Information.

    Raises
    ------
    InstanceError
        ``unreadable-pixels``: they cannot be decoded, so nobody can say what they show.
    """
    seen: set[bytes] = set()
    for picture in _pictures(made):
        yield from read_picture(picture, seen)


def read_picture(picture: Picture, seen: set[bytes] | None = None) -> Iterator[str]:
    """The lines of text that are read in one picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns) or (rows, columns, 3)
    seen : set of bytes, optional
        Digests of the tiles that were read already; grows.
    """
    seen = set() if seen is None else seen
    for tile in _tiles(_shrink(picture, _SIDE)):
        digest = hashlib.sha256(tile.tobytes()).digest()
        if digest in seen or min(tile.shape[:2]) < _SMALLEST or np.ptp(tile) < _LEAST_CONTRAST:
            continue
        seen.add(digest)
        if tile.ndim == 2:
            tile = np.repeat(tile[:, :, None], 3, axis=2)  # noqa: PLW2901
        result = _reader()(tile, use_det=True, use_cls=True, use_rec=True)
        yield from getattr(result, "txts", None) or ()


def _tiles(picture: Picture) -> Iterator[Picture]:
    """The whole for large letters, then tiles for small ones, which get lost in a large picture."""
    if max(picture.shape[:2]) <= _TILE:
        yield _enlarge(picture)
        return
    yield _shrink(picture, _TILE)
    for top in _starts(picture.shape[0]):
        for left in _starts(picture.shape[1]):
            yield picture[top : top + _TILE, left : left + _TILE]


def _starts(length: int) -> list[int]:
    """Where tiles begin that cover a length and overlap."""
    count = max(math.ceil((length - _OVERLAP) / (_TILE - _OVERLAP)), 1)
    return [round(each) for each in np.linspace(0, max(length - _TILE, 0), count)]


def _enlarge(picture: Picture) -> Picture:
    import cv2  # noqa: PLC0415

    scale = min(_TILE / max(picture.shape[:2]), 2.0)
    if scale * _NEARLY_ONE < 1:
        return picture
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))


def _pictures(made: Dataset) -> Iterator[Picture]:
    """Frames as they are looked at, and what the frames show together."""
    brightest = darkest = None
    count = _count_frames(made)
    read, seen = _spread(count, _MOST_READ), _spread(count, _MOST_SEEN)
    numbers = sorted(read | seen)
    for number, frame in zip(numbers, _decode(made, numbers), strict=False):
        if number in read:
            yield from _windows(frame, made)
        if count > 1:
            brightest = frame if brightest is None else np.maximum(brightest, frame)
            darkest = frame if darkest is None else np.minimum(darkest, frame)
    for together in (brightest, darkest):
        if together is not None:
            yield from _windows(together, made)


def _count_frames(made: Dataset) -> int:
    try:
        return max(int(made.get("NumberOfFrames") or 1), 1)
    except (TypeError, ValueError) as error:
        raise InstanceError("unreadable-pixels", type(error).__name__) from None


def _spread(count: int, most: int) -> set[int]:
    """At most so many numbers below a count, evenly spread, the first and the last among them."""
    return {int(each) for each in np.linspace(0, count - 1, min(count, most))}


def _decode(made: Dataset, numbers: list[int]) -> Iterator[NDArray[Any]]:
    """Frames no larger than they are read, one after the other."""
    from pydicom.pixels.processing import apply_color_lut  # noqa: PLC0415
    from pydicom.pixels.utils import iter_pixels  # noqa: PLC0415

    try:
        for frame in iter_pixels(_filled(made), indices=numbers):
            is_palette = made.get("PhotometricInterpretation") == "PALETTE COLOR"
            shown = apply_color_lut(frame, made) if is_palette else np.asarray(frame)
            yield _shrink(shown, _SIDE)
    except _PASSED_ON:
        raise
    except BaseException as error:  # noqa: BLE001  # pylibjpeg-rle: PanicException is no Exception
        raise InstanceError("unreadable-pixels", type(error).__name__) from None


def _shrink(frame: NDArray[Any], side: int) -> NDArray[Any]:
    """A frame whose longest side is `side`, if it is larger: little memory, little work."""
    import cv2  # noqa: PLC0415

    scale = side / max(frame.shape[:2])
    if scale > _NEARLY_ONE:
        return frame
    known = frame if frame.dtype.name in _RESIZED else frame.astype(np.float32)
    size = max(round(frame.shape[1] * scale), 1), max(round(frame.shape[0] * scale), 1)
    return np.asarray(cv2.resize(known, size, interpolation=cv2.INTER_AREA))


def _filled(made: Dataset) -> Dataset:
    """An object whose native samples end early with zeros for those that are missing."""
    from pydicom.pixels.utils import get_expected_length  # noqa: PLC0415

    if made.file_meta.TransferSyntaxUID.is_encapsulated:
        return made
    missing = get_expected_length(made) - len(made.PixelData)
    if missing <= 0:
        return made
    filled = Dataset({tag: made.get_item(tag) for tag in made.keys()})  # noqa: SIM118
    filled.file_meta = made.file_meta
    filled.set_original_encoding(*made.original_encoding)
    filled[_PIXEL_DATA] = DataElement(
        _PIXEL_DATA, made["PixelData"].VR, made.PixelData + bytes(missing)
    )
    return filled


def _windows(frame: NDArray[Any], made: Dataset) -> Iterator[Picture]:
    """A frame in eight bits: over its range, and if that is wide over that of most pixels."""
    values = (frame[..., :3] if frame.ndim == 3 else frame).astype(np.float32)
    full = float(values.min()), float(values.max())
    sample = values[:: max(values.shape[0] // 256, 1), :: max(values.shape[1] // 256, 1)]
    low, high = (float(each) for each in np.percentile(sample, [2, 98]))
    is_wide = frame.dtype.itemsize > 1 and 0 < high - low < _WIDE * (full[1] - full[0])
    for bottom, top in (full, (low, high))[: 2 if is_wide else 1]:
        if top > bottom:
            shown = np.clip((values - bottom) * (255 / (top - bottom)), 0, 255).astype(np.uint8)
            yield 255 - shown if made.get("PhotometricInterpretation") == "MONOCHROME1" else shown


@lru_cache(maxsize=1)
def _reader() -> RapidOCR:
    """The reader of this process, one thread: the pool has a process for each core."""
    from rapidocr import RapidOCR  # noqa: PLC0415

    return RapidOCR(
        params={
            "Global.log_level": "error",
            "Global.text_score": _LEAST_SCORE,
            "Global.max_side_len": 2 * _TILE,
            "Det.limit_type": "max",
            "Det.limit_side_len": 2 * _TILE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
