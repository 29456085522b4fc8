"""Compressed frames without what is not needed to decode them: comments, application segments.

Only marker segments are read; entropy-coded data are passed over, never decoded.

References
----------
ISO/IEC 10918-1 B.1 (JPEG markers), ISO/IEC 14495-1 C.1 (JPEG-LS), ISO/IEC 15444-1 A.2 to A.4
(JPEG 2000 markers); PS3.5 8.2, A.4.
"""

from __future__ import annotations

from collections.abc import Iterator

from updp_node.errors import InstanceError

_SOI, _EOI, _SOS, _COM, _APP0, _APP8, _APP14 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE8, 0xEE
_APPLICATIONS = range(0xE0, 0xF0)
_RESTARTS = range(0xD0, 0xD8)
_TABLES = frozenset({*range(0xC0, 0xD0), *range(0xDB, 0xE0), 0xF7, 0xF8}) - {0xC8}
_JFIF, _ADOBE, _MRFX = b"JFIF\0", b"Adobe", b"mrfx"
_SOC, _SIZ, _J2K_COM, _SOT, _SOD, _EOC = 0xFF4F, 0xFF51, 0xFF64, 0xFF90, 0xFF93, 0xFFD9
_J2K_SEGMENTS = range(0xFF50, 0xFF70)


def strip_jpeg(frame: bytes, *, is_ls: bool) -> bytes:
    """A JPEG or JPEG-LS frame without comments, application segments and trailing bytes.

    What decoding needs of application segments stays: the version and density of JFIF, the
    colour transform of Adobe and of HP's JPEG-LS.

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``: a marker that is not known, or a frame that ends early.
    """
    if frame[:2] != b"\xff\xd8":
        raise _unsearched("no SOI")
    kept = [b"\xff\xd8"]
    at = 2
    while True:
        marker, at = _jpeg_marker(frame, at)
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            return b"".join(kept)
        body, end = _segment(frame, at)
        if marker == _COM:
            pass
        elif marker in _APPLICATIONS:
            kept.append(_needed_application(marker, body))
        elif marker == _SOS or marker in _TABLES:
            kept.append(bytes((0xFF, marker)) + frame[at:end])
        else:
            raise _unsearched(f"marker FF{marker:02X}")
        at = end
        if marker == _SOS:
            at = _skip_scan(frame, end, is_ls=is_ls)
            kept.append(frame[end:at])


def strip_j2k(frame: bytes) -> bytes:
    """A JPEG 2000 codestream without the comments of its main header and trailing bytes.

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``: a JP2 file, a comment in the header of a tile, a marker
        that is not known, or a frame that ends early.
    """
    if int.from_bytes(frame[:2]) != _SOC:
        raise _unsearched("no SOC")
    kept = [frame[:2]]
    at = 2
    while (marker := int.from_bytes(frame[at : at + 2])) != _SOT:
        if marker not in _J2K_SEGMENTS:
            raise _unsearched(f"marker {marker:04X}")
        _, end = _segment(frame, at + 2)
        if marker != _J2K_COM:
            kept.append(frame[at:end])
        at = end
    end = _skip_tiles(frame, at)
    kept.append(frame[at:end])
    return b"".join((*kept, b"\xff\xd9"))


def _jpeg_marker(frame: bytes, at: int) -> tuple[int, int]:
    """The marker at a place, fill bytes aside, and the place after it."""
    if frame[at : at + 1] != b"\xff":
        raise _unsearched("no marker")
    while frame[at : at + 1] == b"\xff":
        at += 1
    if at >= len(frame):
        raise _unsearched("it ends early")
    return frame[at], at + 1


def _segment(frame: bytes, at: int) -> tuple[bytes, int]:
    """Body and end of a segment whose length stands at a place."""
    length = int.from_bytes(frame[at : at + 2])
    if length < 2 or at + length > len(frame):
        raise _unsearched("it ends early")
    return frame[at + 2 : at + length], at + length


