"""Which representation is sent: what the client accepts, best first, of what there is.

References
----------
PS3.18 8.7.3 to 8.7.8: media types, transfer syntaxes, Accept. RFC 9110 12.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    MPEG2MPHL,
    MPEG2MPML,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from updp_node.dicomweb.faults import WebError

EXPLICIT = "1.2.840.10008.1.2.1"
DICOM = "application/dicom"
OCTETS = "application/octet-stream"
DICOM_JSON = "application/dicom+json"
JSON = "application/json"
MULTIPART = "multipart/related"
LOSSY = frozenset(
    {
        JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000, JPEG2000MC, HTJ2K,
        MPEG2MPML, MPEG2MPHL, *(f"1.2.840.10008.1.2.4.{number}" for number in range(102, 109)),
    }
)  # fmt: skip
"""Syntaxes that may have lost something: never expanded unless the client names the other."""
_MEDIA: dict[str, str] = {
    RLELossless: "image/dicom-rle",
    **dict.fromkeys(
        (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1), "image/jpeg"
    ),
    **dict.fromkeys((JPEGLSLossless, JPEGLSNearLossless), "image/jls"),
    **dict.fromkeys((JPEG2000Lossless, JPEG2000), "image/jp2"),
    **dict.fromkeys((JPEG2000MCLossless, JPEG2000MC), "image/jpx"),
    **dict.fromkeys((HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K), "image/jphc"),
    **dict.fromkeys((MPEG2MPML, MPEG2MPHL), "video/mpeg"),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{number}" for number in range(102, 109)), "video/mp4"),
}
_MOST_RANGES = 64
_LONGEST_ACCEPT = 8192
_PIECE = re.compile(r'(?:[^,"]|"[^"]*")+')
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*(?:"([^"]*)"|([^\s;,"]*))')
_MEDIA_RANGE = re.compile(r"\s*([A-Za-z0-9.+*-]+/[A-Za-z0-9.+*-]+)\s*((?:;[^;]*)*)")


def frame_media_type(transfer_syntax_uid: str, *, is_encapsulated: bool) -> str:
    """Media type of frames in a transfer syntax (PS3.18 Tables 8.7.3-4 and 8.7.3-5)."""
    return _MEDIA.get(transfer_syntax_uid, OCTETS) if is_encapsulated else OCTETS


def is_expandable(transfer_syntax_uid: str) -> bool:
    """Whether there is a decoder for a compressed syntax."""
    try:
        return bool(get_decoder(UID(transfer_syntax_uid)).is_available)
    except NotImplementedError:
        return False


@dataclass(frozen=True, slots=True)
class Offer:
    """A representation that can be sent.

    Attributes
    ----------
    media : str
        Media type of the response.
    inner : str
        Media type of its parts, if it is multipart.
    syntax : str
        Transfer syntax UID; empty where none applies.
    is_default : bool
        Whether a range without transfer syntax means this one.
    """

    media: str
    inner: str = ""
    syntax: str = ""
    is_default: bool = True


@dataclass(frozen=True, slots=True)
class Range:
    """One element of Accept."""

    media: str
    inner: str | None
    syntax: str | None
    quality: float

    def fit(self, offer: Offer) -> int:
        """How specifically this range names an offer; 0: not at all."""
        if self.media == "*/*":
            return 1
        kind, _, subtype = self.media.partition("/")
        if subtype == "*":
            return 2 if kind == offer.media.partition("/")[0] else 0
        if self.media != offer.media or self.inner not in {None, offer.inner, "*/*"}:
            return 0
        if self.syntax is None or not offer.syntax:
            return 4 if offer.is_default else 0
        if self.syntax == "*":
            return 3
        return 5 if self.syntax == offer.syntax else 0


def read_accept(request: Request) -> tuple[Range, ...]:
    """What a request accepts: the parameter ``accept``, else the header (PS3.18 8.3.3.1).

    Raises
    ------
    WebError
        400: malformed or too long.
    """
    named = request.query_params.getlist("accept")
    text = ",".join(named or request.headers.getlist("accept")).strip()
    if len(text) > _LONGEST_ACCEPT:
        raise WebError(400, "Accept is too long")
    ranges = tuple(_read_range(piece) for piece in _PIECE.findall(text) if piece.strip())
    if len(ranges) > _MOST_RANGES:
        raise WebError(400, "Accept names too many media types")
    return ranges or (Range("*/*", None, None, 1.0),)


def choose(request: Request, offers: Sequence[Offer]) -> Offer:
    """The offer that the client likes best; of equals the first.

    Raises
    ------
    WebError
        406: none is acceptable; 400: Accept is malformed.
    """
    ranges = read_accept(request)
    best: tuple[float, Offer | None] = (0.0, None)
    for offer in offers:
        fits = [(each.fit(offer), each.quality) for each in ranges]
        specific, quality = max(fits)
        if specific and quality > best[0]:
            best = (quality, offer)
    if best[1] is None:
        raise WebError(406, "no acceptable media type or transfer syntax")
    return best[1]


def _read_range(text: str) -> Range:
    match = _MEDIA_RANGE.fullmatch(text)
    if match is None:
        raise WebError(400, "Accept is malformed")
    parameters = {
        name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(match[2])
    }
    try:
        quality = float(parameters.get("q", "1") or "1")
    except ValueError as error:
        raise WebError(400, "Accept is malformed") from error
    if not 0 <= quality <= 1:
        raise WebError(400, "Accept is malformed")
    inner = parameters.get("type")
    syntax = parameters.get("transfer-syntax")
    return Range(match[1].lower(), inner.lower() if inner else None, syntax or None, quality)
