"""C-GET and C-MOVE: sub-operations, their counts, and how the operation ends.

References
----------
PS3.4 C.4.2 and C.4.3: C-MOVE and C-GET Operations. PS3.7 9.1.3 and 9.1.4.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol

from updp_node.dimse import status
from updp_node.dimse.archive import Archive, ArchiveError, Stored, StoredFile, guarded
from updp_node.dimse.exchange import MESSAGE_IDS, Exchange, Outcome
from updp_node.dimse.research_commands import Counts, encode_store
from updp_node.dimse.sending import DataWriter
from updp_node.dimse.status import QueryStatus
from updp_node.errors import InstanceError, PeerError
from updp_node.log import get_logger
from updp_node.query.query import Selection

_MOST_FAILED_UIDS = 50_000

Contexts = Mapping[str, Mapping[str, int]]
"""SOP Class UID, transfer syntax UID, presentation context id."""


class NotSentError(Exception):
    """Nothing was sent of one instance, and the association can go on.

    Parameters
    ----------
    reason : str
        For the log; static.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Channel:
    """An association that takes instances.

    Attributes
    ----------
    writer : DataWriter
    contexts : Contexts
    await_stored : callable
        From the Message ID of a C-STORE to the status of its response.
    originator : tuple of str and int, or None
    message_id : int
        Of the last C-STORE.
    """

    writer: DataWriter
    contexts: Contexts
    await_stored: Callable[[int], int]
    originator: tuple[str, int] | None = None
    message_id: int = 0

    def store(self, stored: Stored, content: StoredFile) -> int:
        """Send one instance; the status of the response.

        Raises
        ------
        NotSentError
            The file is not there, or not whole.
        OSError, ReadingEndedError, DamagedDataError, CommandError, LeavingError
        """
        context_id = self.contexts[stored.sop_class_uid][content.transfer_syntax_uid]
        file = _open(content)
        try:
            self.message_id = self.message_id % MESSAGE_IDS + 1
            command = encode_store(
                stored.sop_class_uid, stored.sop_instance_uid, self.message_id, self.originator
            )
            self.writer.send(self.writer.command(context_id, command))
            self.writer.send_file(context_id, file, content.data_offset, content.data_size)
        finally:
            os.close(file)
        return self.await_stored(self.message_id)


class Sender(Protocol):
    """Where instances go."""

    def prepare(self, syntaxes: Mapping[str, frozenset[str]]) -> None:
        """Learn the transfer syntaxes of each SOP Class that will come."""

    def contexts(self, sop_class_uid: str) -> Mapping[str, int]:
        """Contexts for instances of a SOP Class, by transfer syntax; may raise `PeerError`."""

    def store(self, stored: Stored, content: StoredFile) -> int:
        """Send one instance as `Channel.store`; raises `PeerError` where no more can follow."""

    def close(self) -> None:
        """End what was opened."""


class Getter:
    """The requestor's own association takes the instances; what ends it is not caught.

    Parameters
    ----------
    exchange : Exchange
    contexts : Contexts
    """

    def __init__(self, exchange: Exchange, contexts: Contexts) -> None:
        self._channel = Channel(exchange.writer, contexts, exchange.await_stored)

    def prepare(self, syntaxes: Mapping[str, frozenset[str]]) -> None:
        """Nothing more is negotiated."""

    def contexts(self, sop_class_uid: str) -> Mapping[str, int]:
        """Contexts for instances of a SOP Class, by transfer syntax."""
        return self._channel.contexts.get(sop_class_uid, {})

    def store(self, stored: Stored, content: StoredFile) -> int:
        """Send one instance as `Channel.store`."""
        return self._channel.store(stored, content)

    def close(self) -> None:
        """Nothing was opened."""


def retrieve(
    exchange: Exchange, archive: Archive, selection: Selection, projects: frozenset[str],
    sender: Sender,
) -> Outcome:  # fmt: skip
    """Send the selected instances; the final response is left to the caller.

    The selection is read twice, first to count it, so that memory does not grow with it.

    Raises
    ------
    LeavingError, OSError, ReadingEndedError, DamagedDataError, CommandError
        The requestor's association ends.
    """
    try:
        total, syntaxes = _survey(guarded(archive.select(selection, projects)))
    except ArchiveError as error:
        get_logger().error("archive-failed", error_type=str(error))
        return Outcome(QueryStatus.CANNOT_COUNT, "the archive cannot be asked now")
    operation = _Retrieval(exchange, archive, sender, total)
    sender.prepare(syntaxes)
    chosen = guarded(archive.select(selection, projects))
    try:
        with closing(chosen) as instances:
            for stored in instances:
                if exchange.is_cancelled():
                    return operation.end(is_cancelled=True)
                operation.take(stored)
    except ArchiveError as error:
        get_logger().error("archive-failed", error_type=str(error))
        operation.break_off("the archive could not be read to the end")
    finally:
        sender.close()
    return operation.end(is_cancelled=False)


