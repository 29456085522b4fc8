"""``python -m updp_node``."""

from updp_node.cli import app

app()
