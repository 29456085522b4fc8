"""The receiver with its index and nothing else: ``bare_receiver FOLDER PORT [PROCESSES]``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from updp_node.dimse.receiver import ReceiverSettings, start_receiver
from updp_node.log import configure_log
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.files import Staging
from updp_node.storage.intake import Intake


def main() -> None:
    """Receive until SIGTERM; the first process makes the database and starts the others."""
    folder, port, processes = Path(sys.argv[1]), int(sys.argv[2]), int((*sys.argv, "1")[3])
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    configure_log(console=False)
    url = sqlite_url(folder / "identified.sqlite")
    is_first = "UPDP_BENCHMARK_CHILD" not in os.environ
    children = []
    if is_first:
        migrate(url, "identified")
        environment = os.environ | {"UPDP_BENCHMARK_CHILD": "1"}
        command = [sys.executable, "-m", "tests.benchmarks.bare_receiver", *sys.argv[1:]]
        children = [subprocess.Popen(command, env=environment) for _ in range(processes - 1)]
    settings = ReceiverSettings(
        "UPDP", "127.0.0.1", port, Staging(folder / "staged"), allow_any=True,
        reuse_port=processes > 1,
    )  # fmt: skip
    intake = Intake(open_engine(url), folder)
    while len(list(folder.glob("ready*"))) < len(children):
        time.sleep(0.01)  # measured is a server that is complete
    receiver = start_receiver(settings, intake)
    (folder / f"ready{os.getpid()}").touch()
    while not ended.wait(0.5):
        pass  # a signal that another thread caught is handled at the next turn
    receiver.stop(drain_s=2)
    intake.close()
    for child in children:
        child.terminate()
        child.wait(30)


if __name__ == "__main__":
    main()
