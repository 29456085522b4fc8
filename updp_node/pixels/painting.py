"""Paint areas of a frame with the value of what surrounds them, in stored samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_RING = 6
_SAME_SHARE = 0.9
_SAME_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Patch:
    """An area of a frame that is painted over.

    Attributes
    ----------
    top, left : int
    mask : ndarray of bool, shape (rows, columns)
        Of the patch, whose corner is at `top` and `left`.
    shown : ndarray, shape (rows, columns) or (rows, columns, samples)
        What stood there.
    """

    top: int
    left: int
    mask: Mask
    shown: NDArray[Any]

    def shows_same(self, frame: NDArray[Any], *, is_index: bool) -> bool:
        """Whether another frame shows here what was painted over, noise aside."""
        here = frame[self.place][self.mask]
        there = self.shown[self.mask]
        if is_index:
            return bool(np.mean(here == there) >= _SAME_SHARE)
        change = np.abs(here.astype(np.float64) - there.astype(np.float64)).mean()
        return bool(change <= _SAME_SPREAD * there.astype(np.float64).std())

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of a frame."""
        rows, columns = self.mask.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


def outline(quad: NDArray[np.float32], frame: NDArray[Any]) -> Patch | None:
    """The patch of a quadrangle, or None where it lies beside the frame.

    Parameters
    ----------
    quad : ndarray of float32, shape (4, 2)
        Corners as x and y.
    frame : ndarray, shape (rows, columns) or (rows, columns, samples)
    """
    import cv2  # noqa: PLC0415

    rows, columns = frame.shape[:2]
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
    right = min(int(np.ceil(quad[:, 0].max())) + 1, columns)
    bottom = min(int(np.ceil(quad[:, 1].max())) + 1, rows)
    if left >= right or top >= bottom:
        return None
    drawn = np.zeros((bottom - top, right - left), np.uint8)
    corners = np.round(quad - np.array([left, top], np.float32)).astype(np.int32)
    cv2.fillPoly(drawn, [corners], 1)
    mask = drawn > 0
    if not mask.any():
        return None
    return Patch(int(top), int(left), mask, frame[top:bottom, left:right].copy())


def paint_patches(frame: NDArray[Any], patches: Sequence[Patch], *, is_index: bool) -> None:
    """Paint patches with the median of the ring around each; no ring reaches into a patch.

    Parameters
    ----------
    frame : ndarray, shape (rows, columns) or (rows, columns, samples)
        Changed.
    patches : sequence of Patch
    is_index : bool
        Samples are indices into a palette: the commonest counts, not the median.
    """
    covered = np.zeros(frame.shape[:2], bool)
    for patch in patches:
        covered[patch.place] |= patch.mask
    values = [_surrounding(frame, patch, covered, is_index=is_index) for patch in patches]
    for patch, value in zip(patches, values, strict=True):
        frame[patch.place][patch.mask] = value


def paint_area(frame: NDArray[Any], area: Mask, *, is_index: bool) -> None:
    """Paint an area with its own commonest or median value: text is the lesser part of it."""
    frame[area] = _middle(frame[area], is_index=is_index)


def _surrounding(
    frame: NDArray[Any], patch: Patch, covered: Mask, *, is_index: bool
) -> NDArray[Any]:
    rows, columns = patch.place
    wider = (
        slice(max(rows.start - _RING, 0), rows.stop + _RING),
        slice(max(columns.start - _RING, 0), columns.stop + _RING),
    )
    around = frame[wider][~covered[wider]]
    if not around.size:
        around = frame[~covered]
    if not around.size:
        around = frame.reshape(-1, *frame.shape[2:])
    return _middle(around, is_index=is_index)


def _middle(values: NDArray[Any], *, is_index: bool) -> NDArray[Any]:
    """A value that occurs: of a palette the commonest, else the lower median of each sample."""
    if is_index:
        found, counts = np.unique(values, return_counts=True)
        return np.asarray(found[counts.argmax()])
    middle = (len(values) - 1) // 2
    return np.asarray(np.partition(values, middle, axis=0)[middle])
