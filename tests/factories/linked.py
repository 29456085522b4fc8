"""Objects that refer to others across studies: RT, segmentation, registration, waveform, frames."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from pydicom.dataset import Dataset

from tests.factories.documents import key_object, presentation_state, text_sr
from tests.factories.images import ct_series
from tests.factories.modules import code, evidence_of, fill, make_uid, object_of, reference
from tests.factories.people import Patient
from tests.factories.people import patient as make_patient

RT_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
REGISTRATION = "1.2.840.10008.5.1.4.1.1.66.1"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
FIRST = make_patient(study_date="20230105", accession="ACQV001", study_id="S1")
SECOND = make_patient(
    study_date="20230619", accession="ACQV002", study_id="S2", station="QVSTATION08",
    patient_id=" 7738201946 ", name="Qvistorpe^Z.",
)  # fmt: skip


def _made(person: Patient, sop_class: str, modality: str, study: str, label: str) -> Dataset:
    made = object_of(
        person, sop_class_uid=sop_class, modality=modality, study_uid=study, series=label,
        instance="1", description=label, number=20,
    )  # fmt: skip
    return fill(made, {"InstanceNumber": 1, "ContentDate": person.study_date,
                       "ContentTime": person.study_time})  # fmt: skip


def _pixels(frames: int, bits: int) -> dict[str, object]:
    """Eight by eight pixels a frame, all zero (PS3.3 C.7.6.3)."""
    return {
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "Rows": 8, "Columns": 8,
        "BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1, "PixelRepresentation": 0,
        "NumberOfFrames": frames, "PixelData": bytes(frames * 8 * bits),
    }  # fmt: skip


def rt_structure_set(images: Sequence[Dataset], person: Patient) -> Dataset:
    """Contours on every slice (PS3.3 C.8.8.5, C.8.8.6)."""
    frame = images[0].FrameOfReferenceUID
    series = fill(
        Dataset(),
        {
            "SeriesInstanceUID": images[0].SeriesInstanceUID,
            "ContourImageSequence": [reference(each) for each in images],
        },
    )
    study = fill(Dataset(), {"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                             "ReferencedSOPInstanceUID": images[0].StudyInstanceUID,
                             "RTReferencedSeriesSequence": [series]})  # fmt: skip
    frames = fill(Dataset(), {"FrameOfReferenceUID": frame, "RTReferencedStudySequence": [study]})
    roi = fill(Dataset(), {"ROINumber": 1, "ReferencedFrameOfReferenceUID": frame,
                           "ROIName": "Heart", "ROIGenerationAlgorithm": "MANUAL"})  # fmt: skip
    contours = [
        fill(Dataset(), {"ContourImageSequence": [reference(each)], "NumberOfContourPoints": 1,
                         "ContourGeometricType": "POINT", "ContourData": ["1", "2", "3"]})
        for each in images
    ]  # fmt: skip
    drawn = fill(Dataset(), {"ReferencedROINumber": 1, "ContourSequence": contours})
    return fill(_made(person, RT_STRUCTURE_SET, "RTSTRUCT", images[0].StudyInstanceUID, "rtss"), {
        "StructureSetLabel": "Plan", "StructureSetDate": person.study_date,
        "StructureSetTime": person.study_time, "FrameOfReferenceUID": frame,
        "ReferencedFrameOfReferenceSequence": [frames], "StructureSetROISequence": [roi],
        "ROIContourSequence": [drawn],
    })  # fmt: skip


def rt_plan(structures: Dataset, person: Patient) -> Dataset:
    """A plan on a structure set (PS3.3 C.8.8.9)."""
    uid = make_uid("dose reference", person.accession)
    dose = fill(Dataset(), {"DoseReferenceNumber": 1, "DoseReferenceUID": uid})
    return fill(_made(person, RT_PLAN, "RTPLAN", structures.StudyInstanceUID, "plan"), {
        "RTPlanLabel": "P", "RTPlanDate": person.study_date, "RTPlanTime": person.study_time,
        "RTPlanGeometry": "PATIENT", "FrameOfReferenceUID": structures.FrameOfReferenceUID,
        "ReferencedStructureSetSequence": [reference(structures)],
        "DoseReferenceSequence": [dose],
    })  # fmt: skip


def rt_dose(plan: Dataset, person: Patient) -> Dataset:
    """A dose of a plan (PS3.3 C.8.8.3)."""
    return fill(_made(person, RT_DOSE, "RTDOSE", plan.StudyInstanceUID, "dose"), {
        "FrameOfReferenceUID": plan.FrameOfReferenceUID, "DoseUnits": "GY",
        "DoseType": "PHYSICAL", "DoseSummationType": "PLAN",
        "ReferencedRTPlanSequence": [reference(plan)], "DoseGridScaling": "0.01", **_pixels(1, 16),
    })  # fmt: skip


def _derived(images: Sequence[Dataset]) -> Dataset:
    """An item of the Derivation Image macro (PS3.3 C.7.6.16.2.6)."""
    sources = []
    for each in images:
        source = reference(each)
        source.PurposeOfReferenceCodeSequence = [code("121322", "DCM", "Source image")]
        sources.append(source)
    return fill(Dataset(), {"DerivationCodeSequence": [code("113076", "DCM", "Segmentation")],
                            "SourceImageSequence": sources})  # fmt: skip


def segmentation(images: Sequence[Dataset], person: Patient, study: str) -> Dataset:
    """One frame for every slice, each with its source (PS3.3 A.51)."""
    dimension = make_uid("dimension", study)
    index = fill(Dataset(), {"DimensionOrganizationUID": dimension,
                             "DimensionIndexPointer": 0x0020000E})  # fmt: skip
    frames = [
        fill(Dataset(), {
            "DerivationImageSequence": [_derived([each])],
            "FrameContentSequence": [fill(Dataset(), {"FrameReferenceDateTime": "20231117101500",
                                                      "DimensionIndexValues": [1]})],
        })
        for each in images
    ]  # fmt: skip
    segment = fill(Dataset(), {
        "SegmentNumber": 1, "SegmentLabel": "Heart", "SegmentAlgorithmType": "MANUAL",
        "TrackingID": "T1", "TrackingUID": make_uid("tracked", person.patient_id),
        "SegmentedPropertyCategoryCodeSequence": [code("91723000", "SCT", "Anatomical Structure")],
        "SegmentedPropertyTypeCodeSequence": [code("80891009", "SCT", "Heart")],
    })  # fmt: skip
    organization = fill(Dataset(), {"DimensionOrganizationUID": dimension})
    return fill(_made(person, SEGMENTATION, "SEG", study, "seg"), {
        "FrameOfReferenceUID": images[0].FrameOfReferenceUID, "SegmentSequence": [segment],
        "PerFrameFunctionalGroupsSequence": frames, "SharedFunctionalGroupsSequence": [Dataset()],
        "DimensionOrganizationSequence": [organization], "DimensionIndexSequence": [index],
        "ReferencedSeriesSequence": [fill(Dataset(), {
            "SeriesInstanceUID": images[0].SeriesInstanceUID,
            "ReferencedInstanceSequence": [reference(each) for each in images]})],
        "SegmentationType": "BINARY", **_pixels(len(images), 1),
    })  # fmt: skip


def registration(fixed: Sequence[Dataset], moving: Sequence[Dataset], person: Patient) -> Dataset:
    """Two frames of reference of two studies (PS3.3 C.20.2)."""
    items = [
        fill(Dataset(), {"FrameOfReferenceUID": images[0].FrameOfReferenceUID,
                         "ReferencedImageSequence": [reference(each) for each in images]})
        for images in (fixed, moving)
    ]  # fmt: skip
    study = fill(Dataset(), {
        "StudyInstanceUID": fixed[0].StudyInstanceUID,
        "ReferencedSeriesSequence": evidence_of(list(fixed))[0].ReferencedSeriesSequence,
    })  # fmt: skip
    return fill(_made(person, REGISTRATION, "REG", moving[0].StudyInstanceUID, "reg"), {
        "FrameOfReferenceUID": fixed[0].FrameOfReferenceUID, "RegistrationSequence": items,
        "ContentLabel": "REG", "ContentDescription": "", "ContentCreatorName": person.reader,
        "StudiesContainingOtherReferencedInstancesSequence": [study],
    })  # fmt: skip


def waveform(image: Dataset, person: Patient) -> Dataset:
    """An ECG that was taken with an image (PS3.3 A.34.3)."""
    group = fill(Dataset(), {
        "MultiplexGroupTimeOffset": "0", "WaveformOriginality": "ORIGINAL",
        "NumberOfWaveformChannels": 1, "NumberOfWaveformSamples": 4, "SamplingFrequency": "500",
        "WaveformBitsAllocated": 16, "WaveformSampleInterpretation": "SS",
        "MultiplexGroupUID": make_uid("multiplex", person.accession),
    })  # fmt: skip
    return fill(_made(person, ECG, "ECG", image.StudyInstanceUID, "ecg"), {
        "AcquisitionDateTime": person.study_date + "101500", "WaveformSequence": [group],
        "SynchronizationFrameOfReferenceUID": make_uid("sync", person.accession),
        "ReferencedInstanceSequence": [fill(reference(image), {
            "PurposeOfReferenceCodeSequence": [code("121311", "DCM", "Localizer")]})],
    })  # fmt: skip


def enhanced_ct(images: Sequence[Dataset], person: Patient, study: str) -> Dataset:
    """A converted multi-frame object: sources in functional groups (PS3.3 C.7.6.16)."""
    frames = [
        fill(Dataset(), {
            "ReferencedImageSequence": [fill(reference(each), {
                "PurposeOfReferenceCodeSequence": [code("121311", "DCM", "Localizer")]})],
            "DerivationImageSequence": [_derived([each])],
            "FrameContentSequence": [fill(Dataset(), {
                "FrameAcquisitionDateTime": person.study_date + "101500"})],
        })
        for each in images
    ]  # fmt: skip
    return fill(_made(person, ENHANCED_CT, "CT", study, "enhanced"), {
        "FrameOfReferenceUID": images[0].FrameOfReferenceUID,
        "AcquisitionDateTime": person.study_date + "101500", **_pixels(len(images), 16),
        "ConcatenationUID": make_uid("concatenation", study),
        "SOPInstanceUIDOfConcatenationSource": images[0].SOPInstanceUID,
        "SharedFunctionalGroupsSequence": [Dataset()],
        "PerFrameFunctionalGroupsSequence": frames,
        "ReferencedImageEvidenceSequence": evidence_of(list(images)),
        "SourceImageEvidenceSequence": evidence_of(list(images)),
    })  # fmt: skip


@lru_cache(maxsize=1)
def linked_objects() -> tuple[Dataset, ...]:
    """Two studies of one patient from two stations, and everything that links them."""
    first = ct_series(3, rows=16, patient=FIRST, study_uid=make_uid("one"))
    second = ct_series(2, rows=16, patient=SECOND, study_uid=make_uid("two"))
    later = second[0].StudyInstanceUID
    structures = rt_structure_set(first, FIRST)
    plan = rt_plan(structures, FIRST)
    report = text_sr("Stable.", references=second, patient=SECOND)
    report.PertinentOtherEvidenceSequence = evidence_of(first)
    return (
        *first, *second, structures, plan, rt_dose(plan, FIRST),
        segmentation(first, SECOND, later), registration(first, second, SECOND),
        waveform(second[0], SECOND), enhanced_ct(first, SECOND, later),
        presentation_state(first[1], patient=FIRST),
        key_object([*first, *second], patient=SECOND), report,
    )  # fmt: skip
