"""A disk that fills up: senders are told to try again, and what was acknowledged goes through."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests import factories
from tests.acceptance.destinations import arrivals
from tests.acceptance.figures import record
from tests.acceptance.node import Node, await_true, running_node
from tests.acceptance.sender import Sent, send

DISK_MIB, RESERVE_MIB = 160, 48
FULL_S = 45
OUT_OF_RESOURCES = 0xA700
MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)],
        check=False, capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("MOUNT IS NOT PERMITTED: the full disk is not tested here (needs root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def node(disk: Path, tmp_path: Path) -> Iterator[Node]:
    def edit(config: dict[str, Any]) -> None:
        config["storage"].update(root=str(disk / "storage"), reserve_mib=RESERVE_MIB)

    with running_node(tmp_path / "node", edit=edit) as node:
        yield node


def _free_mib(disk: Path) -> float:
    state = os.statvfs(disk)
    return state.f_bavail * state.f_frsize / MIB


def _fill(disk: Path, leave_mib: float) -> Path:
    """Take space away, as somebody else on the disk would."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        while (rest := _free_mib(disk) - leave_mib) > 0:
            try:
                file.write(bytes(min(MIB, max(int(rest * MIB), 4096))))
                file.flush()
            except OSError:
                break
    return ballast


def _studies(folder: Path, count: int, slices: int = 20, rows: int = 128) -> list[Path]:
    """CT studies; each a subject of its own."""
    paths = []
    for study in range(count):
        person = factories.patient(patient_id=f"31{study:08}")
        uid = factories.make_uid(str(folder), study)
        images = factories.ct_series(slices, rows=rows, patient=person, study_uid=uid)
        for number, instance in enumerate(images):
            instance.PixelData = (study * 100 + number).to_bytes(2, "little") + (
                instance.PixelData[2:]
            )
            paths.append(factories.write(instance, folder / f"{study}-{number:02}.dcm"))
    return paths


def _await_arrival(node: Node, sent: Sent) -> None:
    """Every acknowledged instance arrives: each has pixels of its own."""
    await_true(node.is_idle, 150, "everything that was acknowledged has arrived")
    assert node.held() == {}
    found = {each.read().PixelData[:2] for each in arrivals(node.research)}
    assert found == {_mark(path) for path in sent.acknowledged}


def _mark(path: Path) -> bytes:
    study, number = path.stem.split("-")
    return (int(study) * 100 + int(number)).to_bytes(2, "little")


def _statuses(sent: Sent, paths: Sequence[Path]) -> set[int | None]:
    return {sent.statuses.get(path) for path in paths}


def test_below_the_reserve_senders_are_told_to_try_again(
    node: Node, disk: Path, tmp_path: Path
) -> None:
    before, during = _studies(tmp_path / "a", 1), _studies(tmp_path / "b", 2)[20:]
    sent = send(node.port, before)
    assert _statuses(sent, before) == {0x0000}
    ballast = _fill(disk, leave_mib=RESERVE_MIB - 4)
    send(node.port, during, sent=sent)
    assert _statuses(sent, during) == {OUT_OF_RESOURCES}
    assert node.answers(), "the node is alive"
    _await_arrival(node, sent)
    ballast.unlink()
    send(node.port, during, sent=sent)
    assert _statuses(sent, during) == {0x0000}
    _await_arrival(node, sent)
    record("full disk", "instances refused with 0xA700, then accepted", len(during), "")


@pytest.mark.parametrize("full", ["before its run starts", "in the middle of its run"])
def test_nothing_acknowledged_is_lost_when_the_disk_is_full_to_the_last_byte(
    node: Node, disk: Path, tmp_path: Path, full: str
) -> None:
    is_before = full.startswith("before")
    paths = _studies(tmp_path / "c", 3, rows=128 if is_before else 256)
    await_true((node.storage / "identified" / "workflows.sqlite").exists, 60, "the worker")
    sent = send(node.port, paths[:30])
    if not is_before:
        await_true(lambda: "instances-decided" in node.log, 60, "the first run", every_s=0.01)
    ballast = _fill(disk, leave_mib=0 if is_before else 1)
    send(node.port, paths[30:], sent=sent)
    refused = [path for path in paths if sent.statuses.get(path) != 0x0000]
    assert refused == paths[30:]
    assert _statuses(sent, refused) <= {OUT_OF_RESOURCES, None}
    time.sleep(FULL_S)  # what works on the acknowledged ones fails again and again meanwhile
    assert not node.is_idle(), "the disk was not full"
    assert node.answers(), "the receiver is alive"
    ballast.unlink()
    freed = time.monotonic()
    _await_arrival(node, sent)
    record("full disk", f"from free space to the last delivery, full {full}",
           round(time.monotonic() - freed, 1), "s")  # fmt: skip
    send(node.port, refused, sent=sent)
    assert _statuses(sent, paths) == {0x0000}
    _await_arrival(node, sent)
