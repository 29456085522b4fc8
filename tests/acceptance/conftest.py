"""Every test of this folder is an acceptance test; the canary search comes last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tests.acceptance.leaks import SEARCHED

_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker(pytest.mark.acceptance)
    items.sort(key=lambda item: item.path.name == "test_no_canary.py")


def pytest_sessionfinish() -> None:
    if SEARCHED:
        record("canary search", "nodes searched at their end", len(SEARCHED), "")
        record("canary search", "searched in them", round(sum(SEARCHED) / 1e6, 1), "MB")
