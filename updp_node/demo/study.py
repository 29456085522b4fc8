"""The demonstration study: a chest radiograph of nobody, and its report, full of identifiers.

The radiograph is drawn by the node's generator, so there is no patient behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
)

from updp_node.model import Prompt
from updp_node.pixels.generator import load_generator

SIZE = 1024
BITS = 12
_SEED = 20240229
_WANTED_TERMS = ("adult", "PA view", "pleural effusion")
_UID = "1.2.826.0.1.3680043.10.99171"
_STUDY_UID = f"{_UID}.20240229.1"
_CR_UID = f"{_UID}.20240229.1.1.1"
_SR_UID = f"{_UID}.20240229.1.2.1"

PLANTED = (
    "Zsigmondy", "Marguerite", "Ottilie",  # the patient
    "83-441-9027", "834419027", "QX7740218", "ACC-2024-559013", "VIS-60771",  # numbers
    "19470813", "1947-08-13", "08/13/1947", "13 August 1947", "August 13, 1947",  # birth
    "20240229", "2024-02-29", "02/29/2024", "February 29, 2024",  # study
    "20230114", "January 14, 2023",  # the earlier radiograph
    "Quellbrook", "Tamarind", "97213-4471", "503-555-7188", "5035557188", "555-7142",  # places
    "zsigmondy.m@quellbrook.example",
    "Vandersteen", "Okonjomo", "Hallgrimsdottir", "Brightwater", "DRX-THX-0917",  # staff, device
    _STUDY_UID, f"{_UID}.20240229.1.1", f"{_UID}.20240229.1.2", _CR_UID, _SR_UID,
)  # fmt: skip
"""Everything in the study that would tell who it is; none of it may arrive."""

REPORT = {
    ("121060", "History"): (
        "76-year-old woman, Mrs. Marguerite Zsigmondy (DOB 08/13/1947, MRN 83-441-9027), with "
        "dyspnea and dry cough for five days. Lives at 118 Tamarind Lane, Quellbrook. "
        "Daughter Ottilie can be reached at (503) 555-7188 or zsigmondy.m@quellbrook.example."
    ),
    ("121064", "Current Procedure Descriptions"): (
        "PA chest radiograph, acquired on 02/29/2024 at 14:12 by technologist F. Okonjomo, "
        "unit DRX-THX-0917, accession ACC-2024-559013."
    ),
    ("121066", "Prior Procedure Descriptions"): (
        "Chest radiograph of January 14, 2023, Brightwater General Hospital."
    ),
    ("121070", "Findings"): (
        "There is a moderate left pleural effusion with blunting of the costophrenic angle. "
        "Bibasilar atelectasis. The heart is mildly enlarged. No pneumothorax. No focal "
        "consolidation. Mrs. ZSIGMONDY was imaged upright; the osseous structures are intact."
    ),
    ("121072", "Impressions"): (
        "1. Moderate left pleural effusion.\n2. Bibasilar atelectasis.\n3. No pneumothorax.\n"
        "Discussed with Dr. Vandersteen by phone (503-555-7142) on February 29, 2024.\n"
        "Electronically signed by Sigrun Hallgrimsdottir, MD."
    ),
}
"""Text of the report by section: code value of the heading (PS3.16 CID 7001) and meaning."""
_TEXTS = {
    "121060": ("121060", "History"),
    "121064": ("121065", "Procedure Description"),
    "121066": ("121065", "Procedure Description"),
    "121070": ("121071", "Finding"),
    "121072": ("121073", "Impression"),
}
"""Concept of the text in a section (PS3.16 CID 7002)."""


def write_study(folder: Path) -> list[Path]:
    """Write the radiograph and its report; returns the two files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, instance in (("radiograph.dcm", make_radiograph()), ("report.dcm", make_report())):
        instance.save_as(folder / name, enforce_file_format=True)
        files.append(folder / name)
    return files


