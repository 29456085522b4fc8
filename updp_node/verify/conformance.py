"""What `dciodvfy` says of an object that it did not say of its source.

References
----------
David Clunie's dicom3tools; PS3.3 Annex A (the IODs that it knows).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from pydicom.datadict import dictionary_has_tag

_TIMEOUT_S = 3
_MOST_TOLD_BYTES = 8 << 20
_TAG = re.compile(r"\([0-9a-f]{4},[0-9a-f]{4}")
_PATH = re.compile(r"</[^>]*>")
_NAMED = re.compile(r"(?:Element|Module)=<[A-Za-z0-9]+>")
_TOLD = re.compile(r"<[^>]*(?:>|$)|\"[^\"]*(?:\"|$)|\[[^\]]*(?:\]|$)|=.*$")
_SPACES = re.compile(r"[\s-]*\s[\s-]*")
_UNREAD = ("Dicom dataset read failed", "Information Object Not found", "Seek failed")


def compare_conformance(source: Path | bytes, output: bytes) -> list[str]:
    """Kinds of errors of an object that its source had not.

    Parameters
    ----------
    source : pathlib.Path or bytes
        The Part 10 file that was received.
    output : bytes
        The Part 10 file that is to be released.

    Returns
    -------
    list of str
        Tag paths and the checker's own words, sorted; no values of attributes. Empty where
        `dciodvfy` is not installed, says nothing in time or cannot read the source.
    """
    if not is_installed():
        return []
    ours = _errors(output)
    theirs = _errors(source) if ours else set()
    is_measure = not any(kind.startswith(_UNREAD) for kind in theirs or ())
    return sorted(ours - theirs) if ours and theirs is not None and is_measure else []


@lru_cache(maxsize=1)
def is_installed() -> bool:
    """Whether `dciodvfy` is on the path."""
    return shutil.which("dciodvfy") is not None


def _errors(part10: Path | bytes) -> set[str] | None:
    """Kinds of errors; None where the checker came to no end."""
    try:
        with (
            part10.open("rb") if isinstance(part10, Path) else _in_memory(part10) as file,
            _in_memory(b"") as told,
            _in_memory(b"") as warned,
        ):
            # Into files: it says every word on its own, and a pipe would wake us for each.
            run = subprocess.run(
                ["dciodvfy", "-new"], stdin=file, stdout=told, stderr=warned,
                timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
            lines = _lines(told) + _lines(warned)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if run.returncode < 0:
        return None
    errors = (line for line in lines if line.startswith("Error"))
    return {_kind(line) for line in errors if not _is_of_a_newer_standard(line)}


def _is_of_a_newer_standard(line: str) -> bool:
    """Whether an attribute is merely newer than the checker: Synthetic Data (0008,001C), say."""
    tags = _TAG.findall(line)
    if "not a recognized standard attribute" not in line or not tags:
        return False
    group, element = tags[-1].strip("(").split(",")
    return dictionary_has_tag(int(group, 16) << 16 | int(element, 16))


def _lines(file: IO[bytes]) -> list[str]:
    file.seek(0)
    return file.read(_MOST_TOLD_BYTES).decode("latin-1").splitlines()


def _in_memory(part10: bytes) -> IO[bytes]:
    """A file without a name, as the checker seeks; in memory, as it may name somebody yet."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("part10"), "w+b")
    else:
        file = TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(part10)
    file.seek(0)
    return file


def _kind(line: str) -> str:
    """A line without item numbers and values."""
    where = "".join(f"{tag})" for path in _PATH.findall(line) for tag in _TAG.findall(path))
    named = " ".join(_NAMED.findall(line))
    said = _TOLD.sub("", _NAMED.sub("", _PATH.sub("", line.removeprefix("Error"))))
    return _SPACES.sub(" ", f"{where} {said.strip(' -')} {named}").strip()
