"""Find burned-in text in one frame, and decide what of it goes.

Detection comes first: the frame at reduced size for large letters, then in its own size and
enlarged for small ones, upright and turned. What is detected is read; what may stay by the
site's list of harmless words stays, what looks like text and cannot be read surely goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from updp_node.pixels.cleaning import Cleaning
from updp_node.pixels.geometry import (
    continues,
    direction_of,
    is_slice,
    lay_level,
    level,
    longest,
    meet,
    neighbourhood,
)
from updp_node.pixels.ink import follow_ink
from updp_node.pixels.ocr import SENSITIVE, Line, Picture, Reader, Reading

_LARGE = 1400
_REDUCED = 960
_SURE_LINE = 0.72
_SURE_READING = 0.6
_SURE_HARMLESS = 0.8
_LIKELY_READING = 0.35
_SQUARE = 1.6
_RELIEF_SIGMA = 12.0
_SMALL = 900
_READ_WELL = 26.0
_SMALLEST = 8
_LIKELY_LINE = 0.5
_THICKER = 1.5
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
    leaving = [line for group in groups for line in _leaving(group, pictures[0])]
    leaving += [
        each.line
        for group in groups
        if not _leaves(group) and not any(each.is_harmless for each in group)
        for each in group
        if any(continues(each.line, line) for line in leaving)
    ]
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
    for line in longest(gone):
        left, top, right, bottom = neighbourhood(line, pictures[0].shape)
        near = [np.ascontiguousarray(picture[top:bottom, left:right]) for picture in pictures]
        if min(near[0].shape[:2]) < _SMALLEST:
            continue
        scale = float(np.clip(_READ_WELL / line.thickness, 1.0, 2.5))
        upright = abs(direction_of(line)) > 45
        found = [
            each
            for picture in (_relieve(near), near[0])
            for each in reader.detect(picture, scale=scale, turned=upright, limits=SENSITIVE)
        ]
        for each in found:
            moved = replace(each, x=each.x + left, y=each.y + top)
            if continues(moved, line):
                seen = _look(pictures, moved, reader, cleaning)
                if not seen.is_harmless and _is_rest(seen):
                    leaving.append(moved)
    return Found(tuple(leaving), 0)


def _is_rest(seen: _Seen) -> bool:
    """Whether a line beside text that is gone is more than a shade of anatomy."""
    if _count(seen.reading) >= 1 and seen.reading.score >= _LIKELY_READING:
        return True
    return seen.line.score >= _LIKELY_LINE


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
    flat = level(line)
    cut = lay_level(picture, flat, flat.width, flat.height)
    low, high = np.percentile(cut, [1, 99])
    if high - low < 1:
        return cut
    stretched = (cut.astype(np.float32) - low) * (255 / (high - low))
    return np.asarray(np.clip(stretched, 0, 255), np.uint8)


def _group(seen: Sequence[_Seen]) -> list[list[_Seen]]:
    """Lines that lie over each other are one text, seen in several passes."""
    groups: list[list[_Seen]] = []
    for each in seen:
        met = [group for group in groups if any(meet(each.line, other.line) for other in group)]
        merged = [each, *(member for group in met for member in group)]
        groups = [group for group in groups if group not in met]
        groups.append(merged)
    return groups


def _leaves(group: Sequence[_Seen]) -> bool:
    """Whether a text goes: one look at it shows text that is not harmless.

    Looks at a slice of a text that reads harmless as a whole do not count.
    """
    harmless = [each.line for each in group if each.is_harmless]
    return any(
        _is_text(each)
        and not each.is_harmless
        and not any(is_slice(each.line, line) for line in harmless)
        for each in group
    )


def _leaving(group: Sequence[_Seen], picture: Picture) -> list[Line]:
    """What goes of a text that goes: not the shades of anatomy that meet it.

    The ink of letters that were read is followed; that of what may be anatomy is not.
    """
    if not _leaves(group):
        return []
    thickest = max(each.line.thickness for each in group if _is_text(each))
    going = [each for each in group if _is_text(each) or each.line.thickness <= _THICKER * thickest]
    return [follow_ink(picture, each.line) if _is_read(each) else each.line for each in going]


def _is_read(seen: _Seen) -> bool:
    """Whether letters were read, and surely."""
    return _count(seen.reading) >= 3 and seen.reading.score >= _SURE_READING


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
