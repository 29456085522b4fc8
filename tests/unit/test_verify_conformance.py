"""Errors of conformance that the output has and the source had not; Types of attributes."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset

from tests import factories
from updp_node.errors import InstanceError
from updp_node.verify.conformance import compare_conformance, is_installed
from updp_node.verify.required import check_required

needs_checker = pytest.mark.skipif(not is_installed(), reason="dciodvfy is not installed")


def chest() -> Dataset:
    return factories.chest_dx(rows=16, columns=16)


@needs_checker
def test_the_same_object_has_no_new_error() -> None:
    encoded = factories.encode(chest())
    assert compare_conformance(encoded, encoded) == []


@needs_checker
def test_a_new_error_is_told_by_tag_without_its_value(tmp_path: Path) -> None:
    source = factories.write(chest(), tmp_path / "source.dcm")
    made = chest()
    del made.PositionerType
    made.PatientSex = "QVISTO"
    errors = compare_conformance(source, factories.encode(made))
    assert any(error.startswith("(0018,1508) ") for error in errors)
    assert any(error.startswith("(0010,0040) ") for error in errors)
    assert "qvisto" not in " ".join(errors).lower()


@needs_checker
def test_an_object_that_the_checker_can_no_longer_read_is_a_new_error() -> None:
    made = chest()
    del made.PresentationIntentType
    assert compare_conformance(factories.encode(chest()), factories.encode(made))


@needs_checker
def test_what_the_source_had_wrong_already_is_not_held_against_the_output() -> None:
    source = chest()
    del source.PositionerType
    assert compare_conformance(factories.encode(source), factories.encode(source)) == []


@needs_checker
def test_a_source_that_the_checker_cannot_read_is_no_measure() -> None:
    made = chest()
    del made.PositionerType
    assert compare_conformance(b"nothing of DICOM", factories.encode(made)) == []


def refused(made: Dataset, source: Dataset) -> str:
    with pytest.raises(InstanceError) as caught:
        check_required(made, source)
    assert caught.value.code == "missing-attribute"
    return caught.value.detail


def test_an_attribute_of_type_1_that_the_source_had_must_be_there() -> None:
    check_required(chest(), chest())
    made = chest()
    del made.PresentationIntentType
    made.ImageType = None
    detail = refused(made, chest())
    assert "(0008,0008)" in detail
    assert "(0008,0068)" in detail
    check_required(made, made)


def test_zero_in_a_binary_attribute_is_a_value() -> None:
    made = chest()
    made.PixelRepresentation = 0
    check_required(made, chest())


def test_type_1_holds_inside_items_too() -> None:
    made = chest()
    del made.AnatomicRegionSequence[0].CodeMeaning
    assert refused(made, chest()) == "(0008,2218)[1](0008,0104), 1 in all"


def test_an_object_of_another_class_has_all_that_its_own_class_requires() -> None:
    made = factories.secondary_capture()
    check_required(made, chest())
    del made.ConversionType
    assert "(0008,0064)" in refused(made, chest())


@needs_checker
def test_an_attribute_newer_than_the_checker_is_no_error() -> None:
    made = factories.secondary_capture()
    source = factories.encode(made)
    made.SyntheticData = "YES"
    assert compare_conformance(source, factories.encode(made)) == []
