"""A program that answers lines with lines, kept on a short leash."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

_CHUNK = 1 << 16


class ProcessFault(Exception):  # noqa: N818  # a fault of the program, not an error of the node
    """The program ended, hung or said too much.

    Parameters
    ----------
    reason : str
        ``ended``, ``timeout``, ``too-long`` or ``not-started``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class LineProcess:
    """A child that is written one line and answers one line.

    It gets no shell, an environment of its own, an empty working folder, and of our files
    only its two pipes. Its standard error is thrown away: it could hold anything.

    Parameters
    ----------
    command : sequence of str
    environment : sequence of str
        ``NAME=value``; nothing else of ours is passed on.

    Raises
    ------
    ProcessFault
        ``not-started``.
    """

    def __init__(self, command: Sequence[str], environment: Sequence[str] = ()) -> None:
        self._home = TemporaryDirectory(prefix="updp-generator-")
        given = dict(entry.split("=", 1) for entry in environment)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._home.name,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": self._home.name, **given},
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError):
            self._home.cleanup()
            raise ProcessFault("not-started") from None
        os.set_blocking(self._output, False)
        os.set_blocking(self._input, False)
        self._left = b""
        self._ended = False

    def ask(self, line: bytes, *, timeout_s: float, limit: int) -> bytes:
        """Write a line and read the line that answers it.

        Parameters
        ----------
        line : bytes
            Without its end.
        timeout_s : float
            For both together.
        limit : int
            Longest answer in bytes.

        Raises
        ------
        ProcessFault
            ``ended``, ``timeout`` or ``too-long``; the process is to be killed then.
        """
        if self._left:
            raise ProcessFault("too-long")  # it spoke without being asked
        deadline = time.monotonic() + timeout_s
        self._write(line + b"\n", deadline)
        received = bytearray()
        while b"\n" not in received:
            self._wait(self._output, selectors.EVENT_READ, deadline)
            try:
                chunk = os.read(self._output, _CHUNK)
            except BlockingIOError:
                continue
            if not chunk:
                raise ProcessFault("ended")
            received += chunk
            if len(received) > limit:
                raise ProcessFault("too-long")
        answer, _, self._left = bytes(received).partition(b"\n")
        return answer

    def kill(self) -> None:
        """End the process and whatever it started in its session."""
        if self._ended:
            return
        self._ended = True  # its number may be another's once it was waited for
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._home.cleanup()

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    @property
    def _output(self) -> int:
        return self._process.stdout.fileno() if self._process.stdout else -1

    @property
    def _input(self) -> int:
        return self._process.stdin.fileno() if self._process.stdin else -1

    def _write(self, content: bytes, deadline: float) -> None:
        while content:
            self._wait(self._input, selectors.EVENT_WRITE, deadline)
            try:
                content = content[os.write(self._input, content) :]
            except BlockingIOError:
                continue
            except OSError:
                raise ProcessFault("ended") from None

    @staticmethod
    def _wait(handle: int, event: int, deadline: float) -> None:
        """Wait for one pipe, at most until the deadline."""
        with selectors.DefaultSelector() as selector:
            selector.register(handle, event)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise ProcessFault("timeout")
