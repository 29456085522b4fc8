"""What strace sees: file, folder, row, and only then the response."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.node import running_node
from tests.contracts.peers import free_port
from tests.integration.receiving import run_dcmtk, write_instance

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(
        shutil.which("strace") is None,
        reason="STRACE IS NOT INSTALLED: the order is not proven here",
    ),
]
ORDER = ["rename", "durable", "durable", "commit", "response"]


def test_success_is_sent_after_file_folder_and_row_are_synchronized(tmp_path: Path) -> None:
    for number in range(5):
        write_instance(tmp_path / "a" / f"{number}.dcm", number, size_bytes=100_000)
    port, trace, node = free_port(), tmp_path / "trace", tmp_path / "node"
    node.mkdir()
    tracer = subprocess.Popen(
        ["strace", "-f", "-ttt", "-y", "-e", "trace=fsync,fdatasync,sendto,rename", "-o",
         str(trace), sys.executable, "-m", "tests.benchmarks.bare_receiver", str(node), str(port)],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_echo(port)
        code, output = run_dcmtk(
            "storescu", "-aec", "UPDP", "+sd", "127.0.0.1", port, tmp_path / "a"
        )
        assert code == 0, output
    finally:
        children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        subprocess.run(["kill", *children], check=False)
        tracer.wait(30)
    orders = _orders(trace.read_text().splitlines())
    assert orders == [ORDER] * 5


def test_success_is_sent_last_by_the_receiver_of_a_whole_node(tmp_path: Path) -> None:
    for number in range(5):
        write_instance(tmp_path / "a" / f"{number}.dcm", number, size_bytes=100_000)
    trace = tmp_path / "trace"
    with running_node(tmp_path / "node") as node:
        tracer = subprocess.Popen(
            ["strace", "-f", "-ttt", "-y", "-e", "trace=fsync,fdatasync,sendto,rename", "-o",
             str(trace), "-p", str(node.family()["receiver"])],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()
        code, output = run_dcmtk("storescu", "-aec", "UPDP_NODE", "+sd", "127.0.0.1", node.port,
                                 tmp_path / "a")  # fmt: skip
        assert code == 0, output
        tracer.terminate()
        tracer.wait(30)
    assert _orders(trace.read_text().splitlines()) == [ORDER] * 5


def _await_echo(port: int) -> None:
    deadline = time.monotonic() + 60
    while run_dcmtk("echoscu", "-to", 2, "-aec", "UPDP", "127.0.0.1", port)[0]:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _orders(lines: list[str]) -> list[list[str]]:
    """The steps of each instance, each when its system call has *returned*.

    ``durable`` stands twice, for the file and for its folder: they run at the same time.
    """
    orders: list[list[str]] = []
    open_calls: dict[str, str] = {}
    for line in lines:
        thread = line.split()[0]
        call = open_calls.pop(thread, "") if "resumed>" in line else line
        if "<unfinished" in line:
            open_calls[thread] = line
            continue
        step = _step(call)
        if step == "rename":
            orders.append([])
        if not step or not orders or "response" in orders[-1]:
            continue
        if step != "commit" or orders[-1][-1] != "commit":  # the association has a row too
            orders[-1].append(step)
    return orders


def _step(call: str) -> str:
    if "rename(" in call and "/staged/" in call:
        return "rename"
    if "fsync(" in call and "/staged/" in call:
        return "durable"
    if "sync(" in call and "-wal>" in call:
        return "commit"
    return "response" if "sendto(" in call and '"\\4' in call else ""
