"""Figures that a suite measured, for the dated page of ``scripts/accept``."""

from __future__ import annotations

import json
import os
from pathlib import Path


def record(suite: str, name: str, value: object, unit: str) -> None:
    """Add a figure to the file that UPDP_FIGURES names; does nothing without it."""
    target = os.environ.get("UPDP_FIGURES")
    if target:
        line = json.dumps({"suite": suite, "name": name, "value": value, "unit": unit})
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
