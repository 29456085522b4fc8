"""What every destination promises, asked of each implementation with a real peer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest

from tests.contracts.peers import free_port, released, require_storescp, storescp
from updp_node.certificates import create_development_certificates
from updp_node.errors import PeerError
from updp_node.forward import (
    Destination,
    DimseSettings,
    FolderSettings,
    Reason,
    make_destination,
)
from updp_node.tls import TlsSettings


@dataclass
class Arrangement:
    """A destination, and its other side seen without the node's code."""

    destination: Destination
    arrived: Callable[[], list[str]]
    up: Callable[[], object] = field(default=lambda: None)


@contextmanager
def _folder(root: Path, is_up: bool) -> Iterator[Arrangement]:
    path = root / "research"
    if is_up:
        path.mkdir()
    destination = make_destination(FolderSettings("research", path))

    def arrived() -> list[str]:
        files = [file for file in path.rglob("*") if file.is_file()]
        return sorted(str(pydicom.dcmread(file).SOPInstanceUID) for file in files)

    yield Arrangement(destination, arrived)


@contextmanager
def _dimse(root: Path, is_up: bool) -> Iterator[Arrangement]:
    require_storescp()
    port = free_port()
    settings = DimseSettings("research", "127.0.0.1", port, "ANY-SCP")
    if not is_up:
        yield Arrangement(make_destination(settings), lambda: [])
        return
    with storescp(root / "scp", port=port) as peer:
        yield Arrangement(make_destination(settings), peer.instance_uids)


@contextmanager
def _dimse_tls(root: Path, is_up: bool) -> Iterator[Arrangement]:
    require_storescp()
    certs = root / "certs"
    create_development_certificates(certs, now=datetime.now(UTC))
    tls = TlsSettings(certs / "node.pem", certs / "node.key", certs / "ca.pem")
    port = free_port()
    settings = DimseSettings("research", "127.0.0.1", port, "ANY-SCP", tls=tls)
    if not is_up:
        yield Arrangement(make_destination(settings), lambda: [])
        return
    options = ["+xa", "+tls", str(certs / "peer.key"), str(certs / "peer.pem")]
    options += ["+cf", str(certs / "ca.pem"), "--require-peer-cert"]
    with storescp(root / "scp", port=port, options=options) as peer:
        yield Arrangement(make_destination(settings), peer.instance_uids)


IMPLEMENTATIONS = {"folder": _folder, "dimse": _dimse, "dimse-mutual-tls": _dimse_tls}


@pytest.fixture(params=IMPLEMENTATIONS)
def up(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arrangement]:
    with IMPLEMENTATIONS[request.param](tmp_path, True) as arrangement:
        yield arrangement


@pytest.fixture(params=IMPLEMENTATIONS)
def down(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arrangement]:
    with IMPLEMENTATIONS[request.param](tmp_path, False) as arrangement:
        yield arrangement


def test_three_instances_are_delivered_in_order(up: Arrangement, tmp_path: Path) -> None:
    instances = [released(tmp_path / "out", number) for number in range(3)]
    outcomes = list(up.destination.send(instances))
    assert [outcome.sop_instance_uid for outcome in outcomes] == [
        instance.sop_instance_uid for instance in instances
    ]
    assert all(outcome.delivered for outcome in outcomes)
    assert up.arrived() == sorted(instance.sop_instance_uid for instance in instances)


def test_sending_again_has_the_same_result_and_leaves_one_instance(
    up: Arrangement, tmp_path: Path
) -> None:
    instances = [released(tmp_path / "out", number) for number in range(3)]
    first = list(up.destination.send(instances))
    assert list(up.destination.send(instances)) == first
    assert up.arrived() == sorted(instance.sop_instance_uid for instance in instances)


def test_a_file_that_changed_after_the_gate_is_not_sent(up: Arrangement, tmp_path: Path) -> None:
    kept, changed, gone = (released(tmp_path / "out", number) for number in range(3))
    changed.path.write_bytes(changed.path.read_bytes()[:-1] + b"\x01")
    gone.path.unlink()
    reasons = {
        outcome.sop_instance_uid: outcome.reason
        for outcome in up.destination.send([changed, kept, gone])
    }
    assert reasons == {
        changed.sop_instance_uid: Reason.CHANGED,
        kept.sop_instance_uid: Reason.DELIVERED,
        gone.sop_instance_uid: Reason.CHANGED,
    }
    assert up.arrived() == [kept.sop_instance_uid]


def test_nothing_to_send_is_nothing_sent(up: Arrangement) -> None:
    assert list(up.destination.send([])) == []
    assert up.arrived() == []


def test_a_consumer_may_stop_midway_and_come_back(up: Arrangement, tmp_path: Path) -> None:
    instances = [released(tmp_path / "out", number) for number in range(3)]
    sending = iter(up.destination.send(instances))
    next(sending)
    del sending
    assert all(outcome.delivered for outcome in up.destination.send(instances))
    assert len(up.arrived()) == 3


def test_a_destination_that_is_up_answers_an_echo(up: Arrangement) -> None:
    assert 0 <= up.destination.echo() < 10
    assert up.arrived() == []


def test_a_destination_keeps_its_configured_name(up: Arrangement) -> None:
    assert up.destination.name == "research"


def test_a_destination_that_is_down_raises_peer_error(down: Arrangement, tmp_path: Path) -> None:
    with pytest.raises(PeerError):
        list(down.destination.send([released(tmp_path / "out", 1)]))
    with pytest.raises(PeerError):
        down.destination.echo()
