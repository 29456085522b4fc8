"""Receivers to compare, as processes: one launcher each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.scratch import make_node

_TICKS = os.sysconf("SC_CLK_TCK")
ECHOSCU = "/usr/bin/echoscu"  # pynetdicom installs a program of the same name


@dataclass(frozen=True)
class Launch:
    """How a server is started: its command line and what it needs in its folder."""

    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


def launch_receiver(folder: Path, port: int) -> Launch:
    """Our receiver with its real index, without the rest of the node."""
    return Launch((sys.executable, "-m", "tests.benchmarks.bare_receiver", str(folder), str(port)))


def launch_two_receivers(folder: Path, port: int) -> Launch:
    """As `launch_receiver`, in two processes that share the port."""
    return Launch((*launch_receiver(folder, port).command, "2"))


def launch_node(folder: Path, port: int) -> Launch:
    """The whole node; its worker reads the headers meanwhile, nothing settles."""
    config = make_node(
        folder / "node", port=port, profile="pixel-passthrough", quiet_s=3600, ae_title="UPDP"
    )
    return Launch((sys.executable, "-m", "updp_node", "serve", "--config", str(config)))


def launch_orthanc(folder: Path, port: int, *, synchronous: bool = False) -> Launch:
    """Orthanc, as it is installed, with or without synchronous storage."""
    settings = {
        "StorageDirectory": str(folder / "files"),
        "IndexDirectory": str(folder / "index"),
        "DicomPort": port,
        "HttpServerEnabled": False,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowEcho": True,
        "DicomCheckCalledAet": False,
        "SyncStorageArea": synchronous,
        "UnknownSopClassAccepted": True,
    }
    path = folder / "orthanc.json"
    path.write_text(json.dumps(settings))
    return Launch(("Orthanc", str(path)), (("TCP_NODELAY", "1"),))


def launch_synchronous_orthanc(folder: Path, port: int) -> Launch:
    """Orthanc with ``SyncStorageArea``."""
    return launch_orthanc(folder, port, synchronous=True)


def launch_storescp(folder: Path, port: int) -> Launch:
    """DCMTK's storescp: one process an association, bytes as received, nothing durable."""
    command = ("/usr/bin/storescp", "--fork", "+B", "-aet", "UPDP", "-od", str(folder), str(port))
    return Launch(command, (("TCP_NODELAY", "1"),))


LAUNCHERS: dict[str, Callable[[Path, int], Launch]] = {
    "updp_node receiver": launch_receiver,
    "updp_node receiver, two processes": launch_two_receivers,
    "updp_node, the whole node": launch_node,
    "Orthanc": launch_orthanc,
    "Orthanc, synchronous storage": launch_synchronous_orthanc,
    "DCMTK storescp (not durable)": launch_storescp,
}


class Server:
    """A server process while it is measured: processor time and memory of its whole tree.

    Parameters
    ----------
    launch : Launch
    port : int
    log : pathlib.Path
    """

    def __init__(self, launch: Launch, port: int, log: Path) -> None:
        self.peak_bytes = 0
        self._log = log.open("wb")
        self._process = subprocess.Popen(
            launch.command,
            env=os.environ | dict(launch.environment),
            stdout=self._log,
            stderr=self._log,
        )
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._await_echo(port)
        self._sampler.start()

    def cpu_s(self) -> float:
        """Processor time of the tree so far, children that have ended included."""
        ticks = 0
        for pid in self._tree():
            fields = _stat(pid)
            ticks += sum(int(field) for field in fields[11:15])
        return ticks / _TICKS

    def stop(self) -> None:
        """End the server and wait for it."""
        self._ended.set()
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _await_echo(self, port: int) -> None:
        deadline = time.monotonic() + 60
        command = [ECHOSCU, "-to", "2", "-aec", "UPDP", "127.0.0.1", str(port)]
        while subprocess.run(command, capture_output=True, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not answer; see {self._log.name}")
            time.sleep(0.1)

    def _sample(self) -> None:
        while not self._ended.wait(0.05):
            pages = sum(_resident_pages(pid) for pid in self._tree())
            self.peak_bytes = max(self.peak_bytes, pages * os.sysconf("SC_PAGE_SIZE"))

    def _tree(self) -> list[int]:
        pids = [self._process.pid]
        for pid in pids:
            try:
                for children in Path(f"/proc/{pid}/task").glob("*/children"):
                    pids += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
        return pids


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third on; zeros for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def _resident_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
