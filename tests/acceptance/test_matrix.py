"""Every kind of object, character set and transfer syntax goes down the line unharmed and clean.

The cells are every pair of kind and character set, of kind and transfer syntax, and of
character set and transfer syntax. The whole product is the same code again.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tests.matrix.cells import KINDS, REFUSED, all_cells, run
from tests.matrix.charsets import CHARACTER_SETS
from tests.matrix.costs import INSTANCES, measure
from tests.matrix.samples import run_samples
from tests.matrix.syntaxes import SYNTAXES
from updp_node.verify.conformance import is_installed

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.timeout(3600)
def test_every_cell_of_the_matrix_is_released_clean_and_unharmed(tmp_path: Path) -> None:
    assert len(KINDS) >= 20
    assert len(CHARACTER_SETS) >= 17
    assert len(SYNTAXES) == 16
    assert is_installed(), "dciodvfy judges the output"
    cells, started = all_cells(), time.monotonic()
    wrong: dict[str, list[str]] = {}
    for cell in cells:
        if found := run(cell, tmp_path):
            wrong[str(cell)] = found
    refused = sum(cell.kind in REFUSED for cell in cells)
    record("matrix", "kinds of objects", len(KINDS), "")
    record("matrix", "character sets", len(CHARACTER_SETS), "")
    record("matrix", "transfer syntaxes", len(SYNTAXES), "")
    record("matrix", "cells", len(cells), "")
    record("matrix", "cells of kinds that the profile may refuse", refused, "")
    record("matrix", "cells with a leak, a harm or a new error", len(wrong), "")
    record("matrix", "time for a cell", round((time.monotonic() - started) / len(cells), 3), "s")
    assert not wrong, "\n".join(f"{cell}: {found[:3]}" for cell, found in wrong.items())


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("profile", ["pixel-passthrough", "tests/matrix/matrix.yaml"])
def test_the_gate_holds_next_to_nothing_that_tells_nobody(profile: str, tmp_path: Path) -> None:
    name = Path(profile).stem
    path = Path(__file__).parents[2] / profile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = list(run_samples(str(path) if path.is_file() else profile, tmp_path))
    at_gate = [each for each in outcomes if not each.code or each.is_held_by_gate]
    false = [each for each in at_gate if each.is_false]
    share = 100 * len(false) / len(at_gate)
    record("gate", f"samples that reached it ({name})", len(at_gate), "")
    record("gate", f"held rightly ({name})", len(at_gate) - len(false) -
           sum(not each.code for each in at_gate), "")  # fmt: skip
    record("gate", f"held falsely ({name})", round(share, 2), "%")
    assert len(at_gate) > 50
    assert share < 1, false


@pytest.mark.parametrize("name", list(INSTANCES))
def test_what_the_gate_costs(name: str, tmp_path: Path) -> None:
    for what, milliseconds in measure(name, tmp_path).items():
        record("gate", f"CPU of {what}, {name}", round(milliseconds, 1), "ms")
