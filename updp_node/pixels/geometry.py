"""Lines of text as turned rectangles: how they lie to each other and in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from updp_node.pixels.ocr import Line, Picture

_OVERLAP = 0.3
_WORD_GAP = 2.5
_WITHIN = 0.75


def level(line: Line) -> Line:
    """The same line with its longer side as its width."""
    if line.width >= line.height:
        return line
    return replace(line, width=line.height, height=line.width, angle=line.angle - 90)


def lay_level(picture: Picture, line: Line, width: float, height: float) -> Picture:
    """A piece of so many pixels around the centre of a line, turned so that the line is level."""
    import cv2  # noqa: PLC0415

    size = (max(4, round(width)), max(4, round(height)))
    matrix = cv2.getRotationMatrix2D((line.x, line.y), line.angle, 1.0)
    matrix[:, 2] += np.array([size[0] / 2 - line.x, size[1] / 2 - line.y])
    laid = cv2.warpAffine(
        picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(laid, np.uint8)


def longest(lines: Sequence[Line]) -> list[Line]:
    """Of lines that were seen in several passes, the longest."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda each: -max(each.width, each.height)):
        if not any(meet(line, other) for other in kept):
            kept.append(line)
    return kept


def neighbourhood(line: Line, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of where the rest of a text may stand."""
    corners = line.corners(along=16 + 8 * line.thickness, across=8 + line.thickness)
    left, top = np.maximum(corners.min(axis=0), 0).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    return int(left), int(top), min(int(right), shape[1]), min(int(bottom), shape[0])


def direction_of(line: Line) -> float:
    """Degrees from -90 to 90 between the columns and the longer side."""
    angle = line.angle if line.width >= line.height else line.angle - 90
    return float((angle + 90) % 180 - 90)


def continues(line: Line, other: Line) -> bool:
    """Whether a line has the size of another, and stands before or behind it."""
    if not 0.35 * other.thickness <= line.thickness <= 2.0 * other.thickness:
        return False
    direction = np.radians(direction_of(other))
    along, across = np.array([[np.cos(direction), np.sin(direction)],
                              [-np.sin(direction), np.cos(direction)]]) @ (
        line.x - other.x, line.y - other.y)  # fmt: skip
    reach = (max(line.width, line.height) + max(other.width, other.height)) / 2
    return bool(abs(across) <= 0.7 * other.thickness and
                abs(along) <= reach + _WORD_GAP * other.thickness)  # fmt: skip


def meet(first: Line, second: Line) -> bool:
    """Whether two lines share a part of the smaller one."""
    smaller = min(first.width * first.height, second.width * second.height)
    return _shared(first, second) > _OVERLAP * smaller


def _shared(first: Line, second: Line) -> float:
    """Pixels that lie in both lines."""
    import cv2  # noqa: PLC0415

    distance = np.hypot(first.x - second.x, first.y - second.y)
    reach = np.hypot(first.width, first.height) + np.hypot(second.width, second.height)
    if distance * 2 > reach:
        return 0.0
    how, points = cv2.rotatedRectangleIntersection(_rectangle(first), _rectangle(second))
    if how == cv2.INTERSECT_NONE or points is None:
        return 0.0
    return float(cv2.contourArea(cv2.convexHull(np.asarray(points))))


def _rectangle(line: Line) -> tuple[tuple[float, float], tuple[float, float], float]:
    return (line.x, line.y), (line.width, line.height), line.angle


def is_slice(line: Line, whole: Line) -> bool:
    """Whether a line is a thinner or shorter part of another."""
    if _shared(line, whole) < _WITHIN * line.width * line.height:
        return False
    long, whole_long = max(line.width, line.height), max(whole.width, whole.height)
    return line.thickness < 0.7 * whole.thickness or long < 0.92 * whole_long


def grow(line: Line) -> NDArray[np.float32]:
    """Corners of a line with room for an accent, a descender, or a last letter.

    Returns
    -------
    ndarray of float32, shape (4, 2)
        They may lie beyond the frame.
    """
    thickness = line.thickness
    return line.corners(along=3 + thickness, across=3 + 0.25 * thickness)