def _needed_application(marker: int, body: bytes) -> bytes:
    """What decoding needs of an application segment, without thumbnails and additions."""
    if marker == _APP0 and body.startswith(_JFIF) and len(body) >= 14:
        return b"\xff\xe0\x00\x10" + body[:12] + b"\0\0"
    if marker == _APP14 and body.startswith(_ADOBE) and len(body) >= 12:
        return b"\xff\xee\x00\x0e" + body[:12]
    if marker == _APP8 and body.startswith(_MRFX) and len(body) >= 5:
        return b"\xff\xe8\x00\x07" + body[:5]
    return b""


def _skip_scan(frame: bytes, at: int, *, is_ls: bool) -> int:
    """Where entropy-coded data end: at the next marker that is neither stuffing nor restart."""
    while (at := frame.find(b"\xff", at)) >= 0 and at + 1 < len(frame):
        follows = frame[at + 1]
        is_stuffed = follows < 0x80 if is_ls else follows == 0
        if not is_stuffed and follows not in _RESTARTS and follows != 0xFF:
            return at
        at += 1 if follows == 0xFF else 2
    raise _unsearched("it ends early")


def _skip_tiles(frame: bytes, at: int) -> int:
    """Where the last tile-part ends: at EOC. Their headers must hold no comment."""
    for start, end in _tile_parts(frame, at):
        inside = start + 12
        while (marker := int.from_bytes(frame[inside : inside + 2])) != _SOD:
            if marker not in _J2K_SEGMENTS or marker == _J2K_COM:
                raise _unsearched(f"marker {marker:04X} in a tile")
            _, inside = _segment(frame, inside + 2)
        at = end
    return at


def _tile_parts(frame: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Start and end of every tile-part."""
    while int.from_bytes(frame[at : at + 2]) == _SOT:
        length = int.from_bytes(frame[at + 6 : at + 10])
        end = at + length if length else frame.rfind(b"\xff\xd9")
        if end < at + 14 or end > len(frame):
            raise _unsearched("it ends early")
        yield at, end
        at = end
    if int.from_bytes(frame[at : at + 2]) != _EOC:
        raise _unsearched("no EOC")


def _unsearched(why: str) -> InstanceError:
    return InstanceError("pixel-metadata-unsearched", why)


def strip_rle(frame: bytes, size: int) -> bytes:
    """An RLE frame whose segments end where they have given `size` bytes (PS3.5 Annex G).

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``: the header is no RLE header, or a segment ends early or
        gives more than it may.
    """
    count = int.from_bytes(frame[:4], "little")
    if not 1 <= count <= 15 or len(frame) < 64:
        raise _unsearched("no RLE header")
    starts = [int.from_bytes(frame[at : at + 4], "little") for at in range(4, 4 + 4 * count, 4)]
    segments = []
    for start, stop in zip(starts, [*starts[1:], len(frame)], strict=True):
        if not 64 <= start <= stop <= len(frame):
            raise _unsearched("segments overlap")
        segment = frame[start : _skip_runs(frame, start, stop, size)]
        segments.append(segment + b"\0" * (len(segment) % 2))
    header = [count]
    at = 64
    for segment in segments:
        header.append(at)
        at += len(segment)
    table = b"".join(number.to_bytes(4, "little") for number in header)
    return b"".join((table.ljust(64, b"\0"), *segments))


def _skip_runs(frame: bytes, at: int, stop: int, size: int) -> int:
    """Where the runs of a segment have given so many bytes, at most one more for padding."""
    given = 0
    while given < size:
        if at >= stop:
            raise _unsearched("it ends early")
        head = frame[at]
        if head < 128:
            given += head + 1
            at += head + 2
        elif head == 128:
            at += 1
        else:
            given += 257 - head
            at += 2
    if at > stop or given > size + 1:
        raise _unsearched("a run too long")
    return at
