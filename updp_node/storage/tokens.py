"""Bearer tokens of the research side: random, kept as digests, revoked at once.

References
----------
RFC 6750: Bearer Token Usage. A token has 256 random bits, so that a plain SHA-256 suffices.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from updp_node.errors import NodeError
from updp_node.storage.released_tables import TokenEntity

_PREFIX = "updp_"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; times are Unix seconds."""

    id: str
    project: str
    name: str
    created_at: float
    expires_at: float | None
    revoked_at: float | None


class Tokens:
    """The tokens of the released zone.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        May be one that only reads; then only `check` and `list` work.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, project: str, name: str, *, now: float, expires_at: float | None = None) -> str:
        """Make a token for a project and return it; it is shown this once and never again."""
        token = _PREFIX + secrets.token_urlsafe(32)
        row = TokenEntity(
            id=secrets.token_hex(4), sha256=_digest(token), project=project, name=name,
            created_at=now, expires_at=expires_at,
        )  # fmt: skip
        with Session(self._engine) as session, session.begin():
            session.add(row)
        return token

    def list(self) -> list[Token]:
        """All tokens, oldest first."""
        with Session(self._engine) as session:
            rows = session.scalars(select(TokenEntity).order_by(TokenEntity.created_at))
            return [_token(row) for row in rows]

    def revoke(self, token_id: str, *, now: float) -> None:
        """End a token; the next request with it is refused.

        Raises
        ------
        NodeError
            There is no such token.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(TokenEntity, token_id)
            if row is None:
                raise NodeError("no token of this id")
            row.revoked_at = row.revoked_at or now

    def check(self, token: str, *, now: float) -> Token | None:
        """The token if it is valid, asked anew at every request; None otherwise."""
        query = select(TokenEntity).where(TokenEntity.sha256 == _digest(token))
        with Session(self._engine) as session:
            row = session.scalar(query)
            if row is None or row.revoked_at is not None:
                return None
            return None if row.expires_at is not None and row.expires_at <= now else _token(row)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _token(row: TokenEntity) -> Token:
    return Token(row.id, row.project, row.name, row.created_at, row.expires_at, row.revoked_at)
