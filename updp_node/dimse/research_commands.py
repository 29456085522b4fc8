"""Command sets that the research side sends, as bytes.

References
----------
PS3.7 Tables 9.3-3 (C-FIND-RSP), 9.3-5 (C-GET-RSP), 9.3-10 (C-MOVE-RSP), 9.3-1 (C-STORE-RQ).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from updp_node.dimse.commands import C_STORE_RQ, RESPONSE, Command

_SOP_CLASS, _FIELD, _MESSAGE_ID, _RESPONDED_ID = 0x0002, 0x0100, 0x0110, 0x0120
_PRIORITY, _DATA_SET_TYPE, _STATUS = 0x0700, 0x0800, 0x0900
_OFFENDING_ELEMENT, _ERROR_COMMENT, _SOP_INSTANCE = 0x0901, 0x0902, 0x1000
_REMAINING, _COMPLETED, _FAILED, _WARNING = 0x1020, 0x1021, 0x1022, 0x1023
_ORIGINATOR, _ORIGINATOR_ID = 0x1030, 0x1031
_HAS_DATA_SET, _NO_DATA_SET = 0x0001, 0x0101
_LARGEST_NUMBER = 0xFFFF
_LONGEST_COMMENT = 64


@dataclass(slots=True)
class Counts:
    """Sub-operations of a C-MOVE or C-GET.

    Attributes
    ----------
    remaining, completed, failed, warning : int
    """

    remaining: int = 0
    completed: int = 0
    failed: int = 0
    warning: int = 0


def encode_answer(
    command: Command,
    status: int,
    *,
    has_data_set: bool = False,
    comment: str = "",
    offending: int | None = None,
    counts: Counts | None = None,
    is_over: bool = True,
) -> bytes:
    """Command set of a response.

    Parameters
    ----------
    command : Command
        The request.
    status, has_data_set
    comment : str
        Error Comment, cut to 64 characters.
    offending : int, optional
        Tag for Offending Element.
    counts : Counts, optional
    is_over : bool
        Leaves out the number of remaining sub-operations, as final responses do.
    """
    elements = [
        _uid(_SOP_CLASS, command.sop_class_uid),
        _number(_FIELD, command.field | RESPONSE),
        _number(_RESPONDED_ID, command.message_id),
        _number(_DATA_SET_TYPE, _HAS_DATA_SET if has_data_set else _NO_DATA_SET),
        _number(_STATUS, status),
    ]
    if offending is not None:
        tag = struct.pack("<HH", offending >> 16, offending & 0xFFFF)
        elements.append(_element(_OFFENDING_ELEMENT, tag))
    if comment:
        elements.append(_text(_ERROR_COMMENT, comment[:_LONGEST_COMMENT]))
    if counts is not None:
        elements += _encode_counts(counts, is_over)
    return _set(elements)


def encode_store(
    sop_class_uid: str, sop_instance_uid: str, message_id: int, originator: tuple[str, int] | None
) -> bytes:
    """Command set of a C-STORE request.

    Parameters
    ----------
    sop_class_uid, sop_instance_uid : str
    message_id : int
    originator : tuple of str and int, optional
        AE title and Message ID of the C-MOVE that this is a sub-operation of.
    """
    elements = [
        _uid(_SOP_CLASS, sop_class_uid),
        _number(_FIELD, C_STORE_RQ),
        _number(_MESSAGE_ID, message_id),
        _number(_PRIORITY, 0),
        _number(_DATA_SET_TYPE, _HAS_DATA_SET),
        _uid(_SOP_INSTANCE, sop_instance_uid),
    ]
    if originator is not None:
        elements += [_text(_ORIGINATOR, originator[0]), _number(_ORIGINATOR_ID, originator[1])]
    return _set(elements)


def _encode_counts(counts: Counts, is_over: bool) -> list[bytes]:
    remaining = [] if is_over else [_number(_REMAINING, counts.remaining)]
    return [
        *remaining,
        _number(_COMPLETED, counts.completed),
        _number(_FAILED, counts.failed),
        _number(_WARNING, counts.warning),
    ]


def _set(elements: list[bytes]) -> bytes:
    encoded = b"".join(elements)
    return struct.pack("<HHII", 0, 0, 4, len(encoded)) + encoded


def _element(element: int, value: bytes) -> bytes:
    return struct.pack("<HHI", 0, element, len(value)) + value


def _number(element: int, number: int) -> bytes:
    return _element(element, struct.pack("<H", min(number, _LARGEST_NUMBER)))


def _uid(element: int, uid: str) -> bytes:
    value = uid.encode("ascii", "replace")
    return _element(element, value + b"\0" * (len(value) % 2))


def _text(element: int, text: str) -> bytes:
    value = text.encode("ascii", "replace")
    return _element(element, value + b" " * (len(value) % 2))
