"""Engines and migrations. SQLite in WAL with full synchronization, PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from updp_node.errors import SpoolError

Zone = Literal["identified", "released"]
_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite database file."""
    return f"sqlite:///{path}"


def open_engine(url: str) -> Engine:
    """An engine of our own tables, whose commits are durable when they return.

    Parameters
    ----------
    url : str
        SQLAlchemy database URL.
    """
    engine = _create(url, synchronous="FULL")
    event.listen(engine, "handle_error", _tell_spool_error)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_begin_to_us)
        event.listen(engine, "begin", _begin_immediate)
    return engine


def open_workflow_engine(url: str) -> Engine:
    """An engine for DBOS, where losing the last commits merely repeats an idempotent step."""
    return _create(url, synchronous="NORMAL")


def _tell_spool_error(context: ExceptionContext) -> None:
    """A database that is full, locked or gone: the same step is tried again later."""
    if isinstance(context.sqlalchemy_exception, OperationalError):
        kind = type(context.original_exception).__name__
        raise SpoolError(f"index unusable: {kind}") from None


def _create(url: str, *, synchronous: Literal["FULL", "NORMAL"]) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": 60}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _leave_begin_to_us(connection: Any, _: Any) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    """Take the write lock at once: a read that becomes a write could fail half-way."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read, and so need not wait for a writer."""
    return engine.execution_options(read_only=True)


def migrate(url: str, zone: Zone) -> None:
    """Bring a database to the newest schema; does nothing where it has it already."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS / zone))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
