"""The Part 10 encoding of a new object: our own preamble and File Meta Information."""

from __future__ import annotations

import io

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from updp_node.assemble.provenance import copy_header
from updp_node.errors import InstanceError

IMPLEMENTATION_CLASS_UID = UID("2.25.312748093518240971426178360524913750221")
IMPLEMENTATION_VERSION_NAME = "UPDP_NODE_0_1"
_REWRITTEN = (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def encode(made: Dataset, *, transfer_syntax_uid: str) -> bytes:
    """Encode a new object.

    Parameters
    ----------
    made : pydicom.Dataset
    transfer_syntax_uid : str
        That of the pixel data. Implicit, big endian and deflated syntaxes become Explicit VR
        Little Endian.

    Returns
    -------
    bytes
        A Part 10 file with an empty preamble.

    Raises
    ------
    InstanceError
        ``unencodable-object``; ``big-endian-pixels``.

    References
    ----------
    PS3.10 7.1 (File Meta Information); PS3.5 A.
    """
    syntax = UID(transfer_syntax_uid)
    written = copy_header(made)
    if syntax == ExplicitVRBigEndian and "PixelData" in made:
        written["PixelData"] = _turn_words(made)
    written.file_meta = _file_meta(made, ExplicitVRLittleEndian if syntax in _REWRITTEN else syntax)
    written.preamble = b"\0" * 128
    buffer = io.BytesIO()
    try:
        dcmwrite(buffer, written, enforce_file_format=True)
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unencodable-object", type(error).__name__) from None
    return buffer.getvalue()


def _file_meta(made: Dataset, syntax: UID) -> FileMetaDataset:
    """Our own: nothing of the sender's application entities and implementations."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def _turn_words(made: Dataset) -> DataElement:
    """Pixel data of a big-endian source with the bytes of each word turned round (PS3.5 8.1.1)."""
    element = made["PixelData"]
    raw = element.value
    if element.VR == "OB":
        return element
    size = max(made.BitsAllocated // 8, 2)
    if size not in {2, 4, 8} or len(raw) % size:
        raise InstanceError("big-endian-pixels", "(7FE0,0010)")
    turned = np.frombuffer(raw, f">u{size}").astype(f"<u{size}").tobytes()
    return DataElement(element.tag, element.VR, turned)
