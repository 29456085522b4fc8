"""Orthanc as a client of the research side: its REST interface asks, its SCP receives."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.node import await_true
from tests.acceptance.research.process import AE_TITLE
from tests.acceptance.research.retrieving import ORTHANC, ORTHANC_PORT, by_uid
from tests.contracts.peers import free_port


@dataclass
class Orthanc:
    """A running Orthanc."""

    web_port: int

    def ask(self, path: str, body: object = None) -> Any:
        raw = self.fetch(path, body)
        return json.loads(raw)

    def fetch(self, path: str, body: object = None) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web_port}{path}",
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
            return response.read()

    def is_up(self) -> bool:
        try:
            self.fetch("/system")
        except OSError:
            return False
        return True

    def query(self, level: str, keys: dict[str, str]) -> list[dict[str, str]]:
        """Answers of a C-FIND by tag."""
        made = self.ask("/modalities/node/query", {"Level": level, "Query": keys})
        return [
            self.ask(f"{made['Path']}/answers/{number}/content?short")
            for number in self.ask(f"{made['Path']}/answers")
        ]

    def retrieve(self, level: str, keys: dict[str, str], *, target: str) -> None:
        """A C-FIND, and a C-MOVE of everything that it found."""
        made = self.ask("/modalities/node/query", {"Level": level, "Query": keys})
        done = self.ask(f"{made['Path']}/retrieve", {"TargetAet": target, "Synchronous": True})
        assert done["Description"], done

    def files(self, folder: Path) -> dict[str, Path]:
        """Everything that arrived, as Part 10 files."""
        folder.mkdir()
        for name in self.ask("/instances"):
            (folder / name).write_bytes(self.fetch(f"/instances/{name}/file"))
        return by_uid(folder)


@contextmanager
def running_orthanc(folder: Path, port: int) -> Iterator[Orthanc]:
    """An Orthanc that knows the research process as the modality ``node``."""
    program = shutil.which("Orthanc")
    if program is None:
        pytest.skip("ORTHANC IS NOT INSTALLED: no second client (scripts/setup installs it)")
    folder.mkdir(parents=True)
    web_port = free_port()
    settings = {
        "StorageDirectory": str(folder / "files"), "IndexDirectory": str(folder / "index"),
        "DicomPort": ORTHANC_PORT, "DicomAet": ORTHANC, "HttpPort": web_port,
        "DicomAlwaysAllowStore": True, "DicomCheckCalledAet": False,
        "UnknownSopClassAccepted": True, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "DicomScuTimeout": 60,
        "DicomModalities": {"node": [AE_TITLE, "127.0.0.1", port]},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    orthanc = Orthanc(web_port)
    try:
        await_true(orthanc.is_up, 30, "Orthanc answers", process)
        yield orthanc
    finally:
        process.terminate()
        process.wait(30)
