"""What arrives late, twice, in conflict, damaged or unknown: each has its place, none is lost."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, RLELossless

from tests import factories
from tests.acceptance.destinations import Arrived, arrivals, contents
from tests.acceptance.leaks import other_patient
from tests.acceptance.node import Node, await_true, running_node
from tests.acceptance.sender import send


class Study:
    """A CT study on its way through a node, with a subject of its own.

    Parameters
    ----------
    node : Node
    folder : pathlib.Path
        For the files that are sent.
    name : str
        Tells this study and its patient from those of the other tests.
    """

    def __init__(self, node: Node, folder: Path, name: str, slices: int = 3) -> None:
        self.node = node
        self.folder = folder
        self.person = factories.patient(patient_id=f"44{abs(hash(name)) % 10**8:08}")
        self.uid = factories.make_uid("arrivals", name)
        self.slices = factories.ct_series(slices, rows=64, patient=self.person, study_uid=self.uid)
        self._before = {each.uid for each in arrivals(node.research)}
        self._sent = 0

    def send(self, *instances: Dataset | Path) -> None:
        """Send, be acknowledged, and wait until the node has nothing left to do."""
        paths = [self._write(each) if isinstance(each, Dataset) else each for each in instances]
        sent = send(self.node.port, paths)
        assert [sent.statuses.get(path) for path in paths] == [0x0000] * len(paths)
        await_true(self.node.is_idle, 90, "everything that was sent has its place")

    def arrived(self) -> list[Arrived]:
        """What arrived at the destination since this study began."""
        return [each for each in arrivals(self.node.research) if each.uid not in self._before]

    def _write(self, instance: Dataset) -> Path:
        self._sent += 1
        return factories.write(instance, self.folder / f"{self._sent}.dcm")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("arrivals") / "node") as node:
        yield node
        assert node.held() == {}, "a test left something in quarantine"


def _held_now(node: Node, before: dict[int, str]) -> dict[int, str]:
    return {number: code for number, code in node.held().items() if number not in before}


def _hold_one(study: Study, instance: Dataset | Path, code: str) -> int:
    """Send what must be held back for a reason; returns its number in the quarantine."""
    before = study.node.held()
    study.send(instance)
    held = _held_now(study.node, before)
    assert list(held.values()) == [code]
    (number,) = held
    exit_code, told = study.node.cli("quarantine", "show", number)
    assert exit_code == 0
    assert code in told
    return number


def _newest(node: Node) -> set[str]:
    """Released SOP Instance UIDs that no newer generation replaces, as researchers find them."""
    connection = sqlite3.connect(node.storage / "released" / "index.sqlite")
    rows = connection.execute(
        "SELECT sop_instance_uid FROM released_instances WHERE superseded_by IS NULL"
    )
    found = {uid for (uid,) in rows}
    connection.close()
    return found


def test_a_late_slice_joins_its_study_and_nothing_is_released_again(
    node: Node, tmp_path: Path
) -> None:
    study = Study(node, tmp_path, "late slice", slices=4)
    study.send(*study.slices[:3])
    first = contents(study.arrived())
    assert len(first) == 3
    study.send(study.slices[3])
    everything = study.arrived()
    assert len(everything) == 4
    assert first.items() <= contents(everything).items()
    released = [each.read() for each in everything]
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({str(each[keyword].value) for each in released}) == 1, keyword
    assert sorted(int(each.InstanceNumber) for each in released) == [1, 2, 3, 4]
    newest_job = node.cli("jobs", "list", "--limit", 1)[1]
    assert "1 released" in newest_job
    assert "research: 1 delivered" in newest_job


def test_a_duplicate_is_acknowledged_and_dropped_in_whatever_transfer_syntax(
    node: Node, tmp_path: Path
) -> None:
    study = Study(node, tmp_path, "duplicate", slices=2)
    study.send(*study.slices)
    first = contents(study.arrived())
    dropped = node.backlog().get("instances duplicate", 0)
    implicit = factories.write(
        study.slices[0], tmp_path / "implicit.dcm", transfer_syntax_uid=ImplicitVRLittleEndian
    )
    compressed = pydicom.dcmread(factories.write(study.slices[1], tmp_path / "compressed.dcm"))
    compressed.compress(RLELossless, generate_instance_uid=False)
    compressed.save_as(tmp_path / "compressed.dcm")
    study.send(study.slices[0], implicit, tmp_path / "compressed.dcm")
    assert node.backlog()["instances duplicate"] == dropped + 3
    assert contents(study.arrived()) == first
    assert node.held() == {}


def _change_pixels(source: Dataset) -> Dataset:
    changed = copy.deepcopy(source)
    changed.PixelData = bytes(value ^ 1 for value in source.PixelData)
    return changed


def test_a_conflicting_duplicate_is_kept_aside_until_it_is_rejected(
    node: Node, tmp_path: Path
) -> None:
    study = Study(node, tmp_path, "conflict rejected", slices=1)
    study.send(study.slices[0])
    first = contents(study.arrived())
    number = _hold_one(study, _change_pixels(study.slices[0]), "conflicting-duplicate")
    staged = len(list((node.storage / "identified" / "staged").rglob("*.dcm")))
    assert node.cli("quarantine", "reject", number)[0] == 0
    assert len(list((node.storage / "identified" / "staged").rglob("*.dcm"))) == staged - 1
    assert node.cli("quarantine", "release", number)[0] != 0, "it is rejected for good"
    await_true(node.is_idle, 30, "nothing is left")
    assert contents(study.arrived()) == first


def test_a_conflicting_duplicate_that_is_released_is_a_new_generation(
    node: Node, tmp_path: Path
) -> None:
    study = Study(node, tmp_path, "conflict released", slices=2)
    study.send(*study.slices)
    first = contents(study.arrived())
    changed = _change_pixels(study.slices[0])
    number = _hold_one(study, changed, "conflicting-duplicate")
    assert node.cli("quarantine", "release", number)[0] == 0
    await_true(lambda: len(study.arrived()) == 3, 60, "the new generation")
    await_true(node.is_idle, 30, "its delivery is noted")
    everything = study.arrived()
    assert first.items() <= contents(everything).items(), "what was released never changes"
    (new,) = [each for each in everything if each.uid not in first]
    assert new.read().PixelData == changed.PixelData
    (old,) = [each.uid for each in everything
              if each.uid in first and each.read().InstanceNumber == 1]  # fmt: skip
    assert new.uid in _newest(node)
    assert old not in _newest(node)


def test_changed_demographics_are_a_patient_merge_for_review(node: Node, tmp_path: Path) -> None:
    study = Study(node, tmp_path, "merge", slices=1)
    study.send(study.slices[0])
    merged = copy.deepcopy(study.slices[0])
    merged.PatientName, merged.PatientID = other_patient().name, other_patient().patient_id
    number = _hold_one(study, merged, "patient-merge")
    assert len(study.arrived()) == 1
    assert node.cli("quarantine", "reject", number)[0] == 0


def test_an_object_that_does_not_parse_is_kept_aside_and_the_others_go_on(
    node: Node, tmp_path: Path
) -> None:
    study = Study(node, tmp_path, "damaged", slices=2)
    good = factories.encode(study.slices[0])
    meta_end = 144 + int.from_bytes(good[140:144], "little")
    garbage = tmp_path / "garbage.dcm"
    canary = f"{study.person.name} {study.person.patient_id} ".encode()
    garbage.write_bytes(good[:meta_end] + b"\x08\x00\x05\x00CS\xff\xff" + canary * 40)
    cut = tmp_path / "cut.dcm"
    whole = factories.encode(study.slices[1])
    cut.write_bytes(whole[: len(whole) // 2])
    before = node.held()
    study.send(study.slices[0], garbage, cut)
    held = _held_now(node, before)
    assert list(held.values()) == ["unreadable-object"] * 2
    assert [each.read().InstanceNumber for each in study.arrived()] == [1]
    for number in held:
        assert node.cli("quarantine", "show", number)[0] == 0
        assert node.cli("quarantine", "reject", number)[0] == 0


def test_an_unknown_sop_class_is_received_and_kept_aside(node: Node, tmp_path: Path) -> None:
    study = Study(node, tmp_path, "private class", slices=1)
    private = factories.private_object(patient=study.person, study_uid=study.uid)
    before = node.held()
    study.send(study.slices[0], private)
    held = _held_now(node, before)
    assert list(held.values()) == ["unknown-sop-class"]
    assert len(study.arrived()) == 1
    _reject(node, held)


@pytest.mark.parametrize("patient_id", ["", "UNKNOWN"])
def test_an_instance_without_a_patient_id_of_its_own_is_never_merged(
    node: Node, tmp_path: Path, patient_id: str
) -> None:
    study = Study(node, tmp_path, f"no patient {patient_id}", slices=1)
    study.slices[0].PatientID = patient_id
    number = _hold_one(study, study.slices[0], "missing-patient-id")
    assert study.arrived() == []
    runs = node.log.count("run-done")
    assert node.cli("quarantine", "release", number)[0] == 0
    await_true(lambda: node.log.count("run-done") > runs and node.is_idle(), 60, "the second run")
    held = node.held()
    assert number not in held
    assert set(held.values()) == {"missing-patient-id"}
    _reject(node, held)


def _reject(node: Node, held: Sequence[int] | dict[int, str]) -> None:
    for number in held:
        assert node.cli("quarantine", "reject", number)[0] == 0
