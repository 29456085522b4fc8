"""Originals and their scrubbed texts, read from folders; gold spans, read from a file.

Texts are ``.txt`` in UTF-8, or DICOM structured reports. The scrubbed text of an original bears
the same name in the other folder. The gold file holds a line of JSON for each original::

    {"text": "folder/name.txt", "spans": [[17, 22, "NAME"], [40, 50, "DATE"]]}

A span is start, end and category; offsets count characters of the original, half open. A text
that has a line without spans holds no identifier; one that has no line is not judged.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from updp_node.errors import ConfigError, InstanceError
from updp_node.model import Span

_CATEGORY = re.compile(r"[A-Z][A-Z_]{1,23}")


@dataclass(frozen=True, slots=True)
class TextPair:
    """One original with what became of it.

    Attributes
    ----------
    original, scrubbed : str
    gold : tuple of Span or None
        Identifiers of the original; None where nobody said.
    """

    original: str
    scrubbed: str
    gold: tuple[Span, ...] | None = None


def load_texts(
    originals: Path, scrubbed: Path, gold: Path | None = None
) -> tuple[tuple[TextPair, ...], tuple[str, ...]]:
    """Read both folders and the gold file.

    Returns
    -------
    pairs : tuple of TextPair
        In the order of their names.
    notes : tuple of str
        What was left out; counts, never a name.

    Raises
    ------
    ConfigError
        A folder or file is absent or empty, no text has a partner, the gold file is wrong.
        Names folder, file and line, never a text.
    """
    ours, theirs = read_folder(originals), read_folder(scrubbed)
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        raise ConfigError("no scrubbed text bears the name of an original", file=str(scrubbed))
    stated = {} if gold is None else _read_gold(gold, ours)
    pairs = tuple(TextPair(ours[name], theirs[name], stated.get(name)) for name in common)
    lacking = {
        "originals have no scrubbed text and were left out": len(ours) - len(common),
        "scrubbed texts have no original and were left out": len(theirs) - len(common),
        "texts have no line in the gold file: their identifiers are not judged":
            0 if gold is None else sum(pair.gold is None for pair in pairs),
    }  # fmt: skip
    return pairs, tuple(f"{count} {said}" for said, count in lacking.items() if count)


def read_folder(folder: Path) -> dict[str, str]:
    """Text by name below the folder, without its ending.

    Raises
    ------
    ConfigError
        The folder is absent or holds no text, or a text cannot be read; names no file.
    """
    if not folder.is_dir():
        raise ConfigError("no such folder", file=str(folder))
    texts: dict[str, str] = {}
    for number, path in enumerate(sorted(each for each in folder.rglob("*") if each.is_file()), 1):
        name = str(path.relative_to(folder).with_suffix(""))
        read = _read_text if path.suffix.lower() == ".txt" else _read_report
        try:
            text = read(path)
        except (OSError, UnicodeDecodeError, InstanceError) as error:
            kind = error.code if isinstance(error, InstanceError) else type(error).__name__
            raise ConfigError(f"file {number} cannot be read: {kind}", file=str(folder)) from None
        if text is not None:
            texts[name] = text
    if not texts:
        raise ConfigError("holds no text and no structured report", file=str(folder))
    return texts


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def _read_report(path: Path) -> str | None:
    """The narrative of a structured report; None for any other file."""
    content = path.read_bytes()
    if content[128:132] != b"DICM":
        return None
    from pydicom import dcmread  # noqa: PLC0415  # texts need no DICOM
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415

    from updp_node.text.narrative import narrate  # noqa: PLC0415

    try:
        source = dcmread(io.BytesIO(content))
    except (InvalidDicomError, OSError, ValueError, KeyError, NotImplementedError):
        raise InstanceError("unreadable-object") from None
    is_report = str(source.get("Modality") or "") == "SR" and "ContentSequence" in source
    return narrate(source) if is_report else None


def _read_gold(path: Path, originals: Mapping[str, str]) -> dict[str, tuple[Span, ...]]:
    if not path.is_file():
        raise ConfigError("no such file", file=str(path))
    found: dict[str, tuple[Span, ...]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigError("not in UTF-8", file=str(path)) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            name, spans = _on_line(path, number, lambda line=line: _parse(line, originals))  # type: ignore[misc]
            if name in found:
                raise ConfigError(f"line {number}: this text had a line before", file=str(path))
            found[name] = spans
    return found


def _on_line(
    path: Path, number: int, parse: Callable[[], tuple[str, tuple[Span, ...]]]
) -> tuple[str, tuple[Span, ...]]:
    try:
        return parse()
    except (json.JSONDecodeError, KeyError, TypeError):
        why = 'not of the form {"text": NAME, "spans": [[START, END, CATEGORY], ...]}'
    except ValueError as error:
        why = str(error)
    raise ConfigError(f"line {number}: {why}", file=str(path))


def _parse(line: str, originals: Mapping[str, str]) -> tuple[str, tuple[Span, ...]]:
    stated: dict[str, Any] = json.loads(line)
    name = str(Path(stated["text"]).with_suffix(""))
    if name not in originals:
        raise ValueError("no original bears this name")
    length = len(originals[name])
    spans = []
    for start, end, category in stated["spans"]:
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length):
            raise ValueError("a span does not lie within its text")
        if not (isinstance(category, str) and _CATEGORY.fullmatch(category)):
            raise ValueError("a category is written in capitals")
        spans.append(Span(start, end, category))
    return name, tuple(sorted(spans, key=lambda span: (span.start, span.end)))
