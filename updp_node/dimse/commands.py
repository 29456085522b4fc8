"""Command sets of C-STORE and C-ECHO, and the head of the staged file, as bytes.

pydicom needs 3 ms for what is here a few struct calls: a command set has eight short
elements, always in Implicit VR Little Endian.

References
----------
PS3.7 6.3.1: Command Set Structure. PS3.7 9.3.1 C-STORE, 9.3.5 C-ECHO. PS3.8 9.3.5: P-DATA-TF.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

IMPLEMENTATION_CLASS_UID = "2.25.318576025521972636958837809816533995752"
IMPLEMENTATION_VERSION_NAME = "UPDP_NODE"

C_STORE_RQ, C_GET_RQ, C_FIND_RQ, C_MOVE_RQ = 0x0001, 0x0010, 0x0020, 0x0021
C_ECHO_RQ, C_CANCEL_RQ = 0x0030, 0x0FFF
RESPONSE = 0x8000
_NO_DATA_SET = 0x0101
_SOP_CLASS, _FIELD, _MESSAGE_ID, _RESPONDED_ID = 0x0002, 0x0100, 0x0110, 0x0120
_DATA_SET_TYPE, _STATUS, _SOP_INSTANCE = 0x0800, 0x0900, 0x1000
_MOVE_DESTINATION = 0x0600
_LAST_COMMAND = 0x03
_ELEMENT = struct.Struct("<HHI")
_UID = re.compile(r"[0-9.]{1,64}")


class CommandError(ValueError):
    """A command set that cannot be read; the association is aborted."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request of the peer.

    Attributes
    ----------
    field : int
        Command Field (0000,0100).
    message_id : int
    sop_class_uid, sop_instance_uid : str
        Empty where the request has none, or none that is a UID.
    has_data_set : bool
    move_destination : str
        AE title; empty where there is none.
    responded_id : int
        Message ID Being Responded To, of a response or a C-CANCEL.
    status : int
        Of a response.
    """

    field: int
    message_id: int
    sop_class_uid: str
    sop_instance_uid: str
    has_data_set: bool
    move_destination: str = ""
    responded_id: int = 0
    status: int = 0


def decode_command(encoded: bytes) -> Command:
    """Read a command set.

    Raises
    ------
    CommandError
        The bytes are no command set, or Command Field or Message ID is missing.
    """
    elements: dict[int, bytes] = {}
    offset = 0
    while offset < len(encoded):
        if len(encoded) - offset < _ELEMENT.size:
            raise CommandError("a command element is cut short")
        group, element, length = _ELEMENT.unpack_from(encoded, offset)
        offset += _ELEMENT.size
        if group != 0 or length > len(encoded) - offset:
            raise CommandError("a command element is damaged")
        elements[element] = encoded[offset : offset + length]
        offset += length
    field = _number(elements, _FIELD)
    is_response = bool(field & RESPONSE)
    has_id = field != C_CANCEL_RQ and not is_response
    return Command(
        field=field,
        message_id=_number(elements, _MESSAGE_ID) if has_id else 0,
        sop_class_uid=_uid(elements, _SOP_CLASS),
        sop_instance_uid=_uid(elements, _SOP_INSTANCE),
        has_data_set=_number(elements, _DATA_SET_TYPE) != _NO_DATA_SET,
        move_destination=elements.get(_MOVE_DESTINATION, b"").decode("ascii", "replace").strip(),
        responded_id=0 if has_id else _number(elements, _RESPONDED_ID),
        status=_number(elements, _STATUS) if is_response else 0,
    )


def encode_response(command: Command, context_id: int, status: int) -> bytes:
    """P-DATA-TF PDU with the response to a request.

    References
    ----------
    PS3.7 Tables 9.3-2 (C-STORE-RSP) and 9.3-13 (C-ECHO-RSP).
    """
    elements = b"".join(
        (
            _encode_uid(_SOP_CLASS, command.sop_class_uid),
            _encode_number(_FIELD, command.field | RESPONSE),
            _encode_number(_RESPONDED_ID, command.message_id),
            _encode_number(_DATA_SET_TYPE, _NO_DATA_SET),
            _encode_number(_STATUS, status),
            _encode_uid(_SOP_INSTANCE, command.sop_instance_uid),
        )
    )
    encoded = struct.pack("<HHII", 0, 0, 4, len(elements)) + elements
    return struct.pack(
        ">BxIIBB", 0x04, len(encoded) + 6, len(encoded) + 2, context_id, _LAST_COMMAND
    ) + encoded  # fmt: skip


def encode_file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble, prefix and File Meta Information of a Part 10 file.

    References
    ----------
    PS3.10 7.1: DICOM File Meta Information.
    """
    meta = b"".join(
        (
            struct.pack("<HH2sHIH", 2, 0x0001, b"OB", 0, 2, 0x0100),
            _encode_meta(0x0002, b"UI", sop_class_uid),
            _encode_meta(0x0003, b"UI", sop_instance_uid),
            _encode_meta(0x0010, b"UI", transfer_syntax_uid),
            _encode_meta(0x0012, b"UI", IMPLEMENTATION_CLASS_UID),
            _encode_meta(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME),
        )
    )
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta


def _number(elements: dict[int, bytes], element: int) -> int:
    raw = elements.get(element, b"")
    if len(raw) != 2:
        raise CommandError(f"(0000,{element:04X}) is missing")
    return int.from_bytes(raw, "little")


def _uid(elements: dict[int, bytes], element: int) -> str:
    text = elements.get(element, b"").decode("ascii", "replace").strip("\0 ")
    return text if _UID.fullmatch(text) else ""


def _encode_number(element: int, number: int) -> bytes:
    return struct.pack("<HHIH", 0, element, 2, number)


def _encode_uid(element: int, uid: str) -> bytes:
    value = _pad(uid, b"\0")
    return _ELEMENT.pack(0, element, len(value)) + value if uid else b""


def _encode_meta(element: int, vr: bytes, text: str) -> bytes:
    value = _pad(text, b"\0" if vr == b"UI" else b" ")
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


def _pad(text: str, filler: bytes) -> bytes:
    value = text.encode("ascii")
    return value + filler if len(value) % 2 else value
