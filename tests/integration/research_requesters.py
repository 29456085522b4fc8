"""Requesters: pynetdicom's, and one on which anything can be said; destinations of C-MOVE."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, build_role, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation

from updp_node.dimse.outgoing import MoveTarget, OutgoingAssociation, request_association
from updp_node.dimse.session import read_command

VERIFICATION = "1.2.840.10008.1.1"
PATIENT_FIND, STUDY_FIND = (f"1.2.840.10008.5.1.4.1.2.{root}.1" for root in (1, 2))
STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{operation}" for operation in (2, 3))
STUDY = "1.2.3.1"
GOOD_IDENTIFIER = b"\x08\x00\x52\x00CS\x06\x00STUDY \x20\x00\x0d\x00UI\0\0"
"""Explicit VR Little Endian: every study."""


def keys(**values: Any) -> Dataset:
    identifier = Dataset()
    for keyword, value in values.items():
        setattr(identifier, keyword, value)
    return identifier


def associate(
    port: int, *contexts: str, syntax: str = ExplicitVRLittleEndian, extended: bytes = b"",
    calling: str = "RESEARCHER", max_pdu: int = 16382,
) -> Association:  # fmt: skip
    entity = AE(calling)
    items = []
    for uid in contexts:
        entity.add_requested_context(uid, syntax)
        if extended:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid, item.service_class_application_information = uid, extended
            items.append(item)
    return entity.associate(
        "127.0.0.1", port, ae_title="UPDPQR", ext_neg=items or None, max_pdu=max_pdu
    )


def query(
    association: Association, identifier: Dataset, model: str = STUDY_FIND
) -> tuple[list[Dataset], Dataset, set[int]]:
    """Answers, final status, statuses of the answers."""
    answers, pending = [], set()
    status = Dataset()
    _await_reactor(association)
    for status, answer in association.send_c_find(identifier, model):
        if answer is not None:
            answers.append(answer)
            pending.add(status.Status)
    return answers, status, pending


def _await_reactor(association: Association) -> None:
    """Let pynetdicom notice the end of the query before, or it drops an answer of the next."""
    for _ in range(1000):
        if not (association._is_paused and association._reactor_checkpoint.is_set()):
            return
        time.sleep(0.0005)


def raw(port: int, *contexts: str) -> OutgoingAssociation:
    """An association on which anything can be said."""
    return request_association(
        MoveTarget("UPDPQR", "127.0.0.1", port),
        "RAW",
        [(uid, (ExplicitVRLittleEndian,)) for uid in contexts],
        timeout_s=5,
        is_stopping=lambda: False,
    )


def say(association: OutgoingAssociation, uid: str, field: int, content: bytes) -> int:
    """Status of the response to a request with arbitrary content."""
    context_id = association.contexts[uid][ExplicitVRLittleEndian]
    padded = uid.encode() + b"\0" * (len(uid) % 2)
    numbers = ((0x0100, field), (0x0110, 7), (0x0700, 0), (0x0800, 1))
    request = struct.pack("<HHI", 0, 2, len(padded)) + padded
    request += b"".join(struct.pack("<HHIH", 0, element, 2, value) for element, value in numbers)
    request = struct.pack("<HHII", 0, 0, 4, len(request)) + request
    writer, reader = association.writer, association._reader
    writer.send(writer.command(context_id, request) + writer.data(context_id, content))
    fragment = reader.next_fragment()
    assert fragment is not None
    return read_command(reader, fragment.is_last).status


def selection(study: str = STUDY) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = study
    return identifier


def get(
    port: int, *, syntaxes: tuple[str, ...] = (ExplicitVRLittleEndian,), status: int = 0,
    is_provider: bool = True, cancel_after: int = 0, max_pdu: int = 16382,
) -> tuple[list[Dataset], list[Dataset], Dataset | None]:  # fmt: skip
    """Instances, statuses, identifier of the final response."""
    got: list[Dataset] = []
    association: Association

    def store(event: evt.Event) -> int:
        instance = event.dataset
        instance.file_meta = event.file_meta
        got.append(instance)
        if len(got) == cancel_after:
            association.send_c_cancel(7, query_model=STUDY_GET)
        return status

    entity = AE("RESEARCHER")
    entity.add_requested_context(STUDY_GET)
    for syntax in syntaxes:
        entity.add_requested_context(CTImageStorage, syntax)
    association = entity.associate(
        "127.0.0.1", port, ae_title="UPDPQR", evt_handlers=[(evt.EVT_C_STORE, store)],
        ext_neg=[build_role(CTImageStorage, scp_role=True)] if is_provider else None,
        max_pdu=max_pdu,
    )  # fmt: skip
    assert association.is_established
    statuses, final = [], None
    for each, identifier in association.send_c_get(selection(), STUDY_GET, msg_id=7):
        statuses.append(each)
        final = identifier
    association.release()
    return got, statuses, final


def move(port: int, destination: str = "TARGET") -> tuple[list[Dataset], Dataset | None]:
    """Statuses, identifier of the final response."""
    entity = AE("RESEARCHER")
    entity.add_requested_context(STUDY_MOVE)
    association = entity.associate("127.0.0.1", port, ae_title="UPDPQR")
    statuses, final = [], None
    for each, identifier in association.send_c_move(selection(), destination, STUDY_MOVE, msg_id=9):
        statuses.append(each)
        final = identifier
    association.release()
    return statuses, final


def counts(status: Dataset) -> tuple[int, int, int, int | None]:
    """Completed, failed, warning, remaining."""
    return (
        status.NumberOfCompletedSuboperations,
        status.NumberOfFailedSuboperations,
        status.NumberOfWarningSuboperations,
        status.get("NumberOfRemainingSuboperations"),
    )


@contextmanager
def destination(*syntaxes: str, handler: Any = None) -> Iterator[MoveTarget]:
    """A pynetdicom Storage SCP as move destination."""
    entity = AE("TARGET")
    entity.add_supported_context(CTImageStorage, list(syntaxes or (ExplicitVRLittleEndian,)))
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, handler or (lambda _: 0))]
    )
    try:
        yield MoveTarget("TARGET", "127.0.0.1", server.server_address[1])
    finally:
        server.shutdown()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
