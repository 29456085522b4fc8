"""Objects of the matrix that are no plain images: reports, states, RT, waveforms, documents."""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EncapsulatedCDAStorage,
    RawDataStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
    SegmentationStorage,
    SpatialRegistrationStorage,
    TwelveLeadECGWaveformStorage,
    XRayRadiationDoseSRStorage,
)

from tests import factories
from tests.factories import Patient
from tests.factories.modules import code, evidence_of, fill, make_uid, object_of, reference
from tests.matrix.images import SLICE, ct
from tests.matrix.pictures import SIDE


def _object(person: Patient, sop_class_uid: str, modality: str, **values: object) -> Dataset:
    dataset = object_of(person, sop_class_uid=sop_class_uid, modality=modality, study_uid=None,
                        series=modality, instance="1", description="Matrix")  # fmt: skip
    del dataset.Laterality
    fill(dataset, {"InstanceNumber": 1, "ContentDate": person.study_date,
                   "ContentTime": person.study_time})  # fmt: skip
    return fill(dataset, values)


def text_report(person: Patient) -> Dataset:
    return factories.text_sr(references=[ct(person)], patient=person)


def measurement_report(person: Patient) -> Dataset:
    return factories.comprehensive_sr_with_scoord(ct(person), patient=person)


def dose_report(person: Patient) -> Dataset:
    """Radiation Dose SR: device observers, dates, UIDs in items (TID 10011)."""
    report = factories.text_sr({"Findings": f"Dose of {person.name}"}, patient=person)
    report.SOPClassUID, report.Modality = XRayRadiationDoseSRStorage, "SR"
    report.ConceptNameCodeSequence = [code("113701", "DCM", "X-Ray Radiation Dose Report")]
    item = factories.content_item
    report.ContentSequence.extend([
        item("TEXT", code("121013", "DCM", "Device Observer Name"), "HAS OBS CONTEXT",
             TextValue=person.station),
        item("TEXT", code("121016", "DCM", "Device Observer Serial Number"), "HAS OBS CONTEXT",
             TextValue=person.device_serial),
        item("DATETIME", code("113809", "DCM", "Start of X-Ray Irradiation"), "HAS OBS CONTEXT",
             DateTime=person.study_date + "141253"),
        item("UIDREF", code("113769", "DCM", "Irradiation Event UID"),
             UID=make_uid("event", person.accession)),
    ])  # fmt: skip
    return report


def key_object(person: Patient) -> Dataset:
    return factories.key_object([ct(person)], patient=person)


def presentation_state(person: Patient) -> Dataset:
    return factories.presentation_state(ct(person), patient=person)


