"""The texts and codes of ``words.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LOADED: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
)
STUDY: dict[str, list[str]] = _LOADED["study"]
SERIES: dict[str, list[str]] = _LOADED["series"]
PROTOCOL: dict[str, list[str]] = _LOADED["protocol"]
PROTOCOL_OTHER: list[str] = _LOADED["protocol_other"]
COMMENTS: list[str] = _LOADED["comments"]
HISTORY: list[str] = _LOADED["history"]
DIAGNOSES: list[str] = _LOADED["diagnoses"]
ALLERGIES: list[str] = _LOADED["allergies"]
AGENTS: list[str] = _LOADED["agents"]
STATIONS: list[str] = _LOADED["stations"]
SERIALS: list[str] = _LOADED["serials"]
FINDINGS: list[str] = _LOADED["findings"]
MODELS: list[list[str]] = _LOADED["models"]
CODES: dict[str, list[list[str]]] = _LOADED["codes"]
