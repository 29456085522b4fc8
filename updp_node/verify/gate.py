"""The gate itself: what it refuses, and the proof that it gives."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from updp_node.errors import InstanceError
from updp_node.model import Verified, VerifiedBytes
from updp_node.verify.conformance import compare_conformance
from updp_node.verify.documents import search_document
from updp_node.verify.evidence import Allowances, Evidence
from updp_node.verify.ocr import read_lines
from updp_node.verify.required import check_required
from updp_node.verify.search import Hit, search_attributes, search_bytes, search_compressed
from updp_node.verify.wanted import Wanted, arrange
from updp_node.verify.words import fold

_REQUIRED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
    "PatientID", "PatientName", "PatientIdentityRemoved", "DeidentificationMethodCodeSequence",
)  # fmt: skip
_META_ELEMENTS = frozenset({0x00, 0x01, 0x02, 0x03, 0x10, 0x12, 0x13})
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_MOST_HITS_TOLD, _SHORTEST_READ = 5, 6


def verify(
    encoded: bytes, evidence: Evidence, *, allow: Allowances, source: Dataset | None = None,
    source_file: Path | None = None, reads_pixels: bool = False,
) -> VerifiedBytes:  # fmt: skip
    """Look through an encoded object for its sources' identifiers, and vouch for it.

    Parameters
    ----------
    encoded : bytes
        A Part 10 file, exactly as it is to be written.
    evidence : Evidence
        Of the sources, from `read_evidence`.
    allow : Allowances
        What the profile retains.
    source : pydicom.Dataset, optional
        The source, to whose attributes of Type 1 the object is held.
    source_file : pathlib.Path, optional
        Where the source lies, for `dciodvfy`, where that is installed.
    reads_pixels : bool
        Whether the pixels are real ones, in which text may stand.

    Returns
    -------
    VerifiedBytes

    Raises
    ------
    InstanceError
        ``residual-identifier``, ``residual-uid``, ``residual-date`` (the detail names tag
        paths and kinds, never values), ``unreadable-output``, ``unreadable-attribute``,
        ``missing-attribute``, ``identity-not-marked-removed``, ``file-meta-differs``,
        ``file-meta-tells``, ``preamble-not-empty``, ``pixel-length-differs``,
        ``unused-bits-filled``,
        ``new-conformance-error``, ``unreadable-document``, ``unreadable-pixels``.

    References
    ----------
    PS3.15 E.1.1; PS3.3 C.7.1.1 (Patient Identity Removed); PS3.10 7.1.
    """
    made = _read_back(encoded)
    _check_structure(made, encoded)
    _check_pixel_length(made)
    _check_unused_bits(made)
    if source is not None:
        check_required(made, source)
    wanted = arrange(evidence, allow)
    _refuse(list(_search(made, encoded, wanted)))
    _refuse(list(search_document(made, wanted)))
    if source_file is not None and (errors := compare_conformance(source_file, encoded)):
        raise InstanceError("new-conformance-error", "; ".join(errors[:_MOST_HITS_TOLD]))
    if reads_pixels:
        _refuse(list(_search_pixels(made, wanted)))
    return VerifiedBytes(
        encoded=encoded,
        sha256=hashlib.sha256(encoded).hexdigest(),
        sop_class_uid=str(made.SOPClassUID),
        sop_instance_uid=str(made.SOPInstanceUID),
        study_uid=str(made.StudyInstanceUID),
        series_uid=str(made.SeriesInstanceUID),
        transfer_syntax_uid=str(made.file_meta.TransferSyntaxUID),
    )


def reaffirm(path: Path, sha256: str) -> Verified:
    """Vouch again for a released file: its bytes are those that passed the gate.

    Parameters
    ----------
    path : pathlib.Path
    sha256 : str
        As recorded when it was released.

    Raises
    ------
    InstanceError
        ``released-file-changed``, ``released-file-missing``.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != sha256:
                raise InstanceError("released-file-changed")
            file.seek(0)
            header = dcmread(file, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
    except OSError as error:
        raise InstanceError("released-file-missing", type(error).__name__) from None
    return Verified(
        path=path,
        sha256=sha256,
        sop_class_uid=str(header.file_meta.MediaStorageSOPClassUID),
        sop_instance_uid=str(header.file_meta.MediaStorageSOPInstanceUID),
        study_uid=str(header.StudyInstanceUID),
        transfer_syntax_uid=str(header.file_meta.TransferSyntaxUID),
    )


def _read_back(encoded: bytes) -> Dataset:
    try:
        return dcmread(io.BytesIO(encoded))
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd bytes
        raise InstanceError("unreadable-output", type(error).__name__) from None


def _check_structure(made: Dataset, encoded: bytes) -> None:
    """What every released object has, whatever its class."""
    missing = [keyword for keyword in _REQUIRED if not made.get(keyword)]
    if missing:
        raise InstanceError("missing-attribute", " ".join(missing))
    if made.PatientIdentityRemoved != "YES":
        raise InstanceError("identity-not-marked-removed", "(0012,0062)")
    meta = made.file_meta
    same = (
        meta.get("MediaStorageSOPInstanceUID") == made.SOPInstanceUID
        and meta.get("MediaStorageSOPClassUID") == made.SOPClassUID
    )
    if not same:
        raise InstanceError("file-meta-differs", "(0002,0003)")
    telling = [tag for tag in meta.keys() if tag & 0xFFFF not in _META_ELEMENTS]  # noqa: SIM118
    if telling:
        raise InstanceError(
            "file-meta-tells", " ".join(f"(0002,{tag & 0xFFFF:04X})" for tag in telling)
        )
    if any(encoded[:128]):
        raise InstanceError("preamble-not-empty")
    if UID(meta.TransferSyntaxUID).is_deflated:
        raise InstanceError("unreadable-output", "deflated")


def _check_pixel_length(made: Dataset) -> None:
    """Native pixel data are no longer than their attributes say: nothing stands behind them.

    A shorter value hides nothing. Where the attributes do not tell a length, there must be
    no pixels.
    """
    if UID(made.file_meta.TransferSyntaxUID).is_encapsulated:
        return
    for keyword in _PIXELS:
        if keyword not in made:
            continue
        try:
            samples = int(made.SamplesPerPixel) * int(made.Rows) * int(made.Columns)
            bits = samples * int(made.get("NumberOfFrames") or 1) * int(made.BitsAllocated)
        except (AttributeError, TypeError, ValueError):
            raise InstanceError("pixel-length-differs", "no size is told") from None
        if made.get("PhotometricInterpretation") == "YBR_FULL_422":
            bits = bits // 3 * 2
        told = (bits + 7) // 8
        if len(made[keyword].value or b"") > told + told % 2:
            raise InstanceError("pixel-length-differs", f"({made[keyword].tag:08X})")


def _decode(made: Dataset, syntax: UID) -> Iterator[bytes]:
    try:
        for frame, _ in get_decoder(syntax).iter_buffer(made, raw=True):
            yield bytes(frame)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # decoders raise what they like
        raise InstanceError("unreadable-pixels", type(error).__name__) from None


def _check_unused_bits(made: Dataset) -> None:
    """Nothing stands above the bits that hold the samples, and High Bit says where they are.

    Compressed samples are read as they are decoded; a sign may fill the bits above.

    References
    ----------
    PS3.3 C.7.6.3; PS3.5 8.1.1 (overlays once lay in unused bits).
    """
    if "PixelData" not in made or "BitsStored" not in made:
        return
    try:
        allocated, stored = int(made.get("BitsAllocated") or 0), int(made.get("BitsStored") or 0)
        high = int(made.get("HighBit") or 0)
    except (TypeError, ValueError):
        raise InstanceError("unused-bits-filled", "(0028,0100)") from None
    if high != stored - 1:
        raise InstanceError("unused-bits-filled", "(0028,0102)")
    if allocated not in {8, 16, 32, 64} or not 0 < stored < allocated:
        return
    syntax = UID(made.file_meta.TransferSyntaxUID)
    if syntax.is_encapsulated:
        frames, order = _decode(made, syntax), "<"
    else:
        frames, order = iter([made.PixelData]), "<" if syntax.is_little_endian else ">"
    for frame in frames:
        samples = np.frombuffer(frame, f"{order}u{allocated // 8}", len(frame) * 8 // allocated)
        above = samples >> np.uint32(stored)
        sign = (samples >> np.uint32(stored - 1)) & 1
        full = (1 << (allocated - stored)) - 1
        extended = made.get("PixelRepresentation") == 1 and bool(np.all(above == sign * full))
        if above.size and not extended and int(above.min()) != int(above.max()):
            raise InstanceError("unused-bits-filled", "(7FE0,0010)")


def _search(made: Dataset, encoded: bytes, wanted: Wanted) -> Iterator[Hit]:
    """Attributes, then the bytes outside pixel samples, then compressed pixels."""
    yield from search_attributes(made, wanted)
    start = end = len(encoded)
    for keyword in _PIXELS:
        if keyword in made and (told := made[keyword].file_tell):
            start, end = told, told + len(made[keyword].value)
    yield from search_bytes(encoded[:start], wanted)
    yield from search_bytes(encoded[end:], wanted)
    if UID(made.file_meta.TransferSyntaxUID).is_compressed:
        yield from search_compressed(encoded[start:end], wanted)


def _search_pixels(made: Dataset, wanted: Wanted) -> Iterator[Hit]:
    """Identifiers that are read in the pixels."""
    if "PixelData" in made:
        for line in read_lines(made):
            kinds = wanted.judge_read(fold(line), shortest=_SHORTEST_READ)
            yield from (Hit("(7FE0,0010) text", kind) for kind in kinds)


def _refuse(hits: Sequence[Hit]) -> None:
    """Refuse what has hits.

    Raises
    ------
    InstanceError
        ``residual-uid``, ``residual-date``: hits of this kind alone. ``residual-identifier``.
    """
    if hits:
        raise InstanceError(_code(hits), _tell(hits))


def _code(hits: Sequence[Hit]) -> str:
    kinds = {hit.kind for hit in hits}
    return f"residual-{kinds.pop()}" if kinds in ({"uid"}, {"date"}) else "residual-identifier"


def _tell(hits: Sequence[Hit]) -> str:
    counted = Counter(f"{hit.where} {hit.kind}" for hit in hits)
    told = ", ".join(f"{what} x{count}" for what, count in counted.most_common(_MOST_HITS_TOLD))
    return f"{told}, {len(counted)} in all" if len(counted) > _MOST_HITS_TOLD else told
