"""Counterparts and kept objects as new instances."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from tests import factories
from updp_node.assemble import Provenance, assemble_counterpart, assemble_kept, encode
from updp_node.header import compile_profile, deidentify, load_profile
from updp_node.model import Bound, Counterpart, Prompt
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.verify import Allowances, read_evidence, verify

CREATED = datetime(2023, 11, 17, 15, 0, tzinfo=UTC)  # the day of the study: a live node
PROVENANCE = Provenance("0.1.0", "research-cxr", "ab" * 32, 2, CREATED, "cd" * 32)
SUBJECT = identify_subject(
    ProjectKey(b"k" * 32), project="TRIAL", issuer="", patient_id="7738201946"
)
RULES = compile_profile(load_profile("research-cxr"))
ALLOW = Allowances(shift_days=SUBJECT.shift_days)
ACQUISITION = ("KVP", "Exposure", "ExposureTime", "ImagerPixelSpacing", "PixelSpacing",
               "Sensitivity", "WindowCenter", "RescaleSlope", "AcquisitionDate", "ContentDate",
               "DetectorID", "DateOfLastCalibration", "ProtocolName", "PlateID",
               "SourceImageSequence", "RequestAttributesSequence",
               "DateOfSecondaryCapture")  # fmt: skip


def header_of(source: Dataset) -> Dataset:
    return deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda _: "Chest")


def counterpart(unrendered: tuple[str, ...] = ()) -> Counterpart:
    pixels = factories.chest_picture(255, 255, bits=8).astype(np.uint8)
    prompt = Prompt(("adult", "pleural effusion"), unrendered)
    return Counterpart(pixels, prompt, "default", "ef" * 32, Bound(11.0, outcome=0.25), 2)


@pytest.mark.parametrize("make", [factories.chest_cr, factories.chest_dx])
def test_a_counterpart_is_a_secondary_capture_that_says_it_is_synthetic(make) -> None:  # type: ignore[no-untyped-def]
    source = make(rows=64, columns=64)
    header = header_of(source)
    made = assemble_counterpart(header, counterpart(("pneumothorax",)), PROVENANCE)
    assert made.SOPClassUID == SecondaryCaptureImageStorage
    assert made.SOPInstanceUID == header.SOPInstanceUID
    assert made.SeriesInstanceUID == header.SeriesInstanceUID
    assert made.Modality == source.Modality
    assert list(made.ImageType) == ["DERIVED", "SECONDARY", "SYNTHETIC"]
    said = (made.SyntheticData, made.PatientIdentityRemoved, made.BurnedInAnnotation,
            made.RecognizableVisualFeatures, made.ConversionType)  # fmt: skip
    assert said == ("YES", "YES", "NO", "NO", "SYN")
    assert "ynthetic" in made.SeriesDescription
    assert "ynthetic" in made.DerivationDescription
    assert made.ImageComments.endswith("pneumothorax")
    assert not [keyword for keyword in ACQUISITION if keyword in made]


def test_the_pixels_of_a_counterpart_come_back_as_they_were_generated() -> None:
    made = counterpart()
    header = header_of(factories.chest_cr(rows=64, columns=64))
    encoded = encode(
        assemble_counterpart(header, made, PROVENANCE), transfer_syntax_uid=ExplicitVRLittleEndian
    )
    read = dcmread(io.BytesIO(encoded))
    assert np.array_equal(read.pixel_array, made.pixels)
    assert (read.PhotometricInterpretation, read.BitsStored) == ("MONOCHROME2", 8)


def test_provenance_names_both_purposes_and_tells_neither_prompt_nor_day() -> None:
    header = header_of(factories.chest_cr(rows=64, columns=64))
    made = assemble_counterpart(header, counterpart(), PROVENANCE)
    items = made.ContributingEquipmentSequence
    purposes = [item.PurposeOfReferenceCodeSequence[0].CodeValue for item in items]
    assert purposes == ["109104", "109100"]
    text = str(made)
    assert "ef" * 8 in text
    assert "generation 2" in text
    assert "11.2 bits" in text
    assert "pleural effusion" not in text
    assert "20231117" not in text


def test_the_day_of_processing_is_told_where_full_dates_are_retained() -> None:
    source = factories.chest_cr(rows=64, columns=64)
    header = header_of(source)
    header.LongitudinalTemporalInformationModified = "UNMODIFIED"
    made = assemble_kept(header, source, PROVENANCE)
    assert made.InstanceCreationDate == "20231117"
    (equipment,) = made.ContributingEquipmentSequence
    assert str(equipment.ContributionDateTime) == "20231117150000+0000"


def test_a_kept_image_keeps_its_pixels_and_its_header_is_not_changed() -> None:
    source = factories.ct_series(1, rows=64)[0]
    header = header_of(source)
    before = str(header)
    made = assemble_kept(header, source, PROVENANCE)
    assert made.PixelData == source.PixelData
    assert str(header) == before
    assert "ContributingEquipmentSequence" not in header


def _errors(path: Path) -> set[str]:
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = {line for line in done.stderr.splitlines() if line.startswith("Error")}
    return {line for line in lines if "(0x0008,0x001c)" not in line}  # newer than many dciodvfy


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is missing")
@pytest.mark.parametrize("kind", ["cr", "dx", "bare"])
def test_a_counterpart_has_no_error_for_dciodvfy(kind: str, tmp_path: Path) -> None:
    source = {"cr": factories.chest_cr, "dx": factories.chest_dx, "bare": factories.chest_cr}[kind](
        rows=64, columns=64
    )
    if kind == "bare":
        for keyword in ("StudyID", "PatientSex", "SeriesNumber", "InstanceNumber", "StudyTime"):
            delattr(source, keyword)
    made = assemble_counterpart(header_of(source), counterpart(), PROVENANCE)
    encoded = encode(made, transfer_syntax_uid=ExplicitVRLittleEndian)
    path = tmp_path / "made.dcm"
    path.write_bytes(encoded)
    assert not _errors(path)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is missing")
@pytest.mark.parametrize("kind", ["cr", "dx", "ct", "us", "sc"])
def test_a_kept_image_has_no_error_that_its_source_had_not(kind: str, tmp_path: Path) -> None:
    source = {
        "cr": factories.chest_cr(rows=64, columns=64), "us": factories.ultrasound(2),
        "dx": factories.chest_dx(rows=64, columns=64), "sc": factories.secondary_capture(),
        "ct": factories.ct_series(1, rows=64)[0],
    }[kind]  # fmt: skip
    before = _errors(factories.write(source, tmp_path / "source.dcm"))
    made = assemble_kept(header_of(source), source, PROVENANCE)
    path = tmp_path / "made.dcm"
    path.write_bytes(encode(made, transfer_syntax_uid=ExplicitVRLittleEndian))
    assert not _errors(path) - before


@pytest.mark.parametrize("kind", ["cr", "dx", "ct", "us"])
def test_what_is_assembled_passes_the_gate_and_holds_no_canary(kind: str) -> None:
    source = {
        "cr": factories.chest_cr(rows=64, columns=64), "us": factories.ultrasound(2),
        "dx": factories.chest_dx(rows=64, columns=64), "ct": factories.ct_series(1, rows=64)[0],
    }[kind]  # fmt: skip
    header = header_of(source)
    made = [assemble_kept(header, source, PROVENANCE)]
    if kind in {"cr", "dx"}:
        made.append(assemble_counterpart(header, counterpart(), PROVENANCE))
    for each in made:
        encoded = encode(each, transfer_syntax_uid=ExplicitVRLittleEndian)
        assert verify(encoded, read_evidence([source]), allow=ALLOW)
        assert not factories.grep_canaries(encoded, factories.canaries(factories.patient()))
