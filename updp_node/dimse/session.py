"""The messages of one association, one after the other, until another PDU than P-DATA comes.

References
----------
PS3.7 6.3: DIMSE message structure. PS3.8 9.3.5: P-DATA-TF.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from updp_node.dimse.commands import Command, decode_command
from updp_node.dimse.pdata import DamagedDataError, DataReader
from updp_node.log import get_logger

_COMMAND_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AssociationFacts:
    """What the negotiation settled.

    Attributes
    ----------
    association_id : str
        Opaque.
    calling_ae_title, peer_address : str
    transfer_syntaxes : Mapping[int, str]
        Of the accepted presentation contexts, by their id.
    """

    association_id: str
    calling_ae_title: str
    peer_address: str
    transfer_syntaxes: Mapping[int, str]


class Session:
    """Serves the messages of one association, from its acceptance to its release.

    Parameters
    ----------
    facts : AssociationFacts
    connection : socket.socket
        Borrowed from pynetdicom; its timeout is `pdata.TICK_S`.
    message_timeout_s, idle_timeout_s : float
        Longest silence within a message, and between messages.
    is_stopping : callable
        True ends the session at the next boundary between messages.

    Attributes
    ----------
    count : int
        Instances stored, or operations answered; for the log.
    """

    def __init__(
        self, facts: AssociationFacts, connection: socket.socket, *, message_timeout_s: float,
        idle_timeout_s: float, is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.count = 0
        self._facts = facts
        self._connection = connection
        self._message_timeout_s = message_timeout_s
        self._idle_timeout_s = idle_timeout_s
        self._is_stopping = is_stopping
        self._is_in_message = False
        self._reader = DataReader(connection, self._tick)
        self._log = get_logger().bind(association_id=facts.association_id)

    def serve(self) -> bytes:
        """Serve messages until another PDU than P-DATA comes.

        Returns
        -------
        bytes
            What was read of that PDU; pynetdicom goes on from there.

        Raises
        ------
        OSError
            The connection is lost.
        pdata.ReadingEndedError
            The peer is silent or the process stops; the association must be aborted.
        pdata.DamagedDataError, CommandError
            The peer does not keep to the protocol; the association must be aborted.
        """
        while True:
            self._is_in_message = False
            self._reader.timeout_s = self._idle_timeout_s
            received = self._receive_command()
            if received is None:
                return self._reader.unread
            self._answer(*received)
            self._after_message()

    def close(self) -> None:
        """Note the end of the association."""

    def _answer(self, command: Command, context_id: int) -> None:
        """Serve one message, whose data set is still to be read."""
        raise NotImplementedError

    def _after_message(self) -> None:
        """Do what is to be done between messages."""

    def _receive_command(self) -> tuple[Command, int] | None:
        """The next command set and its presentation context; None if another PDU comes."""
        fragment = self._reader.next_fragment()
        if fragment is None:
            return None
        self._is_in_message = True
        self._reader.timeout_s = self._message_timeout_s
        if not fragment.is_command or fragment.context_id not in self._facts.transfer_syntaxes:
            raise DamagedDataError("no command set in an accepted presentation context")
        return read_command(self._reader, fragment.is_last), fragment.context_id

    def _tick(self) -> bool:
        """Asked while the peer is silent: whether to end now."""
        return self._is_stopping() and not self._is_in_message


def read_command(reader: DataReader, is_last: bool) -> Command:
    """Read the command set whose first fragment has begun.

    Parameters
    ----------
    reader : DataReader
        After `next_fragment`.
    is_last : bool
        Whether that fragment is the last.

    Raises
    ------
    OSError, pdata.DamagedDataError, CommandError
    """
    encoded = reader.read_command(_COMMAND_LIMIT_BYTES)
    while not is_last:
        fragment = reader.next_fragment()
        if fragment is None or not fragment.is_command:
            raise DamagedDataError("a command set is interrupted")
        is_last = fragment.is_last
        encoded += reader.read_command(_COMMAND_LIMIT_BYTES - len(encoded))
    return decode_command(encoded)
