"""A Storage SCP as destination: C-STORE from the released file, never loaded whole.

References
----------
PS3.4 B: Storage Service Class. PS3.7 9.3.1: C-STORE. PS3.8 9.3.2: A-ASSOCIATE-RQ.
"""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pynetdicom import AE, _config, build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from updp_node.errors import PeerError
from updp_node.forward.destination import DimseSettings, Outcome, Reason, changed, is_unchanged
from updp_node.log import get_logger
from updp_node.model import Verified

_config.STORE_SEND_CHUNKED_DATASET = True  # a path is sent piece by piece
_config.LOG_HANDLER_LEVEL = "none"  # pynetdicom prints what it sends

_VERIFICATION = "1.2.840.10008.1.1"
_CONTEXTS_PER_ASSOCIATION = 128  # odd ids 1 to 255, PS3.8 9.3.2.2
_LARGEST_PDU_BYTES = 256 * 1024  # where the peer names no limit, or a larger one
_REACTOR_TURNS, _REACTOR_TURN_S = 1000, 0.0005
_QUEUED_PDUS = 16  # between reading the file and the socket

Syntaxes = tuple[str, str]
"""SOP Class UID and transfer syntax UID."""


class DimseDestination:
    """Sends a batch over one association; over more where 128 contexts do not suffice.

    Parameters
    ----------
    settings : DimseSettings

    Raises
    ------
    ConfigError
        The certificates cannot be used.
    """

    def __init__(self, settings: DimseSettings) -> None:
        self._settings = settings
        tls = settings.tls
        self._tls = None if tls is None else (tls.client_context(), settings.host)

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self._settings.name

    def send(self, instances: Sequence[Verified]) -> Iterator[Outcome]:
        """Send instances in order; one outcome each, as the peer answers.

        An instance whose transfer syntax the peer refuses is not transcoded.

        Raises
        ------
        PeerError
            No association, or it ended before the last response.
        """
        for batch in split_by_contexts(instances):
            yield from self._send_batch(batch)

    def echo(self) -> float:
        """Seconds from the request of the association to the response of a C-ECHO.

        Raises
        ------
        PeerError
            No association, or no success.

        References
        ----------
        PS3.4 A: Verification Service Class.
        """
        started = time.monotonic()
        with self._associate([build_context(_VERIFICATION)]) as association:
            if not association.accepted_contexts:
                raise PeerError("echo-refused: the peer does not accept Verification")
            status = getattr(association.send_c_echo(), "Status", None)
        if status != 0x0000:
            raise PeerError("echo-refused: no success")
        return time.monotonic() - started

    def _send_batch(self, batch: Sequence[Verified]) -> Iterator[Outcome]:
        contexts = [build_context(sop_class, syntax) for sop_class, syntax in _syntaxes(batch)]
        with self._associate(contexts) as association:
            accepted = {
                (str(context.abstract_syntax), str(context.transfer_syntax[0]))
                for context in association.accepted_contexts
            }
            for index, instance in enumerate(batch):
                if not is_unchanged(instance):
                    yield changed(instance)
                elif _syntaxes_of(instance) in accepted:
                    yield self._store(association, instance, index)
                else:
                    yield self._refused_syntax(instance)

    def _store(self, association: Association, instance: Verified, index: int) -> Outcome:
        if not association.is_established:
            raise PeerError("association-lost: it ended before the last instance")
        message_id = index % 65535 + 1
        _await_reactor(association)
        try:
            response = association.send_c_store(instance.path, message_id)
        except FileNotFoundError:
            return changed(instance)
        except RuntimeError as error:
            raise PeerError("association-lost: it ended before the last instance") from error
        status = getattr(response, "Status", None)
        if status is None:
            raise PeerError("association-lost: no response to C-STORE")
        return self._judge(instance, int(status))

    def _judge(self, instance: Verified, status: int) -> Outcome:
        """Outcome of a status (PS3.4 Table B.2-1; warnings 0xBxxx have stored the instance)."""
        uid = instance.sop_instance_uid
        if status == 0x0000:
            return Outcome(uid, True, status, Reason.DELIVERED)
        log = get_logger().bind(
            destination=self.name, status=f"0x{status:04X}", sop_class_uid=instance.sop_class_uid
        )
        if status >> 12 == 0xB or status in (0x0001, 0x0107, 0x0116):
            log.warning("destination-stored-with-warning")
            return Outcome(uid, True, status, Reason.DELIVERED)
        log.warning("destination-refused-instance")
        reason = Reason.PEER_BUSY if status >> 8 == 0xA7 else Reason.PEER_REFUSED
        return Outcome(uid, False, status, reason)

    def _refused_syntax(self, instance: Verified) -> Outcome:
        get_logger().warning(
            "destination-refused-syntax",
            destination=self.name,
            sop_class_uid=instance.sop_class_uid,
            transfer_syntax_uid=instance.transfer_syntax_uid,
        )
        return Outcome(instance.sop_instance_uid, False, None, Reason.SYNTAX_REFUSED)

    @contextmanager
    def _associate(self, contexts: list[PresentationContext]) -> Iterator[Association]:
        """An association, released at the end; without accepted contexts it is over already."""
        settings = self._settings
        try:
            association = self._entity().associate(
                settings.host,
                settings.port,
                contexts=contexts,
                ae_title=settings.called_ae_title,
                max_pdu=0,
                tls_args=self._tls,
                evt_handlers=[(evt.EVT_CONN_OPEN, _tune_socket, [settings.timeouts.response_s])],
            )
        except (OSError, ValueError) as error:  # ValueError: the TLS socket went away
            raise PeerError("connection-failed") from error
        if not association.is_established:
            if not association.rejected_contexts:
                raise PeerError(_why_none(association))
            yield association
            return
        _bound_memory(association)
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def _entity(self) -> AE:
        timeouts = self._settings.timeouts
        entity = AE(self._settings.calling_ae_title)
        entity.connection_timeout = timeouts.connect_s
        entity.acse_timeout = timeouts.associate_s
        entity.dimse_timeout = timeouts.response_s
        entity.network_timeout = timeouts.response_s
        return entity


