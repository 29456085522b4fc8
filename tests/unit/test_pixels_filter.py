"""Which images are synthesized, dropped or quarantined."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from updp_node.errors import InstanceError
from updp_node.model import Certainty, PixelAction, Prompt
from updp_node.pixels.filter import (
    PixelPolicy,
    choose_action,
    looks_child,
    looks_frontal_chest,
    read_image,
    read_view,
)
from updp_node.pixels.generator import load_generator

POLICY = PixelPolicy()
ADULT = Prompt(("adult", "PA view", "no finding"))


@pytest.fixture(scope="module")
def chest() -> np.ndarray:
    return load_generator("default", threads=1).generate(ADULT, 7)


def make_radiograph(**attributes: object) -> Dataset:
    source = Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source.SOPClassUID = ComputedRadiographyImageStorage
    source.Modality = "CR"
    source.Rows = source.Columns = 64
    source.SamplesPerPixel, source.PixelRepresentation = 1, 0
    source.PhotometricInterpretation = "MONOCHROME2"
    source.BitsAllocated, source.BitsStored, source.HighBit = 8, 8, 7
    source.PixelData = np.random.default_rng(0).integers(0, 255, 4096, dtype=np.uint8).tobytes()
    for keyword, value in attributes.items():
        setattr(source, keyword, value)
    return source


def show(source: Dataset, pixels: np.ndarray) -> Dataset:
    source.Rows, source.Columns = pixels.shape
    source.PixelData = pixels.tobytes()
    return source


def code(value: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", "a meaning"
    return [item]


def test_an_object_without_pixels_needs_no_action() -> None:
    source = make_radiograph()
    del source.PixelData
    assert choose_action(source, POLICY) is PixelAction.NONE


@pytest.mark.parametrize(
    "attributes",
    [
        {"BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {"BodyPartExamined": " CHEST", "ViewPosition": "AP"},
        {"BodyPartExamined": "THORAX", "SeriesDescription": "ap_portable"},
        {"AnatomicRegionSequence": code("51185008"), "ViewCodeSequence": code("272479007")},
        {"StudyDescription": "XR CHEST 2 VIEWS", "ViewPosition": "PA"},
        {"SeriesDescription": "CXR^PA"},
        {"SOPClassUID": DigitalXRayImageStorageForPresentation, "Modality": "DX",
         "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {"SOPClassUID": DigitalXRayImageStorageForProcessing, "Modality": "DX",
         "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
    ],
)  # fmt: skip
def test_a_frontal_chest_by_its_header_is_synthesized(
    attributes: dict[str, object], chest: np.ndarray
) -> None:
    source = show(make_radiograph(**attributes), chest)
    assert choose_action(source, POLICY) is PixelAction.SYNTHESIZE


def test_an_image_that_is_not_what_its_header_says_is_quarantined(chest: np.ndarray) -> None:
    claimed = {"BodyPartExamined": "CHEST", "ViewPosition": "PA"}
    noise = make_radiograph(**claimed)
    turned = show(make_radiograph(**claimed), np.rot90(chest).copy())
    for source in (noise, turned):
        with pytest.raises(InstanceError, match="image-disagrees-with-header"):
            choose_action(source, POLICY)


def test_what_is_not_synthesized_is_not_looked_at() -> None:
    policy = PixelPolicy(chest_frontal=PixelAction.DROP)
    source = make_radiograph(BodyPartExamined="CHEST", ViewPosition="PA", PixelData=b"")
    assert choose_action(source, policy) is PixelAction.DROP


@pytest.mark.parametrize(
    "attributes",
    [
        {"BodyPartExamined": "CHEST", "ViewPosition": "LL"},
        {"BodyPartExamined": "CHEST", "ViewPosition": "LATERAL"},
        {"BodyPartExamined": "CHEST", "SeriesDescription": "Chest LAT"},
        {"AnatomicRegionSequence": code("51185008"), "ViewCodeSequence": code("399173006")},
    ],
)
def test_a_lateral_chest_is_dropped(attributes: dict[str, object]) -> None:
    assert choose_action(make_radiograph(**attributes), POLICY) is PixelAction.DROP


@pytest.mark.parametrize(
    "attributes",
    [
        {"BodyPartExamined": "HAND", "ViewPosition": "PA"},
        {"BodyPartExamined": "HAND", "StudyDescription": "CHEST AND HAND", "ViewPosition": "PA"},
        {"BodyPartExamined": "TSPINE", "ViewPosition": "AP"},
        {"SeriesDescription": "Thoracic spine AP"},
        {"SOPClassUID": SecondaryCaptureImageStorage, "BodyPartExamined": "CHEST"},
        {"SOPClassUID": CTImageStorage, "Modality": "CT", "BodyPartExamined": "CHEST"},
        {"Modality": "OT", "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {"NumberOfFrames": 2, "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {"PhotometricInterpretation": "CANARY", "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {"Modality": ["CR", "DX"], "BodyPartExamined": "CHEST", "ViewPosition": "PA"},
        {},
    ],
)
def test_every_other_image_is_quarantined(attributes: dict[str, object]) -> None:
    assert choose_action(make_radiograph(**attributes), POLICY) is PixelAction.QUARANTINE


def test_a_profile_decides_otherwise() -> None:
    policy = PixelPolicy(PixelAction.QUARANTINE, PixelAction.KEEP, PixelAction.DROP)
    frontal = make_radiograph(BodyPartExamined="CHEST", ViewPosition="PA")
    lateral = make_radiograph(BodyPartExamined="CHEST", ViewPosition="LL")
    hand = make_radiograph(BodyPartExamined="HAND")
    chosen = [choose_action(source, policy) for source in (frontal, lateral, hand)]
    assert chosen == [PixelAction.QUARANTINE, PixelAction.KEEP, PixelAction.DROP]


def test_a_policy_cannot_synthesize_what_has_no_generator() -> None:
    with pytest.raises(ValueError, match="frontal"):
        PixelPolicy(other_images=PixelAction.SYNTHESIZE)


def test_synthetic_input_is_refused() -> None:
    source = make_radiograph(BodyPartExamined="CHEST", ViewPosition="PA", SyntheticData="YES")
    with pytest.raises(InstanceError, match="already-synthetic"):
        choose_action(source, POLICY)


def test_the_image_decides_where_the_header_is_silent(chest: np.ndarray) -> None:
    source = show(make_radiograph(BodyPartExamined="CHEST"), chest)
    assert choose_action(source, POLICY) is PixelAction.SYNTHESIZE
    turned = show(make_radiograph(BodyPartExamined="CHEST"), np.rot90(chest).copy())
    assert choose_action(turned, POLICY) is PixelAction.DROP
    unnamed = show(make_radiograph(), chest)
    assert choose_action(unnamed, POLICY) is PixelAction.SYNTHESIZE


def test_undecodable_pixels_quarantine_where_the_image_must_be_looked_at() -> None:
    source = make_radiograph(BodyPartExamined="CHEST")
    source.PixelData = b"\0\0"
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        choose_action(source, POLICY)


def test_an_upright_chest_is_told_from_a_turned_one_an_inverted_one_and_noise(
    chest: np.ndarray,
) -> None:
    assert looks_frontal_chest(chest)
    assert not looks_frontal_chest(chest[::-1].copy())
    assert not looks_frontal_chest(255 - chest)
    noise = np.random.default_rng(1).integers(0, 255, (256, 256), dtype=np.uint8)
    assert not looks_frontal_chest(noise)
    assert not looks_frontal_chest(np.full((256, 256), 90, dtype=np.uint8))


def test_another_window_changes_nothing(chest: np.ndarray) -> None:
    assert looks_frontal_chest((chest // 2 + 40).astype(np.uint8))


def test_a_reading_is_one_finding_present_or_absent(chest: np.ndarray) -> None:
    (finding,) = read_image(chest)
    assert finding.term == "pneumonia"
    assert finding.certainty in {Certainty.PRESENT, Certainty.ABSENT}
    assert not looks_child(chest)


def test_the_view_is_read_from_code_or_position() -> None:
    assert read_view(make_radiograph(ViewPosition="AP")) == "AP"
    assert read_view(make_radiograph(ViewCodeSequence=code("272479007"))) == "PA"
    assert read_view(make_radiograph(ViewPosition="LL")) is None


def test_deciding_imports_neither_torch_nor_diffusers() -> None:
    check = (
        "import sys, updp_node.pixels.filter, updp_node.pixels.generator, "
        "updp_node.pixels.synthesis; "
        "assert not {'torch', 'diffusers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.parametrize("keyword", ["BurnedInAnnotation", "RecognizableVisualFeatures"])
def test_pixels_that_are_said_to_show_text_or_a_face_are_not_kept(keyword: str) -> None:
    keeping = PixelPolicy(PixelAction.KEEP, PixelAction.KEEP, PixelAction.KEEP)
    source = make_radiograph(SOPClassUID=CTImageStorage, Modality="CT", **{keyword: "YES"})
    with pytest.raises(InstanceError, match="burned-in-annotation"):
        choose_action(source, keeping)
    assert choose_action(source, POLICY) is PixelAction.QUARANTINE
    setattr(source, keyword, "NO")
    assert choose_action(source, keeping) is PixelAction.KEEP
