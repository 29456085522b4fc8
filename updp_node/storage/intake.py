"""The received instances' way into the identified index: one commit for many associations.

An acknowledged instance is one whose row is committed with full synchronization. The
threads of all associations hand their rows to one committer, which commits whatever has
gathered while the last commit was under way (group commit).
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, update

from updp_node.errors import SpoolError
from updp_node.model import Received
from updp_node.storage.tables import Identified

_BATCH = 256
_INSTANCES = Identified.metadata.tables["instances"]
_ASSOCIATIONS = Identified.metadata.tables["associations"]
_RECEIVED = insert(_INSTANCES)
_OPENED = insert(_ASSOCIATIONS)
_TOUCHED = (
    update(_ASSOCIATIONS)
    .where(_ASSOCIATIONS.c.id == bindparam("association"))
    .values(seen_at=bindparam("now"))
)
_CLOSED = (
    update(_ASSOCIATIONS)
    .where(_ASSOCIATIONS.c.id == bindparam("association"))
    .values(closed_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class _Job:
    """One row for one statement, and who waits for it."""

    statement: Any
    row: dict[str, Any]
    done: Future[None]


class Intake:
    """Writes associations and received instances; every call is safe from any thread.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index, opened with ``synchronous=FULL``.
    root : pathlib.Path
        Folder that staged paths are recorded relative to.
    """

    def __init__(self, engine: Engine, root: Path) -> None:
        self._engine = engine
        self._root = root
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._committer = threading.Thread(target=self._commit, name="intake", daemon=True)
        self._committer.start()

    def record(self, received: Received) -> None:
        """Make a staged instance known; returns when its row is durable.

        Raises
        ------
        SpoolError
            The row could not be committed; the sender must be told to try again.
        """
        row = {
            "state": "received",
            "file": str(received.path.relative_to(self._root)),
            "sop_class_uid": received.sop_class_uid,
            "sop_instance_uid": received.sop_instance_uid,
            "transfer_syntax_uid": received.transfer_syntax_uid,
            "calling_ae_title": received.calling_ae_title,
            "association_id": received.association_id,
            "size_bytes": received.size_bytes,
            "sha256": received.sha256,
            "received_at": time.time(),
        }
        self._submit(_RECEIVED, row).result()

    def opened(self, association_id: str, calling_ae_title: str, peer_address: str) -> None:
        """Note an accepted association; its studies do not settle while it is open."""
        now = time.time()
        row = {
            "id": association_id,
            "calling_ae_title": calling_ae_title,
            "peer_address": peer_address,
            "opened_at": now,
            "seen_at": now,
        }
        self._submit(_OPENED, row)

    def touched(self, association_id: str) -> None:
        """Note that an association is alive, so that it does not expire."""
        self._submit(_TOUCHED, {"association": association_id, "now": time.time()})

    def closed(self, association_id: str) -> None:
        """Note the end of an association, orderly or not."""
        self._submit(_CLOSED, {"association": association_id, "now": time.time()})

    def close(self) -> None:
        """Commit what is queued and stop."""
        self._jobs.put(None)
        self._committer.join(timeout=60)

    def _submit(self, statement: Any, row: dict[str, Any]) -> Future[None]:
        done: Future[None] = Future()
        self._jobs.put(_Job(statement, row, done))
        return done

    def _gather(self) -> tuple[list[_Job], bool]:
        """All jobs at hand, at least one; and whether the end was asked for."""
        jobs: list[_Job] = []
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) >= _BATCH:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _commit(self) -> None:
        ended = False
        while not ended:
            jobs, ended = self._gather()
            error: SpoolError | None = None
            try:
                with self._engine.begin() as connection:
                    _execute(connection, jobs)
            except SpoolError as cause:
                error = cause
            except Exception as cause:  # noqa: BLE001  # a dead committer would hang every sender
                error = SpoolError(f"index commit failed: {type(cause).__name__}")
            for job in jobs:
                if error is None:
                    job.done.set_result(None)
                else:
                    job.done.set_exception(error)


def _execute(connection: Connection, jobs: list[_Job]) -> None:
    """The rows of one statement at once; openings before what belongs to them."""
    for statement in (_OPENED, _RECEIVED, _TOUCHED, _CLOSED):
        rows = [job.row for job in jobs if job.statement is statement]
        if rows:
            connection.execute(statement, rows)
