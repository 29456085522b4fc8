"""A folder as destination: each instance one file, durable, named by released UIDs alone."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from updp_node.errors import PeerError
from updp_node.forward.destination import FolderSettings, Outcome, Reason, changed, is_unchanged
from updp_node.log import get_logger
from updp_node.model import Verified

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_COPY_BYTES = 1 << 20


class FolderDestination:
    """Copies to ``<study UID>/<SOP Instance UID>.dcm`` below a folder.

    Parameters
    ----------
    settings : FolderSettings
    """

    def __init__(self, settings: FolderSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self._settings.name

    def send(self, instances: Sequence[Verified]) -> Iterator[Outcome]:
        """Copy each instance; it is durable when its outcome is yielded.

        Raises
        ------
        PeerError
            The folder is not there or cannot be written.
        """
        self._require_folder()
        for instance in instances:
            try:
                yield self._send_one(instance)
            except OSError as error:
                raise PeerError(f"folder-unusable: error {error.errno}") from error

    def echo(self) -> float:
        """Seconds that it takes to write and remove an empty file there.

        Raises
        ------
        PeerError
            The folder is not there or cannot be written.
        """
        self._require_folder()
        started = time.monotonic()
        probe = self._settings.path / _temporary_name()
        try:
            probe.touch(mode=0o600, exist_ok=False)
            probe.unlink()
        except OSError as error:
            raise PeerError(f"folder-unusable: error {error.errno}") from error
        return time.monotonic() - started

    def _require_folder(self) -> None:
        if not self._settings.path.is_dir():
            raise PeerError("folder-absent: it does not exist, or its share is not mounted")

    def _send_one(self, instance: Verified) -> Outcome:
        if not is_unchanged(instance):
            return changed(instance)
        target = self._target(instance)
        if target.exists():
            return self._compare(instance, target)
        _make_durable_folder(target.parent)
        if not _copy_durably(instance, target):
            return changed(instance)
        return Outcome(instance.sop_instance_uid, True, None, Reason.DELIVERED)

    def _compare(self, instance: Verified, target: Path) -> Outcome:
        with target.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == instance.sha256
        if same:
            _sync(target.parent)  # an earlier run may have died between rename and fsync
            return Outcome(instance.sop_instance_uid, True, None, Reason.DELIVERED)
        get_logger().error("destination-holds-other-content", destination=self.name)
        return Outcome(instance.sop_instance_uid, False, None, Reason.CONFLICT)

    def _target(self, instance: Verified) -> Path:
        for uid in (instance.study_uid, instance.sop_instance_uid):
            if not _UID.fullmatch(uid):
                raise ValueError("a released UID is digits and dots (PS3.5 9.1)")
        return self._settings.path / instance.study_uid / f"{instance.sop_instance_uid}.dcm"


def _copy_durably(instance: Verified, target: Path) -> bool:
    """Copy beside the target, fsync, rename, fsync the folder; False if the bytes differ."""
    temporary = target.parent / _temporary_name()
    digest = hashlib.sha256()
    try:
        with instance.path.open("rb") as source, temporary.open("xb") as copy:
            while chunk := source.read(_COPY_BYTES):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != instance.sha256:
            return False
        temporary.replace(target)
        _sync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _make_durable_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _temporary_name() -> str:
    return f".{secrets.token_hex(8)}.part"
