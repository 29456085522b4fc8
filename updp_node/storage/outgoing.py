"""Files between the gate and the record of their release: in the identified zone.

Whatever lies in the released zone may be read by those who may read that zone, so a file comes
there once its release is recorded and not before. A counterpart that waits for others to share
its prompt never comes there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from updp_node.storage.files import PARTIAL_SUFFIX, temporary_file
from updp_node.storage.folders import (
    FILE_MODE,
    as_spool_error,
    group_bits,
    make_folder,
    sync_folder,
)

FILES = "files"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Tidied:
    """What a start found that a crash, or a version before this one, had left behind.

    Attributes
    ----------
    removed : int
        Outgoing files whose release was never recorded; their batch is made again.
    put_aside : int
        Files of the released zone that nothing names: never sent, never shown to anybody.
    """

    removed: int
    put_aside: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Where verified files wait for the record of their release.

    Attributes
    ----------
    root : pathlib.Path
        In the identified zone, closed to all others. A file has the same path below it as it
        will have below `released`.
    released : pathlib.Path
        Root of the released zone.
    """

    root: Path
    released: Path

    @property
    def files(self) -> Path:
        """Where `updp_node.storage.files.write_released` writes."""
        return self.root / FILES

    def place(self, file: str, sha256: str) -> None:
        """Bring a recorded file to the released zone, durably; again is nothing.

        Parameters
        ----------
        file : str
            Relative to the released zone, as it is recorded.
        sha256 : str
            As it is recorded. A file of other content under this name was never recorded, and
            goes.

        Raises
        ------
        SpoolError
            The file system refuses.
        """
        source, target = self.root / file, self.released / file
        if not source.exists():
            return
        make_folder(target.parent)
        if target.exists() and _digest(target) == sha256:
            source.unlink(missing_ok=True)
            return
        with as_spool_error():
            _open_to_group(source, target.parent)
            try:
                source.replace(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                with temporary_file(target, _chunks(source)) as copy:
                    copy.replace(target)
            sync_folder(target.parent)
            source.unlink(missing_ok=True)

    def discard(self, file: str) -> None:
        """Remove a file that is not released after all."""
        with contextlib.suppress(OSError):
            (self.root / file).unlink(missing_ok=True)

    def tidy(
        self, recorded: Callable[[Collection[str]], set[str]],
        named: Callable[[Collection[str]], set[str]], aside: Path,
    ) -> Tidied:  # fmt: skip
        """Remove what was never recorded, and put aside what lies unrecorded among the released.

        Only while nothing is being released. A file that a record names is never touched.

        Parameters
        ----------
        recorded, named : callable
            Of SOP Instance UIDs those whose release the identified index has recorded, and those
            that the released zone names itself.
        aside : pathlib.Path
            Folder of the identified zone. After a lost index a file may be one that was
            released, therefore it is kept.

        Raises
        ------
        SpoolError
            The file system refuses.
        """
        removed = put_aside = 0
        for paths in _folders(self.files):
            known = recorded({path.stem for path in paths})
            for path in paths:
                if path.stem not in known:
                    path.unlink(missing_ok=True)
                    removed += 1
        make_folder(aside)
        for paths in _folders(self.released / FILES):
            uids = {path.stem for path in paths}
            strangers = uids - recorded(uids)
            strangers -= named(strangers) if strangers else set()
            for path in paths:
                if path.suffix == PARTIAL_SUFFIX:
                    path.unlink(missing_ok=True)
                elif path.stem in strangers:
                    _put_aside(path, aside)
                    put_aside += 1
        return Tidied(removed, put_aside)


def _folders(root: Path) -> Iterator[list[Path]]:
    """The files of each folder of a zone."""
    for folder in sorted(root.glob("*/")):
        if paths := [path for path in folder.iterdir() if path.is_file()]:
            yield paths


def _put_aside(path: Path, folder: Path) -> None:
    """Move a file into another folder, also of another file system; it is gone here last."""
    target = folder / path.name
    with as_spool_error(), temporary_file(target, _chunks(path)) as copy:
        copy.replace(target)
        sync_folder(folder)
        path.unlink()
        sync_folder(path.parent)


def _open_to_group(path: Path, folder: Path) -> None:
    """Give a file the group and the mode that it would have if it had been made in a folder."""
    if bits := group_bits(folder):
        shutil.chown(path, group=folder.stat().st_gid)
        path.chmod(FILE_MODE | bits & 0o040)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
