"""Multipart/related messages and stretches of files, streamed piece by piece.

References
----------
PS3.18 8.6.1.2: Multipart Payload. RFC 2387: multipart/related.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

from updp_node.errors import InstanceError

T = TypeVar("T")
CHUNK_BYTES = 1 << 19
Span = tuple[int, int]
"""Offset and length of a stretch of a file."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a message.

    Attributes
    ----------
    content_type : str
        With its parameters.
    pieces : iterable of bytes
    location : str or None
        Where the resource of this part can be had alone.
    """

    content_type: str
    pieces: Iterable[bytes]
    location: str | None = None


def new_boundary() -> str:
    """A boundary that no content holds by chance."""
    return secrets.token_hex(20)


def join_parts(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """The message body.

    Parameters
    ----------
    parts : iterable of Part
    boundary : str

    Returns
    -------
    iterator of bytes
    """
    start = f"--{boundary}\r\n"
    for part in parts:
        where = f"Content-Location: {part.location}\r\n" if part.location else ""
        yield f"{start}Content-Type: {part.content_type}\r\n{where}\r\n".encode("ascii")
        yield from part.pieces
        start = f"\r\n--{boundary}\r\n"
    yield f"\r\n--{boundary}--\r\n".encode("ascii")


def read_spans(path: Path, spans: Iterable[Span]) -> Iterator[bytes]:
    """Stretches of a file, one after the other.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``: the file ends before.
    """
    with path.open("rb", buffering=0) as file:
        for offset, length in spans:
            yield from _read_span(file, offset, length)


def _read_span(file: BinaryIO, offset: int, length: int) -> Iterator[bytes]:
    file.seek(offset)
    while length:
        piece = file.read(min(length, CHUNK_BYTES))
        if not piece:
            raise InstanceError("released-file-unreadable", "shorter than it says")
        length -= len(piece)
        yield piece


def begin(pieces: Iterable[T]) -> Iterator[T]:
    """The same pieces, the first made at once: what fails there fails before anything is sent."""
    iterator = iter(pieces)
    try:
        first = next(iterator)
    except StopIteration:
        return iterator
    return chain([first], iterator)


def gather(pieces: Iterable[str], size: int = 1 << 16) -> Iterator[bytes]:
    """Many small texts as few larger pieces of UTF-8."""
    held: list[str] = []
    count = 0
    for piece in pieces:
        held.append(piece)
        count += len(piece)
        if count >= size:
            yield "".join(held).encode("utf-8")
            held, count = [], 0
    if held:
        yield "".join(held).encode("utf-8")