def segmentation(person: Patient) -> Dataset:
    """A binary segmentation of one frame, derived from a CT (PS3.3 A.51)."""
    source = ct(person)
    derived = fill(Dataset(), {
        "SourceImageSequence": [fill(reference(source), {
            "PurposeOfReferenceCodeSequence": [code("121322", "DCM", "Source image")]})],
        "DerivationCodeSequence": [code("113076", "DCM", "Segmentation")],
    })  # fmt: skip
    organization = make_uid("dimension", "seg")
    frame = fill(Dataset(), {
        "DerivationImageSequence": [derived],
        "FrameContentSequence": [fill(Dataset(), {"DimensionIndexValues": [1]})],
        "PlanePositionSequence": [fill(Dataset(), {
            "ImagePositionPatient": SLICE["ImagePositionPatient"]})],
        "SegmentIdentificationSequence": [fill(Dataset(), {"ReferencedSegmentNumber": 1})],
    })  # fmt: skip
    segment = fill(Dataset(), {
        "SegmentNumber": 1, "SegmentLabel": "Liver", "SegmentDescription": f"of {person.name}",
        "SegmentAlgorithmType": "MANUAL", "TrackingID": f"lesion {person.patient_id}",
        "TrackingUID": make_uid("tracking", 1),
        "SegmentedPropertyCategoryCodeSequence": [code("123037004", "SCT", "Anatomical Structure")],
        "SegmentedPropertyTypeCodeSequence": [code("10200004", "SCT", "Liver")],
    })  # fmt: skip
    shared = fill(Dataset(), {
        "PixelMeasuresSequence": [fill(Dataset(), {"PixelSpacing": ["1", "1"],
                                                   "SliceThickness": "5"})],
        "PlaneOrientationSequence": [fill(Dataset(), {
            "ImageOrientationPatient": SLICE["ImageOrientationPatient"]})],
    })  # fmt: skip
    series = fill(Dataset(), {"SeriesInstanceUID": source.SeriesInstanceUID,
                              "ReferencedInstanceSequence": [reference(source)]})  # fmt: skip
    made = _object(
        person, SegmentationStorage, "SEG", SegmentationType="BINARY", SegmentSequence=[segment],
        FrameOfReferenceUID=source.FrameOfReferenceUID, PositionReferenceIndicator="",
        ImageType=["DERIVED", "PRIMARY"], ContentLabel="LIVER", ContentDescription=person.name,
        ContentCreatorName=person.reader, NumberOfFrames=1, LossyImageCompression="00",
        DimensionOrganizationSequence=[
            fill(Dataset(), {"DimensionOrganizationUID": organization})],
        DimensionIndexSequence=[fill(Dataset(), {
            "DimensionOrganizationUID": organization, "DimensionIndexPointer": 0x0062000B,
            "FunctionalGroupPointer": 0x0062000A})],
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=[frame],
        ReferencedSeriesSequence=[series], SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", Rows=SIDE, Columns=SIDE, BitsAllocated=1,
        BitsStored=1, HighBit=0, PixelRepresentation=0,
    )  # fmt: skip
    made.add_new("PixelData", "OB", bytes(range(SIDE * SIDE // 8)))
    return made


def structure_set(person: Patient) -> Dataset:
    source = ct(person)
    image = fill(Dataset(), {"ReferencedSOPClassUID": CTImageStorage,
                             "ReferencedSOPInstanceUID": source.SOPInstanceUID})  # fmt: skip
    series = fill(Dataset(), {"SeriesInstanceUID": source.SeriesInstanceUID,
                              "ContourImageSequence": [image]})  # fmt: skip
    study = fill(Dataset(), {"ReferencedSOPClassUID": "1.2.840.10008.3.1.2.3.1",
                             "ReferencedSOPInstanceUID": source.StudyInstanceUID,
                             "RTReferencedSeriesSequence": [series]})  # fmt: skip
    frame = fill(Dataset(), {"FrameOfReferenceUID": source.FrameOfReferenceUID,
                             "RTReferencedStudySequence": [study]})  # fmt: skip
    contour = fill(Dataset(), {
        "ContourGeometricType": "CLOSED_PLANAR", "NumberOfContourPoints": 3,
        "ContourData": ["-5", "-5", "5", "5", "-5", "5", "0", "5", "5"],
        "ContourImageSequence": [image],
    })  # fmt: skip
    return _object(
        person, RTStructureSetStorage, "RTSTRUCT", StructureSetLabel="PLAN A",
        FrameOfReferenceUID=source.FrameOfReferenceUID, PositionReferenceIndicator="",
        StructureSetName=f"set of {person.name}", StructureSetDate=person.study_date,
        StructureSetTime=person.study_time, ReferencedFrameOfReferenceSequence=[frame],
        StructureSetROISequence=[fill(Dataset(), {
            "ROINumber": 1, "ROIName": "Liver", "ROIGenerationAlgorithm": "MANUAL",
            "ReferencedFrameOfReferenceUID": source.FrameOfReferenceUID,
            "ROIDescription": f"{person.patient_id}"})],
        ROIContourSequence=[fill(Dataset(), {"ReferencedROINumber": 1,
                                             "ROIDisplayColor": [255, 0, 0],
                                             "ContourSequence": [contour]})],
        RTROIObservationsSequence=[fill(Dataset(), {
            "ObservationNumber": 1, "ReferencedROINumber": 1, "RTROIInterpretedType": "ORGAN",
            "ROIInterpreter": person.reader})],
    )  # fmt: skip


def plan(person: Patient) -> Dataset:
    control = fill(Dataset(), {"ControlPointIndex": 0, "CumulativeMetersetWeight": "0",
                               "NominalBeamEnergy": "6", "GantryAngle": "0",
                               "GantryRotationDirection": "NONE"})  # fmt: skip
    last = fill(Dataset(), {"ControlPointIndex": 1, "CumulativeMetersetWeight": "1"})
    beam = fill(Dataset(), {
        "BeamNumber": 1, "BeamName": "AP", "BeamType": "STATIC", "RadiationType": "PHOTON",
        "TreatmentMachineName": person.station, "SourceAxisDistance": "1000",
        "BeamDescription": f"for {person.name}", "TreatmentDeliveryType": "TREATMENT",
        "NumberOfWedges": 0, "NumberOfCompensators": 0, "NumberOfBoli": 0, "NumberOfBlocks": 0,
        "FinalCumulativeMetersetWeight": "1", "NumberOfControlPoints": 2,
        "ControlPointSequence": [control, last], "PrimaryDosimeterUnit": "MU",
        "DeviceSerialNumber": person.device_serial, "BeamLimitingDeviceSequence": [
            fill(Dataset(), {"RTBeamLimitingDeviceType": "X", "NumberOfLeafJawPairs": 1})],
    })  # fmt: skip
    group = fill(Dataset(), {
        "FractionGroupNumber": 1, "NumberOfFractionsPlanned": 30, "NumberOfBeams": 1,
        "NumberOfBrachyApplicationSetups": 0,
        "ReferencedBeamSequence": [fill(Dataset(), {"ReferencedBeamNumber": 1})],
    })  # fmt: skip
    structures = structure_set(person)
    return _object(
        person, RTPlanStorage, "RTPLAN", RTPlanLabel="PLAN A", RTPlanDate=person.study_date,
        RTPlanTime=person.study_time, RTPlanGeometry="PATIENT", RTPlanName=person.name,
        PlanIntent="CURATIVE", FractionGroupSequence=[group], BeamSequence=[beam],
        ApprovalStatus="APPROVED", ReviewDate=person.study_date, ReviewTime=person.study_time,
        ReviewerName=person.reader, ReferencedStructureSetSequence=[reference(structures)],
        FrameOfReferenceUID=make_uid("frame", person.accession), PositionReferenceIndicator="",
    )  # fmt: skip


def dose(person: Patient) -> Dataset:
    made = _object(
        person, RTDoseStorage, "RTDOSE", **SLICE, DoseUnits="GY", DoseType="PHYSICAL",
        DoseSummationType="PLAN", DoseGridScaling="0.0001", DoseComment=person.name,
        FrameOfReferenceUID=make_uid("frame", person.accession), PositionReferenceIndicator="",
        ReferencedRTPlanSequence=[reference(plan(person))], NumberOfFrames=2,
        GridFrameOffsetVector=["0", "5"], FrameIncrementPointer=0x3004000C, SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", Rows=8, Columns=8, BitsAllocated=32,
        BitsStored=32, HighBit=31, PixelRepresentation=0,
    )  # fmt: skip
    made.add_new("PixelData", "OW", np.arange(128, dtype="<u4").tobytes())
    return made


def ecg(person: Patient) -> Dataset:
    """Twelve leads of zeros and a ramp, with an annotation that names the patient."""
    channels = [fill(Dataset(), {
        "ChannelSourceSequence": [code(f"5.6.3-9-{number}", "SCPECG", f"Lead {number}")],
        "ChannelSensitivity": "4.88", "ChannelSensitivityUnitsSequence":
            [code("uV", "UCUM", "microvolt")],
        "ChannelSensitivityCorrectionFactor": "1", "ChannelBaseline": "0", "WaveformBitsStored": 16,
        "ChannelSampleSkew": "0",
    }) for number in range(1, 13)]  # fmt: skip
    group = fill(Dataset(), {
        "WaveformOriginality": "ORIGINAL", "NumberOfWaveformChannels": 12,
        "NumberOfWaveformSamples": 8, "SamplingFrequency": "500", "ChannelDefinitionSequence":
            channels, "WaveformBitsAllocated": 16, "WaveformSampleInterpretation": "SS",
    })  # fmt: skip
    group.add_new("WaveformData", "OW", np.arange(96, dtype="<i2").tobytes())
    note = fill(Dataset(), {"UnformattedTextValue": f"{person.name} {person.birth_date}",
                            "AnnotationGroupNumber": 1,
                            "ReferencedWaveformChannels": [1, 0]})  # fmt: skip
    return _object(
        person, TwelveLeadECGWaveformStorage, "ECG", WaveformSequence=[group],
        AcquisitionDateTime=person.study_date + person.study_time, AcquisitionContextSequence=[],
        WaveformAnnotationSequence=[note],
    )  # fmt: skip


def registration(person: Patient) -> Dataset:
    image = ct(person)
    matrix = fill(Dataset(), {
        "FrameOfReferenceTransformationMatrix":
            ["1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "1", "0", "0", "0", "0", "1"],
        "FrameOfReferenceTransformationMatrixType": "RIGID",
    })  # fmt: skip
    item = fill(Dataset(), {
        "FrameOfReferenceUID": image.FrameOfReferenceUID,
        "MatrixRegistrationSequence": [fill(Dataset(), {
            "FrameOfReferenceTransformationComment": person.name, "MatrixSequence": [matrix]})],
        "ReferencedImageSequence": [reference(image)],
    })  # fmt: skip
    series = fill(Dataset(), {"SeriesInstanceUID": image.SeriesInstanceUID,
                              "ReferencedInstanceSequence": [reference(image)]})  # fmt: skip
    return _object(
        person, SpatialRegistrationStorage, "REG", RegistrationSequence=[item, item],
        FrameOfReferenceUID=image.FrameOfReferenceUID, PositionReferenceIndicator="",
        ContentLabel="RIGID", ContentDescription=person.name, ContentCreatorName=person.reader,
        ReferencedSeriesSequence=[series],
    )  # fmt: skip


def raw_data(person: Patient) -> Dataset:
    made = _object(
        person, RawDataStorage, "MR", CreatorVersionUID=make_uid("creator version"),
        AcquisitionContextSequence=[], ReferencedSeriesSequence=evidence_of([ct(person)])[0]
        .ReferencedSeriesSequence,
    )  # fmt: skip
    block = made.private_block(0x0029, "QVENDOR RAW", create=True)
    block.add_new(0x10, "OB", b"\0\1\2" + person.name.encode("utf-8", "replace") + b"\0\0")
    return made


def document_pdf(person: Patient) -> Dataset:
    plain = factories.patient()
    made = factories.encapsulated_pdf(patient=plain)
    made.DocumentTitle = f"Letter on {person.name}"
    made.PatientName, made.InstitutionName = person.name, person.institution
    return made


def document_cda(person: Patient) -> Dataset:
    text = (f"<?xml version='1.0' encoding='UTF-8'?><ClinicalDocument xmlns='urn:hl7-org:v3'>"
            f"<recordTarget><patientRole><id extension='{person.patient_id}'/>"
            f"<name>{person.name.replace('^', ' ')}</name></patientRole></recordTarget>"
            f"</ClinicalDocument>").encode()  # fmt: skip
    return _object(
        person, EncapsulatedCDAStorage, "DOC", DocumentTitle=f"Letter on {person.name}",
        AcquisitionDateTime=person.study_date, BurnedInAnnotation="YES", ConversionType="WSD",
        ConceptNameCodeSequence=[], HL7InstanceIdentifier=f"2.16.840.1.113883^{person.accession}",
        MIMETypeOfEncapsulatedDocument="text/XML",
        EncapsulatedDocument=text + b"\0" * (len(text) % 2),
    )  # fmt: skip


OBJECTS = {
    "Basic Text SR": text_report, "Comprehensive SR": measurement_report,
    "Dose SR": dose_report, "Key Object": key_object, "Presentation State": presentation_state,
    "Segmentation": segmentation, "RT Structure Set": structure_set, "RT Plan": plan,
    "RT Dose": dose, "12-lead ECG": ecg, "Spatial Registration": registration,
    "Raw Data": raw_data, "Encapsulated PDF": document_pdf, "Encapsulated CDA": document_cda,
}  # fmt: skip
