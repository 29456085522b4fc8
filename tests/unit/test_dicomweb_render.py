"""What rendered pictures show."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.factories import images
from updp_node.dicomweb.faults import WebError
from updp_node.dicomweb.render import render
from updp_node.dicomweb.view import View, Window, read_view
from updp_node.research.files import StoredFile, read_head


def store(dataset: Dataset, path: Path) -> StoredFile:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return read_head(path)


def picture(dataset: Dataset, tmp_path: Path, view: View = View(), frame: int = 1) -> np.ndarray:  # noqa: B008
    encoded = render(store(dataset, tmp_path / "x.dcm"), frame, view, "image/png")
    return np.asarray(Image.open(io.BytesIO(encoded))).astype(int)


def ramp(**changes: object) -> Dataset:
    pixels = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    dataset = images.chest_cr(pixels)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


def test_a_window_of_the_object_is_applied_as_the_standard_says(tmp_path: Path):
    found = picture(ramp(WindowCenter=2048, WindowWidth=1000), tmp_path).ravel()
    x = np.arange(4096)
    expected = np.clip(((x - 2047.5) / 999 + 0.5) * 255, 0, 255)
    assert np.abs(found - expected).max() <= 0.51


def test_rescale_comes_before_the_window(tmp_path: Path):
    plain = picture(ramp(WindowCenter=2048, WindowWidth=1000), tmp_path)
    moved = ramp(WindowCenter=3096, WindowWidth=2000, RescaleSlope=2, RescaleIntercept=-1000)
    assert np.abs(picture(moved, tmp_path) - plain).max() <= 1


def test_monochrome1_is_shown_inverted_once(tmp_path: Path):
    plain = picture(ramp(), tmp_path)
    inverse = ramp(PhotometricInterpretation="MONOCHROME1", PresentationLUTShape="INVERSE")
    assert np.array_equal(picture(inverse, tmp_path), 255 - plain)


def test_without_a_window_the_values_are_stretched(tmp_path: Path):
    dataset = ramp()
    del dataset.WindowCenter, dataset.WindowWidth
    found = picture(dataset, tmp_path)
    assert (found.min(), found.max()) == (0, 255)


def test_a_sigmoid_window_is_a_sigmoid(tmp_path: Path):
    found = picture(ramp(), tmp_path, View(Window(2048, 1000, "SIGMOID"))).ravel()
    expected = 255 / (1 + np.exp(-4 * (np.arange(4096) - 2048) / 1000))
    assert np.abs(found - expected).max() <= 0.51


def test_a_table_of_values_of_interest_is_applied(tmp_path: Path):
    table = Dataset()
    table.LUTDescriptor = [4096, 0, 16]
    table.add_new("LUTData", "OW", np.arange(0, 65536, 16, dtype="<u2")[::-1].tobytes())
    found = picture(ramp(VOILUTSequence=Sequence([table])), tmp_path).ravel()
    assert (found[0], found[-1]) == (255, 0)


def test_functional_groups_are_those_of_the_frame(tmp_path: Path):
    dataset = ramp()
    dataset.PixelData = dataset.PixelData * 2
    dataset.NumberOfFrames = 2
    del dataset.WindowCenter, dataset.WindowWidth, dataset.RescaleSlope, dataset.RescaleIntercept

    def group(centre: int) -> Dataset:
        voi, item = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 2
        item.FrameVOILUTSequence = Sequence([voi])
        return item

    dataset.PerFrameFunctionalGroupsSequence = Sequence([group(100), group(3000)])
    for frame, centre in ((1, 100), (2, 3000)):
        found = picture(dataset, tmp_path, frame=frame).ravel()
        assert abs(int(np.argmax(found > 127)) - centre) <= 1


def test_signed_values_and_wide_integers_are_shown(tmp_path: Path):
    signed = ramp(PixelRepresentation=1)
    signed.PixelData = (np.arange(4096, dtype=np.int16) - 2048).tobytes()
    assert picture(signed, tmp_path, View(Window(0, 4096))).ravel()[[0, -1]].tolist() == [0, 255]


def test_colours_stay_colours(tmp_path: Path):
    found = picture(images.ultrasound(1), tmp_path)
    assert found.shape == (96, 128, 3)


def test_a_region_is_cut_out_and_mirrored(tmp_path: Path):
    whole = picture(ramp(), tmp_path)
    part = picture(ramp(), tmp_path, read_view(None, "16,16,8,16,16,16", None))
    assert np.array_equal(part, whole[16:32, 8:24])
    mirrored = picture(ramp(), tmp_path, read_view(None, "16,16,8,16,-16,-16", None))
    assert np.array_equal(mirrored, part[::-1, ::-1])


@pytest.mark.parametrize("damage", [{"Rows": 9000}, {"BitsAllocated": 7}, {"Columns": 0}])
def test_what_cannot_be_shown_is_not_acceptable(tmp_path: Path, damage: dict[str, int]):
    with pytest.raises(WebError) as refused:
        picture(ramp(**damage), tmp_path)
    assert refused.value.status == 406
