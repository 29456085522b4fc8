"""One research process with 300 studies for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.research.process import ResearchNode, running_research
from tests.acceptance.research.retrieving import add_destinations
from tests.oracle_query import Information, read_information


@pytest.fixture(scope="session")
def research(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResearchNode]:
    with running_research(
        tmp_path_factory.mktemp("research") / "node", edit=add_destinations
    ) as node:
        yield node


@pytest.fixture(scope="session")
def information(research: ResearchNode) -> Information:
    return read_information(research.released)
