"""Images: the counterpart as a new Secondary Capture, and kept objects as they are."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from updp_node.assemble.provenance import MANUFACTURER, MODEL_NAME, Provenance, copy_header, stamp
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
    "SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDate", "SeriesTime", "Laterality",
    "BodyPartExamined", "ViewPosition",
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
    from highdicom import sc  # noqa: PLC0415  # 0.4 s that the receiver must not pay

    made = Dataset(
        sc.SCImage(
            pixel_array=counterpart.pixels,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=8,
            coordinate_system="PATIENT",
            study_instance_uid=str(header.StudyInstanceUID),
            series_instance_uid=str(header.SeriesInstanceUID),
            series_number=int(header.get("SeriesNumber") or 1),
            sop_instance_uid=str(header.SOPInstanceUID),
            instance_number=int(header.get("InstanceNumber") or 1),
            manufacturer=MANUFACTURER,
            patient_orientation=("L", "F"),
            transfer_syntax_uid=ExplicitVRLittleEndian,
        )
    )
    for keyword in (*_PATIENT, *_STUDY, *_SERIES):
        if keyword in header:
            made[keyword] = header[keyword]
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ManufacturerModelName = MODEL_NAME
    made.ConversionType = "SYN"
    made.ImageType = ["DERIVED", "SECONDARY", "SYNTHETIC"]
    made.SyntheticData = "YES"
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "NO"
    made.LossyImageCompression = "00"
    made.SeriesDescription = _SAID
    made.DerivationDescription = _DERIVATION
    made.ImageComments = _unrendered(counterpart)
    if not made.ImageComments:
        del made.ImageComments
    stamp(made, provenance, counterpart)
    return made


def _unrendered(counterpart: Counterpart) -> str:
    """What the report says and the model cannot draw: whitelisted terms."""
    if not counterpart.prompt.unrendered:
        return ""
    return "Findings of the report not shown: " + ", ".join(counterpart.prompt.unrendered)


def assemble_kept(header: Dataset, source: Dataset, provenance: Provenance) -> Dataset:
    """Make the instance of an object whose pixels, if any, stay as they are.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; its pixel data are the source's own.
    source : pydicom.Dataset
        For the byte order and encapsulation of the pixel data.
    provenance : Provenance
    """
    made = copy_header(header)
    if "PixelData" in made:
        made["PixelData"].is_undefined_length = source["PixelData"].is_undefined_length
    stamp(made, provenance)
    return made
