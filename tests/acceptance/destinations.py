"""The research side: Orthanc as a process, and what arrived anywhere."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from tests.contracts.peers import free_port
from tests.integration.receiving import data_set_bytes


@dataclass(frozen=True)
class Arrived:
    """A file at a destination."""

    uid: str
    digest: str
    path: Path

    def read(self) -> Dataset:
        return pydicom.dcmread(self.path)


def arrivals(folder: Path) -> list[Arrived]:
    """Every complete file below a folder; the digest is that of the data set alone."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            uid = str(pydicom.dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID)
            digest = hashlib.sha256(data_set_bytes(path)).hexdigest()
        except (pydicom.errors.InvalidDicomError, AttributeError, EOFError, OSError):
            continue  # is being written
        found.append(Arrived(uid, digest, path))
    return found


def contents(found: Sequence[Arrived]) -> dict[str, str]:
    """Digest by SOP Instance UID; fails where one UID stands for two contents."""
    digests = {(each.uid, each.digest) for each in found}
    twice = [uid for uid, count in Counter(uid for uid, _ in digests).items() if count > 1]
    assert twice == [], "two contents under one SOP Instance UID"
    return dict(digests)


@dataclass(frozen=True)
class Orthanc:
    """A running Orthanc: DICOM and HTTP."""

    port: int
    http: int

    def instances(self) -> list[str]:
        """SOP Instance UIDs that it holds."""
        return sorted(each["MainDicomTags"]["SOPInstanceUID"] for each in
                      self.get("/instances?expand"))  # fmt: skip

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}{path}", timeout=30) as answer:
            return json.load(answer)

    def data_sets(self) -> dict[str, str]:
        """Digest of the data set of each instance, by SOP Instance UID."""
        found = {}
        for each in self.get("/instances?expand"):
            url = f"http://127.0.0.1:{self.http}/instances/{each['ID']}/file"
            with urllib.request.urlopen(url, timeout=30) as answer:
                raw = answer.read()
            length = int.from_bytes(raw[140:144], "little")
            found[each["MainDicomTags"]["SOPInstanceUID"]] = hashlib.sha256(
                raw[144 + length :]
            ).hexdigest()
        return found

    def post(self, path: str, body: bytes | object) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}{path}", raw)
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - loopback
            return json.load(answer)


@contextmanager
def orthanc(folder: Path, *, ae_title: str = "RESEARCH", **settings: object) -> Iterator[Orthanc]:
    """Run Orthanc without authentication on loopback."""
    program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    if not Path(program).exists():
        pytest.skip("ORTHANC IS NOT INSTALLED: no real archive to speak to (scripts/setup)")
    folder.mkdir(parents=True, exist_ok=True)
    found = Orthanc(free_port(), free_port())
    config = {
        "Name": "acceptance", "StorageDirectory": str(folder / "files"),
        "IndexDirectory": str(folder / "index"), "DicomAet": ae_title,
        "DicomPort": found.port, "HttpPort": found.http, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True, "DicomCheckCalledAet": False,
        "UnknownSopClassAccepted": True, **settings,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "orthanc.json")], env={**os.environ, "TCP_NODELAY": "1"},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _await_http(found, process)
        yield found
    finally:
        process.kill()
        process.wait(30)


def _await_http(found: Orthanc, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found.get("/system")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("Orthanc does not answer")
