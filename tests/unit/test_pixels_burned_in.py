"""Burned-in text goes, markers stay, and nothing else changes."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
    VLWholeSlideMicroscopyImageStorage,
)

from tests.factories.burned_in import Planted, make_image, make_text
from updp_node.assemble import assemble_cleaned
from updp_node.assemble.provenance import Provenance
from updp_node.config import packaged_policy
from updp_node.errors import ConfigError, InstanceError
from updp_node.model import CleanedPixels, PixelAction
from updp_node.pixels.clean import clean_pixels
from updp_node.pixels.cleaning import Cleaning, load_cleaning
from updp_node.pixels.filter import PixelPolicy, choose_action
from updp_node.pixels.stored import decode_stored

CLEAN = PixelPolicy(PixelAction.CLEAN, PixelAction.CLEAN, PixelAction.CLEAN)


@pytest.fixture(scope="module")
def cleaning() -> Cleaning:
    return load_cleaning([packaged_policy()])


@pytest.fixture
def provenance() -> Provenance:
    return Provenance("0.1.0", "basic", "0" * 64, 1, datetime(2024, 5, 17, tzinfo=UTC))


def changed_by(image: Dataset, cleaned: CleanedPixels) -> np.ndarray:
    before = decode_stored(image).frames
    return (before != cleaned.samples).reshape(*before.shape[:3], -1).any(axis=-1)


def remains(changed: np.ndarray, text: Planted) -> float:
    return float(np.mean([~changed[(frame, *text.place)][text.ink > 0.5] for frame in text.frames]))


@pytest.mark.parametrize("kind", ["US", "CR", "SC", "colour", "multi-frame"])
def test_names_dates_and_numbers_go_in_every_direction(kind: str, cleaning: Cleaning) -> None:
    dice = random.Random(kind)
    texts = [make_text(dice) for _ in range(8)]
    image, _, planted = make_image(kind, texts, seed=3, contrast=60.0)
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    changed = changed_by(image, cleaned)
    left = [text.text for text in planted if remains(changed, text) > 0.02]
    assert not left


def test_markers_stay_and_so_does_the_image(cleaning: Cleaning) -> None:
    image, _, _ = make_image("CR", ["L", "PORTABLE", "120 kV"], seed=2, size_px=28, contrast=120.0)
    assert clean_pixels(image, cleaning) is None


def test_nothing_outside_the_text_changes(cleaning: Cleaning) -> None:
    image, _, (text,) = make_image("SC", ["SMITH^JOHN"], seed=4, contrast=80.0)
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    changed = changed_by(image, cleaned)[0]
    rows, columns = text.place
    room = 40
    changed[max(rows.start - room, 0) : rows.stop + room,
            max(columns.start - room, 0) : columns.stop + room] = False  # fmt: skip
    assert not changed.any()


def test_an_image_that_says_it_shows_text_is_held_where_none_is_found(cleaning: Cleaning) -> None:
    image, _, _ = make_image("SC", [], seed=1)
    image.BurnedInAnnotation = "YES"
    with pytest.raises(InstanceError, match="burned-in-text-not-found"):
        clean_pixels(image, cleaning)


def test_what_lies_outside_the_ultrasound_regions_goes(cleaning: Cleaning) -> None:
    image, _, _ = make_image("US", [], seed=1)
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 100, 50
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 540, 440
    samples = np.frombuffer(image.PixelData, np.uint8).reshape(480, 640, 3).copy()
    samples[20:24, 10:60] = 200  # nothing that reads as text
    image.PixelData = samples.tobytes()
    image.SequenceOfUltrasoundRegions = Sequence([region])
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    assert len(np.unique(cleaned.samples[0, :50].reshape(-1, 3), axis=0)) == 1
    inside = (0, slice(50, 441), slice(100, 541))
    assert np.array_equal(cleaned.samples[inside], decode_stored(image).frames[inside])


def test_a_device_of_the_site_is_masked_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "pixels").mkdir()
    (tmp_path / "pixels" / "device-regions.yaml").write_text(
        "devices:\n- {manufacturer: ACME, model: 'Scan  1', rows: 480, columns: 640,\n"
        "   mask: [[0, 0, 640, 30]], why: measured on ours}\n",
        encoding="utf-8",
    )
    cleaning = load_cleaning([tmp_path, packaged_policy()])
    assert cleaning.sha256 != load_cleaning([packaged_policy()]).sha256
    image, _, _ = make_image("SC", [], seed=1)
    assert clean_pixels(image, cleaning) is None
    image.Manufacturer, image.ManufacturerModelName = "Acme", "SCAN 1"
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    assert len(np.unique(cleaned.samples[0, :30])) == 1


def test_a_faulty_region_file_is_refused_by_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "pixels").mkdir()
    path = tmp_path / "pixels" / "device-regions.yaml"
    path.write_text("ultrasound: {outside_regions: perhaps}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"device-regions\.yaml"):
        load_cleaning([tmp_path])


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("L", True), ("rt", True), ("AP SUPINE", True), ("120 kV", True), ("3.2mAs", True),
        ("MI 1.2", True), ("(R)", True), ("12.5 cm/s", True),
        ("SMITH", False), ("L SMITH", False), ("12.04.1970", False), ("1234567", False),
        ("17", False), ("19700412 kV", False), ("", False), ("--", False), ("ID 12", False),
    ],
)  # fmt: skip
def test_only_listed_words_and_numbers_with_units_stay(
    text: str, stays: bool, cleaning: Cleaning
) -> None:
    assert cleaning.is_harmless(text) is stays


def test_what_cannot_be_decoded_is_refused(cleaning: Cleaning) -> None:
    image, _, _ = make_image("SC", [], seed=1)
    image.PixelData = b"\0" * 10
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        clean_pixels(image, cleaning)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda image: setattr(image.file_meta, "TransferSyntaxUID", "1.2.840.10008.1.2.4.102"),
         "video-not-cleaned"),
        (lambda image: setattr(image, "SOPClassUID", VLWholeSlideMicroscopyImageStorage),
         "whole-slide-not-cleaned"),
        (lambda image: setattr(image, "RecognizableVisualFeatures", "YES"),
         "burned-in-annotation"),
    ],
)  # fmt: skip
def test_what_cleaning_cannot_do_is_refused(change: Callable[[Dataset], None], code: str) -> None:
    image, _, _ = make_image("SC", [], seed=1)
    assert choose_action(image, CLEAN) is PixelAction.CLEAN
    change(image)
    with pytest.raises(InstanceError, match=code):
        choose_action(image, CLEAN)


def assembled(image: Dataset, cleaned: CleanedPixels | None, provenance: Provenance) -> Dataset:
    header = Dataset()
    header.update(image)
    made = assemble_cleaned(header, image, cleaned, provenance)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = (
        image.file_meta.TransferSyntaxUID if cleaned is None else ExplicitVRLittleEndian
    )
    return made


@pytest.mark.parametrize(("kind", "seed"), [("US", 1), ("CR", 1), ("colour", 0), ("colour", 1)])
def test_lossless_input_comes_out_native_and_equal_outside_the_text(
    kind: str, seed: int, cleaning: Cleaning, provenance: Provenance
) -> None:
    image, _, _ = make_image(kind, ["SMITH^JOHN 1970"], seed=seed, contrast=80.0)
    native = decode_stored(image).frames
    image.compress(RLELossless, generate_instance_uid=False)
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    made = assembled(image, cleaned, provenance)
    assert np.array_equal(decode_stored(made).frames, cleaned.samples)
    assert 0 < np.mean(decode_stored(made).frames != native) < 0.05
    assert made.ImageType[0] == "DERIVED"
    assert made.BurnedInAnnotation == "NO"
    assert made.DeidentificationMethodCodeSequence[0].CodeValue == "113101"
    assert "LossyImageCompression" not in made


def test_pixels_without_text_leave_byte_for_byte(
    cleaning: Cleaning, provenance: Provenance
) -> None:
    image, _, _ = make_image("SC", [], seed=1)
    image.compress(RLELossless, generate_instance_uid=False)
    assert clean_pixels(image, cleaning) is None
    made = assembled(image, None, provenance)
    assert made.PixelData == image.PixelData
    assert made.ImageType[0] == "ORIGINAL"
    assert made.BurnedInAnnotation == "NO"


def test_lossy_pixels_say_what_was_done(provenance: Provenance) -> None:
    image, _, _ = make_image("SC", [], seed=1)
    image.LossyImageCompression, image.LossyImageCompressionRatio = "01", "10"
    image.LossyImageCompressionMethod = "ISO_10918_1"
    image.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    frames = np.zeros((1, 480, 640), np.uint8)
    made = assemble_cleaned(image, image, CleanedPixels(frames, "MONOCHROME2", 1, True), provenance)
    assert "lossy" in made.DerivationDescription
    assert (made.LossyImageCompression, made.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert made.LossyImageCompressionRatio == 10


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "key"), [("cr_chest_burned_in_rle.dcm", "0"), ("ct_scout_burned_in.dcm", "2")]
)
def test_the_identifiers_of_published_samples_go(name: str, key: str, cleaning: Cleaning) -> None:
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("UPDP_SHARED", root.parent / "shared")) / "data" / "dicom"
    if not (folder / name).exists():
        pytest.skip(f"sample absent: {folder / name}; set UPDP_SHARED to measure on it")
    told = json.loads((folder / "burned_in_ground_truth.json").read_text(encoding="utf-8"))
    image = dcmread(folder / name)
    cleaned = clean_pixels(image, cleaning)
    assert cleaned is not None
    before = decode_stored(image).frames[0].astype(np.float64)
    frame = 25  # the boxes were measured in pictures with a frame of so many pixels
    for box in told[f"sample_data/{key}_ORIGINAL.dcm"]:
        left, top = box["left"] - frame, box["top"] - frame
        place = (slice(top, top + box["height"]), slice(left, left + box["width"]))
        ink = np.abs(before[place] - np.median(cleaned.samples[0][place]))
        ink = ink > 0.5 * ink.max()
        kept = (before[place] == cleaned.samples[0][place])[ink].mean()
        assert kept <= 0.02, f"{kept:.2f} of a text of {len(box['label'])} letters"
