"""The Part 10 encoding of a new object: our own preamble and File Meta Information."""

from __future__ import annotations

import io

from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

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
        Little Endian; big-endian pixels of more than a byte are refused.

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
    if syntax == ExplicitVRBigEndian and "PixelData" in made and made.BitsAllocated > 8:
        raise InstanceError("big-endian-pixels", "(7FE0,0010)")
    if syntax in _REWRITTEN:
        syntax = ExplicitVRLittleEndian
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.TransferSyntaxUID = syntax
    made.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    made.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    made.preamble = b"\0" * 128
    buffer = io.BytesIO()
    try:
        dcmwrite(buffer, made, enforce_file_format=True)
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unencodable-object", type(error).__name__) from None
    return buffer.getvalue()
