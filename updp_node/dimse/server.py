"""Accepts connections without ever waiting for one of them.

pynetdicom makes the TLS handshake in the accepting thread, where one silent peer stops
everyone; here it is made in the connection's own thread, within the time of a half open
connection.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import uuid
from collections.abc import Callable
from typing import Any, cast

from pynetdicom import AE, evt
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation, RequestHandler, ThreadedAssociationServer

from updp_node.dimse.association import LendableSocket, MakeSession, ServedAssociation
from updp_node.dimse.connections import Connections
from updp_node.log import get_logger


class AssociationServer(ThreadedAssociationServer):
    """Listens, and makes a `ServedAssociation` of every connection.

    Parameters
    ----------
    entity : pynetdicom.AE
    address : tuple of str and int
    contexts : list of PresentationContext
        Supported if `on_request` says nothing else.
    admit : callable
        Called at the request of an association: rejects it, or sets the supported contexts.
    connections : Connections
    make_session : callable
        Makes the `Session` of an established association.
    tls : ssl.SSLContext or None
    reuse_port : bool
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, entity: AE, address: tuple[str, int], *, contexts: list[PresentationContext],
        admit: Callable[[ServedAssociation], None], connections: Connections,
        make_session: MakeSession, tls: ssl.SSLContext | None, reuse_port: bool,
    ) -> None:  # fmt: skip
        self.connections = connections
        self.make_session = make_session
        self.admit = admit
        self.tls = tls
        self._reuse_port = reuse_port
        super().__init__(
            entity, address, entity.ae_title, contexts, request_handler=ConnectionHandler
        )
        entity._servers.append(self)  # as AE.start_server does; shutdown removes it

    def server_bind(self) -> None:
        """Bind, with SO_REUSEPORT where several processes share the port."""
        if self._reuse_port:
            cast(socket.socket, self.socket).setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; nothing is read from it here."""
        connection, address = cast(socket.socket, self.socket).accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.connections.arrive(address, connection)
        return connection, address

    def service_actions(self) -> None:
        """Cut the connections that stay half open."""
        super().service_actions()
        count = self.connections.expire()
        if count:
            get_logger().warning("half-open-connections-cut", count=count)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log that a connection failed, without its content."""
        self.connections.settle(client_address)
        get_logger().error("connection-failed", peer_address=str(client_address[0]))


class ConnectionHandler(RequestHandler):
    """Makes the TLS handshake and the association, in a thread of the connection's own."""

    server: AssociationServer

    def handle(self) -> None:
        """Start the association, unless TLS fails."""
        if self.server.tls is not None and not self._secure(self.server.tls):
            self.server.connections.settle(self.client_address)
            self.server.shutdown_request(self.request)
            return
        self._create_association().start()

    def _secure(self, tls: ssl.SSLContext) -> bool:
        """Make the TLS handshake; whether it succeeded."""
        try:
            self.request.settimeout(self.ae.acse_timeout)
            self.request = tls.wrap_socket(self.request, server_side=True)
        except (OSError, ValueError) as error:
            get_logger().warning(
                "connection-refused",
                reason="tls-handshake-failed",
                peer_address=str(self.client_address[0]),
                error_type=getattr(error, "reason", None) or type(error).__name__,
            )
            return False
        return True

    def _create_association(self) -> ServedAssociation:
        server = self.server
        association = ServedAssociation(
            self.ae, uuid.uuid4().hex, server.make_session, self._on_end
        )
        association._server = server
        association.set_socket(LendableSocket(association, self.request, self.ae.acse_timeout))
        acceptor = association.acceptor
        acceptor.maximum_length = self.ae.maximum_pdu_size
        acceptor.ae_title = server.ae_title
        acceptor.address_info = self.local
        acceptor.implementation_class_uid = self.ae.implementation_class_uid
        acceptor.implementation_version_name = self.ae.implementation_version_name
        acceptor.supported_contexts = list(server.contexts)
        association.requestor.address_info = AddressInformation.from_tuple(self.client_address)
        association.bind(evt.EVT_REQUESTED, self._on_request)
        return association

    def _on_request(self, event: evt.Event) -> None:
        self.server.connections.settle(self.client_address)
        self.server.admit(cast(ServedAssociation, event.assoc))

    def _on_end(self, association_id: str) -> None:
        self.server.connections.settle(self.client_address)
        self.server.connections.leave(association_id)
        with contextlib.suppress(OSError):
            self.request.close()
