"""Nothing that a node says or lets go holds a canary: everything at once, and the search itself.

Every other suite ends each of its nodes with the same search (`assert_no_leaks`).
"""

from __future__ import annotations

import base64
import pickle
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.destinations import arrivals
from tests.acceptance.figures import record
from tests.acceptance.leaks import assert_no_leaks
from tests.acceptance.node import (
    Node,
    await_true,
    dimse_target,
    make_node,
    running_node,
    send_to,
)
from tests.acceptance.sender import send
from tests.contracts.peers import free_port


def _objects() -> list[Dataset]:
    """One of every kind: what is released, dropped, quarantined for many reasons."""
    chest = factories.chest_cr()
    elsewhere = factories.make_uid("no canary", "elsewhere")
    nameless = factories.ct_series(1, rows=64, study_uid=factories.make_uid("nameless"))[0]
    nameless.PatientID = ""
    bare = factories.ct_series(1, rows=64, study_uid=factories.make_uid("bare"))[0]
    bare.StudyInstanceUID = ""
    odd = factories.ct_series(1, rows=64, study_uid=factories.make_uid("odd"))[0]
    odd.SpecificCharacterSet = "Qvistorpe"
    short = factories.ct_series(1, rows=64, study_uid=factories.make_uid("short"))[0]
    short.PixelData = short.PixelData[:100]
    return [
        chest, factories.text_sr(references=[chest]),
        factories.comprehensive_sr_with_scoord(chest), factories.key_object([chest]),
        factories.presentation_state(chest), factories.chest_cr(view="LL", number=2),
        factories.secondary_capture(), factories.encapsulated_pdf(study_uid=elsewhere),
        factories.ultrasound(study_uid=elsewhere), factories.private_object(study_uid=elsewhere),
        factories.text_sr(study_uid=elsewhere), nameless, bare, odd, short,
    ]  # fmt: skip


def _ask_everything(node: Node) -> None:
    """Every command of an operator, with mistakes."""
    jobs = node.cli("jobs", "list")[1]
    runs = {line.split("│")[1].strip() for line in jobs.splitlines() if line.startswith("│")}
    assert len(runs) > 1
    for run in runs - {""}:  # a second line of a row
        assert node.cli("jobs", "show", run)[0] == 0
        node.cli("jobs", "retry", run)
    for number in node.held():
        assert node.cli("quarantine", "show", number)[0] == 0
        node.cli("quarantine", "release", number)
    for mistake in (("jobs", "show", "nothing"), ("quarantine", "show", 9999)):
        assert node.cli(*mistake)[0] != 0
    node.cli("quarantine", "list", "--all")
    node.cli("check")


def test_a_node_that_meets_every_kind_of_object_and_failure_tells_nobody(tmp_path: Path) -> None:
    def edit(config: dict[str, Any]) -> None:
        config["routes"][0]["profile"] = "research-cxr"
        send_to(config, [dimse_target("nobody", free_port(), timeout_s=2)])

    with running_node(tmp_path / "node", edit=edit) as node:
        paths = [
            factories.write(instance, tmp_path / f"{number}.dcm")
            for number, instance in enumerate(_objects())
        ]
        whole = paths[0].read_bytes()
        cut = tmp_path / "cut.dcm"
        cut.write_bytes(whole[: len(whole) // 3])
        sent = send(node.port, [*paths, cut])
        assert set(sent.statuses.values()) == {0x0000}
        await_true(lambda: _is_worked_off(node), 180, "everything has its place")
        assert arrivals(node.research), "some of it is released"
        held = node.held()
        assert len(set(held.values())) >= 4, held
        _ask_everything(node)
        await_true(lambda: _is_worked_off(node), 120, "everything has its place again")
        record("canary search", "reason codes met", len(set(held.values())), "")
    original = node.storage / "identified" / "staged"
    assert factories.grep_canaries(original, [factories.patient().name.split("^")[0]])


def _is_worked_off(node: Node) -> bool:
    busy = ("received", "pending", "running", "waiting")
    return not any(node.states().get(f"instances {state}") for state in busy)


def _plant_in_log(node: Node, canary: str) -> None:
    (node.folder / "node.log").write_text(f'{{"event": "x", "reason": "{canary.lower()}"}}')


def _plant_in_workflows(node: Node, canary: str) -> None:
    connection = sqlite3.connect(node.storage / "identified" / "workflows.sqlite")
    pickled = base64.b64encode(pickle.dumps({"error": canary})).decode()
    connection.execute("CREATE TABLE workflow_status (error TEXT)")
    connection.execute("INSERT INTO workflow_status VALUES (?)", (pickled,))
    connection.commit()
    connection.close()


def _plant_in_a_name(node: Node, canary: str) -> None:
    (node.storage / "identified" / "staged" / f"{canary}.dcm").touch()


def _plant_in_a_released_file(node: Node, canary: str) -> None:
    (node.storage / "released" / "1.dcm").write_bytes(bytes(200) + canary.encode("utf-16-le"))


@pytest.mark.parametrize(
    "plant",
    [_plant_in_log, _plant_in_workflows, _plant_in_a_name, _plant_in_a_released_file],
    ids=["log", "workflows", "file name", "released file"],
)
def test_the_search_finds_a_canary_that_was_planted(tmp_path: Path, plant: Any) -> None:
    node = make_node(tmp_path / "node")
    for zone in ("identified/staged", "released"):
        (node.storage / zone).mkdir(parents=True)
    assert_no_leaks(node.folder, node.storage, ["nothing"])
    plant(node, "Qvistorpe")
    with pytest.raises(AssertionError, match="canaries found"):
        assert_no_leaks(node.folder, node.storage, ["nothing"])
    shutil.rmtree(node.folder)
