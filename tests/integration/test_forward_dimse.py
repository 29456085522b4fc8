"""What only a DIMSE destination meets: syntaxes, associations that end, TLS, large objects."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless

from tests.contracts.peers import free_port, released, storescp
from updp_node.certificates import create_development_certificates
from updp_node.errors import ConfigError, PeerError
from updp_node.forward import DimseSettings, Outcome, Reason, Timeouts, make_destination
from updp_node.forward.dimse import split_by_contexts
from updp_node.model import Verified
from updp_node.tls import TlsSettings

_PRIVATE_SOP_CLASS = "1.2.840.113619.4.27"
_BRIEF = Timeouts(connect_s=2, associate_s=2, response_s=5)


def _send(port: int, instances: list[Verified], **settings: object) -> list[Outcome]:
    destination = make_destination(
        DimseSettings("d", "127.0.0.1", port, "ANY-SCP", timeouts=_BRIEF, **settings)  # type: ignore[arg-type]
    )
    return list(destination.send(instances))


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    create_development_certificates(folder, now=datetime.now(UTC))
    return folder


def test_the_bytes_of_the_data_set_arrive_as_they_were_released(tmp_path: Path) -> None:
    instance = released(tmp_path / "out", 1, size_bytes=100_000)
    with storescp(tmp_path / "scp") as peer:
        _send(peer.port, [instance])
        (arrived,) = peer.folder.iterdir()
        sent = instance.path.read_bytes()
        assert arrived.read_bytes().endswith(sent[sent.index(b"\x08\x00\x16\x00UI") :])


def test_a_refused_transfer_syntax_fails_alone(tmp_path: Path) -> None:
    plain = released(tmp_path / "out", 1)
    compressed = released(tmp_path / "out", 2, transfer_syntax_uid=JPEG2000Lossless)
    with storescp(tmp_path / "scp", options=["+x="]) as peer:
        outcomes = _send(peer.port, [compressed, plain])
    assert [outcome.reason for outcome in outcomes] == [Reason.SYNTAX_REFUSED, Reason.DELIVERED]
    assert not outcomes[0].retryable


def test_an_association_without_any_accepted_syntax_refuses_each_instance(tmp_path: Path) -> None:
    compressed = released(tmp_path / "out", 2, transfer_syntax_uid=JPEG2000Lossless)
    with storescp(tmp_path / "scp", options=["+x="]) as peer:
        (outcome,) = _send(peer.port, [compressed])
    assert outcome.reason is Reason.SYNTAX_REFUSED


def test_a_private_sop_class_is_offered_like_any_other(tmp_path: Path) -> None:
    instance = released(tmp_path / "out", 1, sop_class_uid=_PRIVATE_SOP_CLASS)
    with storescp(tmp_path / "scp", options=["+xa", "-pm"]) as peer:
        assert _send(peer.port, [instance])[0].delivered
        assert peer.instance_uids() == [instance.sop_instance_uid]


def test_more_than_128_contexts_take_another_association_and_keep_the_order() -> None:
    batch = [
        Verified(Path("x"), "", f"2.25.{number}", f"2.25.9{number}", "2.25.1", "1.2.840.10008.1.2")
        for number in range(300)
    ]
    parts = list(split_by_contexts(batch))
    assert [len(part) for part in parts] == [128, 128, 44]
    assert [instance for part in parts for instance in part] == batch


def test_one_association_carries_a_whole_batch(tmp_path: Path) -> None:
    instances = [released(tmp_path / "out", number) for number in range(20)]
    with storescp(tmp_path / "scp") as peer:
        assert all(outcome.delivered for outcome in _send(peer.port, instances))
        assert len(peer.instance_uids()) == 20


def test_a_peer_that_dies_midway_raises_peer_error_after_what_it_took(tmp_path: Path) -> None:
    instances = [released(tmp_path / "out", number) for number in range(6)]
    with storescp(tmp_path / "scp") as peer:
        destination = make_destination(
            DimseSettings("d", "127.0.0.1", peer.port, "ANY-SCP", timeouts=_BRIEF)
        )
        sending = destination.send(instances)
        taken = [next(sending), next(sending)]
        peer.process.kill()
        peer.process.wait(5)
        started = time.monotonic()
        with pytest.raises(PeerError):
            list(sending)
    assert all(outcome.delivered for outcome in taken)
    assert time.monotonic() - started < 10


def test_a_peer_that_dies_within_a_large_instance_raises_peer_error(tmp_path: Path) -> None:
    large = released(tmp_path / "out", 1, size_bytes=300_000_000)
    with storescp(tmp_path / "scp") as peer:
        threading.Timer(0.7, peer.process.kill).start()
        started = time.monotonic()
        with pytest.raises(PeerError):
            _send(peer.port, [large])
    large.path.unlink()
    assert time.monotonic() - started < 20


_SEND_AND_TELL_PEAK = """
import ast, pathlib, resource, sys
from updp_node.forward import DimseSettings, make_destination
from updp_node.model import Verified
port, path, *rest = ast.literal_eval(sys.argv[1])
instance = Verified(pathlib.Path(path), *rest)
outcomes = list(make_destination(DimseSettings("d", "127.0.0.1", port, "SCP")).send([instance]))
assert outcomes[0].delivered
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _peak_kib_of_sending(port: int, instance: Verified) -> int:
    arguments = (port, str(instance.path), instance.sha256, instance.sop_class_uid,
                 instance.sop_instance_uid, instance.study_uid,
                 instance.transfer_syntax_uid)  # fmt: skip
    command = [sys.executable, "-c", _SEND_AND_TELL_PEAK, repr(arguments)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_large_instance_is_not_held_in_memory(tmp_path: Path) -> None:
    small = released(tmp_path / "out", 1)
    large = released(tmp_path / "out", 2, size_bytes=200_000_000)
    with storescp(tmp_path / "scp") as peer:
        growth_kib = _peak_kib_of_sending(peer.port, large) - _peak_kib_of_sending(peer.port, small)
    large.path.unlink()
    assert growth_kib < 40_000


def test_a_peer_that_accepts_the_connection_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(PeerError):
            _send(silent.getsockname()[1], [released(tmp_path / "out", 1)])
    assert time.monotonic() - started < 8


def test_a_plain_association_to_a_tls_port_is_a_peer_error(tmp_path: Path, certs: Path) -> None:
    options = ["+xa", "+tls", str(certs / "peer.key"), str(certs / "peer.pem"), "-ic"]
    with (
        storescp(tmp_path / "scp", options=options) as peer,
        pytest.raises(PeerError),
    ):
        _send(peer.port, [released(tmp_path / "out", 1)])


def test_a_tls_association_to_a_plain_port_is_a_peer_error(tmp_path: Path, certs: Path) -> None:
    with storescp(tmp_path / "scp") as peer, pytest.raises(PeerError):
        _send(peer.port, [released(tmp_path / "out", 1)], tls=TlsSettings(ca=certs / "ca.pem"))


def test_a_peer_with_a_certificate_of_another_ca_is_not_trusted(
    tmp_path: Path, certs: Path
) -> None:
    foreign = tmp_path / "foreign"
    create_development_certificates(foreign, now=datetime.now(UTC))
    options = ["+xa", "+tls", str(foreign / "peer.key"), str(foreign / "peer.pem"), "-ic"]
    with storescp(tmp_path / "scp", options=options) as peer:
        with pytest.raises(PeerError):
            _send(peer.port, [released(tmp_path / "out", 1)], tls=TlsSettings(ca=certs / "ca.pem"))
        assert peer.instance_uids() == []


def test_a_peer_that_wants_our_certificate_gets_nothing_without_it(
    tmp_path: Path, certs: Path
) -> None:
    options = ["+xa", "+tls", str(certs / "peer.key"), str(certs / "peer.pem")]
    options += ["+cf", str(certs / "ca.pem"), "--require-peer-cert"]
    with storescp(tmp_path / "scp", options=options) as peer:
        with pytest.raises(PeerError):
            _send(peer.port, [released(tmp_path / "out", 1)], tls=TlsSettings(ca=certs / "ca.pem"))
        assert peer.instance_uids() == []


def test_a_destination_with_unusable_certificates_refuses_to_start(tmp_path: Path) -> None:
    tls = TlsSettings(ca=tmp_path / "absent.pem")
    with pytest.raises(ConfigError, match=r"absent\.pem"):
        make_destination(DimseSettings("d", "127.0.0.1", free_port(), "ANY-SCP", tls=tls))
