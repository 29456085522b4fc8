"""Files that survive a crash: names, modes, order of system calls, immutability."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from updp_node.errors import InstanceError, SpoolError
from updp_node.model import VerifiedBytes
from updp_node.storage.files import (
    Staging,
    free_bytes,
    make_folder,
    write_durably,
    write_released,
)

UID = "2.25.123456789"


def verified(content: bytes = b"object", uid: str = UID) -> VerifiedBytes:
    return VerifiedBytes(
        encoded=content,
        sha256=hashlib.sha256(content).hexdigest(),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        sop_instance_uid=uid,
        study_uid="2.25.1",
        series_uid="2.25.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
    )


def all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_staged_file_has_a_random_name_and_is_closed_to_others(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "identified" / "staged")
    staging.prepare()
    file = staging.create()
    file.write(b"abc")
    file.write(memoryview(b"def"))
    file.keep()
    assert file.path.read_bytes() == b"abcdef"
    assert file.size_bytes == 6
    assert file.path.parent.name == file.path.name[:2]
    assert len(file.path.stem) == 32
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(staging.root.stat().st_mode) == 0o700
    assert all_files(tmp_path) == [file.path]


def test_a_discarded_file_leaves_nothing_behind(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.prepare()
    begun, kept = staging.create(), staging.create()
    begun.write(b"abc")
    kept.write(b"abc")
    kept.keep()
    begun.discard()
    kept.discard()
    assert all_files(tmp_path) == []


def test_below_the_reserve_nothing_is_begun(tmp_path: Path) -> None:
    Staging(tmp_path).prepare()
    with pytest.raises(SpoolError):
        Staging(tmp_path, reserve_bytes=free_bytes(tmp_path) + (1 << 40)).create()
    assert all_files(tmp_path) == []


def test_a_full_file_system_is_a_spool_error(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.prepare()
    file = staging.create()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, file._handle)
    os.close(full)
    with pytest.raises(SpoolError):
        file.write(b"abc")
    file.discard()
    assert all_files(tmp_path) == []


def test_what_a_crash_left_half_written_is_removed_at_start(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.prepare()
    kept = staging.create()
    kept.keep()
    staging.create().write(b"lost")
    assert staging.remove_partial() == 1
    assert all_files(tmp_path) == [kept.path]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def failing() -> object:
        yield b"new"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_durably(path, failing())
    assert path.read_bytes() == b"old"
    write_durably(path, [b"ne", b"w"])
    assert path.read_bytes() == b"new"
    assert all_files(tmp_path) == [path]


def test_a_folder_that_cannot_be_made_is_a_spool_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError):
        make_folder(tmp_path / "file" / "folder")


def test_a_released_object_is_written_once_and_again_is_nothing(tmp_path: Path) -> None:
    first = write_released(tmp_path, verified())
    inode = first.stat().st_ino
    assert write_released(tmp_path, verified()) == first
    assert first.stat().st_ino == inode
    assert first.name == f"{UID}.dcm"
    assert len(first.relative_to(tmp_path).parts) == 2
    assert all_files(tmp_path) == [first]


def test_two_contents_under_one_uid_are_refused_and_the_first_stays(tmp_path: Path) -> None:
    path = write_released(tmp_path, verified(b"first"))
    with pytest.raises(InstanceError, match="released-instance-differs"):
        write_released(tmp_path, verified(b"second"))
    assert path.read_bytes() == b"first"
    assert all_files(tmp_path) == [path]


def test_bytes_that_the_gate_did_not_see_are_not_released(tmp_path: Path) -> None:
    good = verified()
    changed = VerifiedBytes(
        b"other", good.sha256, good.sop_class_uid, UID, "2.25.1", "2.25.2", "1.2.840.10008.1.2.1"
    )
    with pytest.raises(InstanceError, match="released-content-damaged"):
        write_released(tmp_path, changed)
    assert all_files(tmp_path) == []


@pytest.mark.parametrize("uid", ["../../etc/passwd", "1..2", "", "1" * 65])
def test_a_uid_that_is_no_file_name_is_refused(tmp_path: Path, uid: str) -> None:
    with pytest.raises(InstanceError, match="released-uid-invalid"):
        write_released(tmp_path, verified(uid=uid))


def test_name_then_file_and_folder_are_synchronized(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.prepare()
    program = (
        "from pathlib import Path; from updp_node.storage.files import Staging\n"
        f"file = Staging(Path({str(tmp_path)!r})).create(); file.write(b'abc'); file.keep()"
    )
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,write,rename", "-o", str(trace)]
    try:
        subprocess.run([*command, sys.executable, "-c", program], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("STRACE IS NOT INSTALLED OR NOT ALLOWED: the order is not proven here")
    calls = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    steps = [line.split(maxsplit=1)[1].partition("(")[0] for line in calls]
    assert steps == ["write", "rename", "fsync", "fsync"]
    assert sorted(".dcm" in call for call in calls[2:]) == [False, True]
