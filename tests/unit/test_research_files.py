"""Where the data set of a released file lies, and other transfer syntaxes of it."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.integration.receiving import data_set_bytes
from tests.integration.researching import image
from updp_node.errors import InstanceError
from updp_node.research.files import open_stored
from updp_node.research.transcode import transcode


@dataclass
class Named:
    file: str


def write(path: Path, instance: Dataset) -> Path:
    pydicom.dcmwrite(path, instance, enforce_file_format=True)
    return path


def read(path: Path, syntax: str) -> Dataset:
    """A bare data set."""
    return pydicom.filereader.read_dataset(path.open("rb"), UID(syntax).is_implicit_VR, True)


def test_the_data_set_begins_behind_the_file_meta(tmp_path: Path) -> None:
    path = write(tmp_path / "a.dcm", image())
    found = open_stored(tmp_path, Named("a.dcm"))
    assert found.transfer_syntax_uid == ExplicitVRLittleEndian
    content = path.read_bytes()
    assert content[found.data_offset :] == data_set_bytes(path)
    assert found.data_offset + found.data_size == len(content)


@pytest.mark.parametrize("name", ["../secret.dcm", "/etc/passwd", "x/../../secret.dcm", "link.dcm"])
def test_names_that_lead_out_of_the_root_are_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "released"
    (root / "x").mkdir(parents=True)
    write(tmp_path / "secret.dcm", image())
    (root / "link.dcm").symlink_to(tmp_path / "secret.dcm")
    with pytest.raises(InstanceError, match="released-file-outside"):
        open_stored(root, Named(name))


@pytest.mark.parametrize("length", [0, 100, 132, 140, 144, 200])
def test_files_that_are_cut_are_refused(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "a.dcm", image())
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InstanceError, match="released-file-unreadable"):
        open_stored(tmp_path, Named("a.dcm"))
    with pytest.raises(InstanceError, match="released-file-unreadable"):
        open_stored(tmp_path, Named("absent.dcm"))


@pytest.mark.parametrize("target", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_colour_pixels_come_out_decoded(tmp_path: Path, target: str) -> None:
    source = image()
    frames = np.random.default_rng(2).integers(0, 255, (2, 9, 11, 3)).astype("u1")
    source.NumberOfFrames = 2
    source.Rows, source.Columns, source.SamplesPerPixel = 9, 11, 3
    source.PhotometricInterpretation, source.PlanarConfiguration = "RGB", 0
    source.BitsAllocated = source.BitsStored = 8
    source.HighBit = 7
    source.PixelData = frames.tobytes()
    source.compress(RLELossless, generate_instance_uid=False)
    path = write(tmp_path / "a.dcm", source)
    with transcode(path, [RLELossless, target]) as made:
        assert made.transfer_syntax_uid == target
        assert (made.data_offset, made.data_size) == (0, made.path.stat().st_size)
        got = read(made.path, target)
        assert got.PlanarConfiguration == 0
        expected = "OW" if target == ImplicitVRLittleEndian else "OB"
        assert expected == got["PixelData"].VR
        assert got.PixelData == frames.tobytes()
    assert not made.path.exists()


def test_an_instance_without_pixels_is_rewritten(tmp_path: Path) -> None:
    source = image()
    del source.PixelData
    path = write(tmp_path / "a.dcm", source)
    with transcode(path, [ImplicitVRLittleEndian]) as made:
        assert read(made.path, ImplicitVRLittleEndian) == source


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_syntaxes_that_are_never_released_are_not_transcoded(tmp_path: Path, syntax: str) -> None:
    source = image()
    del source.PixelData
    source.file_meta.TransferSyntaxUID = syntax
    path = write(tmp_path / "a.dcm", source)
    with (
        pytest.raises(InstanceError, match="transcoding-impossible"),
        transcode(path, [ExplicitVRLittleEndian]),
    ):
        pass


def test_damaged_pixels_are_an_error_of_the_instance(tmp_path: Path) -> None:
    source = image()
    source.compress(RLELossless, generate_instance_uid=False)
    path = write(tmp_path / "a.dcm", source)
    path.write_bytes(path.read_bytes()[:-40])
    with (
        pytest.raises(InstanceError, match="transcoding-impossible"),
        transcode(path, [ExplicitVRLittleEndian]),
    ):
        pass


def test_many_frames_are_not_held_together(tmp_path: Path) -> None:
    source = image()
    source.Rows = source.Columns = 512
    source.NumberOfFrames = 40
    source.PixelData = np.zeros((40, 512, 512), "<u2").tobytes()
    path = write(tmp_path / "a.dcm", source)
    source.compress(RLELossless, generate_instance_uid=False)
    compressed = write(tmp_path / "b.dcm", source)
    for stored in (path, compressed):
        tracemalloc.start()
        with transcode(stored, [ImplicitVRLittleEndian]) as made:
            assert made.data_size > 40 * 512 * 512 * 2
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 << 20
