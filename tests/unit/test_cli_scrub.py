import json
import subprocess
import sys

import pytest

from tests import factories
from tests.integration.text_templates import shared_scrubber
from updp_node.cli.scrub import explain_rows, read_input, show_explanation, show_findings
from updp_node.errors import InstanceError
from updp_node.model import Certainty, Finding

TEXT = "Dr. Baker saw a Baker cyst on 3/14/2021."


def test_every_stretch_is_explained_in_order():
    rows = explain_rows(shared_scrubber().explain(TEXT), TEXT)
    assert [row["start"] for row in rows] == sorted(row["start"] for row in rows)
    decisions = {(row["text"], row["decision"]) for row in rows}
    assert ("Baker", "replaced") in decisions
    assert ("Baker", "kept: eponym or phrase") in decisions
    assert ("3/14/2021", "replaced") in decisions


def test_the_explanation_warns_that_it_shows_identifiers(capsys):
    show_explanation(shared_scrubber().explain(TEXT), TEXT, as_json=False)
    shown = capsys.readouterr()
    assert "identified zone" in shown.err
    assert "date-numeric" in shown.out


def test_findings_are_printed_as_a_table_and_as_json(capsys):
    findings = [Finding("pleural effusion", Certainty.PRESENT)]
    show_findings(findings, as_json=False)
    assert "pleural effusion" in capsys.readouterr().out
    show_findings(findings, as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"term": "pleural effusion", "certainty": "present"}
    ]


def test_a_report_object_is_read_as_its_narrative_with_what_its_header_says(tmp_path):
    report = factories.text_sr(references=[factories.chest_cr()])
    path = factories.write(report, tmp_path / "report.dcm")
    text, identity = read_input(path.read_bytes())
    assert identity is not None
    assert str(report.PatientName) in identity.names
    assert ":" in text


def test_bytes_that_are_no_text_are_read_without_harm():
    text, identity = read_input(b"Dr. M\xfcller\x00 came")
    assert identity is None
    assert "ller" in text


def test_an_input_of_many_megabytes_is_refused():
    with pytest.raises(InstanceError, match="text-too-long"):
        read_input(b"a" * 20_000_001)


def test_the_lexicons_of_a_site_are_used_where_they_are_named(tmp_path):
    head = "category: id\nsource: us\nlicence: ours\nversion: 1.0.0\n"
    (tmp_path / "numbers.yaml").write_text(f'{head}regexes: ["QX[a-z]{{3}}"]\n', "utf-8")
    text = tmp_path / "text.txt"
    text.write_text("The label says QXabc there.", "utf-8")
    command = [sys.executable, "-m", "updp_node", "scrub", str(text)]
    done = subprocess.run([*command, "--site-lexicons", str(tmp_path)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "The label says [ID] there.")
    faulty = tmp_path / "numbers.yaml"
    faulty.write_text(f"{head}regexes: [12]\n", "utf-8")
    done = subprocess.run([*command, "--site-lexicons", str(tmp_path)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert f"{faulty}: regexes: line 5" in done.stderr
