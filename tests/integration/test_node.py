"""The whole node as a process: received, de-identified, released, forwarded to a folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from pydicom import Dataset, dcmread
from pynetdicom import AE

from tests.contracts.peers import free_port
from tests.factories import (
    canaries,
    chest_cr,
    grep_canaries,
    key_object,
    make_uid,
    patient,
    text_sr,
    write,
)
from updp_node.config import load_config
from updp_node.initialize import initialize
from updp_node.storage.review_index import ReviewIndex
from updp_node.zones import Zones

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass
class Node:
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def send(self, *instances: Dataset) -> None:
        entity = AE(ae_title="PACS")
        for instance in instances:
            entity.add_requested_context(instance.SOPClassUID)
        association = entity.associate("127.0.0.1", self.port, ae_title="UPDP_NODE")
        assert association.is_established
        for instance in instances:
            path = self.folder / "outgoing.dcm"
            write(instance, path)
            assert association.send_c_store(dcmread(path)).Status == 0
        association.release()

    def arrived(self) -> list[Dataset]:
        return [dcmread(path) for path in sorted((self.folder / "research").glob("*/*.dcm"))]

    def await_arrivals(self, count: int, timeout_s: float = 100) -> list[Dataset]:
        until = time.monotonic() + timeout_s
        while len(self.arrived()) < count and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(1)
        arrived = self.arrived()
        assert len(arrived) == count, self.review().backlog()
        return arrived

    def review(self) -> ReviewIndex:
        return ReviewIndex(Zones.of(load_config(self.folder / "updp-node.yaml")).open_identified())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder, port = tmp_path_factory.mktemp("node"), free_port()
    path = initialize(folder, project="trial", now=datetime.now(UTC))[0]
    config = yaml.safe_load(path.read_text())
    config["receiver"]["port"] = port
    config["storage"]["reserve_mib"] = 10
    config["settling"] = {"quiet_s": 0.5, "report_wait_s": 3600}
    path.write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "updp_node", "serve", "--config", str(path)]
        process = subprocess.Popen(command, stderr=log, env=os.environ | {"COLUMNS": "200"})
    until = time.monotonic() + 60
    while b"receiver-started" not in (folder / "log").read_bytes():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.1)
    yield Node(folder, port, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.fixture(scope="module")
def chest_study(node: Node) -> list[Dataset]:
    """The study once it has arrived: a counterpart, its report, its key object."""
    image = chest_cr()
    node.send(image, text_sr(references=[image]), key_object([image]))
    return node.await_arrivals(3)


def by_class(instances: list[Dataset], modality: str) -> Dataset:
    (found,) = [each for each in instances if each.Modality == modality]
    return found


def test_a_chest_study_arrives_with_a_counterpart(chest_study: list[Dataset]) -> None:
    counterpart = by_class(chest_study, "CR")
    assert counterpart.SOPClassUID == SECONDARY_CAPTURE
    assert counterpart.SyntheticData == "YES"
    assert counterpart.pixel_array.shape == (256, 256)
    assert "PixelSpacing" not in counterpart


def test_the_objects_of_a_study_stay_linked(chest_study: list[Dataset]) -> None:
    counterpart = by_class(chest_study, "CR")
    assert len({each.StudyInstanceUID for each in chest_study}) == 1
    assert len({each.PatientID for each in chest_study}) == 1
    for modality in ("SR", "KO"):
        named = {
            (element.value, parent.ReferencedSOPClassUID)
            for parent in _items(by_class(chest_study, modality))
            for element in parent
            if element.keyword == "ReferencedSOPInstanceUID"
        }
        assert (counterpart.SOPInstanceUID, counterpart.SOPClassUID) in named


def _items(data_set: Dataset) -> Iterator[Dataset]:
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)


def test_no_canary_is_in_anything_that_arrived(node: Node, chest_study: list[Dataset]) -> None:
    assert grep_canaries([node.folder / "research"], canaries(patient())) == []


def test_no_canary_is_in_the_log_the_released_zone_or_the_workflow_tables(
    node: Node, chest_study: list[Dataset]
) -> None:
    places = [
        node.folder / "log",
        node.folder / "storage" / "released",
        *(node.folder / "storage" / "identified").glob("workflows.sqlite*"),
    ]
    assert grep_canaries(places, canaries(patient())) == []


def test_a_resend_is_a_success_and_doubles_nothing(node: Node, chest_study: list[Dataset]) -> None:
    node.send(chest_cr())
    until = time.monotonic() + 30
    while node.review().backlog().get("instances duplicate", 0) < 1:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert len(node.arrived()) == 3


def test_an_image_without_a_patient_id_is_quarantined_not_merged(node: Node) -> None:
    image = chest_cr(study_uid=make_uid("nobody"), number=9)
    image.PatientID = ""
    node.send(image)
    until = time.monotonic() + 30
    while not node.review().held():
        assert time.monotonic() < until
        time.sleep(0.2)
    (held,) = node.review().held()
    assert held.code == "missing-patient-id"
