"""Released files, and a real Storage SCP to send them to: DCMTK's storescp as a process."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from updp_node.model import Verified

_NOT_PYNETDICOM = "/usr/bin/storescp"  # pynetdicom installs a program of the same name


def require_storescp() -> str:
    program = _NOT_PYNETDICOM if Path(_NOT_PYNETDICOM).exists() else shutil.which("storescp")
    if program is None:
        pytest.skip("DCMTK IS NOT INSTALLED: no real peer to send to (scripts/setup installs it)")
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def released(
    folder: Path,
    number: int,
    *,
    size_bytes: int = 2048,
    sop_class_uid: str = CTImageStorage,
    transfer_syntax_uid: str = ExplicitVRLittleEndian,
) -> Verified:
    """A file as it lies in the released zone; the same number gives the same instance."""
    folder.mkdir(parents=True, exist_ok=True)
    instance = Dataset()
    instance.SOPClassUID = sop_class_uid
    instance.SOPInstanceUID = f"2.25.1000{number}"
    instance.StudyInstanceUID = "2.25.77"
    instance.SeriesInstanceUID = "2.25.78"
    instance.PatientName = "STUDY-0001"
    instance.PatientID = "STUDY-0001"
    pixels = bytes(size_bytes)
    if UID(transfer_syntax_uid).is_encapsulated:
        pixels = encapsulate([pixels])
    instance.add_new("PixelData", "OB", pixels)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class_uid
    meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    meta.TransferSyntaxUID = transfer_syntax_uid
    instance.file_meta = meta
    path = folder / f"{number}.dcm"
    instance.save_as(path, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return Verified(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        sop_class_uid=sop_class_uid,
        sop_instance_uid=str(instance.SOPInstanceUID),
        study_uid="2.25.77",
        transfer_syntax_uid=transfer_syntax_uid,
    )


@dataclass
class StoreScp:
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def instance_uids(self) -> list[str]:
        """SOP Instance UIDs of the files that arrived, one entry per file."""
        return sorted(
            str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
            for path in self.folder.iterdir()
        )


@contextmanager
def storescp(
    folder: Path, *, port: int = 0, options: Sequence[str] = ("+xa",)
) -> Iterator[StoreScp]:
    """A running storescp that writes what arrives, bit for bit, into a folder."""
    program = require_storescp()
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    process = subprocess.Popen(
        [program, "+B", *options, "-od", str(folder), str(port)],
        env={**os.environ, "TCP_NODELAY": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port, process)
        yield StoreScp(port, folder, process)
    finally:
        process.kill()
        process.wait(10)
        shutil.rmtree(folder)  # some tests send hundreds of megabytes


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"storescp ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("storescp does not listen")
