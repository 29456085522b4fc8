"""A slice of the oracle's trials; the whole of them is an acceptance suite."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.oracle.engine import SUBJECT, run_trials
from tests.oracle.extras import judge_group_lengths, judge_leftovers, judge_statement
from tests.oracle.instances import Planted, write
from tests.oracle.judge import Judge
from tests.oracle.reading import Outcome, Reason, expect
from tests.oracle.tables import FOLDER, other_rows, rows, sop_classes
from tests.oracle.trial import (
    COMBINED,
    SINGLE,
    Findings,
    Setting,
    make_judges,
    make_source,
    try_class,
)
from updp_node.header import Profile, compile_profile, deidentify
from updp_node.subject import UidMap

CT, DX = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.1.1"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "oracle.md"


def test_the_table_is_read_whole() -> None:
    assert len(rows()) + len(other_rows()) == 657
    assert len(sop_classes()) == 170


def test_the_copies_are_what_the_generator_writes(tmp_path: Path) -> None:
    shared = Path(os.environ.get("UPDP_SHARED", ROOT.parent / "shared")) / "standard"
    if not shared.is_dir():
        pytest.skip(f"source tables absent: {shared}; set UPDP_SHARED to compare")
    command = [sys.executable, ROOT / "tools" / "generate_oracle.py", shared, tmp_path]
    subprocess.run(command, check=True)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in FOLDER.iterdir()}
    for name in names:
        written, kept = ((folder / name).read_bytes() for folder in (tmp_path, FOLDER))
        if name.endswith(".gz"):
            written, kept = gzip.decompress(written), gzip.decompress(kept)
        assert written == kept


@pytest.mark.parametrize(
    ("sop_class", "settings"), [(CT, [*SINGLE, *COMBINED]), (COMPREHENSIVE_SR, COMBINED)]
)
def test_nothing_is_wrong_under_the_options(sop_class: str, settings: list[Setting]) -> None:
    findings = run_trials([sop_class], settings)
    assert findings.wrong == {}
    assert findings.instances == len(settings)
    assert findings.depths[0] > 600
    assert sum(count for depth, count in findings.depths.items() if depth >= 2) > 600


def test_uids_come_under_the_root_of_a_site() -> None:
    subject = replace(SUBJECT, uid_root="1.2.826.0.1.3680043.10.9")
    findings = run_trials([CT], [Setting()], subject=subject)
    assert findings.wrong == {}
    assert findings.outcomes[Outcome.NEW_UID] > 100


@pytest.mark.parametrize(
    ("code", "types", "named", "outcome"),
    [
        ("Z/D", {"1"}, True, Outcome.DUMMY),
        ("Z/D", {"1C"}, True, Outcome.DUMMY),
        ("Z/D", {"2"}, True, Outcome.EMPTY_OR_DUMMY),
        ("Z/D", {"3"}, True, Outcome.EMPTY_OR_DUMMY),
        ("X/Z", {"2C"}, True, Outcome.EMPTY_OR_DUMMY),
        ("X/Z", {"3"}, True, Outcome.GONE),
        ("X/D", {"1"}, True, Outcome.DUMMY),
        ("X/D", {"3"}, True, Outcome.GONE),
        ("X/Z/D", {"1C"}, True, Outcome.DUMMY),
        ("X/Z/D", {"2"}, True, Outcome.EMPTY_OR_DUMMY),
        ("X/Z/D", set(), True, Outcome.GONE),
        ("X/Z/D", {"3", "1"}, True, Outcome.DUMMY),
        ("X/Z/U*", {"1C"}, True, Outcome.NEW_UID),
        ("X/Z/U*", {"2"}, True, Outcome.EMPTY_OR_DUMMY),
        ("X/Z/U*", {"3"}, True, Outcome.GONE),
        ("X", {"1"}, True, Outcome.GONE),
    ],
)
def test_composite_codes_are_read_by_type(
    code: str, types: set[str], named: bool, outcome: Outcome
) -> None:
    row = next(row for row in rows().values() if row.basic == code)
    assert expect(row, row.vr, (), types, is_place_named=named, times="keep").outcome is outcome


def test_an_instance_that_nobody_touched_is_wrong_in_every_row() -> None:
    source, planted, _ = make_source(CT)
    judge = Judge((), SUBJECT.shift_days, "keep")
    judge.judge(planted, source)
    blamed = [fault.split(" ")[0] for fault in judge.wrong]
    listed = [".".join(one.where) for one in planted if one.row is not None]
    assert [path for path in listed if not any(each.startswith(path) for each in blamed)] == []
    leftovers = " ".join(judge_leftovers(source, set(), write(source)))
    for expected in ("(6000,3000)", "(5002,2500)", "(FFFC,FFFC)", "in the bytes"):
        assert expected in leftovers
    assert len(list(judge_group_lengths(source))) == 8
    stated = list(judge_statement(source, (), SUBJECT.pseudonym, set()))
    assert len(stated) == 5


@pytest.mark.parametrize(
    ("keyword", "change"),
    [
        ("StudyInstanceUID", "1.2.3"),
        ("SeriesInstanceUID", ""),
        ("PatientBirthDate", "yesterday"),
        ("AccessionNumber", "Qv000001"),
        ("ContentDate", "19001301"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_one_wrong_value_is_found(keyword: str, change: str) -> None:
    source, planted, _ = make_source(CT)
    made = _blank(planted, source)
    setattr(made, keyword, change)
    judge = Judge((), SUBJECT.shift_days, "keep")
    judge.judge([one for one in planted if one.keyword == keyword], made)
    assert len(judge.wrong) == 1


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientAddress", "K"), ("StudyInstanceUID", "K"), ("StudyInstanceUID", "X"),
        ("ContentDate", "X"), ("ContentDate", "K"), ("StudyID", "X"), ("SeriesDate", "K"),
        ("ReferencedImageSequence", "K"), ("RequestAttributesSequence", "K"),
        ("GraphicAnnotationSequence", "K"), ("DeviceSerialNumber", "Z"), ("Arbitrary", "Z"),
    ],
)  # fmt: skip
def test_one_wrong_rule_is_found(keyword: str, action: str) -> None:
    compiled = compile_profile(Profile(name="t", version="1"))
    tag = rows()[keyword].tag
    wrong = replace(compiled.rules[tag], action=action, basic=action)
    sabotaged = replace(compiled, rules={**compiled.rules, tag: wrong})

    def run(source: Dataset, setting: Setting) -> Dataset:
        return deidentify(source, sabotaged, SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)

    findings = Findings()
    judges = make_judges([Setting()], SUBJECT.shift_days, "2.25")
    try_class(DX, judges, run, findings, SUBJECT.pseudonym)
    assert any(keyword in fault for _, fault in findings.wrong)


def test_every_explained_difference_has_its_section() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [reason for reason in Reason if f"## `{reason.value}`" not in page] == []


def _blank(planted: list[Planted], source: Dataset) -> Dataset:
    made = Dataset()
    for one in planted:
        if one.vr != "SQ":
            made[one.tag] = source[one.tag]
    return made
