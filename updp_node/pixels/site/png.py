"""A PNG of an external generator: one kind, one size, nothing else in it.

References
----------
PNG (W3C, third edition): 5 (chunks), 11.2.1 (IHDR).
"""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from updp_node.pixels.site.strict import UntrustedFileError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GRAY_16 = (16, 0, 0, 0, 0)
"""Bit depth, colour type, compression, filter, interlace."""


def read_png(content: bytes, *, rows: int, columns: int) -> NDArray[np.uint8]:
    """Read a 16-bit grayscale PNG of a known size.

    The header is checked before anything is inflated, and the data are inflated to the size
    that the header gives and no further. 0 is black, 65535 white; a sample becomes
    ``(sample + 128) // 257``.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)

    Raises
    ------
    UntrustedFileError
        Another format, depth, colour, size or chunk, or damaged data.
    """
    _check_chunks(content, rows=rows, columns=columns)
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.size != (columns, rows) or image.mode not in ("I;16", "I;16B", "I"):
                raise UntrustedFileError("a PNG of another size or kind")
            samples = np.asarray(image).astype(np.uint32)
    except (OSError, ValueError, SyntaxError, zlib.error, struct.error):
        raise UntrustedFileError("a damaged PNG") from None
    return np.ascontiguousarray(((samples + 128) // 257).clip(0, 255).astype(np.uint8))


def _check_chunks(content: bytes, *, rows: int, columns: int) -> None:
    """Signature, IHDR as expected, IDAT, IEND; and as many bytes as the image has."""
    if content[:8] != _SIGNATURE:
        raise UntrustedFileError("no PNG")
    offset = 8
    kinds: list[bytes] = []
    data: list[bytes] = []
    while offset < len(content):
        if len(kinds) > 10_000 or len(content) - offset < 12:
            raise UntrustedFileError("a damaged PNG")
        length, kind = struct.unpack_from(">I4s", content, offset)
        body = content[offset + 8 : offset + 8 + length]
        if len(body) != length or content[offset + 8 + length : offset + 12 + length] != (
            struct.pack(">I", zlib.crc32(kind + body))
        ):
            raise UntrustedFileError("a damaged PNG")
        if kind == b"IHDR" and (length != 13 or struct.unpack(">II5B", body) != (
            columns, rows, *_GRAY_16
        )):  # fmt: skip
            raise UntrustedFileError("a PNG of another size or kind")
        if kind == b"IDAT":
            data.append(body)
        kinds.append(kind)
        offset += length + 12
    if kinds[:1] != [b"IHDR"] or kinds[-1:] != [b"IEND"] or set(kinds[1:-1]) != {b"IDAT"}:
        raise UntrustedFileError("a PNG with other chunks than IHDR, IDAT, IEND")
    _check_inflated(b"".join(data), rows * (2 * columns + 1))


def _check_inflated(data: bytes, expected: int) -> None:
    """Inflate to the expected length, and see that nothing is left."""
    stream = zlib.decompressobj()
    try:
        length = len(stream.decompress(data, expected + 1))
    except zlib.error:
        raise UntrustedFileError("a damaged PNG") from None
    if length != expected or stream.unconsumed_tail or stream.unused_data or not stream.eof:
        raise UntrustedFileError("a PNG whose data are of another length than its image")
