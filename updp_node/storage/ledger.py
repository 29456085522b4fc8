"""The ledger of the released zone: one line for each released instance, only ever appended.

The files say what was released; the ledger says for which project, and what replaced what.
From both the index can be made again; a file that the ledger does not name is never shown.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from updp_node.errors import SpoolError
from updp_node.storage.folders import FILE_MODE, group_bits, sync_folder


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One released instance.

    Attributes
    ----------
    sop_instance_uid, project : str
    file : str
        Relative to the released zone.
    sha256 : str
    released_at : float
        Unix seconds.
    supersedes : str or None
        SOP Instance UID of the generation before.
    """

    sop_instance_uid: str
    project: str
    file: str
    sha256: str
    released_at: float
    supersedes: str | None = None


class Ledger:
    """Appends to the ledger and reads it; safe from several processes at once.

    Parameters
    ----------
    path : pathlib.Path
        ``ledger.jsonl`` of the released zone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def append(self, entries: Sequence[LedgerEntry]) -> None:
        """Add entries durably. An entry that stands there already does no harm.

        Raises
        ------
        SpoolError
            The ledger cannot be written.
        """
        if not entries:
            return
        lines = "".join(f"{json.dumps(asdict(each), sort_keys=True)}\n" for each in entries)
        try:
            with self._lock:
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
                try:
                    # Another process may append too: the worker while `index rebuild` runs.
                    fcntl.flock(handle, fcntl.LOCK_EX)
                    os.fchmod(handle, FILE_MODE | group_bits(self._path.parent) & 0o040)
                    end = self._cut_unfinished(handle)
                    is_new = not end
                    content = memoryview(lines.encode())
                    while content:
                        written = os.pwrite(handle, content, end)
                        end += written
                        content = content[written:]
                    os.fsync(handle)
                    if is_new:
                        sync_folder(self._path.parent)
                finally:
                    os.close(handle)
        except OSError as error:
            raise SpoolError(f"file system: {error.strerror or type(error).__name__}") from error

    def read(self) -> Iterator[LedgerEntry]:
        """The entries, oldest first; an unfinished last line is left out.

        Raises
        ------
        SpoolError
            The ledger is damaged: a whole line cannot be read.
        """
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith("\n"):
                    return
                try:
                    yield LedgerEntry(**json.loads(line))
                except (ValueError, TypeError) as error:
                    raise SpoolError(f"ledger damaged at line {number}") from error

    @staticmethod
    def _cut_unfinished(handle: int) -> int:
        """Drop what a crash left of a line that was never committed; where to write on."""
        size = os.fstat(handle).st_size
        end = size
        while end:
            start = max(0, end - 65536)
            block = os.pread(handle, end - start, start)
            newline = block.rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end != size:
            os.ftruncate(handle, end)
        return end
