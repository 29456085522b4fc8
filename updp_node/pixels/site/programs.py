"""The files of an external generator: what is started is what was approved."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from updp_node.config.generators import ExternalGenerator
from updp_node.errors import ConfigError
from updp_node.pixels.site.folder import SiteFile, digest
from updp_node.pixels.site.manifest import Manifest


def check_program(command: Sequence[str], manifest: Manifest) -> None:
    """Compare the files of a program with its manifest.

    Every absolute path of the command that is a file must be named there, beginning with the
    program itself. What the program loads beyond that is named by the operator or not known.

    Raises
    ------
    ConfigError
        A file is absent, not named, changed, or can be written by others.
    """
    named = [each for each in command if os.path.isabs(each) and os.path.isfile(each)]  # noqa: PTH117, PTH113
    for path in (command[0], *named):
        if path not in manifest.files:
            raise ConfigError("is part of the command and not of the manifest", file=path)
    for path, approved in manifest.files.items():
        if read_program(Path(path)).sha256 != approved.sha256:
            raise ConfigError("differs from the digest that was approved", file=path)


def read_program(path: Path) -> SiteFile:
    """Digest of a file of a program.

    Raises
    ------
    ConfigError
        It is a link or no regular file, or its group or others may write it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        kind = type(error).__name__
        raise ConfigError(f"cannot be opened (a link?): {kind}", file=str(path)) from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError("is no regular file", file=str(path))
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError("can be written by others than its owner", file=str(path))
        return SiteFile(str(path), status.st_size, digest(handle))
    finally:
        os.close(handle)


def digest_program(source: ExternalGenerator) -> str:
    """Digest of what decides the pixels: manifest, command and environment."""
    parts = ["external", source.sha256, *source.command, "", *source.environment]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
