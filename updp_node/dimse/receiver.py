"""The Storage SCP: accepts, admits, receives durably, stops in order.

References
----------
PS3.4 A and B: Verification and Storage Service Classes. PS3.8 7.1 and 9.2: association
establishment, ARTIM timer. PS3.15 B: Secure Transport Connection Profiles.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass

from pynetdicom import AE, _config, build_context

from updp_node.dimse import status
from updp_node.dimse.association import StorageAssociation
from updp_node.dimse.commands import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from updp_node.dimse.connections import Connections
from updp_node.dimse.contexts import VERIFICATION, choose_contexts
from updp_node.dimse.intake import AssociationFacts, Intake, Session, StagingArea
from updp_node.dimse.peers import Peer, check_peer
from updp_node.dimse.server import StorageServer
from updp_node.log import get_logger, tame_libraries
from updp_node.tls import TlsSettings

_UNLIMITED = 1 << 30
_HALF_OPEN_PER_ASSOCIATION = 2
_ABORT_S = 5.0
_SIGNAL_S = 1.0


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """How the receiver listens and whom it admits.

    Attributes
    ----------
    ae_title : str
    host : str
    port : int
        0 takes any free port.
    staging : StagingArea
    peers : tuple of Peer
        Empty: nobody, unless `allow_any`.
    allow_any : bool
    require_called_ae_title : bool
        Refuse a request that calls another AE title than `ae_title`.
    tls : TlsSettings or None
    require_client_certificate : bool
        Mutual TLS.
    max_associations, per_peer_associations : int
        Of this process; a peer is a calling AE title at an address.
    acse_timeout_s : float
        From the connection to the request of an association, TLS included.
    dimse_timeout_s, network_timeout_s : float
        Longest silence of a peer within a message, and between messages.
    max_pdu_size : int
        Offered to peers, in bytes; 0 is unlimited. Memory does not depend on it.
    reuse_port : bool
        Let several processes listen on the port (SO_REUSEPORT).
    """

    ae_title: str
    host: str
    port: int
    staging: StagingArea
    peers: tuple[Peer, ...] = ()
    allow_any: bool = False
    require_called_ae_title: bool = True
    tls: TlsSettings | None = None
    require_client_certificate: bool = True
    max_associations: int = 100
    per_peer_associations: int = 20
    acse_timeout_s: float = 5.0
    dimse_timeout_s: float = 30.0
    network_timeout_s: float = 60.0
    max_pdu_size: int = 1 << 20
    reuse_port: bool = False


class Receiver:
    """A Storage SCP that runs in threads of this process; made by `start_receiver`.

    Parameters
    ----------
    settings : ReceiverSettings
    intake : Intake
    """

    def __init__(self, settings: ReceiverSettings, intake: Intake) -> None:
        self._settings = settings
        self._intake = intake
        self._is_draining = threading.Event()
        self._is_stopping = threading.Event()
        self._stopped = threading.Event()
        self._stopping_once = threading.Lock()
        self._connections = Connections(
            max_associations=settings.max_associations,
            per_peer_associations=settings.per_peer_associations,
            max_half_open=settings.max_associations * _HALF_OPEN_PER_ASSOCIATION,
            half_open_s=settings.acse_timeout_s,
        )
        self._server = self._make_server()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="receiver"
        )
        self._thread.daemon = True
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the receiver listens on."""
        return str(self._server.server_address[0]), int(self._server.server_address[1])

    def stop(self, drain_s: float = 10.0) -> None:
        """Accept nobody more, let associations end, then abort those that are left; once.

        Parameters
        ----------
        drain_s : float
            Time for associations to end by themselves. An instance that is being received
            then is still finished, if its peer goes on sending.
        """
        with self._stopping_once:
            if self._stopped.is_set():
                return
            self._stop(drain_s)

    def wait(self) -> None:
        """Wait until another thread has stopped the receiver."""
        self._stopped.wait()

    def _stop(self, drain_s: float) -> None:
        self._is_draining.set()
        self._server.shutdown()
        if not self._connections.wait_until_none(drain_s):
            self._is_stopping.set()
            self._connections.wait_until_none(self._settings.dimse_timeout_s + _ABORT_S)
        self._thread.join()
        self._stopped.set()
        get_logger().info("receiver-stopped")

    def _make_server(self) -> StorageServer:
        settings = self._settings
        tls = settings.tls
        entity = AE(settings.ae_title)
        entity.maximum_associations = _UNLIMITED  # counted by Connections instead
        entity.maximum_pdu_size = settings.max_pdu_size
        entity.acse_timeout = settings.acse_timeout_s
        entity.dimse_timeout = settings.dimse_timeout_s
        entity.network_timeout = settings.network_timeout_s
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        return StorageServer(
            entity,
            (settings.host, settings.port),
            contexts=[build_context(VERIFICATION)],  # more by request: `_admit`
            admit=self._admit,
            connections=self._connections,
            make_session=self._make_session,
            tls=None if tls is None else tls.server_context(settings.require_client_certificate),
            reuse_port=settings.reuse_port,
        )

    def _admit(self, association: StorageAssociation) -> None:
        """Reject an association, or offer it what it asks for."""
        request = association.requestor.primitive
        if request is None:
            return
        calling = str(request.calling_ae_title).strip()
        address = str(association.requestor.address)
        refusal = self._refusal(str(request.called_ae_title).strip(), calling, address)
        refusal = refusal or self._connections.admit(association.association_id, (calling, address))
        if refusal is None:
            proposed = request.presentation_context_definition_list
            association.acceptor.supported_contexts = choose_contexts(proposed)
            return
        get_logger().warning(
            "association-rejected",
            reason=refusal.reason, calling_ae_title=calling, peer_address=address,
        )  # fmt: skip
        association.acse.send_reject(refusal.result, refusal.source, refusal.diagnostic)
        association.kill()

    def _refusal(self, called: str, calling: str, address: str) -> status.Refusal | None:
        settings = self._settings
        if self._is_draining.is_set():
            return status.STOPPING
        if settings.require_called_ae_title and called != settings.ae_title.strip():
            return status.CALLED_AE_TITLE
        return None if settings.allow_any else check_peer(settings.peers, calling, address)

    def _make_session(self, facts: AssociationFacts, connection: socket.socket) -> Session:
        return Session(
            facts,
            connection,
            intake=self._intake,
            staging=self._settings.staging,
            message_timeout_s=self._settings.dimse_timeout_s,
            idle_timeout_s=self._settings.network_timeout_s,
            is_stopping=self._is_stopping.is_set,
        )


def start_receiver(settings: ReceiverSettings, intake: Intake) -> Receiver:
    """Prepare the staging area, listen, and receive in threads of this process.

    Parameters
    ----------
    settings : ReceiverSettings
    intake : Intake
        Its `record` blocks until the row is durable.

    Raises
    ------
    ConfigError
        The certificates cannot be used.
    OSError
        The address cannot be listened on.
    SpoolError
        The staging area cannot be made.
    """
    tame_libraries()
    _config.LOG_HANDLER_LEVEL = "none"  # pynetdicom prints what it receives
    settings.staging.prepare()
    receiver = Receiver(settings, intake)
    host, port = receiver.address
    get_logger().info("receiver-started", address=host, port=port, ae_title=settings.ae_title)
    return receiver


def serve(
    settings: ReceiverSettings, intake: Intake, until: threading.Event, drain_s: float = 10.0
) -> None:
    """Receive until an event is set; with `reuse_port` in several processes at once.

    Raises
    ------
    ConfigError, OSError, SpoolError
        As `start_receiver`.
    """
    receiver = start_receiver(settings, intake)
    while not until.wait(_SIGNAL_S):
        pass  # a signal that another thread caught is handled at the next turn
    receiver.stop(drain_s)
