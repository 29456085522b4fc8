"""Who is connected: half open connections, which expire, and associations, which are counted.

pynetdicom counts a connection without a request as an association and refuses everyone
once ten of them are there. Here half open connections never count against associations:
they have a short time each, and where there are too many the oldest goes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter

from updp_node.dimse import status

PeerKey = tuple[str, str]
"""Calling AE title and address."""


class Connections:
    """The connections of one receiver process; safe from any thread.

    Parameters
    ----------
    max_associations, per_peer_associations : int
    max_half_open : int
    half_open_s : float
        Time from the connection to the request of an association, TLS included.
    """

    def __init__(
        self, *, max_associations: int, per_peer_associations: int, max_half_open: int,
        half_open_s: float,
    ) -> None:  # fmt: skip
        self._max_associations = max_associations
        self._per_peer_associations = per_peer_associations
        self._max_half_open = max_half_open
        self._half_open_s = half_open_s
        self._half_open: dict[tuple[object, ...], tuple[socket.socket, float]] = {}
        self._associations: dict[str, PeerKey] = {}
        self._changed = threading.Condition()

    def arrive(self, address: tuple[object, ...], connection: socket.socket) -> None:
        """Note a new connection; the oldest half open one makes way where needed."""
        with self._changed:
            while len(self._half_open) >= self._max_half_open:
                self._cut(next(iter(self._half_open)))
            self._half_open[address] = (connection, time.monotonic() + self._half_open_s)

    def settle(self, address: tuple[object, ...]) -> None:
        """Note that a connection is half open no more: requested, refused or gone."""
        with self._changed:
            self._half_open.pop(address, None)

    def expire(self) -> int:
        """Cut the half open connections whose time is up; how many there were."""
        now = time.monotonic()
        with self._changed:
            late = [key for key, (_, deadline) in self._half_open.items() if deadline < now]
            for address in late:
                self._cut(address)
        return len(late)

    def admit(self, association_id: str, peer: PeerKey) -> status.Refusal | None:
        """Count an association, or say why it is one too many."""
        with self._changed:
            if len(self._associations) >= self._max_associations:
                return status.TOO_MANY
            if Counter(self._associations.values())[peer] >= self._per_peer_associations:
                return status.TOO_MANY_OF_PEER
            self._associations[association_id] = peer
        return None

    def leave(self, association_id: str) -> None:
        """Note the end of an association."""
        with self._changed:
            self._associations.pop(association_id, None)
            self._changed.notify_all()

    def wait_until_none(self, timeout_s: float) -> bool:
        """Wait for the end of all associations; whether none is left."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._associations, timeout_s)

    def _cut(self, address: tuple[object, ...]) -> None:
        connection, _ = self._half_open.pop(address)
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
