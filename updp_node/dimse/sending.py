"""Messages onto the connection: commands, small data sets, and files piece by piece.

Heads of fragments are written once into a buffer of many PDUs, between which the file is
read; memory is this buffer, whatever the size of the object.

References
----------
PS3.8 9.3.5 and Annex E: P-DATA-TF PDU, Message Control Header.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Callable

from updp_node.dimse.pdata import ReadingEndedError

SHORTEST_PDU_BYTES = 128
"""A peer that takes no longer PDUs is refused."""

_BUFFER_BYTES = 256 * 1024
_MOST_PARTS = 1024  # of one preadv
_HEAD = struct.Struct(">BxIIBB")
_ITEM_OVERHEAD = 6  # length, context, control: they count as part of the PDU
_COMMAND, _LAST = 0x01, 0x02


class ShortFileError(ReadingEndedError):
    """A file is shorter than it was; the message cannot be finished, nor the association."""


class DataWriter:
    """Writes the P-DATA-TF PDUs of one association.

    Parameters
    ----------
    connection : socket.socket
        With a timeout of `pdata.TICK_S`.
    max_length : int
        Of the peer, in bytes; 0 is unlimited.
    timeout_s : float
        Longest time in which the peer takes nothing.
    is_ended : callable
        Asked at every tick; True ends the writing with `ReadingEndedError`.
    """

    def __init__(
        self, connection: socket.socket, max_length: int, timeout_s: float,
        is_ended: Callable[[], bool],
    ) -> None:  # fmt: skip
        longest = _BUFFER_BYTES - _HEAD.size
        wanted = max_length - _ITEM_OVERHEAD if max_length else longest
        self._piece = min(max(wanted, 2), longest) & ~1  # fragments have an even length
        self._connection = connection
        self._timeout_s = timeout_s
        self._is_ended = is_ended

    def command(self, context_id: int, encoded: bytes) -> bytes:
        """PDUs of a command set."""
        return self._pack(context_id, encoded, _COMMAND)

    def data(self, context_id: int, encoded: bytes) -> bytes:
        """PDUs of a data set."""
        return self._pack(context_id, encoded, 0)

    def send(self, content: bytes | memoryview) -> None:
        """Send all of it, as slowly as the peer takes it.

        Raises
        ------
        OSError
            The connection is lost.
        ReadingEndedError
            The peer takes nothing for too long, or the process stops.
        """
        rest = memoryview(content)
        deadline = time.monotonic() + self._timeout_s
        while rest:
            try:
                count = self._connection.send(rest)
            except TimeoutError:
                if self._is_ended():
                    raise ReadingEndedError("the process stops") from None
                if time.monotonic() > deadline:
                    raise ReadingEndedError("the peer takes nothing") from None
                continue
            rest = rest[count:]
            deadline = time.monotonic() + self._timeout_s

    def send_file(self, context_id: int, file: int, offset: int, size: int) -> None:
        """Send the bytes of a file as a data set.

        Parameters
        ----------
        context_id : int
        file : int
            Descriptor.
        offset, size : int
            Where the data set begins, and its length; at least one byte.

        Raises
        ------
        OSError, ReadingEndedError
            As `send`.
        ShortFileError
        """
        step = _HEAD.size + self._piece
        count = max(1, min(_BUFFER_BYTES // step, -(-size // self._piece), _MOST_PARTS))
        buffer = memoryview(bytearray(count * step))
        bodies = [buffer[at + _HEAD.size : at + step] for at in range(0, len(buffer), step)]
        for at in range(0, len(buffer), step):
            _HEAD.pack_into(buffer, at, *_head(context_id, self._piece, 0))
        whole = count * self._piece
        end = offset + size
        while end - offset > whole:
            _read(file, bodies, offset, whole)
            self.send(buffer)
            offset += whole
        self._send_last(context_id, file, offset, end - offset, buffer)

    def _send_last(
        self, context_id: int, file: int, offset: int, size: int, buffer: memoryview
    ) -> None:
        """Send what fits into one buffer, the last fragment of which is marked."""
        step = _HEAD.size + self._piece
        number, rest = divmod(size - 1, self._piece)
        last = number * step
        length = rest + 1
        _HEAD.pack_into(buffer, last, *_head(context_id, length, _LAST))
        bodies = [buffer[at + _HEAD.size : at + step] for at in range(0, last, step)]
        bodies.append(buffer[last + _HEAD.size : last + _HEAD.size + length])
        _read(file, bodies, offset, size)
        self.send(buffer[: last + _HEAD.size + length])

    def _pack(self, context_id: int, encoded: bytes, control: int) -> bytes:
        piece = self._piece
        if len(encoded) <= piece:
            return _HEAD.pack(*_head(context_id, len(encoded), control | _LAST)) + encoded
        parts = []
        for at in range(0, len(encoded), piece):
            part = encoded[at : at + piece]
            last = _LAST if at + piece >= len(encoded) else 0
            parts += [_HEAD.pack(*_head(context_id, len(part), control | last)), part]
        return b"".join(parts)


def _head(context_id: int, length: int, control: int) -> tuple[int, int, int, int, int]:
    return 0x04, length + _ITEM_OVERHEAD, length + 2, context_id, control


def _read(file: int, parts: list[memoryview], offset: int, size: int) -> None:
    """Fill the parts from a file."""
    count = os.preadv(file, parts, offset)
    while count < size:
        rest, left = [], count
        for part in parts:
            if left < len(part):
                rest.append(part[left:])
            left = max(0, left - len(part))
        more = os.preadv(file, rest, offset + count)
        if not more:
            raise ShortFileError("a file is shorter than it was")
        count += more
