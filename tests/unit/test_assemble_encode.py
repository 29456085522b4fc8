"""Part 10 encoding: our own file meta, every transfer syntax, pixels unharmed."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset, dcmread

from tests import factories
from updp_node.assemble import Provenance, assemble_kept, encode
from updp_node.errors import InstanceError
from updp_node.header import compile_profile, deidentify, load_profile
from updp_node.subject import ProjectKey, UidMap, identify_subject

PROVENANCE = Provenance("0.1.0", "keep", "ab" * 32, 1, datetime(2024, 1, 1, tzinfo=UTC))
SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="T", issuer="", patient_id="4711")
RULES = compile_profile(load_profile("research-longitudinal"))
PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


def release(source: Dataset) -> bytes:
    header = deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda _: "")
    made = assemble_kept(header, source, PROVENANCE)
    return encode(made, transfer_syntax_uid=str(source.file_meta.TransferSyntaxUID))


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("CT_small.dcm", "1.2.840.10008.1.2.1"),
        ("MR_small_implicit.dcm", "1.2.840.10008.1.2.1"),
        ("MR_small_bigendian.dcm", "1.2.840.10008.1.2.1"),
        ("ExplVR_BigEnd.dcm", "1.2.840.10008.1.2.1"),
        ("liver_expb_1frame.dcm", "1.2.840.10008.1.2.1"),
        ("rtdose_expb_1frame.dcm", "1.2.840.10008.1.2.1"),
        ("SC_rgb_small_odd_big_endian.dcm", "1.2.840.10008.1.2.1"),
        ("image_dfl.dcm", "1.2.840.10008.1.2.1"),
        ("MR_small_RLE.dcm", "1.2.840.10008.1.2.5"),
        ("SC_rgb_rle_2frame.dcm", "1.2.840.10008.1.2.5"),
        ("JPEG2000.dcm", "1.2.840.10008.1.2.4.91"),
        ("SC_rgb_jpeg_dcmtk.dcm", "1.2.840.10008.1.2.4.50"),
        ("JPGExtended.dcm", "1.2.840.10008.1.2.4.51"),
        ("MR_small_jpeg_ls_lossless.dcm", "1.2.840.10008.1.2.4.80"),
    ],
)
def test_pixels_come_through_every_transfer_syntax(name: str, syntax: str) -> None:
    source = dcmread(PACKAGED / name)
    read = dcmread(io.BytesIO(release(source)))
    assert read.file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(read.pixel_array, dcmread(PACKAGED / name).pixel_array)


def test_file_meta_and_preamble_are_our_own() -> None:
    source = dcmread(io.BytesIO(factories.encode(factories.chest_cr(rows=32, columns=32))))
    encoded = release(source)
    read = dcmread(io.BytesIO(encoded))
    assert not any(encoded[:128])
    assert sorted(tag & 0xFFFF for tag in read.file_meta.keys()) == [0, 1, 2, 3, 16, 18, 19]  # noqa: SIM118
    assert read.file_meta.ImplementationVersionName == "UPDP_NODE_0_1"
    assert read.file_meta.ImplementationClassUID.startswith("2.25.")
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID


def test_encoding_changes_nothing_and_gives_the_same_bytes_again() -> None:
    source = dcmread(PACKAGED / "MR_small_bigendian.dcm")
    header = deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda _: "")
    made = assemble_kept(header, source, PROVENANCE)
    before = made.PixelData
    first = encode(made, transfer_syntax_uid="1.2.840.10008.1.2.2")
    assert made.PixelData == before
    assert not hasattr(made, "file_meta")
    assert encode(made, transfer_syntax_uid="1.2.840.10008.1.2.2") == first


def test_big_endian_pixels_that_cannot_be_turned_are_refused() -> None:
    made = factories.chest_cr(rows=32, columns=32)
    made["PixelData"].value = made.PixelData + b"\0"
    with pytest.raises(InstanceError, match="big-endian-pixels"):
        encode(made, transfer_syntax_uid="1.2.840.10008.1.2.2")


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_a_value_that_cannot_be_encoded_is_refused_without_telling_it() -> None:
    made = factories.chest_cr(rows=32, columns=32)
    made["Rows"].value = -77123
    with pytest.raises(InstanceError, match="unencodable-object") as caught:
        encode(made, transfer_syntax_uid="1.2.840.10008.1.2.1")
    assert "77123" not in str(caught.value)
