"""What a destination is: it takes released instances and says of each what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from updp_node.model import Verified
from updp_node.tls import TlsSettings


class Reason(StrEnum):
    """Why an instance was delivered or not."""

    DELIVERED = "delivered"
    SYNTAX_REFUSED = "syntax-refused"
    """The peer accepted no presentation context of the SOP Class and transfer syntax."""
    PEER_BUSY = "peer-out-of-resources"
    """Status 0xA7xx: worth another attempt."""
    PEER_REFUSED = "peer-refused"
    """Any other failure status."""
    CHANGED = "released-file-changed"
    """The file is not the one that passed the gate, or is gone; it is not sent."""
    CONFLICT = "conflicting-content"
    """The destination holds other content under the same SOP Instance UID."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instance at one destination.

    Attributes
    ----------
    sop_instance_uid : str
        Of the released instance.
    delivered : bool
        The destination has it.
    status : int or None
        DIMSE status of the C-STORE response (PS3.7 C); None where no response was asked for.
    reason : Reason
    """

    sop_instance_uid: str
    delivered: bool
    status: int | None
    reason: Reason

    @property
    def retryable(self) -> bool:
        """Whether the same file may be taken at a later attempt."""
        return self.reason is Reason.PEER_BUSY


class Destination(Protocol):
    """Extension point: where released instances go.

    Sending an instance again has the same result and leaves one instance there. The message
    of a `PeerError` begins with a reason code and a colon.
    """

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        ...

    def send(self, instances: Sequence[Verified]) -> Iterator[Outcome]:
        """Send instances in order; one outcome each, as soon as it is known.

        Raises
        ------
        PeerError
            The destination cannot be reached, or went away midway; the outcomes yielded
            before stand, the other instances are to be sent again.
        """
        ...

    def echo(self) -> float:
        """Seconds that the destination took to answer.

        Raises
        ------
        PeerError
            It does not answer, or could not take an instance.
        """
        ...


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a DIMSE destination is waited for, in seconds.

    Attributes
    ----------
    connect_s : float
        For the transport connection and the TLS handshake.
    associate_s : float
        For the answer to A-ASSOCIATE-RQ and A-RELEASE-RQ.
    response_s : float
        For a response after the last byte of its request, and for the peer to take any byte.
    """

    connect_s: float = 10.0
    associate_s: float = 15.0
    response_s: float = 120.0


@dataclass(frozen=True, slots=True)
class DimseSettings:
    """A Storage SCP.

    Attributes
    ----------
    name : str
    host : str
    port : int
    called_ae_title, calling_ae_title : str
        At most 16 characters (PS3.5 6.2, VR AE).
    tls : TlsSettings or None
        None sends in plain.
    timeouts : Timeouts
    """

    name: str
    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str = "UPDP_NODE"
    tls: TlsSettings | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """A folder, on this machine or mounted.

    Attributes
    ----------
    name : str
    path : pathlib.Path
        Must exist: a share that is not mounted is a destination that is down.
    """

    name: str
    path: Path


DestinationSettings = DimseSettings | FolderSettings


def is_unchanged(instance: Verified) -> bool:
    """Whether the released file still holds the very bytes that passed the gate."""
    try:
        with instance.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == instance.sha256
    except OSError:
        return False


def changed(instance: Verified) -> Outcome:
    """The outcome of an instance whose file is not the one that passed the gate."""
    return Outcome(instance.sop_instance_uid, False, None, Reason.CHANGED)
