"""Development certificates, and the TLS contexts made of them."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from updp_node.certificates import create_development_certificates, describe_certificates
from updp_node.errors import ConfigError
from updp_node.tls import TLS12_SUITES, TlsSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    create_development_certificates(folder, now=NOW)
    return folder


def _settings(certs: Path, name: str = "node") -> TlsSettings:
    return TlsSettings(certs / f"{name}.pem", certs / f"{name}.key", certs / "ca.pem")


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> ssl.SSLObject:
    """A TLS handshake in memory; the client's side, after a byte went each way."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (here, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    there.write(b"x")
    assert here.read(1) == b"x"
    return here


def test_private_keys_are_closed_to_others(certs: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in certs.glob("*.key")}
    assert modes == {"ca.key": 0o600, "node.key": 0o600, "peer.key": 0o600}


def test_certificates_are_never_replaced(certs: Path) -> None:
    before = {path.name: path.read_bytes() for path in certs.iterdir()}
    with pytest.raises(ConfigError, match="never replaced"):
        create_development_certificates(certs, now=NOW)
    assert {path.name: path.read_bytes() for path in certs.iterdir()} == before


def test_a_description_tells_subject_names_and_days_left(certs: Path) -> None:
    later = NOW + timedelta(days=300)
    described = {each.path.name: each for each in describe_certificates(certs, now=later)}
    assert set(described) == {"ca.pem", "node.pem", "peer.pem"}
    node = described["node.pem"]
    assert node.subject == "CN=node,O=updp_node development"
    assert node.issuer == described["ca.pem"].subject
    assert node.names == ("localhost", "127.0.0.1", "::1")
    assert (node.days_left, described["ca.pem"].days_left) == (65, 3350)
    assert len(node.sha256) == 64


def test_an_expired_certificate_has_negative_days_left(certs: Path) -> None:
    described = describe_certificates(certs, now=NOW + timedelta(days=400))
    assert [each.days_left < 0 for each in described] == [False, True, True]


def test_a_file_without_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.pem").write_text("nothing")
    with pytest.raises(ConfigError, match=r"odd\.pem"):
        describe_certificates(tmp_path, now=NOW)


def test_node_and_peer_shake_hands_with_mutual_tls(tmp_path: Path) -> None:
    create_development_certificates(tmp_path, now=datetime.now(UTC))
    server = _settings(tmp_path).server_context(require_client_cert=True)
    connection = _shake_hands(_settings(tmp_path, "peer").client_context(), server)
    assert connection.version() == "TLSv1.3"


def test_tls_1_2_negotiates_a_suite_that_bcp_195_recommends(tmp_path: Path) -> None:
    create_development_certificates(tmp_path, now=datetime.now(UTC))
    client = _settings(tmp_path, "peer").client_context()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = _shake_hands(client, _settings(tmp_path).server_context(True))
    cipher = connection.cipher()
    assert cipher is not None
    assert cipher[0] in TLS12_SUITES


def test_a_client_without_certificate_is_refused_by_mutual_tls(tmp_path: Path) -> None:
    create_development_certificates(tmp_path, now=datetime.now(UTC))
    client = TlsSettings(ca=tmp_path / "ca.pem").client_context()
    with pytest.raises(ssl.SSLError):
        _shake_hands(client, _settings(tmp_path).server_context(True))


def test_versions_before_1_2_are_not_offered(certs: Path) -> None:
    for context in (
        _settings(certs).client_context(),
        _settings(certs).server_context(require_client_cert=False),
    ):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("absent", ["node.pem", "node.key", "ca.pem"])
def test_an_absent_file_is_named(certs: Path, absent: str) -> None:
    (certs / absent).unlink()
    with pytest.raises(ConfigError, match=absent):
        _settings(certs).client_context()


def test_a_private_key_that_is_open_to_others_is_refused(certs: Path) -> None:
    (certs / "node.key").chmod(0o644)
    with pytest.raises(ConfigError, match="open to others"):
        _settings(certs).server_context(require_client_cert=False)


def test_a_key_of_another_certificate_is_refused(certs: Path) -> None:
    settings = TlsSettings(certs / "node.pem", certs / "peer.key", certs / "ca.pem")
    with pytest.raises(ConfigError, match=r"node\.pem"):
        settings.client_context()


def test_mutual_tls_without_a_ca_is_refused(certs: Path) -> None:
    settings = TlsSettings(certs / "node.pem", certs / "node.key")
    with pytest.raises(ConfigError, match=r"tls\.ca"):
        settings.server_context(require_client_cert=True)
