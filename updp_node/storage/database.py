"""Engines and migrations. SQLite in WAL with full synchronization, PostgreSQL by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, event, make_url

Zone = Literal["identified", "released"]
_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite database file."""
    return f"sqlite:///{path}"


def open_engine(url: str, *, synchronous: Literal["FULL", "NORMAL"] = "FULL") -> Engine:
    """An engine whose commits are durable when they return.

    Parameters
    ----------
    url : str
        SQLAlchemy database URL.
    synchronous : {"FULL", "NORMAL"}
        SQLite only. NORMAL where losing the last commits merely repeats an idempotent step.
    """
    sqlite = make_url(url).get_backend_name() == "sqlite"
    options: dict[str, Any] = {"connect_args": {"timeout": 60}} if sqlite else {}
    engine = create_engine(url, **options)
    if sqlite:
        _tune_sqlite(engine, synchronous)
    return engine


def _tune_sqlite(engine: Engine, synchronous: str) -> None:
    """WAL, explicit BEGIN IMMEDIATE (no lock upgrade that fails half-way), foreign keys."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def migrate(url: str, zone: Zone) -> None:
    """Bring a database to the newest schema; does nothing where it has it already."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS / zone))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
