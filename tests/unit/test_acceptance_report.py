"""The page that scripts/accept writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_PROGRAM = Path(__file__).parents[2] / "scripts" / "acceptance_report.py"
_RESULTS = """<testsuites><testsuite>
<testcase classname="tests.acceptance.test_kill" name="test_nothing_is_lost" time="12.34"/>
<testcase classname="tests.acceptance.test_kill" name="test_b" time="1"><failure/></testcase>
<testcase classname="tests.acceptance.test_disk" name="test_c" time="0"><skipped/></testcase>
</testsuite></testsuites>"""


def test_results_and_figures_become_a_dated_page(tmp_path: Path) -> None:
    results, figures = tmp_path / "results.xml", tmp_path / "figures.jsonl"
    results.write_text(_RESULTS)
    figure = {"suite": "kill", "name": "instances sent", "value": 500, "unit": ""}
    figures.write_text(json.dumps(figure) + "\n")
    command = [sys.executable, str(_PROGRAM), str(results), str(figures)]
    page = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert page.startswith("# Acceptance, 20")
    assert "1 passed, 1 failed, 1 skipped, 13 s." in page
    assert "| test_kill | nothing is lost | passed | 12.3 |" in page
    assert "| test_kill | b | FAILED | 1.0 |" in page
    assert "| kill | instances sent | 500 |  |" in page
