"""Requesters and destinations that do not keep to the protocol."""

from __future__ import annotations

import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, evt

from tests.integration.receiving import run_dcmtk
from tests.integration.research_requesters import (
    GOOD_IDENTIFIER,
    STUDY_FIND,
    STUDY_GET,
    counts,
    get,
    move,
    raw,
    say,
)
from tests.integration.researching import MemoryArchive, image, researching
from updp_node.dimse.commands import C_FIND_RQ
from updp_node.dimse.outgoing import MoveTarget, OutgoingAssociation
from updp_node.dimse.pdata import ConnectionLostError
from updp_node.errors import ConfigError
from updp_node.tls import TlsSettings


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    root = tmp_path / "released"
    root.mkdir()
    made = MemoryArchive(root)
    for number in range(1, 5):
        made.add(image(1, 1, number))
    made.add(image(2, 1, 1))
    return made


def test_mutated_messages_never_crash_anything(
    archive: MemoryArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashes: list[object] = []
    monkeypatch.setattr(threading, "excepthook", crashes.append)
    command = struct.pack("<HHI", 0, 2, 28) + STUDY_FIND.encode() + b"\0"
    for element, value in ((0x0100, C_FIND_RQ), (0x0110, 7), (0x0700, 0), (0x0800, 1)):
        command += struct.pack("<HHIH", 0, element, 2, value)
    command = struct.pack("<HHII", 0, 0, 4, len(command)) + command
    chance = random.Random(1)
    with researching(archive, per_peer_associations=1000, dimse_timeout_s=1.0) as server:
        for _ in range(150):
            association = raw(server.address[1], STUDY_FIND)
            writer = association.writer
            sent = bytearray(writer.command(1, command) + writer.data(1, GOOD_IDENTIFIER))
            for _ in range(chance.choice((1, 2, 5))):
                at = chance.randrange(len(sent))
                sent[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
            writer.send(sent)
            association.abort()
        association = raw(server.address[1], STUDY_FIND)
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        association.abort()
    assert crashes == []


def read_to_the_end(association: OutgoingAssociation) -> None:
    """Read answers, then the abort, then the end of the connection."""
    reader = association._reader
    while (fragment := reader.next_fragment()) is not None:
        assert fragment.is_last
        reader.read_command(1 << 20)
    assert reader.read_other(100)[0] == 0x07  # A-ABORT
    reader.next_fragment()


def test_a_request_among_the_answers_aborts(archive: MemoryArchive) -> None:
    for number in range(3000):
        archive.objects.append(
            {"0020000D": {"vr": "UI", "Value": [f"1.9.{number}"]}, "00081030": {"vr": "LO"}}
        )
    with researching(archive) as server:
        association = raw(server.address[1], STUDY_FIND)
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        association.writer.send(association.writer.command(1, b"\0" * 12))
        with pytest.raises(ConnectionLostError):
            read_to_the_end(association)
    assert archive.searched


def test_a_peer_of_too_short_pdus_is_rejected(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        entity = AE("RESEARCHER")
        entity.add_requested_context(STUDY_FIND)
        association = entity.associate(
            "127.0.0.1", server.address[1], ae_title="UPDPQR", max_pdu=16
        )
        assert association.is_rejected


@contextmanager
def speaking(answer: Callable[[socket.socket], None]) -> Iterator[MoveTarget]:
    """A destination that reads a request and says what it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield MoveTarget("TARGET", "127.0.0.1", listener.getsockname()[1])
        thread.join(10)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"HTTP/1.1 400\r\n\r\n", bytes(100), struct.pack(">BxIxBBB", 3, 4, 1, 1, 7),
        struct.pack(">BxI", 2, 50) + b"\xff" * 50, struct.pack(">BxI", 2, 1 << 31),
        struct.pack(">BxIIBB", 4, 6, 2, 1, 3), struct.pack(">BxIxxBB", 7, 4, 0, 0),
    ],
)  # fmt: skip
def test_a_destination_of_rubbish_fails_the_sub_operations(
    archive: MemoryArchive, answer: bytes
) -> None:
    with (
        speaking(lambda connection: connection.sendall(answer)) as target,
        researching(archive, destinations={"TARGET": target}) as server,
    ):
        statuses, final = move(server.address[1])
    assert (statuses[-1].Status, counts(statuses[-1])) == (0xA702, (0, 4, 0, None))
    assert final is not None


def test_a_silent_destination_fails_the_sub_operations_in_time(archive: MemoryArchive) -> None:
    over = threading.Event()
    with (
        speaking(lambda _: over.wait(10) and None) as target,
        researching(archive, destinations={"TARGET": target}, dimse_timeout_s=1.0) as server,
    ):
        statuses, _ = move(server.address[1])
        over.set()
    assert statuses[-1].Status == 0xA702


def test_a_move_over_tls_checks_the_destination(archive: MemoryArchive, tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    stranger.cert_pem.write_to_path(tmp_path / "stranger.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    entity = AE("TARGET")
    entity.add_supported_context(CTImageStorage, ExplicitVRLittleEndian)
    peer = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=context,
        evt_handlers=[(evt.EVT_C_STORE, lambda _: 0)],
    )  # fmt: skip
    port = peer.server_address[1]
    try:
        for ca, expected in (("ca.pem", 0x0000), ("stranger.pem", 0xA702)):
            tls = TlsSettings(ca=tmp_path / ca)
            targets = {"TARGET": MoveTarget("TARGET", "127.0.0.1", port, tls)}
            with researching(archive, destinations=targets) as server:
                assert move(server.address[1])[0][-1].Status == expected
    finally:
        peer.shutdown()


def test_certificates_of_destinations_are_checked_at_the_start(
    archive: MemoryArchive, tmp_path: Path
) -> None:
    targets = {"T": MoveTarget("T", "127.0.0.1", 104, TlsSettings(ca=tmp_path / "absent.pem"))}
    with pytest.raises(ConfigError), researching(archive, destinations=targets):
        pass


def test_getscu_without_an_archive_that_can_be_asked_is_rejected(archive: MemoryArchive) -> None:
    archive.admit = lambda *_: 1 // 0  # type: ignore[method-assign,assignment,return-value]
    with researching(archive) as server:
        code, _ = run_dcmtk("echoscu", "-aec", "UPDPQR", "127.0.0.1", server.address[1])
        assert code != 0


def test_a_retrieval_of_another_model_goes_on_after_errors(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        association = raw(server.address[1], STUDY_GET, STUDY_FIND)
        assert say(association, STUDY_GET, 0x0010, b"\xff" * 9) == 0xC000
        assert say(association, STUDY_GET, 0x0010, GOOD_IDENTIFIER) == 0xA900
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        association.abort()
        archive.add(image(1, 9, 9))
        assert get(server.address[1])[1][-1].Status == 0x0000
