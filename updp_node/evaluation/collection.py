"""Sets of images to be compared, read from DICOM or image folders, archives and tables."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError, InstanceError
from updp_node.evaluation.index import Entry, parse_index
from updp_node.evaluation.picture import describe_sizes, read_picture, resize

SIDE = 128
_PICTURES = frozenset({".png", ".webp"})
_INDEX = "index.csv"


@dataclass(frozen=True)
class Collection:
    """Images of one role, in one size.

    Attributes
    ----------
    name : str
        The role: ``originals``, ``counterparts``, ``training``, ``held-out``.
    entries : tuple of Entry
        One per image.
    images : ndarray of uint8, shape (n, side, side)
        MONOCHROME2, stretched to a square.
    notes : tuple of str
        What was changed or left out on reading.
    """

    name: str
    entries: tuple[Entry, ...]
    images: NDArray[np.uint8]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of images."""
        return len(self.entries)

    @cached_property
    def patients(self) -> NDArray[np.str_]:
        """Patient of every image; the image itself where nobody said."""
        return np.array([e.patient_id or f"image {e.image_id}" for e in self.entries], dtype=str)

    @property
    def has_patients(self) -> bool:
        """Whether every image names its patient."""
        return all(entry.patient_id for entry in self.entries)

    @property
    def has_labels(self) -> bool:
        """Whether every image has labels."""
        return all(entry.labels for entry in self.entries)

    @cached_property
    def views(self) -> NDArray[np.str_]:
        """View of every image, or empty."""
        return np.array([entry.view for entry in self.entries], dtype=str)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Place of every image_id."""
        return {entry.image_id: place for place, entry in enumerate(self.entries)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over pixels, ids and labels."""
        sha256 = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        for entry in self.entries:
            labels = "|".join(sorted(entry.labels or ()))
            fields = (entry.image_id, entry.patient_id, labels, entry.view, entry.split,
                      entry.hospital, entry.arm, entry.source)  # fmt: skip
            sha256.update("\0".join(fields).encode())
        return sha256.hexdigest()

    def select(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Collection:
        """The images that a mask or places choose, in order."""
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Collection(
            self.name, tuple(self.entries[place] for place in places), self.images[places]
        )

    def mark(self, label: str) -> NDArray[np.bool_]:
        """Which images bear a label."""
        return np.array([label in (entry.labels or ()) for entry in self.entries], dtype=bool)


def load_collection(
    path: Path,
    name: str,
    *,
    index: Path | None = None,
    side: int = SIDE,
    advance: Callable[[], None] = lambda: None,
) -> Collection:
    """Read a set of images.

    Parameters
    ----------
    path : pathlib.Path
        Folder or zip of PNG, WebP or DICOM files, or the table of one.
    name : str
        The role: ``originals`` must name patients; ``counterparts`` keep exact duplicates and
        may name sources.
    index : pathlib.Path, optional
        The table; ``index.csv`` in the folder or archive by default. DICOM folders need none.
    side : int
        Rows and columns of every image afterwards.
    advance : callable
        Called after every image.

    Raises
    ------
    ConfigError
        Nothing there, or a wrong table; names the file and the row, never a value.
    """
    if path.suffix.lower() == ".csv":
        path, index = path.parent, path
    if not path.exists():
        raise ConfigError("is not there", file=str(path))
    store = _Store(path)
    content = index.read_bytes() if index and index.is_file() else store.find(_INDEX)
    if index and not index.is_file():
        raise ConfigError("the table is not there", file=str(index))
    if content is None:
        from updp_node.evaluation.dicom import read_instances  # noqa: PLC0415 - pydicom

        entries, images, notes = read_instances(store.list(), side, path, advance)
    else:
        table = str(index or path / _INDEX)
        entries = parse_index(content, table, of_counterparts=name == "counterparts")
        images, notes = _read_images(entries, store, side, table, advance)
    if name == "originals":
        _require_patients(entries, str(index or path / _INDEX))
    collection = Collection(name, tuple(entries), images, tuple(notes))
    return collection if name == "counterparts" else _drop_duplicates(collection)


class _Store:
    """Files of a folder or members of a zip by name; zips beside the table are opened once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archives: dict[Path, zipfile.ZipFile] = {}

    def find(self, name: str) -> bytes | None:
        """Content of a file, or None."""
        try:
            return self.read(name)
        except (OSError, KeyError):
            return None

    def read(self, name: str) -> bytes:
        """Content of a file; OSError or KeyError where it is absent."""
        if self._path.is_file():
            return self._open(self._path).read(name)
        archive, colon, member = name.rpartition(":")
        if colon and archive.lower().endswith(".zip"):
            return self._open(self._path / archive).read(member)
        return (self._path / name).read_bytes()

    def list(self) -> list[tuple[str, Callable[[], bytes]]]:
        """Every file by name, with its reader, in order."""
        if self._path.is_file():
            names = sorted(n for n in self._open(self._path).namelist() if not n.endswith("/"))
        else:
            found = (each for each in self._path.rglob("*") if each.is_file())
            names = sorted(str(each.relative_to(self._path)) for each in found)
        return [(name, lambda name=name: self.read(name)) for name in names]  # type: ignore[misc]

    def _open(self, path: Path) -> zipfile.ZipFile:
        if path not in self._archives:
            try:
                self._archives[path] = zipfile.ZipFile(path)
            except zipfile.BadZipFile:
                raise ConfigError("is neither a folder nor a zip", file=str(path)) from None
        return self._archives[path]


def _read_images(
    entries: Sequence[Entry], store: _Store, side: int, table: str, advance: Callable[[], None]
) -> tuple[NDArray[np.uint8], list[str]]:
    """Every image of a table, and what sizes they had."""
    from updp_node.evaluation.dicom import read_display  # noqa: PLC0415 - pydicom

    images = np.empty((len(entries), side, side), dtype=np.uint8)
    sizes: dict[tuple[int, ...], int] = {}
    for place, entry in enumerate(entries):
        try:
            content = store.read(entry.file)
        except (OSError, KeyError):
            raise ConfigError(f"row {entry.row}: the file is not there", file=table) from None
        try:
            is_dicom = content[128:132] == b"DICM"
            display = read_display(content) if is_dicom else read_picture(content)
        except (OSError, SyntaxError, ValueError, InstanceError):
            raise ConfigError(f"row {entry.row}: cannot be read as an image", file=table) from None
        sizes[display.shape] = sizes.get(display.shape, 0) + 1
        images[place] = resize(display, side)
        advance()
    return images, describe_sizes(sizes, side)


def _require_patients(entries: Sequence[Entry], table: str) -> None:
    missing = [entry.row for entry in entries if not entry.patient_id]
    if missing:
        raise ConfigError(
            f"{len(missing)} rows name no patient_id, the first is row {missing[0]}", file=table
        )


def _drop_duplicates(collection: Collection) -> Collection:
    """Keep the first of every exact duplicate: it would be found again without any likeness."""
    seen: set[str] = set()
    kept = np.zeros(len(collection), dtype=bool)
    for place, (entry, image) in enumerate(zip(collection.entries, collection.images, strict=True)):
        marks = {hashlib.sha256(image.tobytes()).hexdigest()}
        marks |= {f"group {entry.group}"} if entry.group else set()
        kept[place] = not marks & seen
        seen |= marks
    dropped = int((~kept).sum())
    notes = (*collection.notes, *([f"{dropped} exact duplicates were dropped"] if dropped else []))
    return replace(collection.select(kept), notes=notes)
