"""Files that survive a crash: the one writer of staged and released objects.

A name is made durable with its content: the file is synchronized, then the folder that
names it. Paths are opaque; only this user enters them, and the group of a shared released zone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from updp_node.errors import InstanceError, SpoolError
from updp_node.model import VerifiedBytes
from updp_node.storage.folders import (
    FILE_MODE,
    FOLDER_MODE,
    as_spool_error,
    free_bytes,
    group_bits,
    make_folder,
    sync_folder,
)

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
PARTIAL_SUFFIX = ".part"
_FAN_OUT = tuple(f"{number:02x}" for number in range(256))
_CHECK_SPACE_EVERY_BYTES = 16 << 20
_SYNC_EVERY_BYTES = 64 << 20
_UID = re.compile(r"[0-9.]{1,64}")

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Staging:
    """The staging area: files with random names in 256 folders.

    Attributes
    ----------
    root : pathlib.Path
    reserve_bytes : int
        Space that staged files leave free on the file system.
    """

    root: Path
    reserve_bytes: int = 0

    def prepare(self) -> None:
        """Make the folders, durably; what is there already is left alone.

        Raises
        ------
        SpoolError
            A folder could not be made.
        """
        make_folder(self.root)
        with as_spool_error():
            for name in _FAN_OUT:
                (self.root / name).mkdir(mode=FOLDER_MODE, exist_ok=True)
            sync_folder(self.root)

    def create(self) -> StagedFile:
        """Begin a new staged file.

        Raises
        ------
        SpoolError
            Less than the reserve is free, or the file could not be made.
        """
        name = uuid.uuid4().hex
        return StagedFile(self.root / name[:2] / f"{name}.dcm", self.reserve_bytes)

    def remove_partial(self) -> int:
        """Remove what a crash left half written; only while nothing is being received.

        Returns
        -------
        int
            How many files were removed.
        """
        partial = list(self.root.glob(f"*/*{PARTIAL_SUFFIX}"))
        for path in partial:
            path.unlink(missing_ok=True)
        return len(partial)


class StagedFile:
    """One file of the staging area while it is written.

    Until `keep` has returned nothing may refer to it. The final name is given before the
    synchronization, so that one journal commit makes content and name durable: a file
    under its final name counts only once a committed row names it.

    Parameters
    ----------
    path : pathlib.Path
        Final name; the folder is there.
    reserve_bytes : int
        As `Staging.reserve_bytes`.

    Raises
    ------
    SpoolError
        From every method: the file system refuses, or the reserve is reached.
    """

    def __init__(self, path: Path, reserve_bytes: int) -> None:
        self.path = path
        self.size_bytes = 0
        self._reserve_bytes = reserve_bytes
        self._partial = path.with_suffix(PARTIAL_SUFFIX)
        self._checked_at = self._synced_at = 0
        self._require_space()
        with as_spool_error():
            self._handle = os.open(self._partial, _CREATE, FILE_MODE)

    def write(self, content: Buffer) -> None:
        """Append bytes; very large files are synchronized on the way."""
        with as_spool_error():
            self.size_bytes += _write_all(self._handle, content)
            if self.size_bytes - self._synced_at >= _SYNC_EVERY_BYTES:
                os.fdatasync(self._handle)
                self._synced_at = self.size_bytes
        if self.size_bytes - self._checked_at >= _CHECK_SPACE_EVERY_BYTES:
            self._require_space()
            self._checked_at = self.size_bytes

    def keep(self) -> None:
        """Give the file its name and make both durable.

        File and folder are synchronized at the same time: each waits for the same journal
        commit and for a flush of the device, and the device merges the two.
        """
        with as_spool_error():
            self._partial.rename(self.path)
            with ThreadPoolExecutor(1) as other:
                folder = other.submit(sync_folder, self.path.parent)
                os.fsync(self._handle)
            folder.result()
            os.close(self._handle)
            self._handle = -1

    def discard(self) -> None:
        """Remove the file, kept or not; never raises."""
        if self._handle >= 0:
            with contextlib.suppress(OSError):
                os.close(self._handle)
            self._handle = -1
        for path in (self._partial, self.path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _require_space(self) -> None:
        with as_spool_error():
            free = free_bytes(self.path.parent)
        if free < self._reserve_bytes:
            raise SpoolError("free space is below the reserve")


def write_durably(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write a file so that a crash leaves the old content or the new, nothing between.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is there. A file of that name is replaced.
    content : bytes or iterable of bytes

    Raises
    ------
    SpoolError
        The file could not be written; nothing is left of it.
    """
    with temporary_file(path, content) as temporary:
        temporary.replace(path)
        sync_folder(path.parent)


def write_released(folder: Path, verified: VerifiedBytes, *, replace: bool = False) -> Path:
    """Write a verified object under the name that it has as a released file.

    Parameters
    ----------
    folder : pathlib.Path
        Root of the files: of a node, those that wait for the record of their release
        (`updp_node.storage.outgoing`).
    verified : VerifiedBytes
    replace : bool
        Whether a file under this UID may go: one that an interrupted step left behind, which
        the index never recorded as released and which therefore nobody has seen.

    Returns
    -------
    pathlib.Path
        ``folder/xx/<SOP Instance UID>.dcm``, durable.

    Raises
    ------
    InstanceError
        ``released-instance-differs``: other content stands under this UID already.
        ``released-content-damaged``: the bytes are not those that the gate saw.
        ``released-uid-invalid``: the UID cannot be a file name.
    SpoolError
        The file could not be written.
    """
    path = _released_path(folder, verified)
    make_folder(path.parent)
    with temporary_file(path, verified.encoded) as temporary:
        try:
            path.hardlink_to(temporary)  # unlike a rename it never replaces a file
        except FileExistsError:
            if replace:
                temporary.replace(path)
            else:
                _require_equal(path, verified.sha256)
        temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    return path


def _released_path(folder: Path, verified: VerifiedBytes) -> Path:
    uid = verified.sop_instance_uid
    if not _UID.fullmatch(uid) or ".." in uid:
        raise InstanceError("released-uid-invalid", "(0008,0018)")
    if hashlib.sha256(verified.encoded).hexdigest() != verified.sha256:
        raise InstanceError("released-content-damaged")
    fan_out = hashlib.sha256(uid.encode()).hexdigest()
    return folder / fan_out[:2] / f"{uid}.dcm"


def _require_equal(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise InstanceError("released-instance-differs")


@contextmanager
def temporary_file(path: Path, content: bytes | Iterable[bytes]) -> Iterator[Path]:
    """A synchronized file beside `path`, to be moved to it; removed if what follows fails.

    Raises
    ------
    SpoolError
        The file could not be written.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}{PARTIAL_SUFFIX}")
    try:
        with as_spool_error():
            handle = os.open(temporary, _CREATE, FILE_MODE)
            os.fchmod(handle, FILE_MODE | group_bits(path.parent) & 0o040)
            try:
                for chunk in (content,) if isinstance(content, bytes) else content:
                    _write_all(handle, chunk)
                os.fsync(handle)
            finally:
                os.close(handle)
            yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write_all(handle: int, content: Buffer) -> int:
    view = memoryview(content)
    written = 0
    while written < len(view):
        written += os.write(handle, view[written:])
    return written
