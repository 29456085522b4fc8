"""A private copy of a folder: the bytes that were hashed are the bytes that are loaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from updp_node.errors import ConfigError
from updp_node.pixels.site.folder import open_plain
from updp_node.pixels.site.manifest import ApprovedFile
from updp_node.pixels.site.strict import UntrustedFileError

_CHUNK = 1 << 22


@contextmanager
def copy_approved(folder: Path, files: Mapping[str, ApprovedFile]) -> Iterator[Path]:
    """Copy the approved files, and no others, into a folder that only this user may enter.

    Each file is read once: what is written is what was hashed, so a change between the check
    and the loading changes nothing. The copy goes when the context ends.

    Raises
    ------
    ConfigError
        A file is absent, a link, or differs from what was approved; or there is no space.
    """
    with TemporaryDirectory(prefix="updp-model-") as scratch:
        root = Path(scratch)
        for path, expected in files.items():
            target = root / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                found = _copy(folder, path, target, limit=expected.size_bytes)
            except UntrustedFileError as error:
                raise ConfigError(str(error), file=str(folder / path)) from None
            except OSError as error:
                kind = type(error).__name__
                raise ConfigError(f"cannot be copied: {kind}", file=str(folder / path)) from None
            if found != expected.sha256:
                raise ConfigError(
                    "differs from the digest that was approved", file=str(folder / path)
                )
        yield root


def _copy(folder: Path, path: str, target: Path, *, limit: int) -> str:
    """Copy one file; returns the SHA-256 of what was written."""
    total = hashlib.sha256()
    with open_plain(folder, path) as (handle, size_bytes), target.open("xb") as file:
        if size_bytes != limit:
            raise UntrustedFileError("differs from the size that was approved")
        offset = 0
        while chunk := os.pread(handle, min(_CHUNK, limit - offset) or 1, offset):
            total.update(chunk)
            file.write(chunk)
            offset += len(chunk)
            if offset > limit:
                break
    return total.hexdigest()
