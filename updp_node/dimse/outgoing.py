"""An association that the node requests, without threads: sub-operations of C-MOVE.

References
----------
PS3.8 9.3: DICOM Upper Layer PDUs; 7.1 to 7.3: establishment, release, abort.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pynetdicom import build_context
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
)

from updp_node.dimse.commands import (
    C_STORE_RQ,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    RESPONSE,
)
from updp_node.dimse.pdata import TICK_S, ConnectionLostError, DamagedDataError, DataReader
from updp_node.dimse.sending import SHORTEST_PDU_BYTES, DataWriter
from updp_node.dimse.session import read_command
from updp_node.errors import ConfigError, PeerError
from updp_node.tls import TlsSettings

_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_MAX_PDU_BYTES = 1 << 17  # offered; only responses come
_PDU_LIMIT_BYTES = 1 << 20
_ACCEPTED, _REJECTED, _RELEASED = 0x02, 0x03, 0x06
_RELEASE = bytes.fromhex("05000000000400000000")
_RELEASE_TIMEOUT_S = 5.0
_ABORT = bytes.fromhex("07000000000400000000")

Proposal = tuple[str, tuple[str, ...]]
"""Abstract syntax and transfer syntaxes of one presentation context."""


@dataclass(frozen=True, slots=True)
class MoveTarget:
    """A configured move destination.

    Attributes
    ----------
    ae_title : str
        Called.
    host : str
    port : int
    tls : TlsSettings or None
    connect_timeout_s : float
        Of the connection, TLS included.
    projects : frozenset of str or None
        What may be sent there; None leaves it to what the requester may see.
    """

    ae_title: str
    host: str
    port: int
    tls: TlsSettings | None = None
    connect_timeout_s: float = 10.0
    projects: frozenset[str] | None = None


class OutgoingAssociation:
    """An established association; made by `request_association`.

    Parameters
    ----------
    connection : socket.socket
    reader : DataReader
    accepted : pynetdicom.pdu_primitives.A_ASSOCIATE
    proposals : sequence of Proposal
    timeout_s : float
    is_stopping : callable

    Attributes
    ----------
    contexts : dict
        SOP Class, transfer syntax, context id of what was accepted.
    writer : DataWriter
    """

    def __init__(
        self, connection: socket.socket, reader: DataReader, accepted: A_ASSOCIATE, *,
        proposals: Sequence[Proposal], timeout_s: float, is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._connection = connection
        self._reader = reader
        limit = accepted.maximum_length_received or 0
        if 0 < limit < SHORTEST_PDU_BYTES:
            raise PeerError("the destination takes too short PDUs")
        self.writer = DataWriter(connection, limit, timeout_s, is_stopping)
        self.contexts: dict[str, dict[str, int]] = {}
        for result in accepted.presentation_context_definition_results_list:
            index = (int(result.context_id or 0) - 1) // 2
            if result.result == 0 and 0 <= index < len(proposals):
                uid = proposals[index][0]
                syntax = str(result.transfer_syntax[0])
                self.contexts.setdefault(uid, {}).setdefault(syntax, int(result.context_id or 0))

    def await_stored(self, message_id: int) -> int:
        """Status of the response to a C-STORE.

        Raises
        ------
        OSError, DamagedDataError, CommandError
        """
        fragment = self._reader.next_fragment()
        if fragment is None:
            raise ConnectionLostError("the destination ended the association")
        if not fragment.is_command:
            raise DamagedDataError("a data set instead of a response")
        command = read_command(self._reader, fragment.is_last)
        if command.field != C_STORE_RQ | RESPONSE or command.responded_id != message_id:
            raise DamagedDataError("no response to the C-STORE that was sent")
        return command.status

    def release(self) -> None:
        """Release in order, or end anyhow; never raises."""
        with contextlib.suppress(OSError, DamagedDataError):
            self.writer.send(_RELEASE)
            self._reader.timeout_s = _RELEASE_TIMEOUT_S
            if self._reader.next_fragment() is None:
                self._reader.read_other(_PDU_LIMIT_BYTES)
        self._connection.close()

    def abort(self) -> None:
        """Abort; never raises."""
        with contextlib.suppress(OSError):
            self._connection.send(_ABORT)
        self._connection.close()


def request_association(
    target: MoveTarget, own_ae_title: str, proposals: Sequence[Proposal], *, timeout_s: float,
    is_stopping: Callable[[], bool],
) -> OutgoingAssociation:  # fmt: skip
    """Connect and negotiate.

    Parameters
    ----------
    target : MoveTarget
    own_ae_title : str
        Calling.
    proposals : sequence of Proposal
        At most 128.
    timeout_s, is_stopping
        Longest silence of the peer; whether to end now.

    Raises
    ------
    PeerError
        Not reached, rejected, or no answer that can be read; or the certificates cannot be used.
    """
    connection = _connect(target)
    try:
        reader = DataReader(connection, is_stopping)
        reader.timeout_s = timeout_s
        connection.sendall(_encode_request(target.ae_title, own_ae_title, proposals))
        if reader.next_fragment() is not None:
            raise PeerError("data before the answer to the association request")
        kind, content = reader.read_other(_PDU_LIMIT_BYTES)
        accepted = _decode_answer(kind, content)
        return OutgoingAssociation(
            connection, reader, accepted, proposals=proposals, timeout_s=timeout_s,
            is_stopping=is_stopping,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        connection.close()
        raise PeerError(f"no association: {type(error).__name__}") from None
    except PeerError:
        connection.close()
        raise


def _connect(target: MoveTarget) -> socket.socket:
    connection = None
    try:
        context = None if target.tls is None else target.tls.client_context()
        connection = socket.create_connection((target.host, target.port), target.connect_timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            connection = context.wrap_socket(connection, server_hostname=target.host)
        connection.settimeout(TICK_S)
    except (OSError, ValueError, ConfigError) as error:
        if connection is not None:
            connection.close()
        raise PeerError(f"no connection: {type(error).__name__}") from None
    return connection


def _encode_request(called: str, calling: str, proposals: Sequence[Proposal]) -> bytes:
    request = A_ASSOCIATE()
    request.application_context_name = _APPLICATION_CONTEXT
    request.calling_ae_title = calling
    request.called_ae_title = called
    contexts = [build_context(uid, list(syntaxes)) for uid, syntaxes in proposals]
    for index, context in enumerate(contexts):
        context.context_id = 2 * index + 1
    request.presentation_context_definition_list = contexts
    length = MaximumLengthNotification()
    length.maximum_length_received = _MAX_PDU_BYTES
    implementation = ImplementationClassUIDNotification()
    implementation.implementation_class_uid = IMPLEMENTATION_CLASS_UID
    version = ImplementationVersionNameNotification()
    version.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    request.user_information = [length, implementation, version]
    pdu = A_ASSOCIATE_RQ()
    pdu.from_primitive(request)
    return bytes(pdu.encode())


def _decode_answer(kind: int, content: bytes) -> A_ASSOCIATE:
    if kind == _REJECTED:
        raise PeerError("the destination rejected the association")
    if kind != _ACCEPTED:
        raise PeerError("the destination aborted the association")
    pdu = A_ASSOCIATE_AC()
    try:
        pdu.decode(bytes([kind, 0]) + len(content).to_bytes(4, "big") + content)
        return pdu.to_primitive()
    except Exception:  # noqa: BLE001  # pynetdicom raises what it likes on damaged bytes
        raise PeerError("the answer to the association request is damaged") from None
