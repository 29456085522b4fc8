"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="UPDP_NODE_CONFIG", help="Configuration file of the node."
    ),
]
DEFAULT_CONFIG = Path("updp-node.yaml")
