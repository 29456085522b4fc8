"""What only a folder meets: names, durability, other content, a full or closed disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.peers import released
from updp_node.errors import PeerError
from updp_node.forward import FolderSettings, Reason, make_destination


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "research"
    folder.mkdir()
    return folder


def test_a_file_is_named_by_its_released_uids_and_equals_the_released_file(
    target: Path, tmp_path: Path
) -> None:
    instance = released(tmp_path / "out", 1)
    list(make_destination(FolderSettings("f", target)).send([instance]))
    arrived = target / instance.study_uid / f"{instance.sop_instance_uid}.dcm"
    assert arrived.read_bytes() == instance.path.read_bytes()
    assert [path for path in target.rglob("*") if path.is_file()] == [arrived]


def test_other_content_under_the_same_uid_is_kept_and_reported(
    target: Path, tmp_path: Path
) -> None:
    destination = make_destination(FolderSettings("f", target))
    first = released(tmp_path / "out", 1)
    list(destination.send([first]))
    other = released(tmp_path / "other", 1, size_bytes=4096)
    (outcome,) = destination.send([other])
    assert (outcome.delivered, outcome.reason) == (False, Reason.CONFLICT)
    arrived = target / first.study_uid / f"{first.sop_instance_uid}.dcm"
    assert arrived.read_bytes() == first.path.read_bytes()


def test_a_share_that_is_not_mounted_is_down_and_not_made(tmp_path: Path) -> None:
    destination = make_destination(FolderSettings("f", tmp_path / "unmounted"))
    with pytest.raises(PeerError):
        list(destination.send([released(tmp_path / "out", 1)]))
    assert not (tmp_path / "unmounted").exists()


def test_a_disk_without_space_is_a_peer_error_and_leaves_no_part(tmp_path: Path) -> None:
    device = Path("/dev/full")
    if not device.exists() or os.geteuid() != 0:
        pytest.skip("NOT ROOT: no small file system can be mounted to fill")
    target = tmp_path / "small"
    target.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(target)]
    if subprocess.run(options, check=False, capture_output=True).returncode:
        pytest.skip("MOUNTING IS NOT ALLOWED HERE: no small file system to fill")
    try:
        destination = make_destination(FolderSettings("f", target))
        with pytest.raises(PeerError):
            list(destination.send([released(tmp_path / "out", 1, size_bytes=100_000)]))
        assert [path for path in target.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_file_then_name_then_folder_reach_the_disk_in_that_order(
    target: Path, tmp_path: Path
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("STRACE IS NOT INSTALLED: the order of fsync and rename is not seen")
    instance = released(tmp_path / "out", 1)
    script = (
        "import pathlib, sys\n"
        "from updp_node.forward import FolderSettings, make_destination\n"
        "from updp_node.model import Verified\n"
        "target, path, *rest = sys.argv[1:]\n"
        "settings = FolderSettings('f', pathlib.Path(target))\n"
        "list(make_destination(settings).send([Verified(pathlib.Path(path), *rest)]))\n"
    )
    arguments = [str(target), str(instance.path), instance.sha256, instance.sop_class_uid,
                 instance.sop_instance_uid, instance.study_uid,
                 instance.transfer_syntax_uid]  # fmt: skip
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    watched = ["strace", "-f", "-y", "-e", calls, "-o", str(trace)]
    result = subprocess.run(
        [*watched, sys.executable, "-c", script, *arguments], check=False, capture_output=True
    )
    if b"PTRACE" in result.stderr:
        pytest.skip("STRACE MAY NOT TRACE HERE: the order of fsync and rename is not seen")
    assert result.returncode == 0
    order = [line for line in trace.read_text().splitlines() if str(target) in line]
    kinds = ["rename" if "rename" in line else "fsync" for line in order]
    assert kinds == ["fsync", "fsync", "rename", "fsync"]  # study's folder, file, name, folder