def _await_reactor(association: Association) -> None:
    """Wait until pynetdicom's reactor has noticed the end of the operation before.

    Where the next operation begins earlier, the reactor takes a turn in the middle of it and
    drops the response that it finds: on a busy machine a C-STORE would be lost now and then.
    """
    for _ in range(_REACTOR_TURNS):
        if not (association._is_paused and association._reactor_checkpoint.is_set()):
            return
        time.sleep(_REACTOR_TURN_S)


def split_by_contexts(instances: Sequence[Verified]) -> Iterator[list[Verified]]:
    """Cut a batch where it would need more than 128 presentation contexts; order is kept."""
    batch: list[Verified] = []
    needed: set[Syntaxes] = set()
    for instance in instances:
        syntaxes = _syntaxes_of(instance)
        if syntaxes not in needed and len(needed) == _CONTEXTS_PER_ASSOCIATION:
            yield batch
            batch, needed = [], set()
        needed.add(syntaxes)
        batch.append(instance)
    if batch:
        yield batch


def _syntaxes_of(instance: Verified) -> Syntaxes:
    return instance.sop_class_uid, instance.transfer_syntax_uid


def _syntaxes(batch: Sequence[Verified]) -> list[Syntaxes]:
    return list(dict.fromkeys(_syntaxes_of(instance) for instance in batch))


def _why_none(association: Association) -> str:
    """Why there is no association, in the words of PS3.8 Table 9-21."""
    answer = association.acceptor.primitive
    if association.is_rejected and answer is not None:
        return (
            f"association-rejected: {answer.result_str}, {answer.source_str}, {answer.reason_str}"
        )
    return "association-failed: no connection, no TLS, or no answer in time"


def _tune_socket(event: evt.Event, timeout_s: float) -> None:
    """No delay for the last small packet of a message; no write that waits forever."""
    connection: Any = event.assoc.dul.socket
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.socket.settimeout(timeout_s)


def _bound_memory(association: Association) -> None:
    """Read the file no faster than the peer takes it: pynetdicom's own queue has no limit."""
    answer = association.acceptor.primitive
    if answer is None:
        raise PeerError("association-failed: no answer")
    limit = answer.maximum_length_received or _LARGEST_PDU_BYTES
    answer.maximum_length_received = min(limit, _LARGEST_PDU_BYTES)
    association.dul.to_provider_queue = _BoundedQueue(association.dul.is_alive)


class _BoundedQueue(queue.Queue[Any]):
    """Lets its producer wait while it is long, but not for a consumer that has ended."""

    def __init__(self, is_consumed: Callable[[], bool]) -> None:
        super().__init__()
        self._is_consumed = is_consumed

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        with self.not_full:
            while self._qsize() >= _QUEUED_PDUS and self._is_consumed():
                self.not_full.wait(0.2)
        super().put(item, block, timeout)
