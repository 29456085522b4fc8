"""A study from DCMTK and from Orthanc, plain and with mutual TLS, to three destinations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.acceptance.destinations import Orthanc, arrivals, contents, orthanc
from tests.acceptance.figures import record
from tests.acceptance.node import AE_TITLE, Node, await_true, dimse_target, running_node, send_to
from tests.contracts.peers import StoreScp, free_port, storescp
from tests.integration.receiving import run_dcmtk
from updp_node.certificates import create_development_certificates


@dataclass
class Hospital:
    """A node with its three destinations."""

    node: Node
    archive: StoreScp
    vna: Orthanc
    scratch: Path
    studies: int = 0

    def study(self) -> tuple[Path, int]:
        """A new study of four slices and their report: its folder and number of instances."""
        self.studies += 1
        person = factories.patient(patient_id=f"88017302{self.studies:02}")
        study_uid = factories.make_uid("peers", self.studies)
        slices = factories.ct_series(4, rows=64, patient=person, study_uid=study_uid)
        report = factories.text_sr(references=slices, patient=person, study_uid=study_uid)
        folder = self.scratch / f"study-{self.studies}"
        for number, instance in enumerate([*slices, report]):
            factories.write(instance, folder / f"{number}.dcm")
        return folder, 5

    def arrived(self) -> int:
        return len(arrivals(self.node.research))

    def await_everywhere(self, count: int) -> None:
        await_true(lambda: self.arrived() >= count, 90, f"{count} in the folder")
        await_true(lambda: len(self.archive.instance_uids()) >= count, 60, f"{count} at storescp")
        await_true(lambda: len(self.vna.instances()) >= count, 60, f"{count} at Orthanc")
        assert self.node.held() == {}

    def compare(self) -> int:
        """The three destinations hold the same data sets, byte for byte; returns how many."""
        expected = contents(arrivals(self.node.research))
        assert contents(arrivals(self.archive.folder)) == expected
        assert self.vna.data_sets() == expected
        released = contents(arrivals(self.node.storage / "released" / "files"))
        assert released == expected
        return len(expected)


def _hospital(folder: Path, edit: Callable[[dict[str, Any]], None]) -> Iterator[Hospital]:
    with ExitStack() as stack:
        archive = stack.enter_context(storescp(folder / "archive", options=("+xa", "--fork")))
        vna = stack.enter_context(orthanc(folder / "vna"))

        def with_targets(config: dict[str, Any]) -> None:
            send_to(config, [dimse_target("archive", archive.port), dimse_target("vna", vna.port)])
            edit(config)

        node = stack.enter_context(running_node(folder / "node", edit=with_targets))
        yield Hospital(node, archive, vna, folder / "sources")


def _name_peers(config: dict[str, Any]) -> None:
    config["receiver"]["peers"] = [
        {"ae_title": "PACS", "networks": ["127.0.0.0/8"]},
        {"ae_title": "ORTHANC"},
        {"ae_title": "ECHOSCU"},
    ]


def _require_tls(config: dict[str, Any]) -> None:
    _name_peers(config)
    config["receiver"]["tls"] = {
        "certificate": "certs/node.pem", "key": "certs/node.key", "ca": "certs/ca.pem",
        "require_client_certificate": True,
    }  # fmt: skip


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    yield from _hospital(tmp_path_factory.mktemp("peers"), _name_peers)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    yield from _hospital(tmp_path_factory.mktemp("secure"), _require_tls)


def _store(hospital: Hospital, folder: Path, *options: object, calling: str = "PACS",
           called: str = AE_TITLE) -> tuple[int, str]:  # fmt: skip
    return run_dcmtk("storescu", *options, "-aet", calling, "-aec", called, "+sd", "localhost",
                     hospital.node.port, folder)  # fmt: skip


def test_a_study_of_storescu_arrives_at_all_destinations_byte_for_byte(hospital: Hospital) -> None:
    before = hospital.arrived()
    folder, count = hospital.study()
    started = time.monotonic()
    code, output = _store(hospital, folder)
    assert code == 0, output
    hospital.await_everywhere(before + count)
    record("peers", "storescu to three destinations, settling included",
           round(time.monotonic() - started, 1), "s")  # fmt: skip
    record("peers", "instances equal at all destinations", hospital.compare(), "")


def test_a_study_that_orthanc_stores_arrives_at_all_destinations(
    hospital: Hospital, tmp_path: Path
) -> None:
    before = hospital.arrived()
    folder, count = hospital.study()
    modality = {"node": {"AET": AE_TITLE, "Host": "127.0.0.1", "Port": hospital.node.port}}
    with orthanc(tmp_path / "pacs", ae_title="ORTHANC", DicomModalities=modality) as pacs:
        added = [pacs.post("/instances", path.read_bytes()) for path in sorted(folder.iterdir())]
        answer = pacs.post("/modalities/node/store", [added[0]["ParentStudy"]])
        assert answer["FailedInstancesCount"] == 0
    hospital.await_everywhere(before + count)
    hospital.compare()


def test_a_study_over_mutual_tls_arrives_at_all_destinations(secure: Hospital) -> None:
    before = secure.arrived()
    folder, count = secure.study()
    code, output = _store(secure, folder, *secure.node.tls_options("peer"))
    assert code == 0, output
    secure.await_everywhere(before + count)
    record("peers", "instances equal at all destinations, TLS", secure.compare(), "")


@pytest.mark.parametrize(
    ("calling", "called", "reason"),
    [
        ("PACS", "SOMEBODY", "called-ae-title-not-recognized"),
        ("STRANGER", AE_TITLE, "calling-ae-title-not-recognized"),
    ],
)
def test_a_wrong_ae_title_is_refused_and_logged(
    hospital: Hospital, calling: str, called: str, reason: str
) -> None:
    folder, _ = hospital.study()
    before = hospital.arrived()
    code, output = _store(hospital, folder, calling=calling, called=called)
    assert code != 0, output
    hospital.node.await_log(reason)
    assert hospital.arrived() == before


def test_a_certificate_of_another_authority_is_refused_and_logged(
    secure: Hospital, tmp_path: Path
) -> None:
    create_development_certificates(tmp_path / "foreign", now=datetime.now(UTC))
    folder, _ = secure.study()
    before = secure.node.log.count("tls-handshake-failed")
    backlog = secure.node.backlog()
    code, _ = _store(secure, folder, "+tls", tmp_path / "foreign" / "peer.key",
                     tmp_path / "foreign" / "peer.pem", "-ic")  # fmt: skip
    assert code != 0
    await_true(lambda: secure.node.log.count("tls-handshake-failed") > before, 30, "the log entry")
    assert secure.node.backlog() == backlog


def test_a_plain_connection_to_a_tls_port_is_refused_and_logged(secure: Hospital) -> None:
    folder, _ = secure.study()
    before = secure.node.log.count("tls-handshake-failed")
    code, _ = _store(secure, folder, "-to", 10, "-ta", 10)
    assert code != 0
    await_true(lambda: secure.node.log.count("tls-handshake-failed") > before, 30, "the log entry")


def test_a_destination_that_is_down_is_brought_everything_later(tmp_path: Path) -> None:
    port = free_port()

    def edit(config: dict[str, Any]) -> None:
        config["receiver"]["allow_any_peer"] = True
        del config["receiver"]["peers"]
        send_to(config, [dimse_target("archive", port, timeout_s=5)])

    with running_node(tmp_path / "node", edit=edit) as node:
        node.research.rmdir()  # a share that is not mounted
        for number, instance in enumerate(factories.ct_series(6, rows=64)):
            factories.write(instance, tmp_path / "study" / f"{number}.dcm")
        code, output = run_dcmtk("storescu", "-aec", AE_TITLE, "+sd", "localhost", node.port,
                                 tmp_path / "study")  # fmt: skip
        assert code == 0, output
        await_true(lambda: node.log.count("delivery-postponed") >= 4, 60, "two attempts at each")
        assert node.backlog()["deliveries pending"] == 12
        assert "archive: 6 pending (association-failed" in node.cli("jobs", "list")[1]
        node.research.mkdir()
        with storescp(tmp_path / "archive", port=port) as archive:
            await_true(lambda: len(archive.instance_uids()) == 6, 30, "the study at storescp")
            await_true(lambda: len(arrivals(node.research)) == 6, 30, "the study in the folder")
            await_true(node.is_idle, 30, "every delivery is noted")
            assert contents(arrivals(archive.folder)) == contents(arrivals(node.research))
            attempts = node.log.count("delivery-postponed")
            record("destination down", "attempts before it came back", attempts, "")
