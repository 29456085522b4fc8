"""The Part 10 encoding of a new object: our own preamble and File Meta Information."""

from __future__ import annotations

from struct import pack

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from updp_node.assemble.elements import encode_elements, encode_value
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
    written = made
    if syntax == ExplicitVRBigEndian and "PixelData" in made:
        written = copy_header(made)
        written["PixelData"] = _turn_words(made)
    if syntax in _REWRITTEN:
        syntax = ExplicitVRLittleEndian
    try:
        is_compressed = syntax.is_compressed
        meta = _file_meta(written, syntax)
        parts = encode_elements(written, is_compressed=is_compressed)
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unencodable-object", type(error).__name__) from None
    return b"".join((b"\0" * 128, b"DICM", meta, *parts))


def _file_meta(made: Dataset, syntax: UID) -> bytes:
    """Our own: nothing of the sender's application entities and implementations.

    Raises
    ------
    ValueError
        The data set has no SOP Class or Instance UID.
    """
    values = (
        (0x00020001, "OB", b"\0\1"),
        (0x00020002, "UI", str(made.SOPClassUID).encode("ascii")),
        (0x00020003, "UI", str(made.SOPInstanceUID).encode("ascii")),
        (0x00020010, "UI", syntax.encode("ascii")),
        (0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
        (0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
    )
    if not all(value for _, _, value in values):
        raise ValueError("no SOP Class or Instance UID")
    encoded = b"".join(part for value in values for part in encode_value(*value))
    return b"".join(encode_value(0x00020000, "UL", pack("<I", len(encoded)))) + encoded


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
