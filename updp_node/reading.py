"""Reads staged files: whatever pydicom makes of hostile bytes, it becomes one error.

References
----------
PS3.10 7: DICOM File Format. PS3.5 A.5: deflated transfer syntax.
"""

from __future__ import annotations

import zlib
from io import BufferedReader, FileIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import FileDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from updp_node.errors import InstanceError

_UNDEFINED_LENGTH = 0xFFFFFFFF
_MOST_EMPTY_ITEMS = 10_000
_MAY_BE_SEQUENCES = ("SQ", "UN", None)  # None: Implicit VR
_EMPTY_ITEMS = (b"\xfe\xff\x00\xe0" + bytes(4), b"\xff\xfe\xe0\x00" + bytes(4))
_INFLATED_AT_ONCE = 1 << 20
_INFLATED_AT_MOST = 128 << 20


def read_source(path: Path, *, with_pixels: bool = True) -> Dataset:
    """Read a staged file.

    Raises
    ------
    InstanceError
        ``unreadable-object``: pydicom can make nothing of it, or it ends early.
        ``oversized-object``: it is deflated, and grows beyond all measure.
        ``repeated-attribute``: an attribute occurs twice.
    """
    try:
        with _WatchedFile(FileIO(path)) as file:
            source = dcmread(file, force=True, stop_before_pixels=not with_pixels)
            is_cut_off = file.was_short or (with_pixels and file.read(1) != b"")
        if not source or "SOPClassUID" not in source:
            raise InstanceError("unreadable-object", "(0008,0016) is missing")
        if is_cut_off:
            raise InstanceError("unreadable-object", "it ends early")
        _check_layout(source)
        _tell_syntax(source)
    except InstanceError:
        raise
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on hostile bytes
        raise InstanceError("unreadable-object", type(error).__name__) from None
    return source


class _WatchedFile(BufferedReader):
    """Knows whether the last read got a part of what it asked for: a header that is cut off."""

    was_short = False

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if size is None or size < 0:
            _refuse_bomb(content)  # pydicom asks for all the rest where the data set is deflated
        else:
            self.was_short = 0 < len(content) < size
        return content


def _refuse_bomb(deflated: bytes) -> None:
    """Refuse a deflated data set that grows beyond all measure (PS3.5 A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    grown, rest = 0, deflated
    while rest and not inflater.eof:
        grown += len(inflater.decompress(rest, _INFLATED_AT_ONCE))
        if grown > _INFLATED_AT_MOST:
            raise InstanceError("oversized-object", f"more than {_INFLATED_AT_MOST >> 20} MiB")
        rest = inflater.unconsumed_tail


def _check_layout(source: Dataset) -> None:
    """Refuse values shorter than their length says and repeated attributes: pydicom lets both pass.

    Of an attribute that occurs twice only the last value is seen, in the place of the first.

    Raises
    ------
    InstanceError
        ``unreadable-object``, ``repeated-attribute``, ``oversized-object``.

    References
    ----------
    PS3.5 7.1: an attribute occurs at most once, and tags ascend.
    """
    reached: int | None = None
    for each in source.values():
        if _count_empty_items(each) > _MOST_EMPTY_ITEMS:
            raise InstanceError("oversized-object", f"empty items in ({each.tag:08X})")
        if not isinstance(each, RawDataElement):
            reached = None  # where a sequence of undefined length ends is not known
            continue
        start = each.value_tell - (12 if each.VR in EXPLICIT_VR_LENGTH_32 else 8)
        if reached is not None and start != reached:
            raise InstanceError("repeated-attribute", f"near ({each.tag:08X})")
        if each.length == _UNDEFINED_LENGTH:
            reached = None
            continue
        if len(each.value or b"") < each.length:
            raise InstanceError("unreadable-object", "it ends early")
        reached = each.value_tell + each.length


def _count_empty_items(element: DataElement | RawDataElement) -> int:
    """Empty items of a sequence: they say nothing, and each costs as much as a full one."""
    if element.VR not in _MAY_BE_SEQUENCES or element.value is None or element.tag.group == 0x7FE0:
        return 0
    if isinstance(element.value, bytes):
        return max(element.value.count(item) for item in _EMPTY_ITEMS)
    return sum(not len(item) for item in element.value) if element.VR == "SQ" else 0


def _tell_syntax(source: FileDataset) -> None:
    """Say what transfer syntax pydicom found where the file meta is silent."""
    if source.file_meta.get("TransferSyntaxUID"):
        return
    is_implicit, is_little = source.original_encoding
    explicit = ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian
    source.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if is_implicit else explicit
