"""Image objects of the matrix: one of every kind, tiny, with the modules that identify."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    DigitalMammographyXRayImageStorageForPresentation,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    MRImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    NuclearMedicineImageStorage,
    PositronEmissionTomographyImageStorage,
    RTImageStorage,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    VLPhotographicImageStorage,
    XRayAngiographicImageStorage,
)

from tests import factories
from tests.factories import Patient
from tests.factories.modules import code, fill, make_uid, object_of
from tests.matrix.pictures import PICTURES, SIDE, add_pixels

SLICE = {
    "ImagePositionPatient": ["-16", "-16", "5"], "SliceThickness": "5",
    "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"], "PixelSpacing": ["1", "1"],
}  # fmt: skip


def _image(
    person: Patient, sop_class_uid: str, modality: str, values: dict[str, object],
    *, picture: str = "mono16", frames: int = 1,
) -> Dataset:  # fmt: skip
    dataset = object_of(person, sop_class_uid=sop_class_uid, modality=modality, study_uid=None,
                        series=modality, instance="1", description="Matrix")  # fmt: skip
    fill(dataset, {
        "ImageType": ["ORIGINAL", "PRIMARY"], "InstanceNumber": 1,
        "ContentDate": person.study_date, "ContentTime": person.study_time,
        "AcquisitionDate": person.study_date, "AcquisitionTime": person.study_time,
        "AcquisitionDateTime": person.study_date + person.study_time,
        "ImageComments": f"{person.name} {person.patient_id}", "PatientOrientation": ["L", "F"],
        "BurnedInAnnotation": "NO", "LossyImageCompression": "00",
        "SourceImageSequence": [_reference("source"), _reference("other")],
    })  # fmt: skip
    fill(dataset, values)
    return add_pixels(dataset, picture, frames)


def _reference(name: str) -> Dataset:
    return fill(Dataset(), {
        "ReferencedSOPClassUID": CTImageStorage,
        "ReferencedSOPInstanceUID": make_uid("matrix", name),
    })  # fmt: skip


def _frame_of(person: Patient) -> dict[str, object]:
    return {"FrameOfReferenceUID": make_uid("frame", person.accession),
            "PositionReferenceIndicator": ""}  # fmt: skip


def cr(person: Patient) -> Dataset:
    return factories.chest_cr(PICTURES["mono16"], patient=person)


def dx(person: Patient) -> Dataset:
    return factories.chest_dx(PICTURES["mono16"], patient=person, bits=12)


def mg(person: Patient) -> Dataset:
    view = code("399162004", "SCT", "cranio-caudal")
    view.ViewModifierCodeSequence = []
    return _image(person, DigitalMammographyXRayImageStorageForPresentation, "MG", {
        "PresentationIntentType": "FOR PRESENTATION", "ImageLaterality": "L", "BodyPartExamined":
        "BREAST", "AnatomicRegionSequence": [code("76752008", "SCT", "Breast")],
        "ImageType": ["ORIGINAL", "PRIMARY", ""], "Laterality": "L", "ViewCodeSequence": [view],
        "DetectorType": "DIRECT", "DetectorID": person.detector_id,
        "PositionerType": "MAMMOGRAPHIC",
        "DateOfLastDetectorCalibration": person.study_date, "ImagerPixelSpacing": ["0.1", "0.1"],
        "PixelIntensityRelationship": "LOG", "PixelIntensityRelationshipSign": -1,
        "RescaleIntercept": "0", "RescaleSlope": "1", "RescaleType": "US", "OrganExposed": "BREAST",
        "PresentationLUTShape": "IDENTITY", "WindowCenter": "2048", "WindowWidth": "4096",
        "AcquisitionContextSequence": [], "PositionerPrimaryAngle": "0", "DerivationDescription":
        f"for {person.name}",
    })  # fmt: skip


def ct(person: Patient) -> Dataset:
    return _image(person, CTImageStorage, "CT", SLICE | _frame_of(person) | {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "KVP": "120", "RescaleIntercept": "-1024",
        "RescaleSlope": "1", "RescaleType": "HU", "PatientPosition": "HFS", "AcquisitionNumber": 1,
        "GantryID": person.station, "ContrastBolusAgent": f"iodine for {person.name}",
    })  # fmt: skip


def mr(person: Patient) -> Dataset:
    return _image(person, MRImageStorage, "MR", SLICE | _frame_of(person) | {
        "ImageType": ["ORIGINAL", "PRIMARY", "M"], "ScanningSequence": "SE", "EchoTime": "15",
        "SequenceVariant": "NONE", "ScanOptions": "", "MRAcquisitionType": "2D",
        "EchoTrainLength": 1, "RepetitionTime": "500", "PatientPosition": "HFS",
        "SequenceName": f"{person.name[:10]}",
    })  # fmt: skip


def _functional_groups(person: Patient, kind: str) -> dict[str, object]:
    """Shared and per-frame groups with references and dates inside (PS3.3 C.7.6.16)."""
    frames = []
    for number in (1, 2):
        content = fill(Dataset(), {
            "FrameAcquisitionDateTime": person.study_date + person.study_time,
            "FrameReferenceDateTime": person.study_date + person.study_time,
            "FrameAcquisitionDuration": 12.5, "DimensionIndexValues": [number],
            "FrameComments": f"{person.name} {person.birth_date}", "StackID": "1",
            "InStackPositionNumber": number, "FrameAcquisitionNumber": 1,
        })  # fmt: skip
        position = fill(Dataset(), {"ImagePositionPatient": ["-16", "-16", str(5 * number)]})
        kind_of = fill(Dataset(), {
            "FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
            "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME",
            "VolumeBasedCalculationTechnique": "NONE",
        })  # fmt: skip
        frames.append(fill(Dataset(), {
            "FrameContentSequence": [content], "PlanePositionSequence": [position],
            f"{kind}ImageFrameTypeSequence": [kind_of],
            "ReferencedImageSequence": [_reference(f"frame {number}")],
        }))  # fmt: skip
    measures = fill(Dataset(), {"PixelSpacing": ["1", "1"], "SliceThickness": "5"})
    plane = fill(Dataset(), {"ImageOrientationPatient": SLICE["ImageOrientationPatient"]})
    shared = fill(Dataset(), {"PixelMeasuresSequence": [measures],
                              "PlaneOrientationSequence": [plane]})  # fmt: skip
    organization = make_uid("dimension", person.accession)
    index = fill(Dataset(), {"DimensionOrganizationUID": organization,
                             "DimensionIndexPointer": 0x00209057,
                             "FunctionalGroupPointer": 0x00209111})  # fmt: skip
    return {
        "SharedFunctionalGroupsSequence": [shared], "PerFrameFunctionalGroupsSequence": frames,
        "DimensionOrganizationSequence":
            [fill(Dataset(), {"DimensionOrganizationUID": organization})],
        "DimensionIndexSequence": [index], "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME", "VolumeBasedCalculationTechnique": "NONE",
        "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "PresentationLUTShape": "IDENTITY",
        "AcquisitionDuration": 25.0, "ContentQualification": "PRODUCT",
        "AcquisitionContextSequence": [], "PatientPosition": "HFS",
    }  # fmt: skip


def enhanced_ct(person: Patient) -> Dataset:
    values = _frame_of(person) | _functional_groups(person, "CT")
    return _image(person, EnhancedCTImageStorage, "CT", values, frames=2)


def enhanced_mr(person: Patient) -> Dataset:
    values = _frame_of(person) | _functional_groups(person, "MR")
    return _image(person, EnhancedMRImageStorage, "MR", values, frames=2)


def _regions(person: Patient) -> dict[str, object]:
    region = fill(Dataset(), {
        "RegionSpatialFormat": 1, "RegionDataType": 1, "RegionFlags": 0,
        "RegionLocationMinX0": 0, "RegionLocationMinY0": 0, "RegionLocationMaxX1": SIDE - 1,
        "RegionLocationMaxY1": SIDE - 1, "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3, "PhysicalDeltaX": 0.1, "PhysicalDeltaY": 0.1,
    })  # fmt: skip
    return {"SequenceOfUltrasoundRegions": [region], "TransducerData":
            [person.device_serial, "", ""]}  # fmt: skip


def us(person: Patient) -> Dataset:
    return _image(person, UltrasoundImageStorage, "US", _regions(person), picture="mono8")


def us_multiframe(person: Patient) -> Dataset:
    values = _regions(person) | {"FrameTime": "40", "FrameIncrementPointer": 0x00181063}
    return _image(person, UltrasoundMultiFrameImageStorage, "US", values, picture="rgb8", frames=3)


def nm(person: Patient) -> Dataset:
    isotope = fill(Dataset(), {
        "RadionuclideCodeSequence": [code("76388001", "SCT", "^99m^Technetium")],
        "RadiopharmaceuticalStartTime": person.study_time,
        "Radiopharmaceutical": f"dose of {person.name}",
    })  # fmt: skip
    window = fill(Dataset(), {"EnergyWindowRangeSequence": [fill(Dataset(), {
        "EnergyWindowLowerLimit": "126", "EnergyWindowUpperLimit": "154"})]})  # fmt: skip
    detector = fill(Dataset(), {"CollimatorType": "PARA", "FieldOfViewShape": "",
                                "StartAngle": "0"})  # fmt: skip
    return _image(person, NuclearMedicineImageStorage, "NM", {
        "ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"], "PixelSpacing": ["4", "4"],
        "FrameIncrementPointer": [0x00540010, 0x00540020], "EnergyWindowVector": [1, 1],
        "DetectorVector": [1, 2], "NumberOfEnergyWindows": 1, "NumberOfDetectors": 2,
        "EnergyWindowInformationSequence": [window], "DetectorInformationSequence":
        [detector, detector], "RadiopharmaceuticalInformationSequence": [isotope],
        "PatientOrientationCodeSequence": [code("102538003", "SCT", "recumbent")],
        "PatientGantryRelationshipCodeSequence": [code("102540008", "SCT", "headfirst")],
        "CountsAccumulated": "12345", "ActualFrameDuration": 1000,
    }, frames=2)  # fmt: skip


def pet(person: Patient) -> Dataset:
    isotope = fill(Dataset(), {
        "RadionuclideCodeSequence": [code("77004003", "SCT", "^18^Fluorine")],
        "RadiopharmaceuticalStartTime": person.study_time, "RadionuclideTotalDose": "3.5E8",
        "RadiopharmaceuticalStartDateTime": person.study_date + person.study_time,
        "RadionuclideHalfLife": "6586.2",
    })  # fmt: skip
    return _image(person, PositronEmissionTomographyImageStorage, "PT",
                  SLICE | _frame_of(person) | {
        "Units": "BQML", "CountsSource": "EMISSION", "SeriesType": ["STATIC", "IMAGE"],
        "NumberOfSlices": 1, "CorrectedImage": ["DECY", "ATTN"], "DecayCorrection": "START",
        "CollimatorType": "RING", "FrameReferenceTime": "0", "RescaleIntercept": "0",
        "RescaleSlope": "1.5", "ImageIndex": 1, "DecayFactor": "1.02", "PatientPosition": "HFS",
        "ActualFrameDuration": "60000", "RadiopharmaceuticalInformationSequence": [isotope],
        "PatientOrientationCodeSequence": [code("102538003", "SCT", "recumbent")],
        "PatientGantryRelationshipCodeSequence": [code("102540008", "SCT", "headfirst")],
    })  # fmt: skip


def sc(person: Patient) -> Dataset:
    return _image(person, SecondaryCaptureImageStorage, "OT", {
        "ConversionType": "WSD", "ImageType": ["DERIVED", "SECONDARY"],
        "DateOfSecondaryCapture": person.study_date, "SecondaryCaptureDeviceID": person.station,
    }, picture="mono8")  # fmt: skip


def sc_multiframe(person: Patient) -> Dataset:
    return _image(person, MultiFrameTrueColorSecondaryCaptureImageStorage, "OT", {
        "ConversionType": "WSD", "ImageType": ["DERIVED", "SECONDARY"], "FrameTime": "40",
        "FrameIncrementPointer": 0x00181063,
    }, picture="rgb8", frames=2)  # fmt: skip


def xa(person: Patient) -> Dataset:
    return _image(person, XRayAngiographicImageStorage, "XA", {
        "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"], "KVP": "70", "FrameTime": "66.6",
        "RadiationSetting": "GR", "PixelIntensityRelationship": "LIN", "ExposureTime": 10,
        "FrameIncrementPointer": 0x00181063, "PositionerPrimaryAngle": "0", "XRayTubeCurrent": 10,
        "PositionerSecondaryAngle": "0", "PositionerMotion": "STATIC",
    }, frames=3)  # fmt: skip


def vl_photo(person: Patient) -> Dataset:
    return _image(person, VLPhotographicImageStorage, "XC", {
        "AcquisitionContextSequence": [], "CameraOwnerName": person.operator,
        "LensSerialNumber": person.device_serial,
    }, picture="rgb8")  # fmt: skip


def rt_image(person: Patient) -> Dataset:
    return _image(person, RTImageStorage, "RTIMAGE", {
        "ImageType": ["ORIGINAL", "PRIMARY", "PORTAL"], "ConversionType": "DI",
        "RTImageLabel": "PORTAL AP", "RTImagePlane": "NORMAL",
        "ReportedValuesOrigin": "OPERATOR", "RTImageDescription": person.name,
        "RadiationMachineName": person.station, "RTImagePosition": ["-16", "16"],
        "XRayImageReceptorAngle": "0", "ImagePlanePixelSpacing": ["1", "1"],
        "RTImageOrientation": [], "PrimaryDosimeterUnit": "MU",
    })  # fmt: skip


IMAGES = {
    "CR": cr, "DX": dx, "MG": mg, "CT": ct, "MR": mr, "Enhanced CT": enhanced_ct,
    "Enhanced MR": enhanced_mr, "US": us, "US multi-frame": us_multiframe, "NM": nm, "PET": pet,
    "SC": sc, "SC multi-frame": sc_multiframe, "XA": xa, "VL photograph": vl_photo,
    "RT Image": rt_image,
}  # fmt: skip
