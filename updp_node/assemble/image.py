"""Images: the counterpart as a new Secondary Capture, and kept objects as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from updp_node.assemble.provenance import (
    MANUFACTURER,
    MODEL_NAME,
    Provenance,
    copy_header,
    describe_synthesis,
    stamp,
)
from updp_node.assemble.samples import strip_pixels
from updp_node.model import Counterpart

_PATIENT = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "PatientSpeciesDescription", "PatientIdentityRemoved", "DeidentificationMethod",
    "DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified",
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID",
)  # fmt: skip
_STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID",
    "AccessionNumber", "StudyDescription", "ProcedureCodeSequence", "PatientAge", "PatientSize",
    "PatientWeight", "TimezoneOffsetFromUTC",
)  # fmt: skip
_SERIES = (
    "SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDate", "SeriesTime",
    "BodyPartExamined", "ViewPosition",
)  # fmt: skip
_TYPE_2 = (
    "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "ReferringPhysicianName",
    "StudyID", "AccessionNumber", "SeriesNumber", "InstanceNumber",
)  # fmt: skip
_SAID = "Synthetic chest radiograph, not of a patient"
_DERIVATION = (
    "Synthetic image generated from whitelisted findings and a random seed; "
    "no pixel of a patient entered the generator."
)


def assemble_counterpart(
    header: Dataset, counterpart: Counterpart, provenance: Provenance
) -> Dataset:
    """Make the Secondary Capture instance that carries synthetic pixels.

    Only patient, study and series attributes are taken over. What described the acquisition
    of the source would say something untrue of pixels that nobody acquired; above all there
    is no pixel spacing. Modality and series stay those of the source, so that a study keeps
    its shape for its users.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage, with the new UIDs.
    counterpart : Counterpart
    provenance : Provenance

    Returns
    -------
    pydicom.Dataset

    References
    ----------
    PS3.3 A.8.1 (Secondary Capture Image IOD), C.8.6 (SC modules), C.12.1.1.1
    (Synthetic Data), C.7.6.1 (General Image), C.12.1.1 (SOP Common).
    """
    made = Dataset()
    made.set_original_encoding(False, True, ["utf8"])
    for keyword in (*_PATIENT, *_STUDY, *_SERIES, "SOPInstanceUID", "InstanceNumber"):
        if keyword in header:
            made[keyword] = header[keyword]
    for keyword in _TYPE_2:
        if keyword not in made:
            setattr(made, keyword, None)
    _describe(made)
    made.ImageComments = _unrendered(counterpart)
    if not made.ImageComments:
        del made.ImageComments
    made.DerivationDescription = (
        f"{_DERIVATION} Profile {provenance.profile}, "
        f"{describe_synthesis(provenance, counterpart)}."
    )
    _set_pixels(made, counterpart.pixels)
    stamp(made, provenance, counterpart)
    return made


def _describe(made: Dataset) -> None:
    """General Equipment, SC Equipment, General Image and SOP Common: what the object is."""
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.Manufacturer = MANUFACTURER
    made.ManufacturerModelName = MODEL_NAME
    made.ConversionType = "SYN"
    made.ImageType = ["DERIVED", "SECONDARY", "SYNTHETIC"]
    made.SyntheticData = "YES"
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "NO"
    made.LossyImageCompression = "00"
    made.PatientOrientation = None
    made.SeriesDescription = _SAID


def _set_pixels(made: Dataset, pixels: NDArray[np.uint8]) -> None:
    """Image Pixel module: eight bits, MONOCHROME2, native (PS3.3 C.7.6.3)."""
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    raw = pixels.tobytes()
    made.add_new("PixelData", "OB", raw + b"\0" * (len(raw) % 2))


def _unrendered(counterpart: Counterpart) -> str:
    """What the report says and the image does not show.

    Whitelisted terms of what the model cannot draw; of what was left out because too few share
    it the number only, since the terms would single out whom the coarser prompt hides.
    """
    prompt = counterpart.prompt
    said = []
    if prompt.unrendered:
        said.append("Findings of the report not shown: " + ", ".join(prompt.unrendered))
    if prompt.withheld:
        said.append(f"Rare findings withheld: {len(prompt.withheld)}")
    return ". ".join(said)


def assemble_kept(header: Dataset, source: Dataset, provenance: Provenance) -> Dataset:
    """Make the instance of an object whose pixels, if any, keep their values.

    What stands beside the values goes: metadata segments of compressed frames, bytes after the
    last native frame, unused bits of native samples.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; its pixel data are the source's own.
    source : pydicom.Dataset
        For the byte order and encapsulation of the pixel data.
    provenance : Provenance

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``, ``undecodable-pixels``.
    """
    made = copy_header(header)
    strip_pixels(made, source)
    stamp(made, provenance)
    return made
