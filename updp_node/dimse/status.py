"""Status codes that the node answers, and reasons for refusing an association."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


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
