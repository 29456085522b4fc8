"""Whom the receiver refuses, and that others do not suffer from it."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import trustme
from pynetdicom import AE
from structlog.testing import capture_logs

from tests.integration.receiving import dcmtk, run_dcmtk, running, write_instance
from updp_node.dimse.peers import Peer
from updp_node.storage.files import Staging, free_bytes
from updp_node.tls import TlsSettings

VERIFICATION = "1.2.840.10008.1.1"


def reject(port: int, *, calling: str = "PACS", called: str = "UPDP") -> tuple[int, int, int]:
    """Result, source and diagnostic of the rejection of an association."""
    entity = AE(calling)
    entity.add_requested_context(VERIFICATION)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    assert association.is_rejected
    answer = association.acceptor.primitive
    return answer.result, answer.result_source, answer.diagnostic


@pytest.mark.parametrize(
    ("peers", "titles", "expected", "reason"),
    [
        ((Peer("PACS"),), ("PACS", "OTHER"), (1, 1, 7), "called-ae-title-not-recognized"),
        ((Peer("PACS"),), ("CT1", "UPDP"), (1, 1, 3), "calling-ae-title-not-recognized"),
        ((), ("PACS", "UPDP"), (1, 1, 3), "calling-ae-title-not-recognized"),
        (
            (Peer("PACS", (ipaddress.ip_network("192.0.2.0/24"),)),),
            ("PACS", "UPDP"), (1, 1, 1), "address-not-allowed",
        ),
    ],
)  # fmt: skip
def test_who_is_not_allowed_is_rejected_with_the_reason(
    tmp_path: Path, peers: tuple[Peer, ...], titles: tuple[str, str],
    expected: tuple[int, int, int], reason: str,
) -> None:  # fmt: skip
    with running(tmp_path, peers=peers, allow_any=False) as node, capture_logs() as logs:
        assert reject(node.port, calling=titles[0], called=titles[1]) == expected
    (event,) = [log for log in logs if log["event"] == "association-rejected"]
    assert event["reason"] == reason
    assert event["calling_ae_title"] == titles[0]
    assert event["peer_address"] == "127.0.0.1"


def test_an_allowed_peer_is_served(tmp_path: Path) -> None:
    peers = (Peer("ECHOSCU", (ipaddress.ip_network("127.0.0.0/8"),)),)
    with running(tmp_path, peers=peers, allow_any=False) as node:
        assert run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)[0] == 0


def test_one_peer_cannot_take_all_associations(tmp_path: Path) -> None:
    with running(tmp_path, per_peer_associations=2) as node:
        entity = AE("GREEDY")
        entity.add_requested_context(VERIFICATION)
        held = [entity.associate("127.0.0.1", node.port, ae_title="UPDP") for _ in range(2)]
        assert all(association.is_established for association in held)
        assert reject(node.port, calling="GREEDY") == (2, 3, 2)
        assert run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)[0] == 0
        for association in held:
            association.release()
        again = entity.associate("127.0.0.1", node.port, ae_title="UPDP")
        assert again.is_established
        again.release()


@pytest.mark.parametrize("is_tls", [False, True])
def test_half_open_connections_starve_nobody(
    tmp_path: Path, is_tls: bool, certificates: Certificates
) -> None:
    changes: dict[str, Any] = {"acse_timeout_s": 3.0, "max_associations": 5}
    if is_tls:
        changes |= {"tls": certificates.server, "require_client_certificate": True}
    with running(tmp_path / "node", **changes) as node, ExitStack() as stack:
        for number in range(15):
            held = stack.enter_context(socket.create_connection(("127.0.0.1", node.port)))
            held.sendall(b"\x01\0\0"[: number % 4])
        started = time.monotonic()
        options = certificates.client_options if is_tls else ()
        code, output = run_dcmtk("echoscu", *options, "-aec", "UPDP", "127.0.0.1", node.port)
        assert code == 0, output
        assert time.monotonic() - started < 2
        held.settimeout(6)
        assert held.recv(1) == b""  # and their time is short


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\n\r\n", bytes(1000), struct.pack(">BxI", 1, 1 << 31) + bytes(100)]
)
def test_noise_on_the_port_is_survived(tmp_path: Path, sent: bytes) -> None:
    with running(tmp_path) as node:
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            connection.sendall(sent)
        assert run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)[0] == 0


def test_a_query_is_not_accepted(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        entity = AE("PACS")
        entity.add_requested_context("1.2.840.10008.5.1.4.1.2.2.1")
        entity.add_requested_context(VERIFICATION)
        association = entity.associate("127.0.0.1", node.port, ae_title="UPDP")
        accepted = [str(context.abstract_syntax) for context in association.accepted_contexts]
        association.release()
        assert accepted == [VERIFICATION]


def test_below_the_reserve_the_sender_is_told_to_come_back(tmp_path: Path) -> None:
    write_instance(tmp_path / "a.dcm", 1, size_bytes=600_000)
    staging = Staging(tmp_path / "node" / "staged", reserve_bytes=free_bytes(tmp_path) + (1 << 40))
    with running(tmp_path / "node", staging=staging) as node, capture_logs() as logs:
        code, output = run_dcmtk(
            "storescu", "-d", "-aec", "UPDP", "127.0.0.1", node.port, tmp_path / "a.dcm"
        )
        assert code != 0
        assert "0xa700" in output
        assert node.files() == []
        assert node.rows() == []
    (event,) = [log for log in logs if log["event"] == "instance-not-stored"]
    assert event["status"] == "0xA700"


def test_a_full_disk_loses_nothing_and_service_returns(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(full)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("MOUNTING A TMPFS IS NOT PERMITTED: the full disk is not proven here")
    for number in range(8):
        write_instance(tmp_path / "a" / f"{number}.dcm", number, size_bytes=700_000)
    try:
        with running(full / "node") as node:
            target = ("-d", "--no-halt", "-aec", "UPDP", "127.0.0.1", node.port)
            _, output = run_dcmtk("storescu", *target, "+sd", tmp_path / "a")
            kept = {row.file for row in node.rows()}
            assert 0 < len(kept) < 8
            assert output.count("DIMSE Status                  : 0xa700") == 8 - len(kept)
            assert {str(path.relative_to(node.root)) for path in node.files()} == kept
            node.files()[0].unlink()
            code, output = run_dcmtk("storescu", *target, tmp_path / "a" / "7.dcm")
            assert code == 0, output
    finally:
        subprocess.run(["umount", "--lazy", str(full)], check=True)


class Certificates:
    """A trusted authority, and one that is not."""

    def __init__(self, folder: Path) -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self._issue(authority, folder / "server")
        self._issue(authority, folder / "client")
        self._issue(stranger, folder / "stranger")
        self.folder = folder
        self.server = TlsSettings(folder / "server.pem", folder / "server.key", self.ca)

    @staticmethod
    def _issue(authority: trustme.CA, stem: Path) -> None:
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        certificate.private_key_pem.write_to_path(str(stem.with_suffix(".key")))
        stem.with_suffix(".key").chmod(0o600)
        with stem.with_suffix(".pem").open("wb") as file:
            for blob in certificate.cert_chain_pems:
                file.write(blob.bytes())

    def options(self, name: str) -> tuple[str, ...]:
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        return ("+tls", str(key), str(certificate), "+cf", str(self.ca))

    @property
    def client_options(self) -> tuple[str, ...]:
        return self.options("client")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def test_mutual_tls_serves_the_right_certificate_and_refuses_others(
    tmp_path: Path, certificates: Certificates
) -> None:
    for number in range(3):
        write_instance(tmp_path / "a" / f"{number}.dcm", number, size_bytes=700_000)
    target = ("-aec", "UPDP", "127.0.0.1")
    with running(tmp_path / "node", tls=certificates.server) as node, capture_logs() as logs:
        good = run_dcmtk(
            "storescu", *certificates.client_options, "+sd", *target, node.port, tmp_path / "a"
        )
        assert good[0] == 0, good[1]
        assert run_dcmtk("echoscu", *certificates.options("stranger"), *target, node.port)[0]
        assert run_dcmtk("echoscu", "+tla", "+cf", certificates.ca, *target, node.port)[0]
        assert run_dcmtk("echoscu", "-ta", 3, *target, node.port)[0]
        assert run_dcmtk("echoscu", *certificates.client_options, *target, node.port)[0] == 0
        assert len(node.rows()) == 3
    refused = [log for log in logs if log["event"] == "connection-refused"]
    assert len(refused) == 3
    assert {log["reason"] for log in refused} == {"tls-handshake-failed"}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_of_tls_are_refused(tmp_path: Path, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    changes = {"tls": certificates.server, "require_client_certificate": False}
    with (
        running(tmp_path, **changes) as node,
        socket.create_connection(("127.0.0.1", node.port)) as plain,
        pytest.raises((ssl.SSLError, OSError)),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


def test_two_processes_can_share_a_port(tmp_path: Path) -> None:
    with (
        running(tmp_path / "a", reuse_port=True) as first,
        running(tmp_path / "b", reuse_port=True, port=first.port),
    ):
        senders = [dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", first.port) for _ in range(8)]
        assert [sender.wait(20) for sender in senders] == [0] * 8
    with running(tmp_path / "a") as alone, pytest.raises(OSError, match="in use"):
        running(tmp_path / "b", port=alone.port).__enter__()


def test_no_thread_and_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    with running(tmp_path) as node:
        run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)
        before = _open_things()
        for _ in range(10):
            assert run_dcmtk("echoscu", "-aec", "UPDP", "127.0.0.1", node.port)[0] == 0
            reject(node.port, called="OTHER")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            now = _open_things()
            if all(map(int.__le__, now, before)):
                break
            time.sleep(0.1)
        assert all(map(int.__le__, now, before))


def _open_things() -> tuple[int, ...]:
    """How many descriptors and threads this process has."""
    return tuple(len(list(Path("/proc/self", name).iterdir())) for name in ("fd", "task"))
