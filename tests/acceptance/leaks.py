"""The search that must find no canary in anything of a node but the originals it keeps."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.factories import SOURCE_ROOT, Patient, canaries, grep_canaries, patient

_ORIGINALS = "staged"  # the folder of the identified zone that holds them
_DIGITS = 8  # fewer digits occur by chance in UIDs, which have 39
SEARCHED: list[int] = []
"""Bytes searched in each node of this session."""


def assert_no_leaks(folder: Path, storage: Path, told: Sequence[str]) -> int:
    """Search logs, databases, names, released files, research folder and printed text.

    Source UIDs may stand in the index of the identified zone and nowhere else.
    Returns the number of bytes that were searched.
    """
    needles = [text for text in (*canaries(patient()), *canaries(other_patient()))
               if len(text) >= _DIGITS or not text.isdigit()]  # fmt: skip
    text = "\n".join(told).encode()
    identified = storage / "identified"
    places = [folder] if folder in storage.parents else [folder, storage]
    public = [part for place in places for part in _parts_of(place, identified)] + [text]
    workflows = list(_rows(identified / "workflows.sqlite"))
    names = "\n".join(str(path) for path in storage.rglob("*")).encode()
    strict = [*public, *workflows, names]
    hits = grep_canaries([*strict, *_rows(identified / "index.sqlite")], needles)
    hits += grep_canaries(strict, [SOURCE_ROOT])
    assert not hits, f"canaries found: {hits[:20]}"
    return sum(_size(part) for part in strict)


def other_patient() -> Patient:
    """A second patient with canaries of his own."""
    return patient(
        name="Zwickelbarth^Ermengild^Fox", patient_id="5519027364", accession="ACZW5590",
        birth_date="19620918", phone="(555) 014-2286", other_id="ZWI-12-00471",
    )  # fmt: skip


def _parts_of(folder: Path, identified: Path) -> Iterator[Path | bytes]:
    """Files outside the identified zone, and databases row by row."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if identified in path.parents or not path.is_file():
            continue
        yield path
        if path.suffix == ".sqlite":
            yield from _rows(path)
    for path in identified.glob("workflows.sqlite*"):
        yield path


def _rows(database: Path) -> Iterator[bytes]:
    """Every value of every table, and what its base 64 stands for (DBOS pickles)."""
    if not database.exists():
        return
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tables = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    for table in tables:
        lines = []
        for row in connection.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - our own names
            for value in row:
                raw = value if isinstance(value, bytes) else str(value).encode()
                lines += [raw, _from_base64(raw)]
        yield b"\n".join(lines)
    connection.close()


def _from_base64(raw: bytes) -> bytes:
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _size(part: Path | bytes) -> int:
    return len(part) if isinstance(part, bytes) else part.stat().st_size
