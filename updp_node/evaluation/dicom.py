"""DICOM files as images of an evaluation."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from updp_node.errors import ConfigError, InstanceError
from updp_node.evaluation.index import Entry
from updp_node.evaluation.picture import describe_sizes, resize
from updp_node.pixels.frames import decode, has_pixels, to_display
from updp_node.reading import read_source

_DICM = slice(128, 132)


def read_display(content: bytes) -> NDArray[np.uint8]:
    """First frame of a DICOM file as it is displayed.

    Raises
    ------
    InstanceError
        It cannot be read or decoded, or has no pixels.
    """
    return _display(_read(content))


def read_instances(
    files: Sequence[tuple[str, Callable[[], bytes]]],
    side: int,
    place: Path,
    advance: Callable[[], None],
) -> tuple[list[Entry], NDArray[np.uint8], list[str]]:
    """Read every image among DICOM files; patient, view and id come from the header.

    Parameters
    ----------
    files : sequence of (str, callable)
        Name and reader of every file.
    side : int
        Rows and columns afterwards.
    place : pathlib.Path
        For messages.
    advance : callable
        Called after every file.

    Raises
    ------
    ConfigError
        No DICOM image is there.

    References
    ----------
    PS3.3 C.7.1.1 (Patient ID), C.12.1 (SOP Instance UID), C.8.1.2 (View Position).
    """
    entries, images, sizes, passed_over = [], [], dict[tuple[int, ...], int](), 0
    for row, (_, read) in enumerate(files, start=1):
        try:
            source = _read(read())
            display = _display(source)
        except InstanceError:
            passed_over += 1
            continue
        finally:
            advance()
        sizes[display.shape] = sizes.get(display.shape, 0) + 1
        images.append(resize(display, side))
        entries.append(_describe(source, row))
    if not entries:
        raise ConfigError(
            "holds no DICOM image and no index.csv that names images", file=str(place)
        )
    notes = describe_sizes(sizes, side)
    if passed_over:
        notes.append(f"{passed_over} files are no readable DICOM image and were passed over")
    return entries, np.stack(images), notes


def _read(content: bytes) -> Dataset:
    if content[_DICM] != b"DICM":
        raise InstanceError("unreadable-object", "no DICOM prefix")
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(content)
        file.flush()
        return read_source(Path(file.name))


def _display(source: Dataset) -> NDArray[np.uint8]:
    if not has_pixels(source):
        raise InstanceError("undecodable-pixels", "no pixels")
    return to_display(source, decode(source)[0])


def _describe(source: Dataset, row: int) -> Entry:
    return Entry(
        row=row,
        image_id=str(source.get("SOPInstanceUID") or row),
        patient_id=str(source.get("PatientID") or "").strip(),
        labels=None,
        view=str(source.get("ViewPosition") or "").strip(),
        split="",
        hospital="",
        arm="",
        source="",
        file="",
        group="",
    )
