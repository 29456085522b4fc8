"""One association's instances: from the socket into durable files, then into the index.

The data set is never parsed. A response of success leaves only after the file, the folder
that names it and the row that refers to it are durable, in this order.

References
----------
PS3.4 B.2: Storage Service Class behaviour. PS3.7 9.1.1: C-STORE. PS3.4 A: Verification.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from updp_node.dimse.commands import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_STORE_RQ,
    Command,
    CommandError,
    encode_file_head,
    encode_response,
)
from updp_node.dimse.pdata import DamagedDataError
from updp_node.dimse.session import AssociationFacts, Session
from updp_node.dimse.status import Status
from updp_node.errors import SpoolError
from updp_node.model import Received

_TOUCH_EVERY_S = 10.0


class Intake(Protocol):
    """Where received instances and open associations are recorded."""

    def record(self, received: Received) -> None:
        """Return when the row is durable; raise `SpoolError` if it cannot be."""

    def opened(self, association_id: str, calling_ae_title: str, peer_address: str) -> None:
        """Note an association before its first instance."""

    def touched(self, association_id: str) -> None:
        """Note that an association is alive."""

    def closed(self, association_id: str) -> None:
        """Note the end of an association, orderly or not."""


class StagedFile(Protocol):
    """A file of the staging area while it is written; raises `SpoolError`."""

    path: Path
    size_bytes: int

    def write(self, content: memoryview | bytes) -> None:
        """Append bytes."""

    def keep(self) -> None:
        """Make file and name durable."""

    def discard(self) -> None:
        """Remove the file; never raises."""


class StagingArea(Protocol):
    """Where received bytes lie first; `updp_node.storage.files.Staging` is one."""

    def prepare(self) -> None:
        """Make the folders, durably."""

    def create(self) -> StagedFile:
        """Begin a file; raise `SpoolError` below the reserve of free space."""


class _Landing:
    """A data set on its way into its file; after a failure the rest is read and dropped."""

    def __init__(self, staging: StagingArea, head: bytes) -> None:
        self.digest = hashlib.sha256()
        self.file: StagedFile | None = None
        self.failure: SpoolError | None = None
        try:
            self.file = staging.create()
            self.file.write(head)
        except SpoolError as error:
            self._fail(error)

    def write(self, content: memoryview) -> None:
        if self.file is None:
            return
        self.digest.update(content)
        try:
            self.file.write(content)
        except SpoolError as error:
            self._fail(error)

    def keep(self) -> StagedFile:
        if self.file is None or self.failure is not None:
            raise self.failure or SpoolError("no staged file")
        self.file.keep()
        return self.file

    def discard(self) -> None:
        if self.file is not None:
            self.file.discard()
            self.file = None

    def _fail(self, error: SpoolError) -> None:
        self.failure = error
        self.discard()


class IntakeSession(Session):
    """Answers the requests of one association, from its acceptance to its release.

    Parameters
    ----------
    facts : AssociationFacts
    connection : socket.socket
        Borrowed from pynetdicom; its timeout is `pdata.TICK_S`.
    intake : Intake
    staging : StagingArea
    message_timeout_s, idle_timeout_s : float
        Longest silence within a message, and between messages.
    is_stopping : callable
        True ends the session at the next boundary between messages.
    """

    def __init__(
        self, facts: AssociationFacts, connection: socket.socket, *, intake: Intake,
        staging: StagingArea, message_timeout_s: float, idle_timeout_s: float,
        is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        super().__init__(
            facts, connection, message_timeout_s=message_timeout_s, idle_timeout_s=idle_timeout_s,
            is_stopping=is_stopping,
        )  # fmt: skip
        self._intake = intake
        self._staging = staging
        self._touched_at: float | None = None

    def close(self) -> None:
        """Note the end of the association."""
        if self._touched_at is not None:
            self._intake.closed(self._facts.association_id)

    def _answer(self, command: Command, context_id: int) -> None:
        if command.field == C_CANCEL_RQ:
            return
        if command.field == C_ECHO_RQ and not command.has_data_set:
            status = Status.SUCCESS
        elif command.field == C_STORE_RQ and command.has_data_set:
            status = self._store(command, context_id)
        else:
            raise CommandError("only C-STORE with a data set and C-ECHO are answered")
        self._connection.sendall(encode_response(command, context_id, status))

    def _store(self, command: Command, context_id: int) -> Status:
        if not command.sop_class_uid:
            return self._refuse(context_id, Status.CLASS_NOT_SUPPORTED)
        if not command.sop_instance_uid:
            return self._refuse(context_id, Status.INVALID_INSTANCE)
        syntax = self._facts.transfer_syntaxes[context_id]
        head = encode_file_head(command.sop_class_uid, command.sop_instance_uid, syntax)
        landing = _Landing(self._staging, head)

        def land(content: memoryview) -> None:
            landing.write(content)
            self._touch()

        try:
            self._reader.read_data(context_id, land)
        except (OSError, DamagedDataError):
            landing.discard()
            raise
        try:
            self._record(landing, command, syntax)
        except SpoolError as error:
            landing.discard()
            self._log.error(
                "instance-not-stored", reason=str(error), sop_class_uid=command.sop_class_uid,
                status=f"0x{Status.OUT_OF_RESOURCES:04X}",
            )  # fmt: skip
            return Status.OUT_OF_RESOURCES
        self.count += 1
        return Status.SUCCESS

    def _record(self, landing: _Landing, command: Command, transfer_syntax_uid: str) -> None:
        """Make the instance durable: file, folder, row."""
        facts = self._facts
        file = landing.keep()
        if self._touched_at is None:
            self._intake.opened(facts.association_id, facts.calling_ae_title, facts.peer_address)
            self._touched_at = time.monotonic()
        self._intake.record(
            Received(
                path=file.path,
                sop_class_uid=command.sop_class_uid,
                sop_instance_uid=command.sop_instance_uid,
                transfer_syntax_uid=transfer_syntax_uid,
                calling_ae_title=facts.calling_ae_title,
                peer_address=facts.peer_address,
                association_id=facts.association_id,
                size_bytes=file.size_bytes,
                sha256=landing.digest.hexdigest(),
            )
        )

    def _refuse(self, context_id: int, status: Status) -> Status:
        self._reader.read_data(context_id, lambda _: None)
        self._log.warning("instance-refused", status=f"0x{status:04X}")
        return status

    def _tick(self) -> bool:
        self._touch()
        return super()._tick()

    def _after_message(self) -> None:
        self._touch()

    def _touch(self) -> None:
        now = time.monotonic()
        if self._touched_at is not None and now - self._touched_at >= _TOUCH_EVERY_S:
            self._touched_at = now
            self._intake.touched(self._facts.association_id)
