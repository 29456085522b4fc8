"""The demonstration's own search and books, without a node."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from updp_node.demo.residue import find_residue, identifiers_of
from updp_node.demo.scene import find_sources
from updp_node.demo.study import PLANTED, REPORT, make_report, report_texts


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.dcm"
    make_report().save_as(path, enforce_file_format=True)
    return path


def _image(tmp_path: Path, name: str, pixels: bytes) -> Path:
    image = make_report()
    image.PatientName = name
    image.add_new("PixelData", "OB", pixels)
    path = tmp_path / "image.dcm"
    image.save_as(path, enforce_file_format=True)
    return path


def test_the_report_carries_what_is_planted(report_file: Path) -> None:
    found = find_residue(report_file, PLANTED)
    assert {"Zsigmondy", "Marguerite", "83-441-9027", "zsigmondy.m@quellbrook.example"} <= found
    assert len(found) > 20


def test_every_identifier_of_a_header_is_found_in_its_own_file(report_file: Path) -> None:
    identifiers = identifiers_of(pydicom.dcmread(report_file))
    assert {"Zsigmondy", "ACC-2024-559013", "19470813", "Hallgrimsdottir"} <= identifiers
    assert find_residue(report_file, identifiers) == identifiers


def test_a_name_is_found_in_any_case_but_not_inside_another_word(tmp_path: Path) -> None:
    path = _image(tmp_path, "OKONJOMOSON^Tamara", b"\0\0")
    assert find_residue(path, ["tamara"]) == {"tamara"}
    assert find_residue(path, ["Tamar"]) == set()


def test_pixel_values_are_not_searched(tmp_path: Path) -> None:
    path = _image(tmp_path, "Nobody", b"XQWEYRTZ")
    assert find_residue(path, ["XQWEYRTZ"]) == set()


def test_placeholders_and_short_words_identify_nobody() -> None:
    header = Dataset()
    header.PatientName, header.PatientID = "TEST^PATIENT^Al", "0"
    header.ReferringPhysicianName = "ward"
    assert identifiers_of(header) == set()


def test_texts_of_a_report_come_with_their_headings_in_order() -> None:
    assert [heading for heading, _ in report_texts(make_report())] == [
        meaning for _, meaning in REPORT
    ]


def test_files_that_are_not_dicom_and_repeated_instances_are_left_out(report_file: Path) -> None:
    text = report_file.with_name("notes.txt")
    text.write_text("nothing")
    again = report_file.with_name("again.dcm")
    again.write_bytes(report_file.read_bytes())
    assert [source.path for source in find_sources([report_file, text, again])] == [report_file]