class _Retrieval:
    """Sub-operations one after the other, and what became of them."""

    def __init__(self, exchange: Exchange, archive: Archive, sender: Sender, total: int) -> None:
        self._exchange = exchange
        self._archive = archive
        self._sender = sender
        self._counts = Counts(remaining=total)
        self._failed_uids: list[str] = []
        self._comment = ""
        self._is_lost = False

    def take(self, stored: Stored) -> None:
        """Carry out one sub-operation and tell the requestor how far it is."""
        counts = self._counts
        counts.remaining = max(0, counts.remaining - 1)
        if self._is_lost:
            self._fail(stored)
            return
        try:
            code = self._store(stored)
        except NotSentError as error:
            self._log(stored, reason=error.reason)
            self._fail(stored)
        except PeerError as error:
            get_logger().warning("move-destination-lost", reason=str(error))
            self._is_lost = True
            self._comment = "the destination was not reached or was lost"
            self._fail(stored)
        else:
            self._judge(stored, code)
        self._exchange.send_pending(QueryStatus.PENDING, counts)

    def break_off(self, comment: str) -> None:
        """Count what was not come to as failed."""
        self._comment = comment
        self._counts.failed += self._counts.remaining
        self._counts.remaining = 0

    def end(self, *, is_cancelled: bool) -> Outcome:
        """The outcome (PS3.4 C.4.2.3.1: success, warning, failure by the counts)."""
        counts = self._counts
        if is_cancelled:
            code = QueryStatus.CANCELLED
        elif not counts.failed and not counts.warning:
            code = QueryStatus.SUCCESS
        elif not counts.completed and not counts.warning:
            code = QueryStatus.CANNOT_SEND
        else:
            code = QueryStatus.SOME_NOT_SENT
        return Outcome(
            code,
            self._comment,
            count=counts.completed + counts.warning,
            counts=counts,
            failed_uids=self._failed_uids,
        )

    def _store(self, stored: Stored) -> int:
        contexts = self._sender.contexts(stored.sop_class_uid)
        if not contexts:
            raise NotSentError("class-not-accepted")
        with ExitStack() as stack:
            try:
                content = self._archive.open(stored)
                if content.transfer_syntax_uid not in contexts:
                    made = self._archive.transcode(stored, tuple(contexts))
                    content = stack.enter_context(made)
            except InstanceError as error:
                raise NotSentError(error.code) from None
            except Exception:  # noqa: BLE001  # it concerns this instance alone
                raise NotSentError("file-unavailable") from None
            return self._sender.store(stored, content)

    def _judge(self, stored: Stored, code: int) -> None:
        if code == QueryStatus.SUCCESS:
            self._counts.completed += 1
        elif status.is_warning(code):
            self._counts.warning += 1
            self._log(stored, reason="stored-with-warning", status=f"0x{code:04X}")
        else:
            self._log(stored, reason="refused-by-peer", status=f"0x{code:04X}")
            self._fail(stored)

    def _fail(self, stored: Stored) -> None:
        self._counts.failed += 1
        if len(self._failed_uids) < _MOST_FAILED_UIDS:
            self._failed_uids.append(stored.sop_instance_uid)

    def _log(self, stored: Stored, **fields: str) -> None:
        get_logger().warning(
            "sub-operation-not-successful",
            sop_class_uid=stored.sop_class_uid,
            transfer_syntax_uid=stored.transfer_syntax_uid,
            **fields,
        )


def _survey(instances: Iterator[Stored]) -> tuple[int, dict[str, frozenset[str]]]:
    """How many instances there are, and the transfer syntaxes of each SOP Class."""
    total = 0
    syntaxes: dict[str, frozenset[str]] = {}
    for stored in instances:
        total += 1
        known = syntaxes.get(stored.sop_class_uid, frozenset())
        if stored.transfer_syntax_uid not in known:
            syntaxes[stored.sop_class_uid] = known | {stored.transfer_syntax_uid}
    return total, syntaxes


def _open(content: StoredFile) -> int:
    """Open a file that is whole, without following a link."""
    try:
        file = os.open(content.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise NotSentError("file-unavailable") from None
    if content.data_size < 1 or os.fstat(file).st_size < content.data_offset + content.data_size:
        os.close(file)
        raise NotSentError("file-not-whole")
    return file
