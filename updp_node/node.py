"""The processes of ``updp-node serve``: a supervisor, receivers and the worker.

The supervisor starts the others and starts again whichever ends; the receiver goes on
answering while the worker is away. Every child ends when the supervisor ends, however it
ends, since its standard input is a pipe that only the supervisor holds open.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from updp_node.config import Config, ResearchFile, load_config
from updp_node.errors import ConfigError
from updp_node.log import get_logger
from updp_node.storage.folders import make_folder
from updp_node.zones import Zones, staging_area

_CHILD = "UPDP_NODE_CHILD"
_QUIET_TRACKER = {"PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker"}
"""It tidies the semaphores of a worker that ended; its warnings would stand in the log."""
_RESTART_S = (0.2, 30.0)
_HEALTHY_S = 60.0
_STOP_S = 20.0
_LOCK_WAIT_S = 30.0
_WORKER_NICENESS = 10  # whoever sends comes before what can wait


@dataclass
class Child:
    """A child process and when it may be started again."""

    role: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    delay_s: float = field(default=_RESTART_S[0])
    start_at: float = 0.0

    def tend(self, now: float) -> None:
        """Start the process if it is due, and note its end."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            healthy = now - self.started_at > _HEALTHY_S
            self.delay_s = _RESTART_S[0] if healthy else min(self.delay_s * 2, _RESTART_S[1])
            self.start_at = now + self.delay_s
            get_logger().error("process-ended", role=self.role, status=code)
            self.process = None
        if now >= self.start_at:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, env=os.environ | _QUIET_TRACKER | {_CHILD: "1"}
            )
            self.started_at = now
            get_logger().info("process-started", role=self.role, pid=self.process.pid)

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, until: float) -> None:
        """Wait for the end; make it so when the time is over."""
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(until - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def supervise(config_path: Path) -> None:
    """Run the node until SIGTERM or SIGINT.

    Raises
    ------
    ConfigError
        The configuration cannot be used; nothing was started.
    """
    config = load_config(config_path)
    Zones.of(config).prepare()
    command = [sys.executable, "-m", "updp_node", "serve", "--config", str(config_path), "--role"]
    receivers = [
        Child("receiver", [*command, "receiver"]) for _ in range(config.receiver.processes)
    ]
    children = [*receivers, Child("worker", [*command, "worker"])]
    if config.research is not None:
        children.append(Child("research", [*command, "research"]))
    with locked(config.identified / "node.lock"):
        with locked(config.identified / "receiver.lock"):  # a receiver may outlive its supervisor
            tidy_staging(config)
        stop = stop_event()
        while not stop.is_set():
            for child in children:
                child.tend(time.monotonic())
            stop.wait(0.1)
        get_logger().info("node-stopping")
        for child in children:
            child.stop()
        until = time.monotonic() + _STOP_S
        for child in children:
            child.wait(until)


def tidy_staging(config: Config) -> None:
    """Remove half-received files, and put whole ones that no index row knows aside.

    Such a file was usually never acknowledged, so that the sender has it. But after a restored
    or replaced index it may be one that was: it is moved to ``orphans``, never deleted.
    """
    from updp_node.storage.study_index import StudyIndex  # noqa: PLC0415  # heavy, supervisor only

    area = staging_area(config)
    area.prepare()
    orphans = config.identified / "orphans"
    make_folder(orphans)
    index = StudyIndex(Zones.of(config).open_identified())
    index.close_associations(time.time())
    known = index.staged_files()
    removed = area.remove_partial()
    moved = 0
    for path in area.root.glob("*/*.dcm"):
        if str(path.relative_to(config.identified)) not in known:
            path.rename(orphans / path.name)
            moved += 1
    if removed or moved:
        get_logger().warning("staging-tidied", count=removed, status=f"{moved} put aside")


def run_receiver(config: Config) -> None:
    """Receive until told to stop; imports nothing that a receiver does not need."""
    from updp_node.dimse.peers import Peer  # noqa: PLC0415  # the worker has no pynetdicom server
    from updp_node.dimse.receiver import ReceiverSettings, serve  # noqa: PLC0415
    from updp_node.storage.intake import Intake  # noqa: PLC0415

    section = config.receiver
    settings = ReceiverSettings(
        ae_title=section.ae_title,
        host=section.host,
        port=section.port,
        staging=staging_area(config),
        peers=tuple(Peer(rule.ae_title, rule.networks) for rule in section.peers),
        allow_any=section.allow_any_peer,
        require_called_ae_title=section.require_called_ae_title,
        tls=section.tls.settings() if section.tls else None,
        require_client_certificate=bool(section.tls and section.tls.require_client_certificate),
        max_associations=section.max_associations,
        per_peer_associations=section.max_associations_per_peer,
        acse_timeout_s=section.acse_timeout_s,
        dimse_timeout_s=section.dimse_timeout_s,
        network_timeout_s=section.network_timeout_s,
        max_pdu_size=section.max_pdu_bytes,
        reuse_port=section.processes > 1,
    )
    stop = stop_event(watch_parent=True)
    with locked(config.identified / "receiver.lock", shared=True):
        intake = Intake(Zones.of(config).open_identified(), config.identified)
        serve(settings, intake, stop)
        intake.close()


def run_worker(config: Config) -> None:
    """Work until told to stop. One worker at a time: a lock is held on the zone.

    The process ends at once. Workflows that outlived the crew would try their steps in vain
    until they gave healthy runs up; whatever is under way is begun again at the next start.
    """
    from updp_node.worker import Worker  # noqa: PLC0415  # the receiver stays small

    os.nice(_WORKER_NICENESS)
    with locked(config.identified / "worker.lock"):
        worker = Worker.open(config)
        status = 0
        try:
            worker.scheduler.run(stop_event(watch_parent=True))
        except Exception as error:  # noqa: BLE001  # told without its text; the process ends
            sys.excepthook(type(error), error, error.__traceback__)
            status = 1
        worker.close()
        sys.stderr.flush()
        os._exit(status)


def run_research(config: ResearchFile) -> None:
    """Serve researchers until told to stop; imports nothing of the identified zone."""
    from updp_node import research_process  # noqa: PLC0415  # the receiver has no use for it

    is_child = os.environ.get(_CHILD) == "1"  # else it runs alone, as another user
    research_process.run_research(config, stop_event(watch_parent=is_child))


def stop_event(*, watch_parent: bool = False) -> threading.Event:
    """An event that SIGTERM and SIGINT set, and the end of the supervisor where asked."""
    stop = threading.Event()

    def _stop(*_: object) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    if watch_parent:
        threading.Thread(target=_await_parent, args=(stop,), daemon=True).start()
    return stop


def _await_parent(stop: threading.Event) -> None:
    """Wait for the end of standard input; then leave, with force if need be."""
    while os.read(sys.stdin.fileno(), 4096):
        continue
    stop.set()
    time.sleep(_STOP_S)
    os._exit(1)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock; the system gives it back however the process ends.

    Raises
    ------
    ConfigError
        Another process holds it.
    """
    with path.open("w") as file:
        until = time.monotonic() + _LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
                break
            except OSError as error:
                if time.monotonic() > until:
                    message = "another node works on this storage already"
                    raise ConfigError(message, file=str(path)) from error
                time.sleep(0.1)
        yield
