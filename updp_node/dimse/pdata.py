"""P-DATA straight from the socket: fragments of messages, through one buffer.

What pynetdicom copies eight times is read here once, into a buffer whose filled part goes
to the file. Memory is one buffer an association, whatever the size of PDU or object.

References
----------
PS3.8 9.3.5: P-DATA-TF PDU. PS3.8 E.2: Message Control Header.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

BUFFER_BYTES = 256 * 1024
TICK_S = 0.5
"""Sockets wait no longer than this at a time, so that time limits and stopping are seen."""

_PDU_HEAD = struct.Struct(">BxI")
_ITEM_HEAD = struct.Struct(">IBB")
_P_DATA = 0x04
_LOOK_AHEAD = _PDU_HEAD.size + _ITEM_HEAD.size


class ConnectionLostError(OSError):
    """The peer closed the connection."""


class ReadingEndedError(OSError):
    """The node ends the association: the peer was silent for too long, or the process stops."""


class DamagedDataError(ValueError):
    """The peer sent a P-DATA-TF PDU that cannot be read."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """The head of one presentation data value item.

    Attributes
    ----------
    context_id : int
    is_command, is_last : bool
        Bits 0 and 1 of the Message Control Header.
    """

    context_id: int
    is_command: bool
    is_last: bool


class DataReader:
    """Reads the P-DATA-TF PDUs of one association.

    Parameters
    ----------
    connection : socket.socket
        With a timeout of `TICK_S`.
    is_ended : callable
        Asked at every tick; True ends the reading with `ReadingEndedError`.
    """

    def __init__(self, connection: socket.socket, is_ended: Callable[[], bool]) -> None:
        self.timeout_s = 30.0
        self.unread = b""
        self._connection = connection
        self._is_ended = is_ended
        self._pdu_left = self._item_left = 0
        self._buffer = memoryview(bytearray(BUFFER_BYTES + _LOOK_AHEAD))

    def next_fragment(self) -> Fragment | None:
        """Read the head of the next fragment; None if another kind of PDU comes.

        Raises
        ------
        ConnectionLostError, ReadingEndedError, DamagedDataError
        """
        if not self._pdu_left:
            head = self._take(_PDU_HEAD.size)
            kind, self._pdu_left = _PDU_HEAD.unpack(head)
            if kind != _P_DATA:
                self.unread = head + self.unread
                self._pdu_left = 0
                return None
        if self._pdu_left < _ITEM_HEAD.size:
            raise DamagedDataError("a presentation data value item is cut short")
        length, context_id, control = _ITEM_HEAD.unpack(self._take(_ITEM_HEAD.size))
        if length < 2 or length + 4 > self._pdu_left:
            raise DamagedDataError("a presentation data value item is longer than its PDU")
        self._item_left = length - 2
        self._pdu_left -= length + 4
        return Fragment(context_id, bool(control & 1), bool(control & 2))

    def has_input(self) -> bool:
        """Whether the peer has sent something that was not read yet; does not wait."""
        if self.unread:
            return True
        connection = self._connection
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        poller = select.poll()  # unlike select it knows no limit of 1024 descriptors
        poller.register(connection, select.POLLIN)
        return bool(poller.poll(0))

    def read_other(self, limit: int) -> tuple[int, bytes]:
        """Type and content of a PDU that is no P-DATA-TF, after `next_fragment` said so.

        Raises
        ------
        ConnectionLostError, ReadingEndedError, DamagedDataError
        """
        kind, length = _PDU_HEAD.unpack(self._take(_PDU_HEAD.size))
        if length > limit:
            raise DamagedDataError("a PDU is too long")
        return kind, self._take(length)

    def read_command(self, limit: int) -> bytes:
        """The whole of a short fragment.

        Raises
        ------
        ConnectionLostError, ReadingEndedError, DamagedDataError
        """
        if self._item_left > limit:
            raise DamagedDataError("a command set is too long")
        encoded = self._take(self._item_left)
        self._item_left = 0
        return encoded

    def read_data(self, context_id: int, consume: Callable[[memoryview], None]) -> None:
        """Read the fragments of a data set up to the last, and hand on full buffers.

        Parameters
        ----------
        context_id : int
            The fragments must all be of this presentation context.
        consume : callable
            Is lent a part of the buffer; the content changes after it returns.

        Raises
        ------
        ConnectionLostError, ReadingEndedError, DamagedDataError
        """
        filled = 0
        is_last = False
        while not is_last:
            fragment = self.next_fragment()
            if fragment is None:
                raise ConnectionLostError("the association ends within a data set")
            if fragment.is_command or fragment.context_id != context_id:
                raise DamagedDataError("a data set is interrupted")
            is_last = fragment.is_last
            while self._item_left:
                if filled == BUFFER_BYTES:
                    consume(self._buffer[:filled])
                    filled = 0
                filled += self._read_item(filled)
        if filled:
            consume(self._buffer[:filled])

    def _read_item(self, filled: int) -> int:
        """Read payload into the buffer, and the next head with it where that is at hand."""
        wanted = min(self._item_left, BUFFER_BYTES - filled)
        if self.unread:
            count = min(wanted, len(self.unread))
            self._buffer[filled : filled + count] = self.unread[:count]
            self.unread = self.unread[count:]
        else:
            ahead = _LOOK_AHEAD if wanted == self._item_left else 0
            received = self._receive(self._buffer[filled : filled + wanted + ahead])
            count = min(received, wanted)
            self.unread = bytes(self._buffer[filled + count : filled + received])
        self._item_left -= count
        return count

    def _take(self, count: int) -> bytes:
        while len(self.unread) < count:
            missing = self._buffer[-_LOOK_AHEAD:][: count - len(self.unread)]
            if count > _LOOK_AHEAD:
                missing = memoryview(bytearray(count - len(self.unread)))
            self.unread += missing[: self._receive(missing)]
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def _receive(self, target: memoryview) -> int:
        """Read what is at hand, at most the target; wait for the first byte."""
        deadline = time.monotonic() + self.timeout_s
        while True:
            self._acknowledge_at_once()
            try:
                count = self._connection.recv_into(target)
            except TimeoutError:
                if self._is_ended():
                    raise ReadingEndedError("the process stops") from None
                if time.monotonic() > deadline:
                    raise ReadingEndedError("the peer is silent") from None
                continue
            if not count:
                raise ConnectionLostError("the peer closed the connection")
            return count

    def _acknowledge_at_once(self) -> None:
        """Arm TCP_QUICKACK, which the kernel forgets: a sender with Nagle's algorithm waits."""
        with contextlib.suppress(OSError):
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
