"""A scratch node as a black box: initialized, edited, served as processes, looked at."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.acceptance.leaks import SEARCHED, assert_no_leaks
from tests.contracts.peers import free_port
from tests.integration.receiving import run_dcmtk
from updp_node.initialize import initialize

AE_TITLE = "UPDP_NODE"
_START_S = 90.0
_STOP_S = 60.0
_COMMAND = (sys.executable, "-m", "updp_node")


@dataclass
class Node:
    """A node's folder and, while it is served, its processes.

    ``told`` holds what the command line printed: it is searched for canaries at the end.
    """

    folder: Path
    port: int
    secure: bool = False
    process: subprocess.Popen[bytes] | None = None
    told: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "updp-node.yaml"

    @property
    def storage(self) -> Path:
        return Path(yaml.safe_load(self.config.read_text())["storage"]["root"])

    @property
    def log(self) -> str:
        return (self.folder / "node.log").read_text()

    @property
    def research(self) -> Path:
        return self.folder / "research"

    def certificates(self, name: str) -> tuple[Path, Path, Path]:
        """Key, certificate and CA, in DCMTK's order."""
        certs = self.folder / "certs"
        return certs / f"{name}.key", certs / f"{name}.pem", certs / "ca.pem"

    def start(self) -> None:
        """Serve, and wait until C-ECHO is answered."""
        with (self.folder / "node.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*_COMMAND, "serve", "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        await_true(self.answers, _START_S, "the node answers C-ECHO", self.process)

    def answers(self) -> bool:
        options = self.tls_options("peer") if self.secure else []
        code, _ = run_dcmtk("echoscu", *options, "-to", 5, "-aec", AE_TITLE, "localhost", self.port)
        return code == 0

    def tls_options(self, name: str) -> list[object]:
        """What makes a DCMTK program speak mutual TLS with a certificate of the node's CA."""
        key, certificate, ca = self.certificates(name)
        return ["+tls", key, certificate, "+cf", ca]

    def stop(self) -> None:
        """Ask the supervisor to stop and wait for every process."""
        if self.process is None or self.process.poll() is not None:
            return
        family = self.family()
        self.process.terminate()
        try:
            self.process.wait(_STOP_S)
        finally:
            for pid in family.values():
                _kill(pid)
        self.process = None

    def kill_all(self) -> None:
        """What is left of the node after a test that failed."""
        if self.process is not None and self.process.poll() is None:
            for pid in self.family().values():
                _kill(pid)
            self.process.wait(_STOP_S)
        self.process = None

    def family(self) -> dict[str, int]:
        """Every process of the node by its part: supervisor, receiver, worker, its children."""
        found: dict[str, int] = {}
        if self.process is None or self.process.poll() is not None:
            return found
        for pid in _descendants(self.process.pid):
            found[_part(pid, found)] = pid
        return {part: pid for part, pid in found.items() if part}

    def cli(self, *arguments: object) -> tuple[int, str]:
        """Run a command of the node; exit code and everything that it printed."""
        command = [*_COMMAND, *map(str, arguments), "--config", str(self.config)]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=120,
            env={**os.environ, "COLUMNS": "240"},
        )  # fmt: skip
        self.told.append(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def held(self) -> dict[int, str]:
        """Reason codes of the open quarantine entries by number, as the command tells them."""
        entries = {}
        for line in self.cli("quarantine", "list")[1].splitlines():
            cells = [cell.strip() for cell in line.split("│")]
            if len(cells) > 3 and cells[1].isdigit():
                entries[int(cells[1])] = cells[3]
        return entries

    def backlog(self) -> dict[str, int]:
        """The counts in the last line of ``jobs list``."""
        last = self.cli("jobs", "list")[1].strip().splitlines()[-1]
        pairs = [pair.rsplit(":", 1) for pair in last.split(", ") if ":" in pair]
        return {name: int(count) for name, count in pairs if count.strip().isdigit()}

    def is_idle(self) -> bool:
        """Whether nothing is under way: every instance has ended and every delivery is made."""
        states = self.states()
        busy = ("received", "pending", "running", "waiting")
        return not any(states.get(f"instances {state}") for state in busy) and not states.get(
            "deliveries pending"
        )

    def states(self) -> dict[str, int]:
        """Counts as in `backlog`, straight from the index: quick enough to be polled."""
        connection = sqlite3.connect(
            f"file:{self.storage / 'identified' / 'index.sqlite'}?mode=ro", uri=True, timeout=30
        )
        counts = {}
        for table in ("instances", "deliveries"):
            query = f"SELECT state, COUNT(*) FROM {table} GROUP BY state"  # noqa: S608
            counts.update({f"{table} {state}": count for state, count in connection.execute(query)})
        connection.close()
        return counts

    def await_log(self, words: str, seconds: float = 60) -> None:
        await_true(lambda: words in self.log, seconds, f"{words} in the log")


@contextmanager
def running_node(
    folder: Path, *, edit: Callable[[dict[str, Any]], None] | None = None, start: bool = True
) -> Iterator[Node]:
    """A node in a folder of its own, its configuration edited; checked for leaks at the end."""
    node = make_node(folder, edit=edit)
    try:
        if start:
            node.start()
        yield node
        node.stop()
        SEARCHED.append(assert_no_leaks(node.folder, node.storage, node.told))
    finally:
        node.kill_all()


def make_node(folder: Path, *, edit: Callable[[dict[str, Any]], None] | None = None) -> Node:
    """Initialize a node that is quick to settle: everything passes through to a folder."""
    initialize(folder, project="accept", now=datetime.now(UTC))
    node = Node(folder, free_port())
    config = yaml.safe_load(node.config.read_text())
    config["receiver"].update(port=node.port, host="127.0.0.1")
    config["storage"].update(root=str(folder / "storage"), reserve_mib=100)
    config["settling"] = {"quiet_s": 1, "report_wait_s": 10}
    config["routes"] = [
        {"name": "all", "profile": "pixel-passthrough", "destinations": ["research"]}
    ]
    config["destinations"] = [{"name": "research", "type": "folder", "path": str(node.research)}]
    config["work"].update(retry_base_s=0.5, retry_cap_s=4)
    if edit is not None:
        edit(config)
    node.secure = bool(config["receiver"].get("tls"))
    node.config.write_text(yaml.safe_dump(config, sort_keys=False))
    return node


def dimse_target(name: str, port: int, **more: Any) -> dict[str, Any]:
    """The configuration of a destination that is reached by C-STORE."""
    return {"name": name, "type": "dimse", "host": "127.0.0.1", "port": port,
            "ae_title": "RESEARCH", **more}  # fmt: skip


def send_to(config: dict[str, Any], destinations: Sequence[dict[str, Any]]) -> None:
    """Let every route deliver to these destinations beside the folder."""
    config["destinations"].extend(destinations)
    names = [target["name"] for target in config["destinations"]]
    for route in config["routes"]:
        route["destinations"] = names


def await_true(
    condition: Callable[[], object], seconds: float, what: str,
    process: subprocess.Popen[bytes] | None = None, *, every_s: float = 0.25,
) -> None:  # fmt: skip
    """Poll until a condition holds; fail if a process ends meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, f"ended before {what}"
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(every_s)


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = [
            int(child)
            for path in Path(f"/proc/{pid}/task").glob("*/children")
            for child in path.read_text().split()
        ]
    except OSError:
        return
    for child in children:
        yield from _descendants(child)


def _part(pid: int, taken: dict[str, int]) -> str:
    """What a process is in its node, as its command line tells; empty if it is gone."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return ""
    if "--role" in command:
        return command[command.index("--role") + 1]
    if "resource_tracker import main" in " ".join(command):
        return "resource tracker"
    if any("spawn_main" in word for word in command):
        return f"pool {sum(part.startswith('pool') for part in taken) + 1}"
    return "supervisor" if "serve" in command else ""


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
