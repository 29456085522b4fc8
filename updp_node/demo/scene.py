"""The processes of the demonstration: a node, a receiver on the research side, a sender."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import yaml
from pydicom.errors import InvalidDicomError

from updp_node.errors import NodeError

NODE_AE_TITLE = "DEMO_NODE"
PACS_AE_TITLE = "DEMO_PACS"
RESEARCH_AE_TITLE = "RESEARCH"
_NODE = (sys.executable, "-m", "updp_node")
_START_S = 60
_STOP_S = 20


class SceneError(NodeError):
    """A process of the demonstration did not do what it was started for."""


@dataclass(frozen=True, slots=True)
class Source:
    """An instance that is sent.

    Attributes
    ----------
    path : pathlib.Path
    header : pydicom.Dataset
        Without pixels.
    """

    path: Path
    header: pydicom.Dataset

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return str(self.header.SOPInstanceUID)


def find_sources(files: Sequence[Path]) -> list[Source]:
    """The DICOM instances among files; a SOP Instance UID that comes again is left out."""
    sources: dict[str, Source] = {}
    for path in files:
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except (InvalidDicomError, OSError):
            continue
        if "SOPInstanceUID" in header and "SOPClassUID" in header:
            sources.setdefault(str(header.SOPInstanceUID), Source(path, header))
    return list(sources.values())


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_node(folder: Path, *, port: int, research_port: int) -> Path:
    """Make a scratch node by ``updp-node init`` and route everything to the research side.

    Returns
    -------
    pathlib.Path
        Its configuration file.
    """
    made = subprocess.run(
        [*_NODE, "init", str(folder)], check=False, capture_output=True, text=True
    )
    if made.returncode:
        raise SceneError(f"updp-node init: {made.stderr.strip()}")
    path = folder / "updp-node.yaml"
    config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["receiver"] |= {
        "ae_title": NODE_AE_TITLE,
        "host": "127.0.0.1",
        "port": port,
        "peers": [{"ae_title": PACS_AE_TITLE, "networks": ["127.0.0.0/8"]}],
        "tls": None,
    }
    config["storage"]["reserve_mib"] = 64
    config["settling"] = {"quiet_s": 2, "report_wait_s": 5}
    config["routes"] = [
        {"name": "demonstration", "profile": "research-cxr", "destinations": ["research"]}
    ]
    config["destinations"] = [
        {
            "name": "research",
            "type": "dimse",
            "host": "127.0.0.1",
            "port": research_port,
            "ae_title": RESEARCH_AE_TITLE,
        }
    ]
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


@contextmanager
def running_node(config: Path, *, port: int, log: Path) -> Iterator[None]:
    """``updp-node serve`` until the end of the block; its log goes to a file."""
    command = [*_NODE, "serve", "--config", str(config)]
    with _running(command, port=port, log=log):
        yield


@contextmanager
def running_receiver(folder: Path, *, port: int, log: Path) -> Iterator[None]:
    """A Storage SCP that writes what it receives into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pynetdicom", "storescp", str(port), "-q", "-ba", "127.0.0.1",
               "-aet", RESEARCH_AE_TITLE, "-od", str(folder)]  # fmt: skip
    with _running(command, port=port, log=log):
        yield


def send(sources: Sequence[Source], *, port: int, scratch: Path) -> None:
    """Send instances as a PACS would: one association for each transfer syntax."""
    for syntax in dict.fromkeys(_syntax(source) for source in sources):
        folder = scratch / syntax
        folder.mkdir(parents=True)
        for number, source in enumerate(sources):
            if _syntax(source) == syntax:
                shutil.copyfile(source.path, folder / f"{number:06}.dcm")
        command = [sys.executable, "-m", "pynetdicom", "storescu", "127.0.0.1", str(port),
                   str(folder), "-r", "-cx", "-q", "-aet", PACS_AE_TITLE,
                   "-aec", NODE_AE_TITLE]  # fmt: skip
        sent = subprocess.run(command, check=False, capture_output=True, timeout=240)
        if sent.returncode:
            raise SceneError("the node refused the association of the sender")


def _syntax(source: Source) -> str:
    return str(source.header.file_meta.TransferSyntaxUID)


@contextmanager
def _running(command: list[str], *, port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _await_port(port, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SceneError(f"a process ended at its start; see {log}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SceneError(f"a process does not listen; see {log}")
