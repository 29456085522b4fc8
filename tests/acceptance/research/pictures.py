"""Pixels of the made zone: small native ones, packaged compressed ones, and a big one."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian,
          ExplicitVRBigEndian)  # fmt: skip
COMPRESSED = (
    "SC_rgb_jpeg_dcmtk.dcm",  # JPEG Baseline
    "JPGExtended.dcm",
    "SC_rgb_jpeg_gdcm.dcm",  # JPEG Lossless SV1
    "MR_small_jp2klossless.dcm",
    "JPEG2000.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_rle_2frame.dcm",
    "examples_ybr_color.dcm",  # 30 frames
)
_PIXEL_MODULE = """Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration
BitsAllocated BitsStored HighBit PixelRepresentation NumberOfFrames PixelData
LossyImageCompression""".split()
BIG_FRAMES = 300
BIG_SIDE = 512


@dataclass(frozen=True)
class Picture:
    """The attributes of the Image Pixel Module and the transfer syntax they are encoded in."""

    syntax: str
    attributes: Dataset


def native_picture(random_: random.Random, *, big: bool = False) -> Picture:
    """Unsigned 16-bit noise, 8 bytes a row; `big`: 150 MB in 300 frames."""
    attributes = Dataset()
    side = BIG_SIDE if big else random_.choice([4, 8, 16])
    frames = BIG_FRAMES if big else 1
    attributes.Rows = attributes.Columns = side
    attributes.SamplesPerPixel, attributes.PhotometricInterpretation = 1, "MONOCHROME2"
    attributes.BitsAllocated, attributes.BitsStored, attributes.HighBit = 16, 12, 11
    attributes.PixelRepresentation = 0
    if big:
        attributes.NumberOfFrames = frames
    row = random_.randbytes(side * 2).replace(b"\xff", b"\x0f")
    pixels = bytearray(row * side * frames)
    for frame in range(frames):
        pixels[frame * side * side * 2] = frame % 251
    attributes.add_new("PixelData", "OW", bytes(pixels))
    weights = (92, 4, 2, 2)
    return Picture(
        ExplicitVRLittleEndian if big else random_.choices(NATIVE, weights)[0], attributes
    )


@functools.cache
def compressed_picture(number: int) -> Picture:
    """The pixels of a file that comes with pydicom, as they are."""
    path = get_testdata_file(COMPRESSED[number % len(COMPRESSED)], download=False)
    if path is None:
        raise FileNotFoundError(COMPRESSED[number % len(COMPRESSED)])
    source = pydicom.dcmread(str(path))
    attributes = Dataset()
    for keyword in _PIXEL_MODULE:
        if keyword in source:
            attributes[keyword] = source[keyword]
    return Picture(str(source.file_meta.TransferSyntaxUID), attributes)
