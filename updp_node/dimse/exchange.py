"""One request of a researcher, its responses, and what the peer says in between.

References
----------
PS3.7 9.3.2.3: C-CANCEL-RQ. PS3.4 C.4.3.3: sub-operations of C-GET on the same association.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pydicom.uid import ImplicitVRLittleEndian

from updp_node.dimse.commands import C_CANCEL_RQ, C_STORE_RQ, RESPONSE, Command, CommandError
from updp_node.dimse.pdata import DataReader, ReadingEndedError
from updp_node.dimse.research_commands import Counts, encode_answer
from updp_node.dimse.sending import DataWriter
from updp_node.dimse.session import read_command

MESSAGE_IDS = 0xFFFF


class LeavingError(Exception):
    """The peer sent another PDU than P-DATA within an operation; pynetdicom goes on."""


@dataclass(slots=True)
class Outcome:
    """How an operation ended, for the final response and the audit log.

    Attributes
    ----------
    status : int
    comment : str
        Static text, for Error Comment.
    offending : int or None
        Tag, for Offending Element.
    count : int
        Answers or instances sent.
    counts : Counts or None
        Sub-operations.
    failed_uids : list of str
        SOP Instance UIDs that were not sent.
    """

    status: int
    comment: str = ""
    offending: int | None = None
    count: int = 0
    counts: Counts | None = None
    failed_uids: list[str] = field(default_factory=list)


class Exchange:
    """A request that is being answered.

    Parameters
    ----------
    command : Command
    context_id : int
    transfer_syntax_uid : str
        Of the presentation context.
    reader : DataReader
    writer : DataWriter
    is_stopping : callable
    """

    def __init__(
        self, command: Command, context_id: int, transfer_syntax_uid: str, *, reader: DataReader,
        writer: DataWriter, is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.command = command
        self.writer = writer
        self.is_implicit = transfer_syntax_uid == ImplicitVRLittleEndian
        self._context_id = context_id
        self._reader = reader
        self._is_stopping = is_stopping
        self._is_cancelled = False

    def head(self, status: int) -> bytes:
        """PDUs of the command set of a response that a data set follows."""
        return self.writer.command(
            self._context_id, encode_answer(self.command, status, has_data_set=True)
        )

    def body(self, encoded: bytes) -> bytes:
        """PDUs of the data set of a response."""
        return self.writer.data(self._context_id, encoded)

    def send_pending(self, status: int, counts: Counts) -> None:
        """Tell how far the sub-operations are.

        Raises
        ------
        OSError, ReadingEndedError
        """
        encoded = encode_answer(self.command, status, counts=counts, is_over=False)
        self.writer.send(self.writer.command(self._context_id, encoded))

    def send_final(self, outcome: Outcome, encoded: bytes, *, is_cancelled: bool) -> None:
        """Send the last response, with a data set if there is one.

        Raises
        ------
        OSError, ReadingEndedError
        """
        answer = encode_answer(
            self.command,
            outcome.status,
            has_data_set=bool(encoded),
            comment=outcome.comment,
            offending=outcome.offending,
            counts=outcome.counts,
            is_over=not is_cancelled,
        )
        sent = self.writer.command(self._context_id, answer)
        self.writer.send(sent + self.body(encoded) if encoded else sent)

    def is_cancelled(self) -> bool:
        """Whether the peer has cancelled the request; reads what is there, never waits for it.

        Raises
        ------
        LeavingError
            The peer ends the association.
        OSError, ReadingEndedError, DamagedDataError, CommandError
        """
        if self._is_stopping():
            raise ReadingEndedError("the process stops")
        while not self._is_cancelled and self._reader.has_input():
            command = self._read()
            if not self._cancels(command):
                raise CommandError("another request before the end of the operation")
        return self._is_cancelled

    def await_stored(self, message_id: int) -> int:
        """Status of the peer's response to a C-STORE on this association (C-GET).

        Raises
        ------
        LeavingError, OSError, ReadingEndedError, DamagedDataError, CommandError
        """
        while True:
            command = self._read()
            if self._cancels(command):
                continue
            if command.field != C_STORE_RQ | RESPONSE or command.responded_id != message_id:
                raise CommandError("no response to the C-STORE that was sent")
            return command.status

    def _cancels(self, command: Command) -> bool:
        """Whether this is a C-CANCEL; one of another request is too late and means nothing."""
        if command.field != C_CANCEL_RQ:
            return False
        self._is_cancelled |= command.responded_id == self.command.message_id
        return True

    def _read(self) -> Command:
        fragment = self._reader.next_fragment()
        if fragment is None:
            raise LeavingError
        if not fragment.is_command:
            raise CommandError("a data set without a command")
        return read_command(self._reader, fragment.is_last)
