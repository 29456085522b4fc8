"""Follow a line of text by its ink: burned-in letters have one value, what lies under them not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from updp_node.pixels.geometry import lay_level, level
from updp_node.pixels.ocr import Line, Picture

_REACH = 6
_LARGEST_GAP = 1.6
_LEAST_INK, _MOST_INK = 0.08, 0.6
_TOLERANCE = 0.15
_BESIDE = 0.25
_FAINTEST = 6.0


def follow_ink(picture: Picture, line: Line) -> Line:
    """A line that reaches as far as its ink goes on, before and behind.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns, 3)
    line : Line

    Returns
    -------
    Line
        At most six times its thickness longer at each end.
    """
    line = level(line)
    thick = max(4, round(line.thickness))
    reach = _REACH * thick
    laid = lay_level(picture, line, line.width + 2 * reach, 3 * thick)
    strip = laid.astype(np.float32).max(axis=2)
    band = slice(thick, 2 * thick)
    found = strip[band, reach : strip.shape[1] - reach]
    ground = float(np.median(found))
    strength = np.abs(found - ground)
    if not strength.size or strength.max() < _FAINTEST:
        return line
    ink = float(np.median(found[strength >= 0.8 * np.percentile(strength, 98)]))
    near = max(_FAINTEST, _TOLERANCE * abs(ink - ground))
    is_ink = np.abs(strip - ink) <= near
    inked = is_ink[band].mean(axis=0)
    beside = np.concatenate([is_ink[:thick], is_ink[2 * thick :]]).mean(axis=0)
    before = _walk(inked[:reach][::-1], beside[:reach][::-1], thick)
    behind = _walk(inked[-reach:], beside[-reach:], thick)
    turn = np.radians(line.angle)
    shift = (behind - before) / 2
    return replace(
        line,
        x=line.x + shift * float(np.cos(turn)),
        y=line.y + shift * float(np.sin(turn)),
        width=line.width + before + behind,
    )


def _walk(inked: NDArray[np.float64], beside: NDArray[np.float64], thick: int) -> int:
    """How many columns of text follow, with gaps between words and no longer ones.

    What has the value of the ink above and below the line too is anatomy.
    """
    last = 0
    for start in range(0, max(len(inked) - thick + 1, 0), max(1, thick // 4)):
        if start - last > _LARGEST_GAP * thick:
            break
        share = float(inked[start : start + thick].mean())
        around = float(beside[start : start + thick].mean())
        if _LEAST_INK <= share <= _MOST_INK and around <= _BESIDE * share:
            last = start + thick
    return last
