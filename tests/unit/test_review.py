"""Leaks that an independent review found, each down the whole line with a shipped profile."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

from tests import factories
from tests.factories.canary import encode
from updp_node.errors import InstanceError
from updp_node.line import Line, make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.subject import ProjectKey

PROFILES = Path(__file__).parents[2] / "profiles"
OVERLAY = 1 << 12
pytestmark = pytest.mark.filterwarnings("ignore")


@cache
def line(profile: str) -> Line:
    return make_line(profile, key=ProjectKey(b"r" * 32), project="R", pseudonym="R-{code}",
                     search=[PROFILES])  # fmt: skip


def release(
    source: Dataset, folder: Path, profile: str = "basic", syntax: str = ExplicitVRLittleEndian
) -> Dataset:
    path = folder / "source.dcm"
    path.write_bytes(encode(source, transfer_syntax_uid=syntax))
    action = examine(ExamineTask(path, line(profile))).action
    task = ReleaseTask(path, line(profile), action, 1, folder, datetime(2026, 1, 1, tzinfo=UTC))
    return dcmread(release_instance(task).path)


def ct() -> Dataset:
    source = factories.ct_series(1, rows=64)[0]
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return source


def written(mode: str, size: tuple[int, int]) -> Image.Image:
    picture = Image.new(mode, size, 20 if mode == "L" else (20, 20, 30))
    ink = 250 if mode == "L" else (250, 250, 250)
    font = ImageFont.load_default(24)
    ImageDraw.Draw(picture).text((20, 40), "DR GOODFELLOW 5556677", fill=ink, font=font)
    return picture


@pytest.mark.parametrize("profile", ["basic", "pixel-passthrough"])
def test_a_uid_that_begins_as_the_standards_do_is_no_defined_one(
    profile: str, tmp_path: Path
) -> None:
    source = ct()
    source.SOPInstanceUID = f"{source.SOPClassUID}.7738201.51.623.1"
    source.StudyInstanceUID = "1.2.840.10008.20231117.141253.4471"
    released = release(source, tmp_path, profile)
    assert released.SOPInstanceUID != source.SOPInstanceUID
    assert released.StudyInstanceUID != source.StudyInstanceUID
    assert released.SOPClassUID == source.SOPClassUID


@pytest.mark.parametrize("high", [5, 15, 20])
def test_samples_that_lie_elsewhere_than_in_the_lowest_bits_are_refused(
    high: int, tmp_path: Path
) -> None:
    source = ct()
    source.BitsStored, source.HighBit = 12, high
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        release(source, tmp_path, "pixel-passthrough")


def test_cells_of_64_bits_keep_nothing_above_their_samples(tmp_path: Path) -> None:
    source = ct()
    samples = np.arange(64 * 64, dtype=np.uint64) | np.uint64(OVERLAY)
    source.PixelData = (samples * np.tile(np.array([1, 2], np.uint64), 2048)).tobytes()
    source.BitsAllocated, source.BitsStored, source.HighBit = 64, 12, 11
    released = release(source, tmp_path, "pixel-passthrough")
    assert np.frombuffer(released.PixelData, np.uint64).max() < OVERLAY


def test_an_overlay_in_the_unused_bits_of_compressed_pixels_is_refused(tmp_path: Path) -> None:
    source = ct()
    name = np.array(written("L", (64, 64))) > 100
    samples = (source.pixel_array.astype(np.uint16) & 0xFFF) | (name * OVERLAY).astype(np.uint16)
    source.PixelData, source.BitsStored, source.HighBit = samples.tobytes(), 16, 15
    source.compress(RLELossless, generate_instance_uid=False)
    source.BitsStored, source.HighBit = 12, 11
    with pytest.raises(InstanceError, match="pixel-metadata-unsearched"):
        release(source, tmp_path, "pixel-passthrough", RLELossless)


def test_an_image_with_a_content_tree_does_not_go_out_uncleaned(tmp_path: Path) -> None:
    source = factories.secondary_capture(np.array(written("L", (512, 512))))
    report = factories.text_sr(references=[source])
    source.ContentSequence = report.ContentSequence
    with pytest.raises(InstanceError, match="pixels-beside-text"):
        release(source, tmp_path)
    for keyword in ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation",
                    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
                    "PixelData"):  # fmt: skip
        report[keyword] = source[keyword]
    with pytest.raises(InstanceError, match="pixels-beside-text"):
        release(report, tmp_path)


@pytest.mark.parametrize(("subsampling", "told"), [(0, "RGB"), (2, "YBR_FULL_422")])
def test_a_colour_picture_of_subsampled_jpeg_is_cleaned_and_released(
    subsampling: int, told: str, tmp_path: Path
) -> None:
    coded = io.BytesIO()
    written("RGB", (320, 240)).save(coded, "JPEG", subsampling=subsampling, quality=92)
    source = factories.ultrasound(1)
    source.Rows, source.Columns, source.PhotometricInterpretation = 240, 320, told
    source.PlanarConfiguration, source.NumberOfFrames = 0, 1
    source.LossyImageCompression, source.LossyImageCompressionRatio = "01", "8"
    source.LossyImageCompressionMethod = "ISO_10918_1"
    source.PixelData = encapsulate([coded.getvalue()])
    source["PixelData"].is_undefined_length = True
    released = release(source, tmp_path, syntax=JPEGBaseline8Bit)
    assert released.PhotometricInterpretation == "RGB"
    assert released.pixel_array.max() < 200


@pytest.mark.parametrize("value", ["20231117", "20231117.0"])
@pytest.mark.parametrize("keyword", ["SeriesNumber", "InstanceNumber", "SliceThickness"])
def test_a_number_that_is_a_day_does_not_tell_the_shift(
    keyword: str, value: str, tmp_path: Path
) -> None:
    if keyword != "SliceThickness" and "." in value:
        return
    source = ct()
    source.StudyDate = "20231117"
    setattr(source, keyword, value)
    released = release(source, tmp_path, "pixel-passthrough")
    assert str(released.get(keyword) or "") == ""
    assert released.StudyDate != "20231117"
