"""Listens, admits and stops: what the receiver and the research side have in common.

References
----------
PS3.8 7.1 and 9.2: association establishment, ARTIM timer. PS3.15 B: Secure Transport
Connection Profiles.
"""

from __future__ import annotations

import socket
import threading
from dataclasses import KW_ONLY, dataclass

from pynetdicom import AE, _config, build_context
from pynetdicom.presentation import PresentationContext

from updp_node.dimse import status
from updp_node.dimse.association import ServedAssociation
from updp_node.dimse.commands import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from updp_node.dimse.connections import Connections
from updp_node.dimse.contexts import VERIFICATION
from updp_node.dimse.server import AssociationServer
from updp_node.dimse.session import Session
from updp_node.log import get_logger, tame_libraries
from updp_node.tls import TlsSettings

_UNLIMITED = 1 << 30
_HALF_OPEN_PER_ASSOCIATION = 2
_ABORT_S = 5.0


@dataclass(frozen=True, slots=True)
class AcceptorSettings:
    """How to listen.

    Attributes
    ----------
    ae_title : str
    host : str
    port : int
        0 takes any free port.
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
    _: KW_ONLY
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


class Acceptor:
    """An SCP that runs in threads of this process; a subclass says whom and what it serves.

    Parameters
    ----------
    settings : AcceptorSettings
    role : str
        Names its thread.

    Raises
    ------
    ConfigError
        The certificates cannot be used.
    OSError
        The address cannot be listened on.
    """

    def __init__(self, settings: AcceptorSettings, role: str) -> None:
        tame_libraries()
        _config.LOG_HANDLER_LEVEL = "none"  # pynetdicom prints what it receives
        self._accepting = settings
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
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name=role
        )
        self._thread.daemon = True
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are listened on."""
        return str(self._server.server_address[0]), int(self._server.server_address[1])

    def stop(self, drain_s: float = 10.0) -> None:
        """Accept nobody more, let associations end, then abort those that are left; once.

        Parameters
        ----------
        drain_s : float
            Time for associations to end by themselves. A message that is being received
            then is still finished, if its peer goes on sending.
        """
        with self._stopping_once:
            if self._stopped.is_set():
                return
            self._stop(drain_s)

    def wait(self) -> None:
        """Wait until another thread has stopped this."""
        self._stopped.wait()

    def _check(
        self, association: ServedAssociation, calling_ae_title: str, address: str
    ) -> status.Refusal | None:
        """Why an association is rejected, or None."""
        raise NotImplementedError

    def _contexts(self, association: ServedAssociation) -> list[PresentationContext]:
        """What is supported for an association that `_check` let pass."""
        raise NotImplementedError

    def _make_session(self, association: ServedAssociation, connection: socket.socket) -> Session:
        """Serve an established association."""
        raise NotImplementedError

    def _stop(self, drain_s: float) -> None:
        self._is_draining.set()
        self._server.shutdown()
        if not self._connections.wait_until_none(drain_s):
            self._is_stopping.set()
            self._connections.wait_until_none(self._accepting.dimse_timeout_s + _ABORT_S)
        self._thread.join()
        self._stopped.set()

    def _make_server(self) -> AssociationServer:
        settings = self._accepting
        tls = settings.tls
        entity = AE(settings.ae_title)
        entity.maximum_associations = _UNLIMITED  # counted by Connections instead
        entity.maximum_pdu_size = settings.max_pdu_size
        entity.acse_timeout = settings.acse_timeout_s
        entity.dimse_timeout = settings.dimse_timeout_s
        entity.network_timeout = settings.network_timeout_s
        entity.implementation_class_uid = IMPLEMENTATION_CLASS_UID
        entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        return AssociationServer(
            entity,
            (settings.host, settings.port),
            contexts=[build_context(VERIFICATION)],  # more by request: `_admit`
            admit=self._admit,
            connections=self._connections,
            make_session=self._make_session,
            tls=None if tls is None else tls.server_context(settings.require_client_certificate),
            reuse_port=settings.reuse_port,
        )

    def _admit(self, association: ServedAssociation) -> None:
        """Reject an association, or offer it what it asks for."""
        request = association.requestor.primitive
        if request is None:
            return
        calling = str(request.calling_ae_title).strip()
        address = str(association.requestor.address)
        refusal = self._refusal(str(request.called_ae_title).strip())
        refusal = refusal or self._check(association, calling, address)
        refusal = refusal or self._connections.admit(association.association_id, (calling, address))
        if refusal is None:
            association.acceptor.supported_contexts = self._contexts(association)
            return
        get_logger().warning(
            "association-rejected",
            reason=refusal.reason, calling_ae_title=calling, peer_address=address,
        )  # fmt: skip
        association.acse.send_reject(refusal.result, refusal.source, refusal.diagnostic)
        association.kill()

    def _refusal(self, called: str) -> status.Refusal | None:
        settings = self._accepting
        if self._is_draining.is_set():
            return status.STOPPING
        if settings.require_called_ae_title and called != settings.ae_title.strip():
            return status.CALLED_AE_TITLE
        return None
