"""Every file of a folder, looked at and not believed.

Files are opened once, without following a link, and what is checked is what was opened.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from updp_node.pixels.site.classes import FORBIDDEN_KEYS
from updp_node.pixels.site.strict import UntrustedFileError, read_json
from updp_node.pixels.site.tensors import Tensors, read_tensors

MAX_FILES = 500
MAX_DEPTH = 3
MAX_FILE_BYTES = 64 << 30
_LIMITS = {
    ".json": 64 << 20,
    ".txt": 16 << 20,
    ".md": 1 << 20,
    ".model": 16 << 20,
    ".safetensors": MAX_FILE_BYTES,
}
_DOCUMENTS = frozenset({"LICENSE", "NOTICE", "README"})
_CODE = frozenset(
    {".py", ".pyc", ".pkl", ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".so", ".dll", ".msgpack",
     ".h5", ".onnx", ".npy", ".npz", ".joblib", ".sh", ".jinja", ".gguf"}
)  # fmt: skip
_TOKENS = frozenset({"vocab.json", "added_tokens.json", "tokenizer.json"})
"""Maps whose keys are the vocabulary's words, not settings."""
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class SiteFile:
    """A file of a folder.

    Attributes
    ----------
    path : str
        Below the folder, with slashes.
    size_bytes : int
    sha256 : str
        Empty where it was refused before it was read.
    refusal : str or None
        Why it may not be there.
    tensors : Tensors or None
    """

    path: str
    size_bytes: int = 0
    sha256: str = ""
    refusal: str | None = None
    tensors: Tensors | None = field(default=None, repr=False)

    @property
    def component(self) -> str:
        """First part of the path; empty for a file of the folder itself."""
        head, _, tail = self.path.partition("/")
        return head if tail else ""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rpartition("/")[2]


def read_folder(folder: Path) -> list[SiteFile]:
    """Look at every file below a folder.

    Raises
    ------
    UntrustedFileError
        The folder is a link, no folder, or holds more than `MAX_FILES` files.
    """
    if folder.is_symlink() or not folder.is_dir():
        raise UntrustedFileError("no folder, or a link to one")
    found = []
    for path in _walk(folder, PurePosixPath()):
        found.append(_read_file(folder, path))
        if len(found) > MAX_FILES:
            raise UntrustedFileError(f"more than {MAX_FILES} files")
    return sorted(found, key=lambda each: each.path)


def read_small(folder: Path, path: str, *, limit: int) -> bytes:
    """Bytes of a small file of a folder.

    Raises
    ------
    UntrustedFileError
        It is a link, no regular file, too large, or cannot be read.
    """
    with open_plain(folder, path) as (handle, size_bytes):
        if size_bytes > limit:
            raise UntrustedFileError(f"more than {limit} bytes")
        return os.pread(handle, limit + 1, 0)


@contextmanager
def open_plain(folder: Path, path: str) -> Iterator[tuple[int, int]]:
    """Open a regular file below a folder, following no link in any part of the path.

    Yields
    ------
    tuple of int
        File descriptor, and size in bytes.

    Raises
    ------
    UntrustedFileError
        A part of the path is a link, it is no regular file, or cannot be read.
    """
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts:
        raise UntrustedFileError("a path that leaves the folder")
    folders = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    opened: list[int] = []
    try:
        opened.append(os.open(folder, folders))
        for part in parts[:-1]:
            opened.append(os.open(part, folders, dir_fd=opened[-1]))
        plain = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened.append(os.open(parts[-1], plain, dir_fd=opened[-1]))
        status = os.fstat(opened[-1])
        if not stat.S_ISREG(status.st_mode):
            raise UntrustedFileError("no regular file")
        yield opened[-1], status.st_size
    except OSError as error:
        raise UntrustedFileError(f"cannot be opened: {type(error).__name__}") from None
    finally:
        for handle in reversed(opened):
            os.close(handle)


def digest(handle: int) -> str:
    """SHA-256 of an open file."""
    total, offset = hashlib.sha256(), 0
    while chunk := os.pread(handle, _CHUNK, offset):
        total.update(chunk)
        offset += len(chunk)
    return total.hexdigest()


def _walk(root: Path, below: PurePosixPath) -> Iterator[PurePosixPath]:
    """Files, links and whatever else is no folder; a folder that is too deep stands for itself."""
    with os.scandir(root / below) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            path = below / entry.name
            if entry.is_dir(follow_symlinks=False) and len(path.parts) < MAX_DEPTH:
                yield from _walk(root, path)
            else:
                yield path


def _read_file(folder: Path, path: PurePosixPath) -> SiteFile:
    """One file with its digest, or why it may not be there."""
    shown = str(path)
    refusal = _refuse_name(folder, path)
    if refusal is not None:
        return SiteFile(shown if shown.isprintable() else ascii(shown), refusal=refusal)
    suffix = path.suffix.lower()
    try:
        with open_plain(folder, shown) as (handle, size_bytes):
            if size_bytes > _LIMITS.get(suffix, 1 << 20):
                return SiteFile(shown, size_bytes, refusal="larger than its kind may be")
            tensors = read_tensors(handle, size_bytes) if suffix == ".safetensors" else None
            if suffix == ".json":
                _check_json(path.name, os.pread(handle, size_bytes, 0))
            return SiteFile(shown, size_bytes, digest(handle), tensors=tensors)
    except UntrustedFileError as error:
        return SiteFile(shown, refusal=str(error))


def _refuse_name(folder: Path, path: PurePosixPath) -> str | None:
    """Why a file may not be there, as far as its name and kind tell."""
    suffix = path.suffix.lower()
    if not str(path).isprintable() or any(part.startswith(".") for part in path.parts):
        return "a hidden or unprintable name"
    if (folder / path).is_symlink():
        return "a link"
    if (folder / path).is_dir():
        return "folders nested too deep"
    if suffix in _CODE:
        return f"{suffix}: can hold code"
    if suffix not in _LIMITS and path.name not in _DOCUMENTS:
        return "a kind of file that is not on the list"
    return None


def _check_json(name: str, content: bytes) -> None:
    """Strict JSON, which names no code and no file elsewhere."""
    value = read_json(content, limit=_LIMITS[".json"])
    if name not in _TOKENS:
        _refuse_keys(value)


def _refuse_keys(value: object) -> None:
    if isinstance(value, dict):
        for key, child in value.items():
            if key in FORBIDDEN_KEYS and child not in (None, [], "", False):
                raise UntrustedFileError(f"the key {key}")
            _refuse_keys(child)
    elif isinstance(value, list):
        for child in value:
            _refuse_keys(child)
