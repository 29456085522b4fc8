"""The command that tells in counts what a node received, held back and released."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from updp_node.config import load_config


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(audit)


def audit(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="Configuration file of the node.")
    ],
    *,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day that is counted; all by default."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("audit"),
) -> None:
    """Count what a node received, held back and released, and whom its releases single out.

    For an operator who may read both zones. Nothing is changed; the report holds counts and no
    patient, pseudonym or UID.
    """
    from updp_node.audit import audit_node  # noqa: PLC0415  # pydicom, scipy
    from updp_node.evaluation.report import write_report  # noqa: PLC0415

    loaded = load_config(config)
    first = since.astimezone() if since is not None else None
    with Console(stderr=True).status("reading released objects"):
        report = audit_node(loaded, since=first, now=datetime.now(UTC))
    for path in write_report(report, out):
        typer.echo(f"wrote {path}")
