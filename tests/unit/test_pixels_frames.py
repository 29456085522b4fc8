"""Decoding behind a guard, and the display of a frame."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.filereader import dcmread
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from updp_node.errors import InstanceError
from updp_node.pixels.frames import decode, has_pixels, to_display


def make_image(pixels: NDArray[np.uint16], photometric: str = "MONOCHROME2") -> Dataset:
    source = Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source.Rows, source.Columns = pixels.shape[-2:]
    source.SamplesPerPixel = 1
    source.PhotometricInterpretation = photometric
    source.BitsAllocated, source.BitsStored, source.HighBit = 16, 12, 11
    source.PixelRepresentation = 0
    if pixels.ndim == 3:
        source.NumberOfFrames = pixels.shape[0]
    source.PixelData = pixels.astype("<u2").tobytes()
    return source


RAMP = np.tile(np.arange(64, dtype=np.uint16) * 60, (48, 1))


def test_a_single_frame_gets_a_frames_axis() -> None:
    assert decode(make_image(RAMP)).shape == (1, 48, 64)


def test_every_frame_is_decoded() -> None:
    frames = np.stack([RAMP, RAMP[::-1], RAMP // 2])
    assert np.array_equal(decode(make_image(frames)), frames)


def test_colour_keeps_its_samples() -> None:
    source = dcmread(str(get_testdata_file("SC_rgb_rle.dcm")))
    decoded = decode(source)
    assert decoded.shape == (1, 100, 100, 3)
    assert to_display(source, decoded[0]).shape == (100, 100)


def test_decoding_leaves_the_source_as_it_was() -> None:
    source = make_image(RAMP)
    before = source.to_json()
    decode(source)
    assert source.to_json() == before


@pytest.mark.parametrize("keyword", ["Rows", "BitsAllocated", "PhotometricInterpretation"])
def test_missing_attributes_are_undecodable(keyword: str) -> None:
    source = make_image(RAMP)
    delattr(source, keyword)
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        decode(source)


def test_short_pixel_data_is_undecodable() -> None:
    source = make_image(RAMP)
    source.PixelData = source.PixelData[:100]
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        decode(source)


def test_garbage_in_a_compressed_syntax_is_undecodable() -> None:
    source = make_image(RAMP)
    source.file_meta.TransferSyntaxUID = RLELossless
    source.PixelData = (
        b"\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\x00\xe0\x08\x00\x00\x00" + b"\xff" * 8
    )
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        decode(source)


def test_an_error_tells_nothing_of_the_values() -> None:
    source = make_image(RAMP)
    source.PhotometricInterpretation = "CANARY"
    with pytest.raises(InstanceError) as caught:
        decode(source)
    assert "CANARY" not in str(caught.value)


def test_a_claim_of_enormous_size_is_refused_before_decoding() -> None:
    source = make_image(RAMP)
    source.Rows = source.Columns = 65535
    with pytest.raises(InstanceError, match="oversized-pixels"):
        decode(source)


def test_a_data_set_without_pixels_has_none() -> None:
    assert not has_pixels(Dataset())
    assert has_pixels(make_image(RAMP))


def test_monochrome1_is_shown_inverted() -> None:
    plain = to_display(make_image(RAMP), RAMP)
    inverted = to_display(make_image(RAMP, "MONOCHROME1"), RAMP)
    assert plain[0, 0] == 0
    assert plain[0, -1] == 255
    assert np.abs(255 - plain.astype(int) - inverted).max() <= 1


def test_a_window_decides_black_and_white() -> None:
    source = make_image(RAMP)
    source.WindowCenter, source.WindowWidth = [1000, 2000], [800, 100]
    shown = to_display(source, RAMP)
    assert (shown[RAMP <= 600] == 0).all()
    assert (shown[RAMP >= 1400] == 255).all()
    assert 105 < shown[0, 1000 // 60] < 150


def test_a_window_beside_the_values_is_ignored() -> None:
    source = make_image(RAMP)
    source.WindowCenter, source.WindowWidth = 40_000, 10
    assert to_display(source, RAMP).std() > 50


def test_padding_is_black_and_does_not_stretch_the_contrast() -> None:
    source = make_image(RAMP, "MONOCHROME1")
    padded = RAMP.copy()
    padded[:10] = 4095
    source.PixelPaddingValue = 4095
    shown = to_display(source, padded)
    assert (shown[:10] == 0).all()
    assert shown[20, 0] == 255


def test_a_rescale_slope_is_applied() -> None:
    source = make_image(RAMP)
    source.RescaleSlope, source.RescaleIntercept = -1, 4095
    shown = to_display(source, RAMP)
    assert shown[0, 0] == 255
    assert shown[0, -1] == 0


def test_an_even_image_is_black() -> None:
    assert not to_display(make_image(RAMP), np.full((8, 8), 7, dtype=np.uint16)).any()
