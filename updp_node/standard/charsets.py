"""Character sets that pydicom does not know, or reads with their escape sequences left in.

References
----------
PS3.3 C.12.1.1.2 (Latin alphabet No. 9 was added in 2018); PS3.5 K.2 (GB 2312 designated to G1).
"""

from __future__ import annotations

from pydicom.charset import CODES_TO_ENCODINGS, ENCODINGS_TO_CODES, python_encoding

_TERMS = {
    "ISO_IR 203": "iso8859_15",
    "ISO 2022 IR 203": "iso8859_15",
    "ISO 2022 IR 58": "gb2312",
}
_ESCAPES = {b"\x1b-b": "iso8859_15", b"\x1b$)A": "gb2312"}


def complete_pydicom() -> None:
    """Correct pydicom's tables in this process; again does no harm."""
    python_encoding.update(_TERMS)
    CODES_TO_ENCODINGS.update(_ESCAPES)
    ENCODINGS_TO_CODES.update({encoding: escape for escape, encoding in _ESCAPES.items()})
