"""Connections of the research side: they can only read, whoever else is at work.

SQLite's write-ahead log needs two files beside the database. While the node runs they are
there. While it does not, somebody who may not write cannot make them; then the database is
complete in itself and is opened as one that does not change, until those files appear again.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError

_POOL = 10
_OVERFLOW = 50
_TIMEOUT_S = 30.0


class _Connection(sqlite3.Connection):
    """A connection that knows whether it takes the file for unchanging."""

    is_immutable = False


def open_research_engine(url: str) -> Engine:
    """An engine that can only read.

    Parameters
    ----------
    url : str
        SQLAlchemy URL of the released index.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(url, hide_parameters=True, pool_size=_POOL, max_overflow=_OVERFLOW)
        event.listen(engine, "connect", _only_read)
        return engine
    path = Path(parsed.database or "").absolute()
    engine = create_engine(
        "sqlite://", creator=partial(_connect, path), poolclass=QueuePool, pool_size=_POOL,
        max_overflow=_OVERFLOW, hide_parameters=True,
    )  # fmt: skip
    event.listen(engine, "checkout", partial(_require_current, _log_of(path)))
    return engine


def _only_read(connection: Any, _: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")


def _connect(path: Path) -> _Connection:
    try:
        return _open(path, "mode=ro")
    except sqlite3.OperationalError:
        if _log_of(path).exists() or not path.exists():
            raise
    connection = _open(path, "immutable=1")
    connection.is_immutable = True
    return connection


def _open(path: Path, how: str) -> _Connection:
    connection: _Connection = sqlite3.connect(
        f"{path.as_uri()}?{how}", uri=True, timeout=_TIMEOUT_S, check_same_thread=False,
        factory=_Connection,
    )  # fmt: skip
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-4096")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        raise
    return connection


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _require_current(log: Path, connection: Any, _: Any, __: Any) -> None:
    """Give up a connection that takes the file for unchanging once somebody writes again."""
    if connection.is_immutable and log.exists():
        raise DisconnectionError
