"""The receiver and real senders: DCMTK's storescu, dcmsend and echoscu, and pynetdicom."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import threading
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEGLosslessSV1, RLELossless
from pynetdicom import AE

from tests.integration.receiving import (
    CANARY,
    SlowIntake,
    data_set_bytes,
    dcmtk,
    run_dcmtk,
    running,
    write_instance,
)
from updp_node.dimse.receiver import ReceiverSettings, start_receiver
from updp_node.storage.files import Staging

PRIVATE_CLASS = "1.2.826.0.1.3680043.9.9999.1"


def test_storescu_gets_success_and_the_bytes_lie_in_the_file(tmp_path: Path) -> None:
    source = tmp_path / "source" / "a.dcm"
    write_instance(source, 1)
    with running(tmp_path / "node") as node:
        code, output = run_dcmtk("storescu", "-aec", "UPDP", "127.0.0.1", node.port, source)
        assert code == 0, output
        (row,) = node.rows()
        path = node.root / row.file
        assert node.files() == [path]
    assert data_set_bytes(path) == data_set_bytes(source)
    assert row.sha256 == hashlib.sha256(data_set_bytes(source)).hexdigest()
    assert row.size_bytes == path.stat().st_size
    assert row.sop_instance_uid == "1.2.3.4.1"
    assert row.calling_ae_title == "STORESCU"
    assert CANARY not in str(path)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_a_sender_with_nagles_algorithm_does_not_stall(tmp_path: Path) -> None:
    for number in range(20):
        write_instance(tmp_path / "source" / f"{number}.dcm", number, size_bytes=40_000)
    with running(tmp_path / "node") as node:
        code, output = run_dcmtk(
            "storescu", "-aec", "UPDP", "+sd", "127.0.0.1", node.port, tmp_path / "source",
            nodelay=False,
        )  # fmt: skip
        assert code == 0, output
        assert len(node.rows()) == 20


def test_dcmsend_over_several_associations_at_once(tmp_path: Path) -> None:
    for number in range(40):
        write_instance(tmp_path / f"source{number % 4}" / f"{number}.dcm", number)
    with running(tmp_path / "node") as node:
        senders = [
            dcmtk("dcmsend", "-aec", "UPDP", "+sd", "127.0.0.1", node.port, tmp_path / f"source{i}")
            for i in range(4)
        ]
        assert [sender.wait(60) for sender in senders] == [0] * 4
        rows = node.rows()
    assert {row.sop_instance_uid for row in rows} == {f"1.2.3.4.{n}" for n in range(40)}
    assert len({row.association_id for row in rows}) == 4


def test_the_end_of_an_association_is_recorded(tmp_path: Path) -> None:
    write_instance(tmp_path / "a.dcm", 1)
    with running(tmp_path / "node") as node:
        run_dcmtk("storescu", "-aec", "UPDP", "127.0.0.1", node.port, tmp_path / "a.dcm")
    (association,) = node.associations()
    assert association.closed_at >= association.opened_at


def test_echo_is_answered_and_leaves_no_row(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        code, output = run_dcmtk("echoscu", "--repeat", 3, "-aec", "UPDP", "127.0.0.1", node.port)
        assert code == 0, output
    assert node.associations() == []


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, RLELossless])
def test_a_compressed_instance_is_kept_as_sent(tmp_path: Path, syntax: str) -> None:
    source = tmp_path / "a.dcm"
    write_instance(source, 1, transfer_syntax_uid=syntax)
    option = "-xs" if syntax == JPEGLosslessSV1 else "-xr"
    with running(tmp_path / "node") as node:
        code, output = run_dcmtk("storescu", option, "-aec", "UPDP", "127.0.0.1", node.port, source)
        assert code == 0, output
        (row,) = node.rows()
        stored = data_set_bytes(node.root / row.file)
    assert row.transfer_syntax_uid == syntax
    assert pydicom.dcmread(source).PixelData in stored


@pytest.mark.parametrize("sop_class_uid", [PRIVATE_CLASS, "1.2.840.10008.5.1.4.1.1.99999"])
def test_private_and_unknown_classes_are_received(tmp_path: Path, sop_class_uid: str) -> None:
    instance = write_instance(tmp_path / "a.dcm", 1, sop_class_uid=sop_class_uid)
    with running(tmp_path / "node") as node:
        entity = AE("MODALITY")
        entity.add_requested_context(sop_class_uid, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", node.port, ae_title="UPDP")
        assert association.is_established
        assert association.send_c_store(instance).Status == 0x0000
        assert association.send_c_store(instance).Status == 0x0000
        association.release()
        assert [row.sop_class_uid for row in node.rows()] == [sop_class_uid] * 2


def test_an_object_that_does_not_parse_is_received(tmp_path: Path) -> None:
    noise = os.urandom(50_000)
    with running(tmp_path / "node") as node:
        association = _associate(node.port, PRIVATE_CLASS)
        status = _send_raw(association, noise)
        association.release()
        assert status == 0x0000
        (row,) = node.rows()
        assert data_set_bytes(node.root / row.file) == noise


def test_text_in_place_of_a_uid_is_refused_and_the_association_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        association = _associate(node.port, PRIVATE_CLASS)
        command, data = _fragments(b"data", 1)
        association.dul.socket.socket.sendall(command.replace(b"1.2.3.4.50", b"DOE^JANE^^") + data)
        _, response = association.dimse.get_msg(block=True)
        assert response.Status == 0x0117
        assert node.files() == []
        assert _send_raw(association, b"data") == 0x0000
        association.release()


def test_the_response_waits_for_the_row(tmp_path: Path) -> None:
    write_instance(tmp_path / "a.dcm", 1)
    intake = SlowIntake()
    settings = ReceiverSettings(
        "UPDP", "127.0.0.1", 0, Staging(tmp_path / "staged"), allow_any=True
    )
    receiver = start_receiver(settings, intake)
    try:
        port = receiver.address[1]
        sender = dcmtk("storescu", "-aec", "UPDP", "127.0.0.1", port, tmp_path / "a.dcm")
        time.sleep(0.5)
        assert sender.poll() is None
        assert len(list((tmp_path / "staged").rglob("*.dcm"))) == 1
        intake.release.set()
        assert sender.wait(20) == 0
        assert len(intake.recorded) == 1
    finally:
        intake.release.set()
        receiver.stop(1)


def test_memory_does_not_grow_with_the_object(tmp_path: Path) -> None:
    size = 400 * 1024 * 1024
    with running(tmp_path / "node", max_pdu_size=0) as node:
        association = _associate(node.port, PRIVATE_CLASS)
        _peak(reset=True)
        before = _peak()
        status = _send_sparse(association, size)
        grown = _peak() - before
        association.release()
        assert status == 0x0000
        (row,) = node.rows()
        assert row.size_bytes > size
    assert grown < 40 * 1024 * 1024


def test_stopping_finishes_the_instance_under_way(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        association = _associate(node.port, PRIVATE_CLASS)
        head, *rest = _fragments(bytes(100_000), 1)
        connection = association.dul.socket.socket
        connection.sendall(head + rest[0][:1000])
        stopping = threading.Thread(target=node.receiver.stop, args=(0.5,))
        stopping.start()
        time.sleep(1.5)
        connection.sendall(rest[0][1000:] + b"".join(rest[1:]))
        _, response = association.dimse.get_msg(block=True)
        assert response.Status == 0x0000
        stopping.join(20)
        assert not stopping.is_alive()
        association.abort()
        assert len(node.rows()) == 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", node.port), 1)


def test_a_peer_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        association = _associate(node.port, PRIVATE_CLASS)
        head, data, *_ = _fragments(bytes(100_000), 1)
        association.dul.socket.socket.sendall(head + data[:5000])
        time.sleep(0.3)
        assert len(node.files()) == 1
        association.abort()
        deadline = time.monotonic() + 5
        while node.files() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert node.files() == []
        assert node.rows() == []
        assert run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)[0] == 0


def _associate(port: int, sop_class_uid: str) -> object:
    entity = AE("MODALITY")
    entity.add_requested_context(sop_class_uid, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title="UPDP", max_pdu=0)
    assert association.is_established
    association._reactor_checkpoint.clear()  # its thread would take responses for requests
    return association


def _fragments(data: bytes, context_id: int) -> list[bytes]:
    """A C-STORE-RQ of a private class as PDUs: the command set, then the data set."""
    values = {
        0x0002: PRIVATE_CLASS.encode() + b"\0" * (len(PRIVATE_CLASS) % 2), 0x0100: b"\1\0",
        0x0110: b"\1\0", 0x0700: b"\0\0", 0x0800: b"\1\0", 0x1000: b"1.2.3.4.50",
    }  # fmt: skip
    elements = b"".join(
        struct.pack("<HHI", 0, tag, len(value)) + value for tag, value in values.items()
    )
    command = struct.pack("<HHII", 0, 0, 4, len(elements)) + elements
    return [
        struct.pack(">BxIIBB", 4, len(content) + 6, len(content) + 2, context_id, control) + content
        for content, control in ((command, 3), (data, 2))
    ]


def _send_raw(association: object, data: bytes) -> int:
    for pdu in _fragments(data, 1):
        association.dul.socket.socket.sendall(pdu)
    _, response = association.dimse.get_msg(block=True)
    return int(response.Status)


def _send_sparse(association: object, size_bytes: int) -> int:
    """Send zeros without ever holding them: 128 KiB at a time."""
    connection = association.dul.socket.socket
    connection.sendall(_fragments(b"", 1)[0])
    piece = bytes(128 * 1024)
    left = size_bytes // len(piece)
    while left:
        left -= 1
        head = struct.pack(">BxIIBB", 4, len(piece) + 6, len(piece) + 2, 1, 0 if left else 2)
        connection.sendall(head + piece)
    association.dimse_timeout = 60
    _, response = association.dimse.get_msg(block=True)
    return int(response.Status)


def _peak(reset: bool = False) -> int:
    """Peak resident memory of this process in bytes, since it was last reset."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
