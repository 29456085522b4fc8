"""The metadata of an instance in the DICOM JSON model, streamed from its file.

Long values are left where they are and named by a URI.

References
----------
PS3.18 10.4.1.1.2 (metadata resources), F (DICOM JSON Model), F.2.6 (BulkDataURI).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from updp_node.dicomweb.elements import PIXEL_DATA, Event, Kind, Path, Walk
from updp_node.dicomweb.values import BINARY_VRS, DEFAULT_ENCODINGS, read_encodings, to_json
from updp_node.research.files import StoredFile

BULK_BYTES = 1024
LONGEST_TEXT_BYTES = 1 << 18
_CHARACTER_SET = 0x00080005
_PADDING = 0xFFFCFFFC
_NUMBERS = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def is_bulk(event: Event) -> bool:
    """Whether a value is named by a URI rather than given."""
    if event.kind is Kind.FRAGMENTS or event.tag in PIXEL_DATA:
        return True
    if event.vr in BINARY_VRS or event.vr in _NUMBERS:
        return event.length > BULK_BYTES
    return event.length > LONGEST_TEXT_BYTES


def write_path(path: Path) -> str:
    """A path in a URI: ``54000100/1/54001010``."""
    steps = (f"{s:08X}" if place % 2 == 0 else str(s) for place, s in enumerate(path))
    return "/".join(steps)


def write_metadata(stored: StoredFile, bulk_uri: str) -> Iterator[str]:
    """One object of the DICOM JSON model, in pieces of text.

    Parameters
    ----------
    stored : StoredFile
    bulk_uri : str
        What the path of a long value is joined to.

    Raises
    ------
    InstanceError
        ``released-file-unreadable``.
    """
    with stored.path.open("rb", buffering=1 << 16) as file:
        walk = Walk(file, stored.transfer_syntax_uid, stored.data_offset, stored.data_size)
        yield from _Writer(file, bulk_uri).write(walk)


class _Writer:
    """Turns the steps of a walk into JSON text."""

    def __init__(self, file: BinaryIO, bulk_uri: str) -> None:
        self._file = file
        self._bulk_uri = bulk_uri
        self._encodings = [DEFAULT_ENCODINGS]
        self._comma = [""]

    def write(self, walk: Walk) -> Iterator[str]:
        yield "{"
        for event in walk:
            text = self._step(event)
            if text:
                yield text
        yield "}"

    def _step(self, event: Event) -> str:
        kind = event.kind
        if kind in {Kind.ITEM_END, Kind.SEQUENCE_END}:
            self._comma.pop()
            if kind is Kind.ITEM_END:
                self._encodings.pop()
            return "}" if kind is Kind.ITEM_END else "]}"
        if kind is not Kind.ITEM and (event.tag & 0xFFFF == 0 or event.tag == _PADDING):
            return ""  # group lengths are retired, PS3.5 7.2
        comma, self._comma[-1] = self._comma[-1], ","
        if kind is Kind.ITEM:
            self._comma.append("")
            self._encodings.append(self._encodings[-1])
            return comma + "{"
        if kind is Kind.SEQUENCE:
            self._comma.append("")
            return f'{comma}"{event.tag:08X}":{{"vr":"SQ","Value":['
        return f'{comma}"{event.tag:08X}":{_dumps(self._value(event))}'

    def _value(self, event: Event) -> dict[str, Any]:
        if is_bulk(event):
            uri = f"{self._bulk_uri}/{write_path(event.path)}"
            return {"vr": event.vr, "BulkDataURI": uri}
        self._file.seek(event.offset)
        raw = self._file.read(event.length)
        if event.tag == _CHARACTER_SET:
            self._encodings[-1] = read_encodings(raw)
            if raw.strip(b" \0"):
                # JSON is UTF-8 whatever the object was written in, PS3.18 F.2.1
                return {"vr": "CS", "Value": ["ISO_IR 192"]}
        return to_json(event.vr, raw, self._encodings[-1])
