"""Find burned-in text in one frame, and decide what of it goes.

Detection comes first: the frame at reduced size for large letters, then in its own size and
enlarged for small ones, upright and turned. What is detected is read; what may stay by the
site's list of harmless words stays, what looks like text and cannot be read surely goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from updp_node.pixels.cleaning import Cleaning
from updp_node.pixels.ocr import Line, Picture, Reader, Reading

_LARGE = 1400
_REDUCED = 960
_SURE_LINE = 0.72
_SURE_READING = 0.6
_SURE_HARMLESS = 0.8
_LIKELY_READING = 0.35
_SQUARE = 1.6
_RELIEF_SIGMA = 12.0
_OVERLAP = 0.3
_SMALL = 900
_READ_WELL = 26.0
_SMALLEST = 8
_SMALL_LETTER = 32.0
_LONG = 1.8


@dataclass(frozen=True, slots=True)
class Found:
    """What of a frame's text goes.

    Attributes
    ----------
    lines : tuple of Line
        What must go.
    harmless : int
        How many texts stay.
    """

    lines: tuple[Line, ...]
    harmless: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line with the best reading of it."""

    line: Line
    reading: Reading
    is_harmless: bool


def find_burned_in(pictures: Sequence[Picture], reader: Reader, cleaning: Cleaning) -> Found:
    """Find the text of one frame that must go.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (rows, columns, 3)
        The frame as it may be shown, by one window or another; one at least.
    reader : Reader
    cleaning : Cleaning
    """
    seen = [_look(pictures, line, reader, cleaning) for line in _detect(pictures, reader)]
    groups = _group(seen)
    leaving = [each.line for group in groups if _leaves(group) for each in group]
    staying = sum(not _leaves(group) and any(each.is_harmless for each in group)
                  for group in groups)  # fmt: skip
    return Found(tuple(leaving), staying)


def find_remains(
    pictures: Sequence[Picture], gone: Sequence[Line], reader: Reader, cleaning: Cleaning
) -> Found:
    """Look closer at what stands in line with text that was painted over: it belongs to it.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (rows, columns, 3)
        After the painting.
    gone : sequence of Line
        What was painted over.
    reader : Reader
    cleaning : Cleaning
    """
    leaving: list[Line] = []
    for line in gone:
        left, top, right, bottom = _neighbourhood(line, pictures[0].shape)
        near = [np.ascontiguousarray(picture[top:bottom, left:right]) for picture in pictures]
        if min(near[0].shape[:2]) < _SMALLEST:
            continue
        scale = float(np.clip(_READ_WELL / line.thickness, 1.0, 2.5))
        upright = abs(_direction(line)) > 45
        found = reader.detect(_relieve(near), scale=scale, turned=upright)
        found += reader.detect(near[0], scale=scale, turned=upright)
        for each in found:
            moved = replace(each, x=each.x + left, y=each.y + top)
            if _continues(moved, line):
                seen = _look(pictures, moved, reader, cleaning)
                if not seen.is_harmless:
                    leaving.append(moved)
    return Found(tuple(leaving), 0)


