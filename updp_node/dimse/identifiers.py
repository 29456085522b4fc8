"""Identifiers of requests, read from bytes that may be anything.

References
----------
PS3.5 7.1: Data Elements. PS3.4 C.4.1.1.3.1: Request Identifier Structure.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from typing import TypeVar

from pydicom import Dataset
from pydicom.filereader import read_dataset

from updp_node.query.keys import UNABLE_TO_PROCESS, QueryError

Read = TypeVar("Read")

IDENTIFIER_LIMIT_BYTES = 1 << 20
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())


class Collected:
    """The bytes of an identifier; after the limit the rest is dropped."""

    def __init__(self) -> None:
        self._content = bytearray()
        self._is_too_long = False

    def add(self, part: memoryview) -> None:
        """Append what was read."""
        self._is_too_long = self._is_too_long or (
            len(self._content) + len(part) > IDENTIFIER_LIMIT_BYTES
        )
        if self._is_too_long:
            self._content.clear()
        else:
            self._content += part

    def read(self, *, is_implicit: bool) -> Dataset:
        """The identifier.

        Raises
        ------
        QueryError
            It is too long, or no data set in this transfer syntax.
        """
        if self._is_too_long:
            raise QueryError("the identifier is too long", status=UNABLE_TO_PROCESS)
        encoded = bytes(self._content)
        if not _is_whole(encoded, is_implicit):
            raise QueryError("the identifier is damaged", status=UNABLE_TO_PROCESS)
        try:
            return read_dataset(BytesIO(encoded), is_implicit, True)
        except Exception:  # noqa: BLE001  # pydicom raises what it likes on damaged bytes
            raise QueryError("the identifier is damaged", status=UNABLE_TO_PROCESS) from None


def interpret(read: Callable[[], Read]) -> Read:
    """What a reader of identifiers makes of one; values may be damaged deep within.

    Raises
    ------
    QueryError
    """
    try:
        return read()
    except QueryError:
        raise
    except Exception:  # noqa: BLE001  # pydicom raises what it likes on damaged values
        raise QueryError("the identifier is damaged", status=UNABLE_TO_PROCESS) from None


def charset_of(identifier: Dataset) -> tuple[str, ...]:
    """Values of Specific Character Set, if they can be read."""
    try:
        value = identifier.get("SpecificCharacterSet") or ()
        return (value,) if isinstance(value, str) else tuple(str(each) for each in value)
    except Exception:  # noqa: BLE001  # pydicom raises what it likes on damaged values
        return ()


def _is_whole(encoded: bytes, is_implicit: bool) -> bool:
    """Whether elements follow each other to the end.

    Of an element of undefined length only the beginning is seen here.
    """
    offset = 0
    while offset < len(encoded):
        head = encoded[offset : offset + 12]
        if len(head) < 8:
            return False
        offset += 8
        if is_implicit:
            (length,) = struct.unpack_from("<I", head, 4)
        elif head[4:6] in _LONG_VRS:
            if len(head) < 12:
                return False
            (length,) = struct.unpack_from("<I", head, 8)
            offset += 4
        else:
            (length,) = struct.unpack_from("<H", head, 6)
        if length == _UNDEFINED:
            return True
        offset += length
    return offset == len(encoded)
