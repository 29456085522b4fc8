"""The command line ``updp-node``.

Exit codes: 0 good; 1 something was quarantined, or a finding; 2 usage or configuration.
"""

from __future__ import annotations

import sys
from typing import Any

import typer
from typer.core import TyperGroup

from updp_node.cli import (
    audit,
    evaluate,
    evaluate_text,
    model,
    operate,
    prepare,
    process,
    research,
    scrub,
)
from updp_node.errors import ConfigError, NodeError
from updp_node.log import configure_log


class _Commands(TyperGroup):
    """Turns the node's own errors into one line on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            typer.echo(f"updp-node: {error}", err=True)
            sys.exit(2)
        except NodeError as error:
            typer.echo(f"updp-node: {error}", err=True)
            sys.exit(1)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A DICOM node that de-identifies studies and shares synthetic counterparts.",
)


@app.callback()
def _start() -> None:
    configure_log()


prepare.register(app)
process.register(app)
scrub.register(app)
operate.register(app)
research.register(app)
model.register(app)
evaluate.register(app)
evaluate_text.register(app)
audit.register(app)