def _neighbourhood(line: Line, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    corners = line.corners(along=16 + 8 * line.thickness, across=8 + line.thickness)
    left, top = np.maximum(corners.min(axis=0), 0).astype(int)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    return int(left), int(top), min(int(right), shape[1]), min(int(bottom), shape[0])


def _direction(line: Line) -> float:
    """Degrees from -90 to 90 between the columns and the longer side."""
    angle = line.angle if line.width >= line.height else line.angle - 90
    return float((angle + 90) % 180 - 90)


def _continues(line: Line, other: Line) -> bool:
    """Whether a line has the size of another."""
    return 0.35 * other.thickness <= line.thickness <= 2.2 * other.thickness


def _detect(pictures: Sequence[Picture], reader: Reader) -> list[Line]:
    """Lines of all passes, those of the largest letters first."""
    rows, columns = pictures[0].shape[:2]
    longest = max(rows, columns)
    relief = _relieve(pictures)
    lines = reader.detect(pictures[0], scale=min(0.5, _REDUCED / longest))
    lines += reader.detect(relief)
    lines += reader.detect(relief, turned=True)
    if longest > _LARGE:
        return lines + reader.detect(relief, scale=0.5)
    lines += [line for picture in pictures for line in reader.detect(picture)]
    return lines + reader.detect(relief, scale=2.0 if longest <= _SMALL else 1.5)


def _relieve(pictures: Sequence[Picture]) -> Picture:
    """What stands out of its surroundings, the strongest of all windows, around middle grey.

    Anatomy that the detector would take for one large letter is levelled, and so are windows
    that show the background white.
    """
    import cv2  # noqa: PLC0415

    strongest = np.zeros(pictures[0].shape, np.float32)
    for picture in pictures:
        values = picture.astype(np.float32)
        relief = values - cv2.GaussianBlur(values, (0, 0), _RELIEF_SIGMA)
        np.copyto(strongest, relief, where=np.abs(relief) > np.abs(strongest))
    relieved: Picture = np.clip(strongest + 128, 0, 255).astype(np.uint8)
    return relieved


def _look(pictures: Sequence[Picture], line: Line, reader: Reader, cleaning: Cleaning) -> _Seen:
    """Read a line both ways up; a square one, which may be one letter, in all four."""
    upright = [_cut(picture, line) for picture in pictures]
    turns = (0, 2, 1, 3) if max(line.width, line.height) < _SQUARE * line.thickness else (0, 2)
    readings = [
        reading
        for turn in turns
        for reading in reader.read([np.ascontiguousarray(np.rot90(cut, turn)) for cut in upright])
    ]
    best = max(readings, key=_confidence)
    short = len(turns) > 2
    judged = readings if short else [best]
    harmless = any(
        each.score >= _SURE_HARMLESS and cleaning.is_harmless(each.text) for each in judged
    )
    return _Seen(line, best, harmless)


def _confidence(reading: Reading) -> float:
    """A reading of many characters counts for more than a stroke taken for one."""
    return reading.score * min(_count(reading), 4)


def _count(reading: Reading) -> int:
    return sum(character.isalnum() for character in reading.text)


def _cut(picture: Picture, line: Line) -> Picture:
    """A line laid level, its longer side along the columns, its contrast stretched."""
    import cv2  # noqa: PLC0415

    width, height, angle = line.width, line.height, line.angle
    if width < height:
        width, height, angle = height, width, angle - 90
    size = (max(4, round(width)), max(4, round(height)))
    matrix = cv2.getRotationMatrix2D((line.x, line.y), angle, 1.0)
    matrix[:, 2] += np.array([size[0] / 2 - line.x, size[1] / 2 - line.y])
    cut = np.asarray(
        cv2.warpAffine(
            picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    )
    low, high = np.percentile(cut, [1, 99])
    if high - low < 1:
        return cut.astype(np.uint8)
    stretched = (cut.astype(np.float32) - low) * (255 / (high - low))
    return np.asarray(np.clip(stretched, 0, 255), np.uint8)


def _group(seen: Sequence[_Seen]) -> list[list[_Seen]]:
    """Lines that lie over each other are one text, seen in several passes."""
    groups: list[list[_Seen]] = []
    for each in seen:
        met = [group for group in groups if any(_meet(each.line, other.line) for other in group)]
        merged = [each, *(member for group in met for member in group)]
        groups = [group for group in groups if group not in met]
        groups.append(merged)
    return groups


def _meet(first: Line, second: Line) -> bool:
    """Whether two lines share a part of the smaller one."""
    import cv2  # noqa: PLC0415

    distance = np.hypot(first.x - second.x, first.y - second.y)
    reach = np.hypot(first.width, first.height) + np.hypot(second.width, second.height)
    if distance * 2 > reach:
        return False
    shared, points = cv2.rotatedRectangleIntersection(_rectangle(first), _rectangle(second))
    if shared == cv2.INTERSECT_NONE or points is None:
        return False
    smaller = min(first.width * first.height, second.width * second.height)
    hull = cv2.convexHull(np.asarray(points))
    return bool(cv2.contourArea(hull) > _OVERLAP * smaller)


def _rectangle(line: Line) -> tuple[tuple[float, float], tuple[float, float], float]:
    return (line.x, line.y), (line.width, line.height), line.angle


def _leaves(group: Sequence[_Seen]) -> bool:
    """Whether a text goes: read as something else than harmless, or likely text and unread."""
    if any(_is_text(each) and not each.is_harmless for each in group):
        told = [each for each in group if not each.is_harmless]
        widest = max(max(each.line.width, each.line.height) for each in group)
        kept = [max(each.line.width, each.line.height) for each in group if each.is_harmless]
        is_whole = bool(kept) and max(kept) > 0.7 * widest
        named = any(
            each.reading.score >= _SURE_READING and _count(each.reading) > 2 for each in told
        )
        return named or not is_whole
    return False


def _is_text(seen: _Seen) -> bool:
    """Whether a line is text rather than anatomy; the fewer letters, the surer they must be."""
    characters, sure, line = _count(seen.reading), seen.reading.score, seen.line
    if characters >= 3 and sure >= _LIKELY_READING:
        return True
    if characters == 2 and sure >= _SURE_READING:
        return True
    if characters == 1 and sure >= _SURE_READING and line.thickness <= _SMALL_LETTER:
        return True
    is_long = max(line.width, line.height) >= _LONG * line.thickness
    return is_long and line.score >= _SURE_LINE


def grow(line: Line) -> NDArray[np.float32]:
    """Corners of a line with room for an accent, a descender, or a last letter.

    Returns
    -------
    ndarray of float32, shape (4, 2)
        They may lie beyond the frame.
    """
    thickness = line.thickness
    return line.corners(along=2 + 0.6 * thickness, across=2 + 0.12 * thickness)
