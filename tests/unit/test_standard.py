"""The generated tables and their loader."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from updp_node.errors import ConfigError
from updp_node.standard import (
    OPTION_CODES,
    attribute_type,
    confidentiality_rows,
    content_items,
    edition,
    iod_keywords,
    iod_types,
    required_keywords,
    safe_private,
    tables,
)

CT = "1.2.840.10008.5.1.4.1.1.2"


def test_the_confidentiality_table_is_whole() -> None:
    rows = confidentiality_rows()
    assert len(rows) == 657
    assert {row.basic for row in rows} == {
        "X", "D", "U", "Z", "X/D", "X/Z", "X/Z/D", "Z/D", "X/Z/U*",
    }  # fmt: skip
    assert {name for row in rows for name in row.options} == {
        name for name in OPTION_CODES if not name.startswith(("Basic", "Clean Pix", "Clean Rec"))
    }


def test_the_other_tables_are_whole() -> None:
    assert len(content_items()) == 214
    assert len(safe_private()) == 1322
    assert len(iod_keywords()) > 3900
    assert "sha256:" in edition("confidentiality.json")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["PatientID"], "2"),
        (["SOPInstanceUID"], "1"),
        (["StudyDescription"], "3"),
        (["ReferencedImageSequence", "ReferencedSOPInstanceUID"], "1"),
        ([0x00080018], "1"),
        (["BeamSequence"], None),
        (["ReferencedImageSequence", "BeamName"], None),
    ],
)
def test_a_type_is_found_by_path(path: list[str | int], expected: str | None) -> None:
    assert attribute_type(CT, path) == expected


def test_a_sop_class_that_is_not_known_has_no_types() -> None:
    assert iod_types("1.2.3") is None
    assert attribute_type("1.2.3", ["PatientID"]) is None
    assert required_keywords("1.2.3") == frozenset()


def test_retired_ultrasound_is_read_by_its_successor() -> None:
    assert attribute_type("1.2.840.10008.5.1.4.1.1.6", ["SOPInstanceUID"]) == "1"


def test_required_keywords_name_type_1_attributes() -> None:
    assert {"SOPClassUID", "Rows", "Modality"} <= required_keywords(CT)
    assert "PatientID" not in required_keywords(CT)


def test_codes_of_cid_7050_are_complete() -> None:
    assert sorted(code for code, _ in OPTION_CODES.values()) == [
        str(number) for number in range(113100, 113113)
    ]


def test_a_table_that_was_edited_by_hand_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"safe_private.json": {"edition": "", "sha256": "0" * 64}}
    monkeypatch.setattr(tables, "_manifest", lambda: changed)
    with pytest.raises(ConfigError, match=r"safe_private\.json"):
        tables._load("safe_private.json")


def test_the_tables_are_what_the_generator_writes(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("UPDP_SHARED", root.parent / "shared")) / "standard"
    if not folder.is_dir():
        pytest.skip(f"source tables absent: {folder}; set UPDP_SHARED to compare")
    command = [sys.executable, root / "tools" / "generate_standard.py", folder, tmp_path]
    subprocess.run(command, check=True)
    for made in tmp_path.iterdir():
        assert made.read_bytes() == (root / "updp_node" / "standard" / made.name).read_bytes()
