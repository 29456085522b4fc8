"""Character sets of answers: that of the request where it can carry them, else UTF-8.

References
----------
PS3.3 C.12.1.1.2: Specific Character Set. PS3.4 C.4.1.1.3.2: character sets of answers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.charset import convert_encodings, decode_bytes, encode_string

_CODECS = {
    "ISO_IR 100": "latin_1", "ISO_IR 101": "iso8859_2", "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4", "ISO_IR 144": "iso8859_5", "ISO_IR 127": "iso8859_6",
    "ISO_IR 126": "iso8859_7", "ISO_IR 138": "iso8859_8", "ISO_IR 148": "iso8859_9",
    "ISO_IR 203": "iso8859_15", "ISO_IR 166": "tis_620", "ISO_IR 192": "utf_8",
    "GB18030": "gb18030", "GBK": "gbk",
}  # fmt: skip
CHARACTER_SETS = tuple(_CODECS)
"""Defined terms in which answers are given where a request names one; else ISO_IR 192 where an
answer is not plain ASCII. Several terms at once (code extensions, ISO 2022) are read back to
check that they carry the answer."""

_DELIMITERS = set(b"^=\\")


class CharsetError(ValueError):
    """A character set cannot carry a text."""


@dataclass(frozen=True, slots=True)
class Charset:
    """How text becomes bytes.

    Attributes
    ----------
    terms : tuple of str
        Values of Specific Character Set; empty where it is left out.
    encode : callable
        From str to bytes; raises `CharsetError`.
    """

    terms: tuple[str, ...]
    encode: Callable[[str], bytes]


def _strictly(codec: str) -> Callable[[str], bytes]:
    def encode(text: str) -> bytes:
        try:
            return text.encode(codec)
        except UnicodeEncodeError:
            raise CharsetError("a text does not fit into the character set") from None

    return encode


def _with_extensions(terms: tuple[str, ...]) -> Callable[[str], bytes] | None:
    """Code extensions by escape sequences, checked by reading them back."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            codecs = convert_encodings(list(terms))
        except (LookupError, UserWarning):
            return None

    def encode(text: str) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                encoded = encode_string(text, codecs)
                is_right = decode_bytes(encoded, codecs, _DELIMITERS) == text
            except (UnicodeError, LookupError, ValueError):
                is_right = False
        if not is_right:
            raise CharsetError("a text does not fit into the character sets")
        return encoded

    return encode


ASCII = Charset((), _strictly("ascii"))
UTF8 = Charset(("ISO_IR 192",), _strictly("utf_8"))


def requested_charset(terms: tuple[str, ...]) -> Charset | None:
    """The character set of a request; None where it is the default or not known."""
    if not any(terms):
        return None
    if len(terms) == 1:
        codec = _CODECS.get(terms[0].replace("ISO 2022 IR ", "ISO_IR "))
        return Charset(terms, _strictly(codec)) if codec else None
    encode = _with_extensions(terms)
    return Charset(terms, encode) if encode else None
