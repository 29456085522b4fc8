"""A report that comes after its images: in time it steers them, too late it renews them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.destinations import Arrived, arrivals, contents
from tests.acceptance.figures import record
from tests.acceptance.node import Node, await_true, running_node
from tests.acceptance.sender import send

REPORT_WAIT_S = 30
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    def edit(config: dict[str, Any]) -> None:
        config["settling"]["report_wait_s"] = REPORT_WAIT_S
        config["routes"][0]["profile"] = "research-cxr"

    with running_node(tmp_path_factory.mktemp("reports") / "node", edit=edit) as node:
        yield node


class Chest:
    """A chest radiograph and its report, sent apart."""

    def __init__(self, node: Node, folder: Path, number: int) -> None:
        self.node = node
        self.folder = folder
        person = factories.patient(patient_id=f"660012{number:04}")
        study_uid = factories.make_uid("chest", number)
        self.image = factories.chest_cr(patient=person, study_uid=study_uid)
        self.report = factories.text_sr(
            references=[self.image], patient=person, study_uid=study_uid
        )
        self._before = {each.uid for each in arrivals(node.research)}

    def send(self, instance: Dataset, name: str) -> None:
        path = factories.write(instance, self.folder / f"{name}.dcm")
        assert send(self.node.port, [path]).statuses == {path: 0x0000}

    def arrived(self, kind: str) -> list[Arrived]:
        """What arrived of this study: its counterparts (``CR``) or reports (``SR``)."""
        found = [each for each in arrivals(self.node.research) if each.uid not in self._before]
        return [each for each in found if each.read().Modality == kind]


def _referenced(report: Dataset) -> set[tuple[str, str]]:
    """SOP Class and Instance UIDs that a report names anywhere."""
    return {
        (str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID))
        for item in _items(report)
        if "ReferencedSOPInstanceUID" in item
    }


def _items(dataset: Dataset) -> Iterator[Dataset]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield item
                yield from _items(item)


def _superseded(node: Node) -> dict[str, str]:
    connection = sqlite3.connect(node.storage / "released" / "index.sqlite")
    rows = connection.execute(
        "SELECT sop_instance_uid, superseded_by FROM released_instances "
        "WHERE superseded_by IS NOT NULL"
    )
    found = dict(rows)
    connection.close()
    return found


def test_images_wait_for_a_report_that_comes_within_report_wait(node: Node, tmp_path: Path) -> None:
    study = Chest(node, tmp_path, 1)
    study.send(study.image, "image")
    await_true(lambda: node.states().get("instances waiting") == 1, 60, "the image waits")
    assert "1 waiting" in node.cli("jobs", "list", "--limit", 1)[1]
    assert study.arrived("CR") == []
    study.send(study.report, "report")
    await_true(lambda: study.arrived("SR") and node.is_idle(), 120, "image and report")
    (counterpart,), (report,) = study.arrived("CR"), study.arrived("SR")
    image = counterpart.read()
    assert image.SOPClassUID == SECONDARY_CAPTURE
    assert image.SyntheticData == "YES"
    assert _referenced(report.read()) == {(SECONDARY_CAPTURE, counterpart.uid)}
    assert report.read().PatientID == image.PatientID
    assert not {counterpart.uid, report.uid} & set(_superseded(node))
    assert node.held() == {}


def test_a_report_after_report_wait_makes_a_new_generation(node: Node, tmp_path: Path) -> None:
    study = Chest(node, tmp_path, 2)
    study.send(study.image, "image")
    started = time.monotonic()
    await_true(
        lambda: study.arrived("CR") and node.is_idle(), REPORT_WAIT_S + 90, "the image alone"
    )
    waited_s = time.monotonic() - started
    assert waited_s > REPORT_WAIT_S - 1
    (first,) = study.arrived("CR")
    before = contents([first])
    study.send(study.report, "report")
    await_true(lambda: study.arrived("SR") and node.is_idle(), 120, "the report and what it renews")
    counterparts, (report,) = study.arrived("CR"), study.arrived("SR")
    assert len(counterparts) == 2
    assert before.items() <= contents(counterparts).items(), "what was released never changes"
    (second,) = [each for each in counterparts if each.uid != first.uid]
    assert _superseded(node)[first.uid] == second.uid
    assert second.uid not in _superseded(node)
    assert _referenced(report.read()) == {(SECONDARY_CAPTURE, second.uid)}
    old, new = first.read(), second.read()
    assert old.StudyInstanceUID == new.StudyInstanceUID
    assert old.SeriesInstanceUID == new.SeriesInstanceUID
    assert old.PatientID == new.PatientID
    assert old.PixelData != new.PixelData
    assert node.held() == {}
    record("reports", "image released without its report after", round(waited_s, 1), "s")
