"""Where in a released file the data set lies, found without reading the data set.

References
----------
PS3.10 7.1: DICOM File Meta Information.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

from updp_node.errors import InstanceError

_PREAMBLE_BYTES = 128
_GROUP_LENGTH_BYTES = 12
_LARGEST_META_BYTES = 1 << 20
_TRANSFER_SYNTAX = 0x0010
_LONG_VRS = frozenset({b"OB", b"OW", b"UN", b"SQ", b"UT", b"OF", b"OD", b"OL", b"UC", b"UR"})


class Stored(Protocol):
    """An instance of the index, of which only the file matters here."""

    @property
    def file(self) -> str:
        """Relative to the released zone."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where the data set of an instance lies.

    Attributes
    ----------
    path : pathlib.Path
    transfer_syntax_uid : str
    data_offset : int
        Where the data set begins, in bytes.
    data_size : int
        Length of the data set in bytes.
    """

    path: Path
    transfer_syntax_uid: str
    data_offset: int
    data_size: int


def open_stored(root: Path, stored: Stored) -> StoredFile:
    """Find the data set of an instance.

    Parameters
    ----------
    root : pathlib.Path
        Of the released files.
    stored : Stored

    Raises
    ------
    InstanceError
        ``released-file-outside``: the name leads out of the root.
        ``released-file-unreadable``: no file, or no Part 10 file.
    """
    path = root / stored.file
    name = PurePath(stored.file)
    if name.is_absolute() or ".." in name.parts:
        raise InstanceError("released-file-outside")
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            raise InstanceError("released-file-outside")
        return read_head(path)
    except (OSError, ValueError, struct.error) as error:
        raise InstanceError("released-file-unreadable", type(error).__name__) from None


def read_head(path: Path) -> StoredFile:
    """Read the File Meta Information.

    Raises
    ------
    OSError
    ValueError
        No Part 10 file.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(4096)
        start = _PREAMBLE_BYTES + 4
        if head[_PREAMBLE_BYTES:start] != b"DICM":
            raise ValueError("no Part 10 file")
        tag, vr, length, meta_bytes = struct.unpack_from("<I2sHI", head, start)
        if (tag, vr, length) != (0x00000002, b"UL", 4) or meta_bytes > _LARGEST_META_BYTES:
            raise ValueError("no File Meta Information Group Length")
        start += _GROUP_LENGTH_BYTES
        if len(head) < start + meta_bytes:
            head += file.read(start + meta_bytes - len(head))
    meta = head[start : start + meta_bytes]
    if len(meta) < meta_bytes or size <= start + meta_bytes:
        raise ValueError("the file is cut short")
    return StoredFile(path, _transfer_syntax(meta), start + meta_bytes, size - start - meta_bytes)


def _transfer_syntax(meta: bytes) -> str:
    offset = 0
    while offset < len(meta):
        group, element, vr, length = struct.unpack_from("<HH2sH", meta, offset)
        offset += 8
        if vr in _LONG_VRS:
            (length,) = struct.unpack_from("<I", meta, offset)
            offset += 4
        if (group, element) == (2, _TRANSFER_SYNTAX):
            return meta[offset : offset + length].rstrip(b"\0 ").decode("ascii")
        offset += length
    raise ValueError("no Transfer Syntax UID")
