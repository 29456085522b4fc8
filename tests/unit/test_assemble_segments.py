"""Kept pixels carry nothing beside the values of the pixels."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames

from tests import factories
from updp_node.assemble import Provenance, assemble_kept
from updp_node.assemble.segments import strip_j2k, strip_jpeg, strip_rle
from updp_node.errors import InstanceError

PROVENANCE = Provenance("0.1.0", "t", "ab" * 32, 1, datetime(2023, 11, 17, tzinfo=UTC))
TOLD = b"Qvistorpe Zebediahn 7738201946"
JPEG, MPEG2 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.100"


def segment(marker: int, body: bytes) -> bytes:
    return marker.to_bytes(2) + (len(body) + 2).to_bytes(2) + body


def jpeg_of(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", comment=TOLD, **options)
    frame = buffer.getvalue()
    extra = segment(0xFFE1, b"Exif\0\0" + TOLD) + segment(0xFFED, TOLD)
    return frame[:2] + extra + frame[2:] + TOLD


def picture(mode: str = "L") -> Image.Image:
    grey = (np.arange(64 * 64) % 251).astype(np.uint8).reshape(64, 64)
    return Image.fromarray(grey).convert(mode)


def image(raw: bytes, syntax: str = "1.2.840.10008.1.2.1", **attributes: object) -> Dataset:
    source = factories.ct_series(1, rows=64)[0]
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = syntax
    for keyword, value in attributes.items():
        setattr(source, keyword, value)
    source.PixelData = raw
    source["PixelData"].is_undefined_length = syntax.startswith("1.2.840.10008.1.2.4")
    return source


def kept(source: Dataset) -> Dataset:
    return assemble_kept(source, source, PROVENANCE)


@pytest.mark.parametrize(
    ("mode", "options"),
    [("L", {}), ("L", {"progressive": True}), ("RGB", {}), ("CMYK", {}),
     ("L", {"restart_marker_blocks": 2})],
)  # fmt: skip
def test_comments_and_application_segments_go_and_the_picture_stays(
    mode: str, options: dict[str, object]
) -> None:
    frame = jpeg_of(picture(mode), **options)
    stripped = strip_jpeg(frame, is_ls=False)
    assert TOLD in frame
    assert TOLD not in stripped
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (frame, stripped))
    assert np.array_equal(before, after)


def test_a_jpeg_ls_frame_loses_its_comment_and_decodes_to_the_same_values() -> None:
    source = dcmread(get_testdata_file("MR_small_jpeg_ls_lossless.dcm"))
    before = source.pixel_array
    (frame,) = generate_frames(source.PixelData, number_of_frames=1)
    source.PixelData = encapsulate([frame[:2] + segment(0xFFFE, TOLD) + frame[2:]])
    made = kept(source)
    made.file_meta = source.file_meta
    assert TOLD not in made.PixelData
    assert np.array_equal(made.pixel_array, before)


def test_a_jpeg_2000_frame_loses_its_comment_and_decodes_to_the_same_values() -> None:
    source = dcmread(get_testdata_file("JPEG2000.dcm"))
    before = source.pixel_array
    (frame,) = generate_frames(source.PixelData, number_of_frames=1)
    tile = frame.index(b"\xff\x90")
    source.PixelData = encapsulate([frame[:tile] + segment(0xFF64, b"\0\1" + TOLD) + frame[tile:]])
    made = kept(source)
    made.file_meta = source.file_meta
    assert TOLD in source.PixelData
    assert TOLD not in made.PixelData
    assert np.array_equal(made.pixel_array, before)


@pytest.mark.parametrize(
    "frame",
    [b"", b"\xff\xd8", b"\xff\xd8\xff\xf2\0\4ab\xff\xd9", b"\xff\xd8\xff\xda\0\2abc",
     b"\xff\xd8\xff\xfe\xff\xff"],
)  # fmt: skip
def test_a_frame_that_cannot_be_read_through_is_refused(frame: bytes) -> None:
    with pytest.raises(InstanceError, match="pixel-metadata-unsearched"):
        strip_jpeg(frame, is_ls=False)


@pytest.mark.parametrize("frame", [b"", b"\xff\x4f", b"\0\0\0\x0cjP  \r\n\x87\n"])
def test_a_codestream_that_cannot_be_read_through_is_refused(frame: bytes) -> None:
    with pytest.raises(InstanceError, match="pixel-metadata-unsearched"):
        strip_j2k(frame)


def test_a_comment_in_the_header_of_a_tile_is_refused() -> None:
    source = dcmread(get_testdata_file("JPEG2000.dcm"))
    (frame,) = generate_frames(source.PixelData, number_of_frames=1)
    tile = frame.index(b"\xff\x90")
    comment = segment(0xFF64, b"\0\1" + TOLD)
    length = int.from_bytes(frame[tile + 6 : tile + 10])
    head = (
        frame[tile : tile + 6] + (length + len(comment)).to_bytes(4) + frame[tile + 10 : tile + 12]
    )
    with pytest.raises(InstanceError, match="FF64 in a tile"):
        strip_j2k(frame[:tile] + head + comment + frame[tile + 12 :])


def test_a_video_is_refused_since_its_metadata_cannot_be_taken_out() -> None:
    with pytest.raises(InstanceError, match="pixel-metadata-unsearched"):
        kept(image(encapsulate([b"\0\0\1\xb2" + TOLD]), MPEG2))


def test_every_frame_of_a_jpeg_object_is_stripped() -> None:
    frames = [jpeg_of(picture()), jpeg_of(picture())]
    made = kept(image(encapsulate(frames), JPEG, NumberOfFrames=2, BitsAllocated=8))
    assert TOLD not in made.PixelData
    assert made["PixelData"].is_undefined_length
    assert len(list(generate_frames(made.PixelData, number_of_frames=2))) == 2


def test_bytes_behind_the_last_native_frame_go() -> None:
    source = factories.ct_series(1, rows=64)[0]
    made = kept(image(source.PixelData + TOLD))
    assert made.PixelData == source.PixelData


def test_unused_high_bits_are_cleared_and_that_is_said() -> None:
    values = np.arange(64 * 64, dtype=np.uint16) % 4096
    hidden = values.copy()
    hidden[:30] |= 0xF000
    made = kept(image(hidden.tobytes(), BitsStored=12, HighBit=11, PixelRepresentation=0))
    assert np.array_equal(np.frombuffer(made.PixelData, np.uint16), values)
    assert "nused bits" in made.DerivationDescription


def test_signed_samples_keep_their_sign_and_lose_what_hides_above_it() -> None:
    values = (np.arange(64 * 64) % 4000 - 2000).astype(np.int16)
    options = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    plain = kept(image(values.tobytes(), **options))
    assert plain.PixelData == values.tobytes()
    assert "DerivationDescription" not in plain
    hidden = values.view(np.uint16).copy()
    hidden[::7] ^= 0x5000
    made = kept(image(hidden.tobytes(), **options))
    assert np.array_equal(np.frombuffer(made.PixelData, np.int16), values)


def test_kept_pixels_without_a_size_are_refused() -> None:
    source = image(b"\0" * 64)
    del source.Rows
    with pytest.raises(InstanceError, match="undecodable-pixels"):
        kept(source)


@pytest.mark.parametrize(
    "name", ["MR_small_RLE.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_rle_16bit.dcm"]
)
def test_rle_segments_end_with_their_last_run(name: str) -> None:
    source = dcmread(get_testdata_file(name))
    before = source.pixel_array
    count = int(source.get("NumberOfFrames") or 1)
    frames = list(generate_frames(source.PixelData, number_of_frames=count))
    source.PixelData = encapsulate([frame + TOLD for frame in frames])
    made = kept(source)
    made.file_meta = source.file_meta
    assert TOLD not in made.PixelData
    assert np.array_equal(made.pixel_array, before)


@pytest.mark.parametrize("frame", [b"", b"\1" + b"\0" * 63, b"\1\0\0\0\x40" + b"\0" * 59 + b"\2ab"])
def test_an_rle_frame_that_cannot_be_read_through_is_refused(frame: bytes) -> None:
    with pytest.raises(InstanceError, match="pixel-metadata-unsearched"):
        strip_rle(frame, 9)
