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

from pynetdicom.presentation import PresentationContext

from updp_node.dimse import status
from updp_node.dimse.acceptor import Acceptor, AcceptorSettings
from updp_node.dimse.association import ServedAssociation
from updp_node.dimse.contexts import choose_contexts
from updp_node.dimse.intake import Intake, IntakeSession, StagingArea
from updp_node.dimse.peers import Peer, check_peer
from updp_node.log import get_logger

_SIGNAL_S = 1.0


@dataclass(frozen=True, slots=True)
class ReceiverSettings(AcceptorSettings):
    """How the receiver listens and whom it admits.

    Attributes
    ----------
    staging : StagingArea
    peers : tuple of Peer
        Empty: nobody, unless `allow_any`.
    allow_any : bool
    """

    staging: StagingArea
    peers: tuple[Peer, ...] = ()
    allow_any: bool = False


class Receiver(Acceptor):
    """A Storage SCP that runs in threads of this process; made by `start_receiver`.

    Parameters
    ----------
    settings : ReceiverSettings
    intake : Intake
    """

    def __init__(self, settings: ReceiverSettings, intake: Intake) -> None:
        self._settings = settings
        self._intake = intake
        super().__init__(settings, "receiver")
        host, port = self.address
        get_logger().info("receiver-started", address=host, port=port, ae_title=settings.ae_title)

    def _stop(self, drain_s: float) -> None:
        super()._stop(drain_s)
        get_logger().info("receiver-stopped")

    def _check(
        self,
        association: ServedAssociation,  # noqa: ARG002
        calling_ae_title: str,
        address: str,
    ) -> status.Refusal | None:
        settings = self._settings
        return None if settings.allow_any else check_peer(settings.peers, calling_ae_title, address)

    def _contexts(self, association: ServedAssociation) -> list[PresentationContext]:
        request = association.requestor.primitive
        return choose_contexts(request.presentation_context_definition_list) if request else []

    def _make_session(
        self, association: ServedAssociation, connection: socket.socket
    ) -> IntakeSession:
        return IntakeSession(
            association.facts(),
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
    settings.staging.prepare()
    return Receiver(settings, intake)


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
