"""Finding canaries again: in data sets, bytes and files."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from tests.factories.people import Patient, patient, plant

ENCODINGS = ("utf-8", "latin-1", "utf-16-le", "utf-16-be")


def _texts(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _texts(item)
        elif isinstance(element.value, bytes):
            if element.keyword != "PixelData":
                yield element.value.decode("latin-1")
                yield element.value.decode("utf-16-le", "ignore")
        else:
            yield str(element.value)


def canaries(source: Dataset | Patient, *, of: Patient | None = None) -> tuple[str, ...]:
    """All planted strings of a patient, or those of them that a data set holds.

    Parameters
    ----------
    of : Patient, optional
        Whose canaries to look for in a data set; the patient of the tests if absent.
    """
    if isinstance(source, Patient):
        return plant(source)
    everything = "\n".join(_texts(source))
    return tuple(text for text in plant(of or patient()) if text in everything)


def encode(dataset: Dataset, *, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a Part 10 file with a sender's file meta."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax_uid
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.ImplementationClassUID = "1.3.6.1.4.1.99991.1"
    meta.SourceApplicationEntityTitle = "QVSTATION07"
    copy = Dataset(dataset)
    copy.file_meta = meta
    copy.preamble = b"\0" * 128
    buffer = io.BytesIO()
    dcmwrite(buffer, copy, enforce_file_format=True)
    return buffer.getvalue()


def write(
    dataset: Dataset, path: Path, *, transfer_syntax_uid: str = ExplicitVRLittleEndian
) -> Path:
    """Write a data set as a Part 10 file; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(dataset, transfer_syntax_uid=transfer_syntax_uid))
    return path


def _spellings(canary: str) -> Iterator[bytes]:
    for text in {canary, canary.upper(), canary.lower(), canary.replace("^", " ")}:
        for encoding in ENCODINGS:
            yield text.encode(encoding, "replace")
    raw = canary.encode()
    for offset in range(3):  # the three alignments of base 64, ragged ends cut off
        middle = base64.b64encode(b"\0" * offset + raw)[4 if offset else 0 : -4]
        if len(middle) >= 8:
            yield middle


def grep_canaries(
    places: bytes | Path | Iterable[Path | bytes], wanted: Iterable[str]
) -> list[tuple[str, str]]:
    """Where canaries occur: (place, canary), in any case, several encodings and base 64.

    Parameters
    ----------
    places : bytes, path (a folder means everything below it), or several of them
    """
    needles = [(text, frozenset(_spellings(text))) for text in wanted]
    hits = []
    for label, raw in _open(places):
        hits.extend((label, text) for text, spellings in needles
                    if any(spelling in raw for spelling in spellings))  # fmt: skip
    return hits


def _open(places: bytes | Path | Iterable[Path | bytes]) -> Iterator[tuple[str, bytes]]:
    if isinstance(places, bytes):
        yield "bytes", places
    elif isinstance(places, Path):
        for path in sorted(places.rglob("*")) if places.is_dir() else [places]:
            yield path.name, path.name.encode()
            if path.is_file():
                yield str(path), path.read_bytes()
    else:
        for place in places:
            yield from _open(place)