def make_radiograph() -> Dataset:
    """A Computed Radiography image (PS3.3 A.2) with the patient's name burned in."""
    image = _common(ComputedRadiographyImageStorage, _CR_UID, "CR", number=1)
    image.SeriesDescription = "Thorax pa Zsigmondy"
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.InstanceNumber = 1
    image.AcquisitionDate = image.ContentDate = "20240229"
    image.AcquisitionTime = image.ContentTime = "141233"
    image.BodyPartExamined, image.ViewPosition = "CHEST", "PA"
    image.PatientOrientation = ["L", "F"]
    image.ImageComments = "M. Zsigmondy, MRN 83-441-9027"
    image.KVP, image.Exposure, image.PlateID = "117", 3, "DRX-THX-0917"
    image.ImagerPixelSpacing = ["0.4", "0.4"]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = SIZE
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, BITS, BITS - 1
    image.PixelRepresentation = 0
    image.WindowCenter, image.WindowWidth = str(2 ** (BITS - 1)), str(2**BITS)
    image.add_new("PixelData", "OW", draw_radiograph().astype("<u2").tobytes())
    return image


def make_report() -> Dataset:
    """A Basic Text SR (PS3.3 A.35.1) that names the radiograph."""
    report = _common(BasicTextSRStorage, _SR_UID, "SR", number=2)
    report.SeriesDescription = "Report"
    report.InstanceNumber = 1
    report.ContentDate, report.ContentTime = "20240229", "151807"
    report.CompletionFlag, report.VerificationFlag = "COMPLETE", "VERIFIED"
    verifier = Dataset()
    verifier.VerifyingObserverName = "Hallgrimsdottir^Sigrun^^^MD"
    verifier.VerifyingOrganization = "Brightwater General Hospital"
    verifier.VerificationDateTime = "20240229152011"
    verifier.VerifyingObserverIdentificationCodeSequence = []
    report.VerifyingObserverSequence = [verifier]
    report.ReferencedPerformedProcedureStepSequence = []
    report.PerformedProcedureCodeSequence = []
    report.CurrentRequestedProcedureEvidenceSequence = [_evidence()]
    report.ValueType, report.ContinuityOfContent = "CONTAINER", "SEPARATE"
    report.ConceptNameCodeSequence = [_code("18748-4", "LN", "Diagnostic imaging report")]
    author = _item("PNAME", "121008", "Person Observer Name", "HAS OBS CONTEXT")
    author.PersonName = "Hallgrimsdottir^Sigrun^^^MD"
    image = _item("IMAGE", "121180", "Key Images")
    image.ReferencedSOPSequence = [_reference()]
    sections = [_section(value, meaning, text) for (value, meaning), text in REPORT.items()]
    report.ContentSequence = [author, *sections, image]
    return report


def draw_radiograph() -> NDArray[np.uint16]:
    """Draw the radiograph with the generator and burn name and side into it.

    Returns
    -------
    ndarray of uint16, shape (SIZE, SIZE)
        12 bits.
    """
    generator = load_generator("default")
    known = generator.vocabulary.terms
    terms = tuple(term for term in known if term in _WANTED_TERMS)
    drawn = Image.fromarray(generator.generate(Prompt(terms), _SEED))
    picture = drawn.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    _burn_in(picture)
    noise = np.random.default_rng(_SEED).normal(0, 12, (SIZE, SIZE))
    scaled = np.asarray(picture, dtype=np.float64) * (2**BITS - 1) / 255 + noise
    stored: NDArray[np.uint16] = np.clip(scaled, 0, 2**BITS - 1).astype(np.uint16)
    return stored


def _burn_in(picture: Image.Image) -> None:
    """Write name, number, side and what this is into the pixels."""
    pen = ImageDraw.Draw(picture)
    for place, text, size in (
        ((24, 20), "ZSIGMONDY, MARGUERITE\nMRN 83-441-9027  13 August 1947", 26),
        ((SIZE - 70, 20), "L", 60),
        ((24, SIZE - 56), "DEMONSTRATION - NOT A PATIENT", 26),
    ):
        font = ImageFont.load_default(size=size)
        pen.multiline_text(place, text, 250, font, stroke_width=2, stroke_fill=0)


