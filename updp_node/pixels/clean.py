"""Paint over burned-in text, in the samples as they are stored.

Nothing outside the painted areas changes. Where nothing is found, nothing is made: the pixel
data stay byte for byte as they are.

References
----------
PS3.15 E.3.1 (Clean Pixel Data Option); PS3.3 C.7.6.3 (Image Pixel).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from pydicom import Dataset

from updp_node.errors import InstanceError
from updp_node.model import CleanedPixels
from updp_node.pixels.burned_in import Found, find_burned_in, find_remains
from updp_node.pixels.cleaning import Cleaning
from updp_node.pixels.device_regions import find_areas
from updp_node.pixels.geometry import grow
from updp_node.pixels.ocr import Picture, Reader, load_reader
from updp_node.pixels.painting import Mask, Patch, outline, paint_area, paint_patches
from updp_node.pixels.stored import Stored, decode_stored, is_lossy, show

_CLOSER_LOOKS = 2
_LEAST_ROOM = 24  # pixels: in a smaller frame no name has room, and noise is read as text


def clean_pixels(source: Dataset, cleaning: Cleaning) -> CleanedPixels | None:
    """Paint over what identifies in every frame of an instance.

    Parameters
    ----------
    source : pydicom.Dataset
        With its File Meta Information; not changed.
    cleaning : Cleaning

    Returns
    -------
    CleanedPixels or None
        None where there is nothing to paint over: the pixel data leave as they are.

    Raises
    ------
    InstanceError
        ``burned-in-text-not-found``: Burned In Annotation (0028,0301) is YES, and no text was
        found. ``ultrasound-regions``; those of `updp_node.pixels.stored.decode_stored`.
    """
    stored = decode_stored(source)
    areas = find_areas(source, cleaning)
    work = _Work(source, stored, load_reader(), cleaning)
    for number in range(len(stored.frames)):
        work.clean_frame(number, areas)
    work.repeat_patches()
    said = str(source.get("BurnedInAnnotation") or "").strip().upper() == "YES"
    if said and not areas and not work.found_any:
        raise InstanceError("burned-in-text-not-found", "(0028,0301)")
    if not work.changed:
        return None
    return CleanedPixels(
        samples=stored.frames,
        photometric_interpretation=stored.photometric_interpretation,
        frames=len(work.changed),
        is_from_lossy=is_lossy(source),
    )


class _Work:
    """The frames of one instance while they are painted."""

    def __init__(self, source: Dataset, stored: Stored, reader: Reader, cleaning: Cleaning) -> None:
        self._source = source
        self._stored = stored
        self._reader = reader
        self._cleaning = cleaning
        self._looked_at: set[bytes] = set()
        self._patches: list[Patch] = []
        self.changed: set[int] = set()
        self.found_any = False

    def clean_frame(self, number: int, areas: Sequence[Mask]) -> None:
        """Paint, look, paint; a frame equal to an earlier one is not looked at again."""
        frame = self._stored.frames[number]
        digest = hashlib.sha256(np.ascontiguousarray(frame).data).digest()
        for area in areas:
            paint_area(frame, area, is_index=self._stored.is_index)
            self.changed.add(number)
        self._paint_known(number)
        has_room = max(frame.shape[:2]) >= _LEAST_ROOM
        if has_room and digest not in self._looked_at:
            self._looked_at.add(digest)
            self._look(number)

    def repeat_patches(self) -> None:
        """Paint what was found in a later frame in the earlier ones that show the same."""
        for number in range(len(self._stored.frames)):
            self._paint_known(number)

    def _paint_known(self, number: int) -> None:
        frame = self._stored.frames[number]
        for patch in self._patches:
            if patch.shows_same(frame, is_index=self._stored.is_index):
                paint_patches(frame, [patch], is_index=self._stored.is_index)
                self.changed.add(number)

    def _look(self, number: int) -> None:
        """Look, paint, and look closer beside what was painted: it may be readable only now."""
        found = find_burned_in(self._show(number), self._reader, self._cleaning)
        self.found_any |= bool(found.lines) or found.harmless > 0
        for _ in range(_CLOSER_LOOKS):
            if not self._paint(number, found):
                return
            shown = self._show(number)
            found = find_remains(shown, found.lines, self._reader, self._cleaning)
        self._paint(number, found)

    def _show(self, number: int) -> list[Picture]:
        return show(self._source, self._stored, number)

    def _paint(self, number: int, found: Found) -> bool:
        frame = self._stored.frames[number]
        patches = [patch for line in found.lines if (patch := outline(grow(line), frame))]
        if patches:
            paint_patches(frame, patches, is_index=self._stored.is_index)
            self._patches.extend(patches)
            self.changed.add(number)
        return bool(patches)
