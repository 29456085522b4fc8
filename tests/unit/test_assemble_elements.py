"""Encoded elements come out as pydicom would write them."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from tests import factories
from updp_node.assemble import encode
from updp_node.assemble.elements import encode_elements
from updp_node.assemble.provenance import copy_header
from updp_node.header import compile_profile, deidentify, load_profile
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="T", issuer="", patient_id="4711")
RULES = compile_profile(load_profile("research-longitudinal"))
PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"


def made_of(source: Dataset) -> Dataset:
    return deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda text: text)


def by_pydicom(made: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, copy_header(made), ["utf8"])
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "MR_small_implicit.dcm", "rtplan.dcm", "rtstruct.dcm", "waveform_ecg.dcm",
     "liver_1frame.dcm", "examples_palette.dcm", "reportsi.dcm", "nested_priv_SQ.dcm"],
)  # fmt: skip
def test_the_bytes_are_those_that_pydicom_writes(name: str) -> None:
    source = dcmread(PACKAGED / name, force=True)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        source[keyword] = factories.chest_cr(rows=16, columns=16)[keyword]
    source.SOPClassUID = source.get("SOPClassUID", pydicom.uid.CTImageStorage)
    made = made_of(source)
    assert b"".join(encode_elements(made)) == by_pydicom(made)


def test_decoded_and_encoded_elements_stand_side_by_side() -> None:
    made = made_of(factories.text_sr())
    made.ContentSequence = factories.text_sr().ContentSequence
    made.SeriesDescription = "Grün \N{MICRO SIGN}"
    read = dcmread(io.BytesIO(encode(made, transfer_syntax_uid=ExplicitVRLittleEndian)))
    assert read.SeriesDescription == "Grün \N{MICRO SIGN}"
    assert read.ContentSequence == made.ContentSequence
    assert b"".join(encode_elements(made)) == by_pydicom(made)


def test_pixel_data_are_passed_on_and_not_copied() -> None:
    made = made_of(factories.chest_cr(rows=32, columns=32))
    pixels = made.get_item("PixelData").value
    assert any(part is pixels for part in encode_elements(made))


@pytest.mark.parametrize("syntax", [RLELossless, ExplicitVRLittleEndian])
def test_pixel_data_in_another_encapsulation_than_said_are_refused(syntax: str) -> None:
    source = factories.chest_cr(rows=32, columns=32)
    source.file_meta = FileMetaDataset()
    if syntax == ExplicitVRLittleEndian:
        source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        source.compress(RLELossless)
    with pytest.raises(Exception, match="unencodable-object"):
        encode(made_of(source), transfer_syntax_uid=syntax)
