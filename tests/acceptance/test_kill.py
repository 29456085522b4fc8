"""``kill -9`` of any process while instances are sent: nothing acknowledged is lost or altered."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.destinations import Arrived, arrivals, contents
from tests.acceptance.figures import record
from tests.acceptance.node import Node, await_true, dimse_target, running_node, send_to
from tests.acceptance.sender import Sent, send_until_acknowledged
from tests.contracts.peers import StoreScp, storescp

SEED = 20261123
STUDIES, SLICES = 25, 19  # and one report each: 500 instances
SENDING_S = 150.0
ROLES = (["receiver"] * 5 + ["worker"] * 5 + ["pool"] * 5 + ["supervisor"] * 4
         + ["resource tracker"])  # fmt: skip
INSTANCES = STUDIES * (SLICES + 1)


@dataclass
class Killer:
    """Kills a process of a node at each of its moments; starts the node again where it must.

    A moment is random, then moved into the next work of the process: most of the time this
    node has nothing to do, and killing it then proves little.
    """

    node: Node
    sent: Sent
    dice: random.Random
    killed: list[str] = field(default_factory=list)

    def run(self) -> None:
        moments = sorted(self.dice.uniform(3, SENDING_S - 5) for _ in ROLES)
        started = time.monotonic()
        for moment, role in zip(moments, self.dice.sample(ROLES, len(ROLES)), strict=True):
            time.sleep(max(started + moment - time.monotonic(), 0))
            self._await_work(role)
            while not self._kill(role):  # it is just being started again
                time.sleep(0.05)

    def _parts(self, role: str) -> dict[str, int]:
        return {part: pid for part, pid in self.node.family().items() if part.startswith(role)}

    def _await_work(self, role: str) -> None:
        """Wait for the next request, run or delivery; then a little more."""
        until, attempts = time.monotonic() + 5, self.sent.attempts
        is_receiving = role in ("receiver", "supervisor")
        work = self.dice.choice(("instances running", "deliveries pending"))
        while time.monotonic() < until:
            if self.sent.attempts > attempts if is_receiving else self.node.states().get(work):
                break
            time.sleep(0.002 if is_receiving else 0.01)
        time.sleep(self.dice.uniform(0, 0.01 if is_receiving else 0.2))

    def _kill(self, role: str) -> bool:
        parts = self._parts(role)
        if not parts:
            return False
        try:
            os.kill(parts[self.dice.choice(sorted(parts))], signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.killed.append(role)
        if role == "supervisor":
            assert self.node.process is not None
            self.node.process.wait(10)
            self.node.start()
        return True


def _sources(folder: Path) -> Iterator[Path]:
    """CT slices whose pixels tell them apart, and a report for each study."""
    for study in range(STUDIES):
        person = factories.patient(patient_id=f"90{study:08}", accession=f"ACQV77{study:05}")
        uid = factories.make_uid("kill", study)
        slices = factories.ct_series(SLICES, rows=64, patient=person, study_uid=uid)
        for number, instance in enumerate(slices):
            mark = (study * 100 + number).to_bytes(2, "little")
            instance.PixelData = mark + instance.PixelData[2:]
            yield factories.write(instance, folder / f"{study:02}-{number:02}.dcm")
        report = factories.text_sr(references=slices, patient=person, study_uid=uid)
        yield factories.write(report, folder / f"{study:02}-sr.dcm")


def _begun_again(node: Node) -> int:
    connection = sqlite3.connect(node.storage / "identified" / "index.sqlite")
    ((count,),) = connection.execute("SELECT COUNT(*) FROM work WHERE attempts > 1")
    connection.close()
    return int(count)


def _pixels(instance: Dataset) -> str:
    return hashlib.sha256(instance.PixelData).hexdigest()


@dataclass
class Scene:
    """What was sent while processes were killed, and where it went."""

    node: Node
    archive: StoreScp
    sources: Sequence[Path]
    sent: Sent
    killed: list[str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("kill")
    sources = list(_sources(folder / "sources"))
    with storescp(folder / "archive", options=("+xa", "+uf", "--fork")) as archive:

        def edit(config: dict[str, Any]) -> None:
            config["receiver"]["network_timeout_s"] = 5  # dead associations expire in twice this
            config["work"]["batch_instances"] = 7
            send_to(config, [dimse_target("archive", archive.port)])

        with running_node(folder / "node", edit=edit) as node:
            sent = Sent()
            killer = Killer(node, sent, random.Random(SEED))
            thread = threading.Thread(target=killer.run)
            thread.start()
            send_until_acknowledged(
                node.port, sources, sent=sent, pause_s=4 * SENDING_S / INSTANCES, seconds=420
            )
            thread.join()
            started = time.monotonic()
            await_true(node.is_idle, 240, "everything is delivered")
            record("kill -9", "processes killed", len(killer.killed), "")
            for part, count in sorted(Counter(killer.killed).items()):
                record("kill -9", f"of them {part}", count, "")
            record("kill -9", "instances whose line was begun again", _begun_again(node), "")
            record("kill -9", "C-STORE requests for 500 instances", sent.attempts, "")
            record("kill -9", "from the last acknowledgement to the last delivery",
                   round(time.monotonic() - started, 1), "s")  # fmt: skip
            yield Scene(node, archive, sources, sent, killer.killed)


def test_every_instance_is_acknowledged_in_the_end(scene: Scene) -> None:
    assert sorted(scene.killed) == sorted(ROLES)
    assert sorted(scene.sent.acknowledged) == sorted(scene.sources)


def _check(found: Sequence[Arrived]) -> None:
    """Every source stands for one instance, and none for two."""
    newest = {each.uid: each for each in found}
    released = [each.read() for each in newest.values()]
    images = Counter(_pixels(each) for each in released if each.Modality == "CT")
    assert len(images) == STUDIES * SLICES
    assert set(images.values()) == {1}
    reports = Counter(str(each.PatientID) for each in released if each.Modality == "SR")
    assert len(reports) == STUDIES
    assert set(reports.values()) == {1}
    assert len(released) == INSTANCES


def test_each_destination_holds_every_acknowledged_instance_once(scene: Scene) -> None:
    _check(arrivals(scene.node.research))
    _check(arrivals(scene.archive.folder))
    assert scene.node.held() == {}


def test_what_is_sent_again_is_the_identical_file(scene: Scene) -> None:
    received = arrivals(scene.archive.folder)  # one file for each reception
    expected = contents(arrivals(scene.node.research))
    assert contents(received) == expected
    assert contents(arrivals(scene.node.storage / "released" / "files")) == expected
    record("kill -9", "receptions of 500 instances at storescp", len(received), "")


def test_the_node_forgets_no_file_that_was_never_acknowledged(scene: Scene) -> None:
    """After a restart nothing lies in the staging area but what the index knows."""
    scene.node.stop()
    scene.node.start()
    staged = scene.node.storage / "identified" / "staged"
    assert list(staged.rglob("*.part")) == []
    assert len(list(staged.rglob("*.dcm"))) == INSTANCES
