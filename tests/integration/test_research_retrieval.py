"""C-GET and C-MOVE by DCMTK and pynetdicom: bytes, counts, statuses, lost peers."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pydicom
import pytest
from pynetdicom import evt
from structlog.testing import capture_logs

from tests.integration.receiving import data_set_bytes, dcmtk, run_dcmtk
from tests.integration.research_requesters import (
    STUDY,
    counts,
    destination,
    free_port,
    get,
    move,
)
from tests.integration.researching import MemoryArchive, image, researching
from updp_node.dimse.outgoing import MoveTarget


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    root = tmp_path / "released"
    root.mkdir()
    made = MemoryArchive(root)
    for number in range(1, 5):
        made.add(image(1, 1, number))
    made.add(image(2, 1, 1))
    return made


def test_getscu_gets_the_bytes_of_the_released_files(
    archive: MemoryArchive, tmp_path: Path
) -> None:
    archive.add(image(1, 2, 1, PixelData=bytes(range(256)) * 8000, Rows=1000, Columns=1024))
    (tmp_path / "got").mkdir()
    with researching(archive) as server:
        code, output = run_dcmtk(
            "getscu", "-S", "+B", "-aec", "UPDPQR", "-k", "QueryRetrieveLevel=STUDY", "-k",
            f"StudyInstanceUID={STUDY}", "-od", tmp_path / "got", "127.0.0.1", server.address[1],
        )  # fmt: skip
        assert code == 0, output
    got = {pydicom.dcmread(path).SOPInstanceUID: path for path in (tmp_path / "got").iterdir()}
    assert set(got) == {"1.2.3.1.2.1", *(f"1.2.3.1.1.{number}" for number in range(1, 5))}
    for uid, path in got.items():
        assert data_set_bytes(path) == data_set_bytes(archive.root / f"{uid}.dcm")


def test_movescu_lets_storescp_have_the_bytes_of_the_released_files(
    archive: MemoryArchive, tmp_path: Path
) -> None:
    folder, port = tmp_path / "moved", free_port()
    folder.mkdir()
    peer = dcmtk("storescp", "+B", "+xa", "-aet", "TARGET", "-od", folder, port)
    try:
        targets = {"TARGET": MoveTarget("TARGET", "127.0.0.1", port)}
        with researching(archive, destinations=targets) as server:
            _await(port)
            code, output = run_dcmtk(
                "movescu", "-S", "-aec", "UPDPQR", "-aem", "TARGET", "-k",
                "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={STUDY}",
                "127.0.0.1", server.address[1],
            )  # fmt: skip
            assert code == 0, output
    finally:
        peer.terminate()
        peer.wait(5)
    moved = {pydicom.dcmread(path, force=True).SOPInstanceUID: path for path in folder.iterdir()}
    assert len(moved) == 4
    for uid, path in moved.items():
        assert data_set_bytes(path) == data_set_bytes(archive.root / f"{uid}.dcm")


def _await(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the peer does not listen")


@pytest.mark.parametrize("max_pdu", [0, 256, 4096, 1 << 20])
def test_sub_operations_are_counted_whatever_the_length_of_pdus(
    archive: MemoryArchive, max_pdu: int
) -> None:
    with researching(archive) as server:
        got, statuses, final = get(server.address[1], max_pdu=max_pdu)
    assert [status.Status for status in statuses] == [0xFF00] * 4 + [0x0000]
    assert [counts(status) for status in statuses] == [
        (1, 0, 0, 3), (2, 0, 0, 2), (3, 0, 0, 1), (4, 0, 0, 0), (4, 0, 0, None),
    ]  # fmt: skip
    assert final is None
    assert [instance.SOPInstanceUID for instance in got] == [f"1.2.3.1.1.{n}" for n in range(1, 5)]


def test_a_destination_learns_who_moves_and_counts_are_told(archive: MemoryArchive) -> None:
    seen = []

    def store(event: evt.Event) -> int:
        request = event.request
        seen.append((request.MoveOriginatorApplicationEntityTitle, request.MoveOriginatorMessageID))
        return 0xB000 if len(seen) == 2 else 0x0000 if len(seen) < 4 else 0xA700

    with (
        destination(handler=store) as target,
        researching(archive, destinations={"TARGET": target}) as server,
        capture_logs() as logs,
    ):
        statuses, final = move(server.address[1])
    assert seen == [("RESEARCHER", 9)] * 4
    assert [status.Status for status in statuses] == [0xFF00] * 4 + [0xB000]
    assert counts(statuses[-1]) == (2, 1, 1, None)
    assert final is not None
    assert final.FailedSOPInstanceUIDList == "1.2.3.1.1.4"
    (event,) = [log for log in logs if log["event"] == "query-answered"]
    assert (event["method"], event["status"], event["destination"]) == (
        "C-MOVE", "0xB000", "TARGET",
    )  # fmt: skip
    assert (event["count"], event["failed_count"], event["warning_count"]) == (3, 1, 1)


def test_an_unknown_destination_has_its_status(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        statuses, _ = move(server.address[1], "NOWHERE")
    assert [status.Status for status in statuses] == [0xA801]


def test_a_destination_takes_objects_of_its_own_projects_alone(archive: MemoryArchive) -> None:
    other = frozenset({"ANOTHER"})
    targets = {"TARGET": MoveTarget("TARGET", "127.0.0.1", free_port(), projects=other)}
    with researching(archive, destinations=targets) as server:
        statuses, _ = move(server.address[1])
    assert [status.Status for status in statuses] == [0xA801]


def test_a_destination_that_is_not_there_fails_every_sub_operation(archive: MemoryArchive) -> None:
    targets = {"TARGET": MoveTarget("TARGET", "127.0.0.1", free_port())}
    with researching(archive, destinations=targets) as server:
        statuses, final = move(server.address[1])
    assert statuses[-1].Status == 0xA702
    assert counts(statuses[-1]) == (0, 4, 0, None)
    assert "destination" in statuses[-1].ErrorComment
    assert final is not None
    assert len(final.FailedSOPInstanceUIDList) == 4


def test_a_destination_that_is_lost_fails_the_rest(archive: MemoryArchive) -> None:
    stored = []

    def store(event: evt.Event) -> int:
        stored.append(event.request.AffectedSOPInstanceUID)
        if len(stored) == 2:
            event.assoc.abort()
        return 0x0000

    with (
        destination(handler=store) as target,
        researching(archive, destinations={"TARGET": target}) as server,
    ):
        statuses, final = move(server.address[1])
    assert statuses[-1].Status == 0xB000
    assert counts(statuses[-1]) == (1, 3, 0, None)
    assert "destination" in statuses[-1].ErrorComment
    assert final is not None
    assert len(final.FailedSOPInstanceUIDList) == 3


def test_a_cancelled_retrieval_tells_what_remains(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        got, statuses, _ = get(server.address[1], cancel_after=2)
    assert len(got) == 2
    assert statuses[-1].Status == 0xFE00
    assert counts(statuses[-1]) == (2, 0, 0, 2)


def test_nothing_selected_is_a_success(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        archive.stored.clear()
        _, statuses, _ = get(server.address[1])
    assert [(status.Status, counts(status)) for status in statuses] == [(0, (0, 0, 0, None))]
