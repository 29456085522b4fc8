"""A research process as a black box: a released zone, ``serve --role research``."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pydicom
import yaml
from pydicom.dataset import Dataset

from tests.acceptance.node import await_true
from tests.acceptance.research.questions import REQUESTERS, STUDY_ROOT
from tests.acceptance.research.zone import PROJECTS, Zone, make_zone
from tests.contracts.peers import free_port
from tests.integration.receiving import run_dcmtk
from updp_node.initialize import initialize

AE_TITLE = "RESEARCH_QR"
_COMMAND = (sys.executable, "-m", "updp_node")
FINDSCU = "/usr/bin/findscu"  # pynetdicom installs a program of the same name
_START_S = 60.0


@dataclass
class ResearchNode:
    """A research process and what is needed to ask it."""

    folder: Path
    zone: Zone
    port: int
    web_port: int
    process: subprocess.Popen[bytes] | None = None
    told: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "updp-node.yaml"

    @property
    def released(self) -> Path:
        return self.folder / "storage" / "released"

    @property
    def identified(self) -> Path:
        return self.folder / "storage" / "identified"

    @property
    def log(self) -> str:
        path = self.folder / "research.log"
        return path.read_text() if path.exists() else ""

    def cli(self, *arguments: object) -> tuple[int, str]:
        """Run a command of the node; exit code and everything that it printed."""
        command = [*_COMMAND, *map(str, arguments), "--config", str(self.config)]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=300,
            env={**os.environ, "COLUMNS": "240"},
        )  # fmt: skip
        self.told.append(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def start(
        self, *, wrapper: Sequence[str] = (), user: str | None = None,
        python: tuple[str, dict[str, str]] | None = None,
    ) -> None:  # fmt: skip
        """Serve and wait until C-ECHO is answered.

        Parameters
        ----------
        wrapper : sequence of str
            A command that runs the process.
        user : str, optional
            Another operating-system user.
        python : tuple, optional
            Another interpreter, and what it needs in the environment.
        """
        program, environment = python or (sys.executable, {})
        account = pwd.getpwnam(user) if user else None
        more: dict[str, Any] = {}
        if account is not None:
            more = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with (self.folder / "research.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, program, "-m", "updp_node", "serve", "--role", "research",
                 "--config", str(self.config)],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, **environment, **({"HOME": "/nonexistent"} if user else {})},
                cwd="/" if user else None, **more,
            )  # fmt: skip
        await_true(self.answers, _START_S, "the research process answers C-ECHO", self.process)

    def answers(self) -> bool:
        code, _ = run_dcmtk("echoscu", "-to", 5, "-aet", "REQ_A", "-aec", AE_TITLE,
                            "127.0.0.1", self.port)  # fmt: skip
        return code == 0

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is None or self.process.poll() is not None:
            return
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.process = None

    def rss_mb(self) -> float:
        """Resident memory of the process and its children."""
        assert self.process is not None
        return sum(_rss_bytes(pid) for pid in family_of(self.process.pid)) / 1e6

    def peak_mb(self) -> float:
        """Highest resident memory of the process (not of wrappers) so far."""
        assert self.process is not None
        peaks = [_status_kb(pid, "VmHWM") for pid in family_of(self.process.pid)]
        return max(peaks) / 1e3

    def find(
        self, identifier: Dataset, folder: Path, *, model: str = STUDY_ROOT, calling: str = "REQ_A"
    ) -> tuple[list[Dataset], str]:
        """Ask with DCMTK's findscu: the answers as it wrote them, and what it said."""
        folder.mkdir(parents=True)
        question = folder / "question.dcm"
        write_identifier(identifier, question)
        code, told = run_findscu(
            "-d", "-X", "-od", folder, "-S" if model == STUDY_ROOT else "-P",
            "-aet", calling, "-aec", AE_TITLE, "127.0.0.1", self.port, question,
        )  # fmt: skip
        self.told.append(told)
        assert code == 0, told[-2000:]
        paths = sorted(folder.glob("rsp*.dcm"))
        return [pydicom.dcmread(path, force=True) for path in paths], told


def run_findscu(*arguments: object) -> tuple[int, str]:
    """Run findscu: exit code and what it said, which is in the character set of the answers."""
    done = subprocess.run(
        [FINDSCU, *map(str, arguments)], check=False, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"TCP_NODELAY": "1"},
    )  # fmt: skip
    return done.returncode, done.stdout.decode("utf-8", "replace")


def write_identifier(identifier: Dataset, path: Path) -> None:
    """A request for DCMTK to read: a data set without file meta, implicit VR."""
    with path.open("wb") as file:
        pydicom.dcmwrite(file, identifier, implicit_vr=True, little_endian=True)


def make_research_node(
    folder: Path, *, studies: int = 300, big: bool = True,
    edit: Callable[[dict[str, Any]], None] | None = None,
) -> ResearchNode:  # fmt: skip
    """A folder with a released zone, its index made by ``index rebuild``, and a configuration."""
    initialize(folder, project=PROJECTS[0], now=datetime.now(UTC))
    released = folder / "storage" / "released"
    released.mkdir(parents=True)
    made = make_zone(released, studies=studies, big=big)
    node = ResearchNode(folder, made, free_port(), free_port())
    config = yaml.safe_load(node.config.read_text())
    config["receiver"]["port"] = free_port()
    config["storage"].update(root=str(folder / "storage"), reserve_mib=10)
    config["research"] = {
        "ae_title": AE_TITLE, "host": "127.0.0.1", "port": node.port,
        "access": [
            {"ae_title": name, "networks": ["127.0.0.0/8"], "projects": list(projects)}
            for name, projects in REQUESTERS.items()
        ],
        "web": {"host": "127.0.0.1", "port": node.web_port},
    }  # fmt: skip
    if edit is not None:
        edit(config)
    node.config.write_text(yaml.safe_dump(config, sort_keys=False))
    code, told = node.cli("index", "rebuild")
    assert code == 0, told
    return node


@contextmanager
def running_research(folder: Path, **how: Any) -> Iterator[ResearchNode]:
    """A research process that serves a made zone."""
    node = make_research_node(folder, **how)
    node.start()
    try:
        yield node
    finally:
        node.stop()
        assert "Traceback" not in node.log, node.log[-3000:]
        assert "process-crashed" not in node.log, node.log[-3000:]


def family_of(pid: int) -> list[int]:
    """A process and everything below it."""
    found = [pid]
    for each in found:
        try:
            for path in Path(f"/proc/{each}/task").glob("*/children"):
                found += [int(child) for child in path.read_text().split()]
        except OSError:
            continue
    return found


def settle(seconds: float = 0.3) -> None:
    """Let the process write what it still has to write to its log."""
    time.sleep(seconds)


def _rss_bytes(pid: int) -> int:
    return _status_kb(pid, "VmRSS") * 1000


def _status_kb(pid: int, field_name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field_name)), 0)
