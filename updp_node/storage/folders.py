"""Folders: made durably, closed to others, and shared with one group where asked."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from updp_node.errors import ConfigError, SpoolError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
_SHARED_FOLDER = 0o2750
_SHARED_FILE = 0o640


def free_bytes(path: Path) -> int:
    """Space that is free to this process on the file system of a path."""
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and the folders above it, each durable in the one above.

    Raises
    ------
    SpoolError
        The file system refuses.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with as_spool_error():
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if bits := group_bits(folder.parent):
            folder.chmod(FOLDER_MODE | bits | stat.S_ISGID)
        sync_folder(folder.parent)


def group_bits(folder: Path) -> int:
    """The bits that let a group read what is made in a folder: those of the folder itself."""
    mode = folder.stat().st_mode
    return stat.S_IRGRP | stat.S_IXGRP if mode & stat.S_ISGID and mode & stat.S_IRGRP else 0


def share_with_group(root: Path, group: str) -> None:
    """Let the members of a group read a folder and all that is and will be in it.

    The owner's rights stay; others have none. Nothing is done where it was done before.

    Parameters
    ----------
    root : pathlib.Path
    group : str
        Name of an operating-system group.

    Raises
    ------
    ConfigError
        There is no such group, or this user may not give files to it.
    """
    if group_bits(root) and root.group() == group:
        return
    try:
        for path in sorted(root.rglob("*"), reverse=True):
            shutil.chown(path, group=group)
            path.chmod(_SHARED_FOLDER if path.is_dir() else _SHARED_FILE)
        shutil.chown(root, group=group)
        root.chmod(_SHARED_FOLDER)
    except (LookupError, PermissionError) as error:
        message = "no such group, or this user is not a member of it"
        raise ConfigError(message, key="storage.released_group") from error


@contextmanager
def as_spool_error() -> Iterator[None]:
    """Tell what the file system refuses as `SpoolError`."""
    try:
        yield
    except OSError as error:
        raise SpoolError(f"file system: {error.strerror or type(error).__name__}") from error
