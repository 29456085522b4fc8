"""Whatever a frontal chest radiograph is stored like, it is recognized, and shown the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests.factories import chest_cr
from tests.factories.pixels import chest_picture
from updp_node.errors import InstanceError
from updp_node.model import PixelAction
from updp_node.pixels.filter import PixelPolicy, choose_action, read_view, show_first
from updp_node.pixels.suggestion import reduce

POLICY = PixelPolicy()


def store(pixels: np.ndarray, bits: int, **attributes: object) -> Dataset:
    """A chest radiograph with given stored values and a window over all of them."""
    made = chest_cr(pixels.astype("<u2"), bits=bits)
    made.file_meta = Dataset()
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made.WindowWidth, made.WindowCenter = str(2**bits), str(2 ** (bits - 1))
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def picture(bits: int = 12, rows: int = 300, columns: int = 260) -> np.ndarray:
    return chest_picture(rows, columns, bits=bits)


def of_bits(bits: int) -> Dataset:
    return store(picture(bits), bits)


def inverted() -> Dataset:
    return store(4095 - picture(), 12, PhotometricInterpretation="MONOCHROME1")


def of_one_byte() -> Dataset:
    pixels = picture(8)
    made = store(pixels, 8, BitsAllocated=8, HighBit=7)
    made.PixelData = pixels.astype(np.uint8).tobytes()
    return made


def signed() -> Dataset:
    made = store(picture(), 16, PixelRepresentation=1, WindowWidth="4096", WindowCenter="0")
    made.PixelData = (picture().astype(np.int32) - 2048).astype("<i2").tobytes()
    return made


def with_lut() -> Dataset:
    table = Dataset()
    values = (np.arange(4096) // 16 * 257).astype(np.uint16)
    table.LUTDescriptor, table.LUTData = [4096, 0, 16], values.tolist()
    made = store(picture(), 12, VOILUTSequence=[table])
    del made.WindowCenter, made.WindowWidth
    return made


def without_window() -> Dataset:
    made = store(picture(), 12)
    del made.WindowCenter, made.WindowWidth
    return made


def with_a_window_beside_the_values() -> Dataset:
    return store(picture(), 12, WindowCenter="40000", WindowWidth="100")


def padded() -> Dataset:
    bright = np.minimum(picture(), 4000)  # no pixel of the picture is padding
    made = store(np.pad(bright, 8, constant_values=4095), 12, PixelPaddingValue=4095)
    del made.WindowCenter, made.WindowWidth
    return made


def collimated() -> Dataset:
    return store(np.pad(picture(), 6), 12)


def compressed(syntax: str) -> Dataset:
    made = store(picture(), 12)
    made.compress(syntax)
    return made


FORMS: dict[str, Callable[[], Dataset]] = {
    "8 bits in one byte": of_one_byte,
    "8 bits of 16": lambda: of_bits(8),
    "10 bits": lambda: of_bits(10),
    "12 bits": lambda: of_bits(12),
    "14 bits": lambda: of_bits(14),
    "16 bits": lambda: of_bits(16),
    "signed": signed,
    "MONOCHROME1": inverted,
    "VOI LUT": with_lut,
    "no window": without_window,
    "a window beside the values": with_a_window_beside_the_values,
    "padding": padded,
    "collimation": collimated,
    "wide": lambda: store(picture(rows=240, columns=300), 12),
    "large": lambda: store(picture(rows=1500, columns=1400), 12),
    "small": lambda: store(picture(rows=64, columns=64), 12),
    "RLE": lambda: compressed(RLELossless),
    "JPEG-LS": lambda: compressed(JPEGLSLossless),
    "JPEG 2000": lambda: compressed(JPEG2000Lossless),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_frontal_chest_is_synthesized_however_it_is_stored(form: str) -> None:
    assert choose_action(FORMS[form](), POLICY) is PixelAction.SYNTHESIZE


@pytest.mark.parametrize("form", ["8 bits in one byte", "16 bits", "signed", "MONOCHROME1",
                                  "VOI LUT", "RLE", "JPEG-LS", "JPEG 2000"])  # fmt: skip
def test_the_encoder_is_shown_the_same_picture(form: str) -> None:
    plain = reduce(show_first(of_bits(12))).astype(int)
    assert np.abs(reduce(show_first(FORMS[form]())).astype(int) - plain).mean() < 4


@pytest.mark.parametrize(
    "change",
    [lambda x: x[::-1], np.rot90, lambda x: 4095 - x, lambda x: x[: len(x) // 3],
     lambda x: np.random.default_rng(0).permutation(x.ravel()).reshape(x.shape)],
    ids=["upside down", "turned", "inverted", "the top third", "shuffled"],
)  # fmt: skip
def test_what_is_no_frontal_chest_is_quarantined_whatever_its_header_says(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    with pytest.raises(InstanceError, match="image-disagrees-with-header"):
        choose_action(store(np.ascontiguousarray(change(picture())), 12), POLICY)


@pytest.mark.parametrize("view", ["LL", "RL", "LLO", "LATERAL"])
def test_a_lateral_view_follows_the_profile_and_is_not_looked_at(view: str) -> None:
    made = store(picture(), 12, ViewPosition=view)
    assert choose_action(made, POLICY) is PixelAction.DROP
    assert read_view(made) is None
