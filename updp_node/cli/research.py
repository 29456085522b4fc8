"""Commands for the research side: tokens of DICOMweb, and the index of the released zone."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from updp_node.cli.options import DEFAULT_CONFIG, ConfigFile
from updp_node.config import load_config
from updp_node.errors import NodeError
from updp_node.storage.released_index import ReleasedIndex
from updp_node.storage.tokens import Token, Tokens
from updp_node.zones import Zones

token_app = typer.Typer(no_args_is_help=True, help="Bearer tokens of DICOMweb.")
index_app = typer.Typer(no_args_is_help=True, help="The index of the released zone.")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DAY_S = 86400.0


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    token_app.command("add")(add_token)
    token_app.command("list")(list_tokens)
    token_app.command("revoke")(revoke_token)
    index_app.command("rebuild")(rebuild_index)
    app.add_typer(token_app, name="token")
    app.add_typer(index_app, name="index")


def add_token(
    project: Annotated[str, typer.Option(help="Project whose objects the token opens.")],
    name: Annotated[str, typer.Option(help="Whose it is, for the list.")],
    days: Annotated[int, typer.Option(min=1, max=3650, help="It expires after so many.")] = 365,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Make a token and print it: this once, for the node keeps only its digest."""
    for text in (project, name):
        if not _NAME.fullmatch(text):
            raise NodeError("names have up to 64 letters, digits, dots, dashes and underscores")
    now = time.time()
    token = _tokens(config).add(project, name, now=now, expires_at=now + days * _DAY_S)
    typer.echo(token)


def list_tokens(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """List the tokens: whose, for which project, whether they are valid."""
    table = Table("id", "name", "project", "made", "expires", "state")
    for each in _tokens(config).list():
        expires = _day(each.expires_at) if each.expires_at else "never"
        table.add_row(each.id, each.name, each.project, _day(each.created_at), expires,
                      _state(each))  # fmt: skip
    Console().print(table)


def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="Id in token list.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """End a token: the next request with it is refused."""
    _tokens(config).revoke(token_id, now=time.time())
    typer.echo(f"{token_id} revoked")


def rebuild_index(
    config: ConfigFile = DEFAULT_CONFIG,
    check: Annotated[
        bool, typer.Option("--check", help="Also compare every file with its digest.")
    ] = False,
) -> None:
    """Make the index of the released zone again, from its ledger and its files.

    Researchers find what they found before until it is done. Exit code 1 if a file is missing or
    damaged.
    """
    from updp_node.publication import rebuild  # noqa: PLC0415  # pydicom

    loaded = load_config(config)
    zones = Zones.of(loaded)
    zones.prepare()
    released = ReleasedIndex(zones.open_released(), zones.released)
    released.complete_ledger()
    total = sum(1 for _ in released.entries())
    columns = (TextColumn("reading released files"), BarColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total)
        found = rebuild(
            released, zones.released, lambda count: progress.advance(task, count),
            check_content=check,
        )  # fmt: skip
    typer.echo(
        f"{found.indexed} instances can be found, {found.damaged} missing or damaged, "
        f"{found.unnamed} files that the ledger does not name (not shown)"
    )
    if found.damaged:
        raise typer.Exit(1)


def _tokens(config: ConfigFile) -> Tokens:
    zones = Zones.of(load_config(config))
    zones.prepare()
    return Tokens(zones.open_released())


def _state(token: Token) -> str:
    if token.revoked_at is not None:
        return f"revoked {_day(token.revoked_at)}"
    expired = token.expires_at is not None and token.expires_at <= time.time()
    return "expired" if expired else "valid"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d}"
