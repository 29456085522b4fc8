"""Orthanc's own anonymization, asked over its REST interface."""

from __future__ import annotations

import json
import os
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.benchmarks.servers import Launch, Server
from tests.contracts.peers import free_port


def measure_orthanc(source: Path, target: Path, repeats: int) -> list[tuple[float, float]]:
    """Wall clock and processor milliseconds of each request; the last answer is written.

    The instance is read from Orthanc's storage and comes back over HTTP; the processor time is
    Orthanc's own, a mean over the repeats.
    """
    port, http = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        server = Server(_launch(Path(name), port, http), port, Path(name) / "log")
        try:
            base = f"http://127.0.0.1:{http}/instances"
            stored = json.loads(_post(base, source.read_bytes()))
            url = f"{base}/{stored['ID']}/anonymize"
            walls = []
            for number in range(repeats + 2):
                if number == 2:
                    before = server.cpu_s()
                started = time.perf_counter()
                target.write_bytes(_post(url, b"{}"))
                if number > 1:
                    walls.append(1000 * (time.perf_counter() - started))
            cpu = 1000 * (server.cpu_s() - before) / repeats
        finally:
            server.stop()
    return [(wall, cpu) for wall in walls]


def _launch(folder: Path, port: int, http: int) -> Launch:
    settings = {
        "StorageDirectory": str(folder / "files"),
        "IndexDirectory": str(folder / "index"),
        "DicomPort": port,
        "HttpPort": http,
        "HttpServerEnabled": True,
        "RemoteAccessAllowed": False,
        "DicomAlwaysAllowEcho": True,
        "DicomCheckCalledAet": False,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings))
    core = str(min(os.sched_getaffinity(0)))
    return Launch(("taskset", "-c", core, "Orthanc", str(path)), (("TCP_NODELAY", "1"),))


def _post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(url, body, timeout=60) as answer:  # noqa: S310  # our own server
        content: bytes = answer.read()
        return content
