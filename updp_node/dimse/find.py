"""C-FIND: answers as they come from the archive, many of them in one write.

References
----------
PS3.4 C.4.1: C-FIND Operation; C.4.1.1.3.2: Response Identifier Structure.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import cast

from pydicom import Dataset

from updp_node.dimse.answers import Answer, AnswerEncoder
from updp_node.dimse.archive import Archive, guarded
from updp_node.dimse.exchange import Exchange, Outcome
from updp_node.dimse.identifiers import charset_of
from updp_node.dimse.status import QueryStatus
from updp_node.query.query import Query

_WRITE_BYTES = 32 * 1024
_WRITE_EVERY_S = 0.02
_TOO_MANY = "there are more answers than are given at once"


def find(
    exchange: Exchange, archive: Archive, query: Query, identifier: Dataset, *,
    projects: frozenset[str], ae_title: str, max_answers: int,
) -> Outcome:  # fmt: skip
    """Answer a C-FIND; the final response is left to the caller.

    Parameters
    ----------
    exchange, archive, query
    identifier : pydicom.Dataset
        Of the request.
    projects, max_answers
    ae_title : str
        Retrieve AE Title (0008,0054) of the answers.

    Raises
    ------
    ArchiveError
    LeavingError, OSError, ReadingEndedError, DamagedDataError, CommandError
        As `Exchange.is_cancelled`.
    """
    encoder = AnswerEncoder(
        is_implicit=exchange.is_implicit,
        charset_of_request=charset_of(identifier),
        constant=_constant(query, ae_title),
    )
    head = exchange.head(QueryStatus.PENDING_WITHOUT_KEYS if query.ignored else QueryStatus.PENDING)
    outgoing = _Outgoing(exchange)
    found = archive.search(replace(query, limit=max_answers + 1), projects)
    with closing(guarded(_encode(encoder, found))) as answers:
        for answer in answers:
            if outgoing.count == max_answers:
                outgoing.flush()
                return Outcome(QueryStatus.TOO_MANY_ANSWERS, _TOO_MANY, count=max_answers)
            if answer is not None:
                outgoing.add(head + exchange.body(answer))
            if outgoing.look_up():
                return Outcome(QueryStatus.CANCELLED, count=outgoing.count)
    outgoing.flush()
    return Outcome(QueryStatus.SUCCESS, count=outgoing.count)


def _encode(encoder: AnswerEncoder, found: Iterator[Answer | None]) -> Iterator[bytes | None]:
    with closing(cast(Generator[Answer | None, None, None], found)) as answers:
        for answer in answers:
            yield None if answer is None else encoder.encode(answer)


class _Outgoing:
    """Answers that are sent together; the first goes at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.count = 0
        self._exchange = exchange
        self._parts: list[bytes] = []
        self._size = 0
        self._looked_up_at = 0.0

    def add(self, encoded: bytes) -> None:
        self._parts.append(encoded)
        self._size += len(encoded)
        self.count += 1

    def look_up(self) -> bool:
        """Now and then send what is there, and see whether the peer has cancelled."""
        now = time.monotonic()
        if self._size < _WRITE_BYTES and now - self._looked_up_at < _WRITE_EVERY_S:
            return False
        self._looked_up_at = now
        self.flush()
        return self._exchange.is_cancelled()

    def flush(self) -> None:
        self._exchange.writer.send(b"".join(self._parts))
        self._parts.clear()
        self._size = 0


def _constant(query: Query, ae_title: str) -> Answer:
    return {
        "00080052": {"vr": "CS", "Value": [query.level.name]},
        "00080054": {"vr": "AE", "Value": [ae_title]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
    }
