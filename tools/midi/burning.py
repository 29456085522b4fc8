"""Identifiers burned into native pixels, and whether they can still be seen.

Seen is what correlates with the strokes that were drawn: no text recognition is asked, so that
the measure depends on no engine.
"""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset

_GONE = 0.25
_MARGIN = 3


def burn(dataset: Dataset, text: str, *, size: int = 14) -> str | None:
    """Draw a text into the corner of every frame; what to look for, None where it has no room."""
    pixels = dataset.pixel_array
    frames = pixels.reshape(-1, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    mask = _strokes(text, size)
    rows, columns = mask.shape
    if rows + 2 * _MARGIN > dataset.Rows or columns + 2 * _MARGIN > dataset.Columns:
        return None
    changed = frames.copy()
    box = changed[:, _MARGIN : _MARGIN + rows, _MARGIN : _MARGIN + columns]
    low, high = (0, (1 << dataset.BitsStored) - 1)
    box[:, mask] = high if float(box.mean()) < (low + high) / 2 else low
    dataset.PixelData = changed.astype(pixels.dtype).tobytes() + b"\0" * (changed.nbytes % 2)
    packed = base64.b64encode(zlib.compress(np.packbits(mask).tobytes())).decode("ascii")
    return json.dumps({"rows": rows, "columns": columns, "mask": packed})


def is_hidden(dataset: Dataset, stated: str) -> bool:
    """Whether the strokes no longer stand out from what is around them, in any frame."""
    told = json.loads(stated)
    rows, columns = told["rows"], told["columns"]
    bits = np.frombuffer(zlib.decompress(base64.b64decode(told["mask"])), np.uint8)
    mask = np.unpackbits(bits)[: rows * columns].reshape(rows, columns).astype(float)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel)
    boxes = frames[:, _MARGIN : _MARGIN + rows, _MARGIN : _MARGIN + columns].mean(axis=3)
    return all(abs(_correlation(box.astype(float), mask)) < _GONE for box in boxes)


def _strokes(text: str, size: int) -> NDArray[np.bool_]:
    font = ImageFont.load_default(size=size)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(image) > 127


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    one, two = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float((one * two).sum()) / scale if scale else 0.0