def _common(sop_class_uid: str, uid: str, modality: str, *, number: int) -> Dataset:
    """What every object of the study says of patient, study, series and equipment."""
    instance = Dataset()
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.SOPClassUID, instance.SOPInstanceUID = sop_class_uid, uid
    instance.PatientName, instance.PatientID = "Zsigmondy^Marguerite^^Mrs.", "83-441-9027"
    instance.IssuerOfPatientID = "BRIGHTWATER"
    instance.PatientBirthDate, instance.PatientSex, instance.PatientAge = "19470813", "F", "076Y"
    instance.OtherPatientNames = "Zsigmondy^Ottilie"
    instance.PatientAddress = "118 Tamarind Lane, Quellbrook 97213-4471"
    instance.PatientTelephoneNumbers = "(503) 555-7188"
    instance.PatientComments = "Call Ottilie Zsigmondy, 503-555-7188"
    instance.AdmissionID = "VIS-60771"
    instance.StudyInstanceUID, instance.StudyID = _STUDY_UID, "QX7740218"
    instance.SeriesInstanceUID = f"{_STUDY_UID}.{number}"
    instance.SeriesNumber, instance.Modality = number, modality
    instance.StudyDate = instance.SeriesDate = "20240229"
    instance.StudyTime, instance.SeriesTime = "141233", "141233"
    instance.AccessionNumber = "ACC-2024-559013"
    instance.ReferringPhysicianName = "Vandersteen^Caspar^^Dr."
    instance.OperatorsName = "Okonjomo^Folasade"
    instance.StudyDescription = "Thorax pa"
    instance.InstitutionName = "Brightwater General Hospital"
    instance.InstitutionAddress = "1 Brightwater Plaza, Quellbrook"
    instance.Manufacturer, instance.ManufacturerModelName = "Demonstration", "Thorax 1"
    instance.StationName, instance.DeviceSerialNumber = "DRX-THX-0917", "DRX-THX-0917"
    block = instance.private_block(0x0029, "DEMO VENDOR 1.0", create=True)
    block.add_new(0x10, "LO", "Zsigmondy Marguerite 834419027")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class_uid)
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance.file_meta = meta
    return instance


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _item(value_type: str, concept: str, meaning: str, relationship: str = "CONTAINS") -> Dataset:
    """A content item (PS3.3 C.17.3)."""
    item = Dataset()
    item.RelationshipType, item.ValueType = relationship, value_type
    item.ConceptNameCodeSequence = [_code(concept, "DCM", meaning)]
    return item


def _section(value: str, meaning: str, text: str) -> Dataset:
    section = _item("CONTAINER", value, meaning)
    section.ContinuityOfContent = "SEPARATE"
    child = _item("TEXT", *_TEXTS[value])
    child.TextValue = text
    section.ContentSequence = [child]
    return section


def _reference() -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = ComputedRadiographyImageStorage
    reference.ReferencedSOPInstanceUID = _CR_UID
    return reference


def _evidence() -> Dataset:
    """Study, series and instance that the report rests on (PS3.3 C.17.2.3)."""
    series = Dataset()
    series.SeriesInstanceUID = f"{_STUDY_UID}.1"
    series.ReferencedSOPSequence = [_reference()]
    evidence = Dataset()
    evidence.StudyInstanceUID = _STUDY_UID
    evidence.ReferencedSeriesSequence = [series]
    return evidence


def report_texts(instance: Dataset) -> Sequence[tuple[str, str]]:
    """Section heading and text of every TEXT item of an SR, in reading order."""
    found: list[tuple[str, str]] = []

    def walk(item: Dataset, heading: str) -> None:
        names = item.get("ConceptNameCodeSequence") or [Dataset()]
        name = str(names[0].get("CodeMeaning", ""))
        if item.get("ValueType") == "TEXT":
            found.append((heading or name, str(item.get("TextValue", ""))))
        for child in item.get("ContentSequence") or []:
            walk(child, name if item.get("ValueType") == "CONTAINER" else heading)

    walk(instance, "")
    return found
