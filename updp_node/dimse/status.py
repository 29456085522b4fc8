"""Status codes that the node answers, and reasons for refusing an association."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Status(IntEnum):
    """Status of a DIMSE response.

    References
    ----------
    PS3.4 Table B.2-1: C-STORE Response Status Values. PS3.7 C.5: Status Type Encoding.
    """

    SUCCESS = 0x0000
    INVALID_INSTANCE = 0x0117
    CLASS_NOT_SUPPORTED = 0x0122
    OUT_OF_RESOURCES = 0xA700
    CANNOT_UNDERSTAND = 0xC000


class QueryStatus(IntEnum):
    """Status of the responses of the research side.

    References
    ----------
    PS3.4 Tables C.4-1 (C-FIND), C.4-2 (C-MOVE) and C.4-3 (C-GET). PS3.7 C.5.
    """

    SUCCESS = 0x0000
    CLASS_NOT_SUPPORTED = 0x0122
    UNRECOGNIZED_OPERATION = 0x0211
    TOO_MANY_ANSWERS = 0xA700
    CANNOT_COUNT = 0xA701
    CANNOT_SEND = 0xA702
    UNKNOWN_DESTINATION = 0xA801
    IDENTIFIER_DOES_NOT_MATCH = 0xA900
    SOME_NOT_SENT = 0xB000
    UNABLE_TO_PROCESS = 0xC000
    CANCELLED = 0xFE00
    PENDING = 0xFF00
    PENDING_WITHOUT_KEYS = 0xFF01


_OF_EVERY_OPERATION = {
    QueryStatus.CANCELLED: "ended by C-CANCEL",
    QueryStatus.CLASS_NOT_SUPPORTED: "SOP Class and presentation context differ",
    QueryStatus.UNRECOGNIZED_OPERATION: "not an operation of the presentation context",
}
_OF_RETRIEVAL = {
    QueryStatus.SUCCESS: "all instances were sent, or none was selected",
    QueryStatus.PENDING: "sub-operations go on",
    QueryStatus.SOME_NOT_SENT: "some instances were not sent, or were stored with a warning",
    QueryStatus.CANNOT_COUNT: "the index could not be asked",
    QueryStatus.CANNOT_SEND: "no instance was sent",
    QueryStatus.IDENTIFIER_DOES_NOT_MATCH: "level or unique keys of the identifier",
    QueryStatus.UNABLE_TO_PROCESS: "an identifier that cannot be read",
    **_OF_EVERY_OPERATION,
}
QUERY_STATUS_MEANINGS: Mapping[str, Mapping[QueryStatus, str]] = MappingProxyType(
    {
        "C-ECHO": {QueryStatus.SUCCESS: "the node answers"},
        "C-FIND": {
            QueryStatus.SUCCESS: "all answers were sent",
            QueryStatus.PENDING: "an answer",
            QueryStatus.PENDING_WITHOUT_KEYS: "an answer, without keys that are not supported",
            QueryStatus.TOO_MANY_ANSWERS: "there are more answers than the limit; those sent hold",
            QueryStatus.IDENTIFIER_DOES_NOT_MATCH: "level, unique keys or values of the identifier",
            QueryStatus.UNABLE_TO_PROCESS: "an identifier that cannot be read, or a failure here",
            **_OF_EVERY_OPERATION,
        },
        "C-MOVE": {
            **_OF_RETRIEVAL,
            QueryStatus.UNKNOWN_DESTINATION: "the move destination is not configured",
        },
        "C-GET": _OF_RETRIEVAL,
    }
)
"""What each status means here, for the conformance statement."""


def is_warning(code: int) -> bool:
    """Whether a status says that an instance was stored, with a warning (PS3.7 C.5)."""
    return code >> 12 == 0xB or code in (0x0001, 0x0107, 0x0116)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an association is rejected.

    Attributes
    ----------
    reason : str
        For the log.
    result, source, diagnostic : int
        Fields of the A-ASSOCIATE-RJ PDU.

    References
    ----------
    PS3.8 Table 9-21: ASSOCIATE-RJ PDU Fields.
    """

    reason: str
    result: int
    source: int
    diagnostic: int


CALLED_AE_TITLE = Refusal("called-ae-title-not-recognized", 1, 1, 7)
CALLING_AE_TITLE = Refusal("calling-ae-title-not-recognized", 1, 1, 3)
ADDRESS = Refusal("address-not-allowed", 1, 1, 1)
TOO_MANY = Refusal("too-many-associations", 2, 3, 2)
TOO_MANY_OF_PEER = Refusal("too-many-associations-of-peer", 2, 3, 2)
STOPPING = Refusal("receiver-is-stopping", 2, 3, 1)
PDU_TOO_SHORT = Refusal("maximum-length-too-short", 1, 1, 1)
UNAVAILABLE = Refusal("archive-not-available", 2, 3, 1)
