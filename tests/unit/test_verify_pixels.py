"""The gate reads released real pixels and refuses only what names the patient."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from pydicom import Dataset, dcmread

from tests import factories
from tests.matrix.pictures import fill_pixels
from updp_node.errors import InstanceError
from updp_node.verify import Allowances, read_evidence
from updp_node.verify.gate import _search_pixels
from updp_node.verify.ocr import read_lines
from updp_node.verify.wanted import arrange

WANTED = arrange(read_evidence([factories.chest_cr(rows=8, columns=8)]), Allowances())


def image(
    lines: list[str], *, rows: int = 256, columns: int = 512, frames: int = 1, shown: int = 0,
    top: int = 4095, invert: bool = False, turn: int = 0,
) -> Dataset:  # fmt: skip
    """A picture of 12 bits with lines of text in one of its frames."""
    noise = np.random.default_rng(1).integers(200, 900, (frames, rows, columns))
    pixels = noise.astype(np.uint16)
    ink = np.zeros((rows, columns), np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(ink, line, (12, 40 + 40 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
    pixels[shown][ink > 127] = top
    pixels = np.rot90(pixels, turn, axes=(1, 2))
    return fill_pixels(np.ascontiguousarray(4095 - pixels if invert else pixels), invert=invert)


def kinds(made: Dataset) -> set[str]:
    read = dcmread(io.BytesIO(factories.encode(made)))
    return {hit.kind for hit in _search_pixels(read, WANTED)}


@pytest.mark.parametrize(
    ("line", "kind"),
    [("QVISTORPE ZEBEDIAHN", "name"), ("ID 7738201946", "code"), ("DOB 23.06.1951", "date"),
     ("Zebediahn Qvistorpe", "name"), ("Wexmoorton Royal Infirmary", "place")],
)  # fmt: skip
def test_an_identifier_that_stands_in_pixels_is_found(line: str, kind: str) -> None:
    assert kind in kinds(image([line]))


def test_it_is_found_in_dim_text_and_in_inverted_images() -> None:
    assert "name" in kinds(image(["QVISTORPE"], top=1800))
    assert "name" in kinds(image(["QVISTORPE"], invert=True))


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_it_is_found_in_turned_text(turn: int) -> None:
    assert "name" in kinds(image(["QVISTORPE ZEBEDIAHN"], turn=turn))


def test_it_is_found_in_one_frame_of_many() -> None:
    assert "name" in kinds(image(["QVISTORPE ZEBEDIAHN"], frames=30, shown=11))


def test_technical_text_and_bare_pictures_pass() -> None:
    assert kinds(image(["PORTABLE  AP  L", "120 kV 250 mA 2.5 mm", "17:24:05  36 Hz"])) == set()
    assert kinds(image([])) == set()


def test_equal_frames_are_read_once() -> None:
    still = image(["PORTABLE"], rows=128, columns=256)
    many = image([], rows=128, columns=256, frames=40)
    many.PixelData = still.PixelData * 40
    one = list(read_lines(dcmread(io.BytesIO(factories.encode(still)))))
    assert one
    assert list(read_lines(dcmread(io.BytesIO(factories.encode(many))))) == one


def test_pixels_that_cannot_be_decoded_are_refused() -> None:
    read = dcmread(io.BytesIO(factories.encode(image([]))))
    read.compress("1.2.840.10008.1.2.5", generate_instance_uid=False)
    read.PixelData = read.PixelData[:24] + bytes(len(read.PixelData) - 24)
    with pytest.raises(InstanceError, match="unreadable-pixels"):
        list(_search_pixels(read, WANTED))


def test_native_pixels_that_end_early_are_read_as_far_as_they_go() -> None:
    made = image(["QVISTORPE ZEBEDIAHN"])
    made.PixelData = made.PixelData[: len(made.PixelData) // 2]
    assert "name" in kinds(made)
