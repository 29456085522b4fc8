"""The table beside a folder of images: who they show, what they show, which split they are in.

Columns: ``image_id`` and ``file`` (a path beside the table, or ``archive.zip:member``);
``patient_id``; ``labels`` separated by ``|``; ``view``; ``split`` (``train``, ``val``,
``test``); ``hospital``; ``report``, the name of its report. In the table of counterparts
``source`` holds the image_id of the original, and ``arm`` what the prompt was made from. Other
columns are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from updp_node.errors import ConfigError

SPLITS = frozenset({"train", "val", "test"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a table.

    Attributes
    ----------
    row : int
        Line of the table, the heading is line 1.
    image_id, patient_id, view, split, hospital, arm : str
        Empty where the table does not say; `image_id` never is.
    labels : frozenset of str or None
        None where the table has no such column.
    source : str
        Of a counterpart: image_id of its original.
    file : str
        Path beside the table, or ``archive.zip:member``.
    group : str
        Of exact duplicates; all but the first are dropped.
    report : str
        Name of its report below the folder of reports.
    """

    row: int
    image_id: str
    patient_id: str
    labels: frozenset[str] | None
    view: str
    split: str
    hospital: str
    arm: str
    source: str
    file: str
    group: str
    report: str = ""


def parse_index(content: bytes, name: str, *, of_counterparts: bool) -> list[Entry]:
    """Read a table.

    Parameters
    ----------
    content : bytes
        CSV in UTF-8 with a heading.
    name : str
        Of the file, for messages.
    of_counterparts : bool
        Whether ``source`` names an original (else it may name a hospital).

    Raises
    ------
    ConfigError
        Not such a table; names the file and the row, never a value.
    """
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        columns = reader.fieldnames or []
        if "image_id" not in columns:
            raise ConfigError("the table has no column image_id", file=name)
        entries = list(_parse_rows(reader, name, of_counterparts))
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError("is not a table of comma-separated values in UTF-8", file=name) from None
    if not entries:
        raise ConfigError("the table has no rows", file=name)
    _refuse_repeated(entries, name)
    _refuse_split_patients(entries, name)
    return entries


def _parse_rows(reader: csv.DictReader[str], name: str, of_counterparts: bool) -> Iterator[Entry]:
    for row, record in enumerate(reader, start=2):
        if None in record or None in record.values():
            raise ConfigError(f"row {row} has more or fewer values than the heading", file=name)
        values = {key: value.strip() for key, value in record.items()}
        image_id = values["image_id"]
        if not image_id:
            raise ConfigError(f"row {row}: image_id is empty", file=name)
        split = values.get("split", "")
        if split and split not in SPLITS:
            raise ConfigError(f"row {row}: split is none of {sorted(SPLITS)}", file=name)
        stated = values.get("labels")
        labels = None if stated is None else frozenset(filter(None, stated.split("|")))
        source = values.get("source", "")
        yield Entry(
            row, image_id, values.get("patient_id", ""), labels, values.get("view", ""), split,
            hospital=values.get("hospital", "") or ("" if of_counterparts else source),
            arm=values.get("arm", ""), source=source if of_counterparts else "",
            file=values.get("file", "") or image_id, group=values.get("exact_dup_group", ""),
            report=values.get("report", ""),
        )  # fmt: skip


def _refuse_repeated(entries: list[Entry], name: str) -> None:
    first: dict[str, int] = {}
    for entry in entries:
        if entry.image_id in first:
            raise ConfigError(
                f"row {entry.row} repeats the image_id of row {first[entry.image_id]}", file=name
            )
        first[entry.image_id] = entry.row


def _refuse_split_patients(entries: list[Entry], name: str) -> None:
    """A patient in two splits would make every attacker and classifier look too good."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if not (entry.patient_id and entry.split):
            continue
        known = first.setdefault(entry.patient_id, entry)
        if known.split != entry.split:
            raise ConfigError(
                f"row {entry.row} puts the patient of row {known.row} into another split", file=name
            )
