"""The research SCP: who may ask, what is negotiated, how it starts and stops.

References
----------
PS3.4 A and C: Verification and Query/Retrieve Service Classes. PS3.7 D.3.3: negotiation.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from pynetdicom import evt
from pynetdicom.presentation import PresentationContext

from updp_node.dimse import status
from updp_node.dimse.acceptor import Acceptor, AcceptorSettings
from updp_node.dimse.archive import Archive
from updp_node.dimse.association import ServedAssociation
from updp_node.dimse.outgoing import MoveTarget
from updp_node.dimse.research_contexts import (
    answer_extensions,
    choose_research_contexts,
    provided_classes,
)
from updp_node.dimse.research_session import ResearchFacts, ResearchSession, Service
from updp_node.dimse.sending import SHORTEST_PDU_BYTES
from updp_node.log import get_logger


@dataclass(frozen=True, slots=True)
class ResearchSettings(AcceptorSettings):
    """How the research SCP listens and answers.

    Attributes
    ----------
    max_answers : int
        Of one C-FIND.
    destinations : Mapping[str, MoveTarget]
        Where C-MOVE may send to, by the AE title that requests name.
    """

    _: KW_ONLY
    max_answers: int = 100_000
    destinations: Mapping[str, MoveTarget] = field(default_factory=dict)


class ResearchServer(Acceptor):
    """A Query/Retrieve SCP that runs in threads of this process; made by `start_research`.

    Parameters
    ----------
    settings : ResearchSettings
    archive : Archive
    """

    def __init__(self, settings: ResearchSettings, archive: Archive) -> None:
        self._archive = archive
        self._service = Service(
            archive=archive,
            ae_title=settings.ae_title.strip(),
            destinations=settings.destinations,
            max_answers=settings.max_answers,
            message_timeout_s=settings.dimse_timeout_s,
            idle_timeout_s=settings.network_timeout_s,
            is_stopping=self._must_end,
        )
        for target in settings.destinations.values():
            if target.tls is not None:
                target.tls.client_context()  # says now that a certificate cannot be used
        super().__init__(settings, "research")
        host, port = self.address
        get_logger().info("research-started", address=host, port=port, ae_title=settings.ae_title)

    def _must_end(self) -> bool:
        return self._is_stopping.is_set()

    def _stop(self, drain_s: float) -> None:
        super()._stop(drain_s)
        get_logger().info("research-stopped")

    def _check(
        self, association: ServedAssociation, calling_ae_title: str, address: str
    ) -> status.Refusal | None:
        request = association.requestor.primitive
        if 0 < ((request and request.maximum_length_received) or 0) < SHORTEST_PDU_BYTES:
            return status.PDU_TOO_SHORT
        try:
            association.projects = self._archive.admit(
                calling_ae_title, address, association.certificate()
            )
        except Exception as error:  # noqa: BLE001  # whatever the archive raises: nobody is admitted
            get_logger().error("archive-failed", error_type=type(error).__name__)
            return status.UNAVAILABLE
        return None if association.projects else status.CALLING_AE_TITLE

    def _contexts(self, association: ServedAssociation) -> list[PresentationContext]:
        request = association.requestor.primitive
        if request is None:
            return []
        association.bind(evt.EVT_SOP_EXTENDED, _answer_extensions)
        provided = provided_classes(association)
        return choose_research_contexts(
            request.presentation_context_definition_list,
            provided,
            self._stored_syntaxes(association.projects) if provided else {},
        )

    def _stored_syntaxes(self, projects: frozenset[str]) -> Mapping[str, Sequence[str]]:
        try:
            return self._archive.stored_syntaxes(projects)
        except Exception as error:  # noqa: BLE001  # only the choice of a transfer syntax depends on it
            get_logger().error("archive-failed", error_type=type(error).__name__)
            return {}

    def _make_session(
        self, association: ServedAssociation, connection: socket.socket
    ) -> ResearchSession:
        return ResearchSession(
            association.facts(), _research_facts(association), connection, self._service
        )


def start_research(settings: ResearchSettings, archive: Archive) -> ResearchServer:
    """Listen, and answer in threads of this process until `ResearchServer.stop`.

    Raises
    ------
    ConfigError
        The certificates cannot be used.
    OSError
        The address cannot be listened on.
    """
    return ResearchServer(settings, archive)


def _answer_extensions(event: evt.Event) -> dict[str, bytes]:
    return answer_extensions(event.app_info)  # type: ignore[attr-defined]


def _research_facts(association: ServedAssociation) -> ResearchFacts:
    receiving: dict[str, dict[str, int]] = {}
    for context in association.accepted_contexts:
        if context.as_scu:
            syntaxes = receiving.setdefault(str(context.abstract_syntax), {})
            syntaxes.setdefault(str(context.transfer_syntax[0]), int(context.context_id or 0))
    request = association.requestor.primitive
    return ResearchFacts(
        projects=association.projects,
        abstract_syntaxes={
            int(context.context_id or 0): str(context.abstract_syntax)
            for context in association.accepted_contexts
        },
        receiving=receiving,
        extensions=answer_extensions(association.requestor.sop_class_extended),
        max_length=int((request and request.maximum_length_received) or 0),
    )
