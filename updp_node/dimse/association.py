"""pynetdicom's association and socket, with P-DATA taken out of their hands.

pynetdicom negotiates, releases and aborts. While instances come, the association's own
thread borrows the socket from pynetdicom's reactor and serves a `Session` on it: no
polling, no queue, no second thread. Overridden are `Association._run_reactor` (run once an
association is established) and `AssociationSocket.ready` and `recv` (all that the reactor
asks of a socket to read from it).
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.transport import AssociationSocket

from updp_node.dimse.commands import CommandError
from updp_node.dimse.pdata import TICK_S, DamagedDataError, ReadingEndedError
from updp_node.dimse.session import AssociationFacts, Session
from updp_node.log import get_logger

_LARGEST_PDU_BYTES = 1 << 20  # of any PDU but P-DATA
_HALF_OPEN_WAIT_MS = 10
_DATA_TRANSFER = "Sta6"
_AWAITING_REQUEST = "Sta2"

MakeSession = Callable[["ServedAssociation", socket.socket], Session]


class LendableSocket(AssociationSocket):
    """The reactor's socket, which the association borrows while data are transferred.

    From the moment the reactor itself is in the state of data transfer it does not read
    until `take_back`; so it can never have read the first bytes of a message.
    """

    def __init__(
        self, assoc: Association, client_socket: socket.socket, timeout_s: float | None
    ) -> None:
        self._is_lent = False
        self._taken_back = threading.Event()
        self._is_spent = False
        self._unread = b""
        self._timeout_s = timeout_s
        client_socket.settimeout(timeout_s)
        super().__init__(assoc, client_socket=client_socket)

    def borrow(self) -> socket.socket | None:
        """The connection, for the thread that will call `take_back`; None if it is gone."""
        connection: socket.socket | None = self.socket
        if connection is not None:
            connection.settimeout(TICK_S)
        return connection

    def take_back(self, unread: bytes | None) -> None:
        """Let the reactor read on, from what was read already; None: there is no more."""
        self._unread = unread or b""
        self._is_spent = unread is None
        connection = self.socket
        if connection is not None and connection.fileno() >= 0:
            connection.settimeout(self._timeout_s)
        self._taken_back.set()

    @property
    def ready(self) -> bool:
        """Whether the reactor may read; it waits here while the socket is lent."""
        state = self.assoc.dul.state_machine.current_state
        self._is_lent = self._is_lent or state == _DATA_TRANSFER
        if self._is_lent and not self._taken_back.is_set():
            self._taken_back.wait(TICK_S)
            return False
        if self._unread:
            return True
        connection = self.socket
        if connection is None or self._is_spent or not self._is_connected:
            return False
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            return True
        try:
            poller = select.poll()  # unlike select it knows no limit of 1024 descriptors
            poller.register(connection, select.POLLIN)
            return bool(poller.poll(_HALF_OPEN_WAIT_MS if state == _AWAITING_REQUEST else 0))
        except (OSError, ValueError):
            self.event_queue.put("Evt17")  # transport connection closed
            return False

    def recv(self, nr_bytes: int) -> bytearray:
        """Read exactly that much of a PDU; less only at the end of the connection."""
        connection = self.socket
        if connection is None or nr_bytes > _LARGEST_PDU_BYTES:
            raise OSError("no connection, or a PDU that is too long")
        received = bytearray(self._unread[:nr_bytes])
        self._unread = self._unread[nr_bytes:]
        while len(received) < nr_bytes:
            part = connection.recv(nr_bytes - len(received))
            if not part:
                break
            received += part
        return received


class ServedAssociation(Association):
    """An accepted association whose P-DATA a `Session` serves.

    Parameters
    ----------
    ae : pynetdicom.AE
    association_id : str
    make_session : callable
    on_end : callable
        Called with the association's id when its thread ends.

    Attributes
    ----------
    projects : frozenset of str
        What a researcher may see; set at the request.
    """

    def __init__(
        self, ae: AE, association_id: str, make_session: MakeSession,
        on_end: Callable[[str], None],
    ) -> None:  # fmt: skip
        super().__init__(ae, "acceptor")
        self.association_id = association_id
        self.projects: frozenset[str] = frozenset()
        self.name = f"association-{association_id}"
        self._make_session = make_session
        self._on_end = on_end

    def run_reactor(self) -> None:
        """Run the association from the request to its end."""
        try:
            super().run_reactor()
        finally:
            self._on_end(self.association_id)

    def _run_reactor(self) -> None:
        """Serve the session, then leave release or abort to pynetdicom."""
        while self.dul.is_alive() and self.dul.state_machine.current_state != _DATA_TRANSFER:
            time.sleep(0.0005)  # the acceptance is still on its way to the peer
        lendable = self.dul.socket
        if not isinstance(lendable, LendableSocket):
            raise TypeError("the association needs a socket that can be lent")
        connection = lendable.borrow()
        unread: bytes | None = None
        try:
            if connection is not None:
                unread = self._serve(connection)
        finally:
            lendable.take_back(unread)
            if unread is None:
                self.abort()
        super()._run_reactor()

    def _serve(self, connection: socket.socket) -> bytes | None:
        """Serve until another PDU than P-DATA; None if the association must be aborted."""
        facts = self.facts()
        log = get_logger().bind(
            association_id=self.association_id,
            calling_ae_title=facts.calling_ae_title,
            peer_address=facts.peer_address,
        )
        log.info("association-accepted")
        started = time.monotonic()
        session = self._make_session(self, connection)
        try:
            return session.serve()
        except (ReadingEndedError, DamagedDataError, CommandError) as error:
            log.warning("association-aborted", reason=str(error))
            return None
        except OSError as error:
            log.warning("association-lost", error_type=type(error).__name__)
            return b""
        finally:
            session.close()
            duration_s = round(time.monotonic() - started, 3)
            log.info("association-ended", count=session.count, duration_s=duration_s)

    def certificate(self) -> bytes | None:
        """The peer's certificate in DER; None without mutual TLS."""
        held = self.dul.socket
        connection = None if held is None else held.socket
        if not isinstance(connection, ssl.SSLSocket):
            return None
        return connection.getpeercert(binary_form=True) or None

    def facts(self) -> AssociationFacts:
        """What the negotiation settled."""
        return AssociationFacts(
            association_id=self.association_id,
            calling_ae_title=str(self.requestor.ae_title).strip(),
            peer_address=str(self.requestor.address),
            transfer_syntaxes={
                int(context.context_id or 0): str(context.transfer_syntax[0])
                for context in self.accepted_contexts
            },
        )
