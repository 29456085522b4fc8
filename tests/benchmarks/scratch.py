"""Scratch nodes for benchmarks: a folder, a configuration, one route to a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import yaml

from updp_node.initialize import initialize


def make_node(folder: Path, *, port: int, profile: str, quiet_s: float, ae_title: str) -> Path:
    """A node in a folder, everything routed to `profile`; returns its configuration file."""
    path = initialize(folder, project="bench", now=datetime.now(UTC))[0]
    config = yaml.safe_load(path.read_text())
    config["receiver"] |= {"port": port, "ae_title": ae_title}
    config["storage"]["reserve_mib"] = 100
    config["settling"] = {"quiet_s": quiet_s, "report_wait_s": 0}
    config["routes"] = [{"name": "all", "profile": profile, "destinations": ["research"]}]
    path.write_text(yaml.safe_dump(config))
    return path
