"""The gate itself: what it refuses, and the proof that it gives."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.uid import UID

from updp_node.errors import InstanceError
from updp_node.model import Verified, VerifiedBytes
from updp_node.verify.evidence import Allowances, Evidence
from updp_node.verify.search import Hit, search_attributes, search_bytes

_REQUIRED = (
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality",
    "PatientID", "PatientName", "PatientIdentityRemoved", "DeidentificationMethodCodeSequence",
)  # fmt: skip
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_MOST_HITS_TOLD = 5


def verify(encoded: bytes, evidence: Evidence, *, allow: Allowances) -> VerifiedBytes:
    """Look through an encoded object for its sources' identifiers, and vouch for it.

    Parameters
    ----------
    encoded : bytes
        A Part 10 file, exactly as it is to be written.
    evidence : Evidence
        Of the sources, from `read_evidence`.
    allow : Allowances
        What the profile retains.

    Returns
    -------
    VerifiedBytes

    Raises
    ------
    InstanceError
        ``residual-identifier`` (the detail names tag paths and kinds, never values),
        ``unreadable-output``, ``unreadable-attribute``, ``missing-attribute``,
        ``identity-not-marked-removed``, ``file-meta-differs``, ``preamble-not-empty``.

    References
    ----------
    PS3.15 E.1.1; PS3.3 C.7.1.1 (Patient Identity Removed).
    """
    made = _read_back(encoded)
    _check_structure(made, encoded)
    hits = [
        *search_attributes(made, evidence, allow),
        *search_attributes(made.file_meta, evidence, allow),
        *search_bytes(_without_native_pixels(made, encoded), evidence, allow),
    ]
    if hits:
        raise InstanceError("residual-identifier", _tell(hits))
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
    except OSError as error:
        raise InstanceError("released-file-missing", type(error).__name__) from None
    if digest != sha256:
        raise InstanceError("released-file-changed")
    header = dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
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
    missing = [keyword for keyword in _REQUIRED if keyword not in made]
    if missing:
        raise InstanceError("missing-attribute", " ".join(missing))
    if made.PatientIdentityRemoved != "YES":
        raise InstanceError("identity-not-marked-removed", "(0012,0062)")
    meta = made.file_meta
    same = (
        meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
        and meta.MediaStorageSOPClassUID == made.SOPClassUID
    )
    if not same:
        raise InstanceError("file-meta-differs", "(0002,0003)")
    if any(encoded[:128]):
        raise InstanceError("preamble-not-empty")


def _without_native_pixels(made: Dataset, encoded: bytes) -> bytes:
    """The bytes outside native pixel samples; compressed pixels may hold text and stay in."""
    if UID(made.file_meta.TransferSyntaxUID).is_compressed:
        return encoded
    for keyword in _PIXELS:
        if keyword in made:
            element = made[keyword]
            start = element.file_tell or 0
            return encoded[:start] + encoded[start + len(element.value) :]
    return encoded


def _tell(hits: Iterable[Hit]) -> str:
    counted = Counter(f"{hit.where} {hit.kind}" for hit in hits)
    told = ", ".join(f"{what} x{count}" for what, count in counted.most_common(_MOST_HITS_TOLD))
    return f"{told}, {len(counted)} in all" if len(counted) > _MOST_HITS_TOLD else told
