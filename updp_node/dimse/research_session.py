"""One association of a researcher: C-ECHO, C-FIND, C-MOVE, C-GET, one operation at a time.

References
----------
PS3.4 C.4: DIMSE-C Service Groups of the Query/Retrieve Service Class. PS3.7 9.1.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydicom import Dataset

from updp_node.dimse.answers import AnswerEncoder
from updp_node.dimse.archive import Archive, ArchiveError
from updp_node.dimse.commands import (
    C_CANCEL_RQ,
    C_ECHO_RQ,
    C_FIND_RQ,
    C_GET_RQ,
    C_MOVE_RQ,
    RESPONSE,
    Command,
    CommandError,
    encode_response,
)
from updp_node.dimse.exchange import Exchange, LeavingError, Outcome
from updp_node.dimse.find import find
from updp_node.dimse.identifiers import Collected, interpret
from updp_node.dimse.moving import Mover
from updp_node.dimse.outgoing import MoveTarget
from updp_node.dimse.research_contexts import INFORMATION_MODELS, InformationModel
from updp_node.dimse.retrieval import Getter, retrieve
from updp_node.dimse.sending import DataWriter
from updp_node.dimse.session import AssociationFacts, Session
from updp_node.dimse.status import QueryStatus, Status
from updp_node.query.identifier import read_query, read_selection
from updp_node.query.keys import QueryError

_METHODS = {C_FIND_RQ: "C-FIND", C_MOVE_RQ: "C-MOVE", C_GET_RQ: "C-GET"}
_FAILED_UIDS = "00080058"


@dataclass(frozen=True, slots=True)
class ResearchFacts:
    """What the negotiation settled, beyond `AssociationFacts`.

    Attributes
    ----------
    projects : frozenset of str
        What the peer may see.
    abstract_syntaxes : Mapping[int, str]
        Of the accepted presentation contexts, by their id.
    receiving : Mapping[str, Mapping[str, int]]
        Contexts in which the peer takes instances: SOP Class, transfer syntax, context id.
    extensions : Mapping[str, bytes]
        Answered SOP Class Extended Negotiation.
    max_length : int
        Of a PDU that the peer takes; 0 is unlimited.
    """

    projects: frozenset[str]
    abstract_syntaxes: Mapping[int, str]
    receiving: Mapping[str, Mapping[str, int]]
    extensions: Mapping[str, bytes]
    max_length: int


@dataclass(frozen=True, slots=True)
class Service:
    """What all associations share.

    Attributes
    ----------
    archive : Archive
    ae_title : str
        Own.
    destinations : Mapping[str, MoveTarget]
        By AE title.
    max_answers : int
        Of one C-FIND.
    message_timeout_s, idle_timeout_s : float
        Longest silence within an operation, and between operations.
    is_stopping : callable
    """

    archive: Archive
    ae_title: str
    destinations: Mapping[str, MoveTarget]
    max_answers: int
    message_timeout_s: float
    idle_timeout_s: float
    is_stopping: Callable[[], bool]


class ResearchSession(Session):
    """Answers the requests of one association.

    Parameters
    ----------
    facts : AssociationFacts
    research : ResearchFacts
    connection : socket.socket
        Borrowed from pynetdicom; its timeout is `pdata.TICK_S`.
    service : Service
    """

    def __init__(
        self, facts: AssociationFacts, research: ResearchFacts, connection: socket.socket,
        service: Service,
    ) -> None:  # fmt: skip
        super().__init__(
            facts, connection, message_timeout_s=service.message_timeout_s,
            idle_timeout_s=service.idle_timeout_s, is_stopping=service.is_stopping,
        )  # fmt: skip
        self._research = research
        self._service = service
        self._writer = DataWriter(
            connection, research.max_length, service.message_timeout_s, service.is_stopping
        )

    def serve(self) -> bytes:
        """Serve as `Session.serve` says; the peer may also leave within an operation."""
        try:
            return super().serve()
        except LeavingError:
            return self._reader.unread

    def _answer(self, command: Command, context_id: int) -> None:
        if command.field == C_CANCEL_RQ:
            return  # of an operation that has ended
        if command.field & RESPONSE:
            raise CommandError("a response to no request")
        collected = Collected()
        if command.has_data_set:
            self._reader.read_data(context_id, collected.add)
        if command.field == C_ECHO_RQ:
            self._writer.send(encode_response(command, context_id, Status.SUCCESS))
            return
        exchange = Exchange(
            command, context_id, self._facts.transfer_syntaxes[context_id], reader=self._reader,
            writer=self._writer, is_stopping=self._service.is_stopping,
        )  # fmt: skip
        self._conclude(exchange, context_id, collected)
        self.count += 1

    def _conclude(self, exchange: Exchange, context_id: int, collected: Collected) -> None:
        """Carry out an operation, send its final response, and note it in the audit log."""
        started = time.monotonic()
        audit = Audit()
        outcome: Outcome | None = None
        try:
            outcome = self._attempt(exchange, context_id, collected, audit)
            is_cancelled = outcome.status == QueryStatus.CANCELLED
            exchange.send_final(outcome, _failed(exchange, outcome), is_cancelled=is_cancelled)
        finally:
            self._note(exchange.command, audit, outcome, time.monotonic() - started)

    def _attempt(
        self, exchange: Exchange, context_id: int, collected: Collected, audit: Audit
    ) -> Outcome:
        command = exchange.command
        uid = self._research.abstract_syntaxes[context_id]
        model = INFORMATION_MODELS.get(uid)
        if model is None or model.field != command.field:
            return Outcome(QueryStatus.UNRECOGNIZED_OPERATION, "no operation of this context")
        if command.sop_class_uid != uid:
            return Outcome(QueryStatus.CLASS_NOT_SUPPORTED, "not the SOP Class of this context")
        try:
            identifier = collected.read(is_implicit=exchange.is_implicit)
            if command.field == C_FIND_RQ:
                return self._find(exchange, model, identifier, audit)
            return self._retrieve(exchange, model, identifier, audit)
        except QueryError as error:
            return Outcome(error.status, error.reason, error.tag)
        except ArchiveError as error:
            self._log.error("archive-failed", error_type=str(error))
            return Outcome(QueryStatus.UNABLE_TO_PROCESS, "the archive cannot be asked now")

    def _find(
        self, exchange: Exchange, model: InformationModel, identifier: Dataset, audit: Audit
    ) -> Outcome:
        query = interpret(
            lambda: read_query(
                identifier,
                model.model,
                relational=self._is_in_force(model, 0),
                combined_datetime=self._is_in_force(model, 1),
            )
        )
        audit.level = query.level.name
        return find(
            exchange,
            self._service.archive,
            query,
            identifier,
            projects=self._research.projects,
            ae_title=self._service.ae_title,
            max_answers=self._service.max_answers,
        )

    def _retrieve(
        self, exchange: Exchange, model: InformationModel, identifier: Dataset, audit: Audit
    ) -> Outcome:
        service, command = self._service, exchange.command
        selection = interpret(
            lambda: read_selection(identifier, model.model, relational=self._is_in_force(model, 0))
        )
        audit.level = selection.level.name
        projects = self._research.projects
        sender: Getter | Mover
        if model.field == C_GET_RQ:
            sender = Getter(exchange, self._research.receiving)
        else:
            audit.destination = command.move_destination
            target = service.destinations.get(command.move_destination)
            if target is not None and target.projects is not None:
                projects &= target.projects
            if target is None or not projects:
                audit.destination = "unknown"
                return Outcome(QueryStatus.UNKNOWN_DESTINATION, "not a configured destination")
            sender = Mover(
                target,
                own_ae_title=service.ae_title,
                originator=(self._facts.calling_ae_title, command.message_id),
                timeout_s=service.message_timeout_s,
                is_stopping=service.is_stopping,
            )
        return retrieve(exchange, service.archive, selection, projects, sender)

    def _is_in_force(self, model: InformationModel, byte: int) -> bool:
        answered = self._research.extensions.get(model.uid, b"")
        return answered[byte : byte + 1] == b"\1"

    def _note(
        self, command: Command, audit: Audit, outcome: Outcome | None, duration_s: float
    ) -> None:
        fields: dict[str, object] = {
            "method": _METHODS.get(command.field, "other"),
            "query_level": audit.level,
            "destination": audit.destination,
        }
        counts = outcome.counts if outcome else None
        if counts is not None:
            fields |= {"failed_count": counts.failed, "warning_count": counts.warning}
        self._log.info(
            "query-answered",
            calling_ae_title=self._facts.calling_ae_title,
            peer_address=self._facts.peer_address,
            status="lost" if outcome is None else f"0x{outcome.status:04X}",
            count=outcome.count if outcome else None,
            projects=len(self._research.projects),
            duration_s=round(duration_s, 3),
            **{name: value for name, value in fields.items() if value is not None},
        )


@dataclass(slots=True)
class Audit:
    """What becomes known of an operation while it is carried out.

    Attributes
    ----------
    level, destination : str or None
    """

    level: str | None = None
    destination: str | None = None


def _failed(exchange: Exchange, outcome: Outcome) -> bytes:
    """Failed SOP Instance UID List (0008,0058), where there is one."""
    if not outcome.failed_uids:
        return b""
    encoder = AnswerEncoder(is_implicit=exchange.is_implicit)
    return encoder.encode({_FAILED_UIDS: {"vr": "UI", "Value": outcome.failed_uids}})
