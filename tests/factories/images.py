"""Image objects of the tests with every identifying attribute filled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    SecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from tests.factories.modules import code, fill, make_uid, object_of
from tests.factories.people import Patient
from tests.factories.people import patient as make_patient
from tests.factories.pixels import chest_picture, colour_frames

PRIVATE_SOP_CLASS = "1.3.6.1.4.1.99991.5.1.4.7"


def _pixel_module(
    dataset: Dataset, pixels: NDArray[np.generic], bits: int, photometric: str = "MONOCHROME2"
) -> Dataset:
    """Image Pixel module (PS3.3 C.7.6.3) in native encoding, little endian."""
    colour = pixels.shape[-1] == 3 and pixels.ndim > 2
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    allocated = pixels.dtype.itemsize * 8
    signed = int(pixels.dtype.kind == "i")
    fill(dataset, {
        "SamplesPerPixel": 3 if colour else 1, "PhotometricInterpretation": photometric,
        "Rows": rows, "Columns": columns, "BitsAllocated": allocated, "BitsStored": bits,
        "HighBit": bits - 1, "PixelRepresentation": signed,
    })  # fmt: skip
    if colour:
        dataset.PlanarConfiguration = 0
    raw = pixels.tobytes()
    dataset.add_new("PixelData", "OW" if allocated == 16 else "OB", raw + b"\0" * (len(raw) % 2))
    return dataset


def _image_module(dataset: Dataset, person: Patient, number: int) -> None:
    """General Image module (PS3.3 C.7.6.1)."""
    fill(dataset, {
        "ImageType": ["ORIGINAL", "PRIMARY"], "InstanceNumber": number,
        "ContentDate": person.study_date, "ContentTime": person.study_time,
        "AcquisitionDate": person.study_date, "AcquisitionTime": person.study_time,
        "AcquisitionNumber": 1, "ImageComments": f"{person.name} {person.patient_id}",
        "BurnedInAnnotation": "NO", "LossyImageCompression": "00",
    })  # fmt: skip


def chest_cr(
    pixels: NDArray[np.uint16] | None = None,
    *,
    patient: Patient | None = None,
    study_uid: str | None = None,
    view: str = "PA",
    photometric: str = "MONOCHROME2",
    rows: int = 512,
    columns: int = 512,
    bits: int = 12,
    number: int = 1,
) -> Dataset:
    """A CR Image Storage chest radiograph of a phantom, 12 bits stored of 16.

    Parameters
    ----------
    pixels : ndarray of uint16, shape (rows, columns), optional
        In place of the phantom.
    view : str
        View Position: PA, AP, LL.
    """
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=ComputedRadiographyImageStorage, modality="CR",
                        study_uid=study_uid, series="cr", instance=f"{view}{number}",
                        description=f"Thorax {view}")  # fmt: skip
    _image_module(dataset, person, number)
    del dataset.Laterality  # the chest is not paired
    fill(dataset, {
        "BodyPartExamined": "CHEST", "ViewPosition": view, "KVP": "117", "PlateID": "PLQV00917",
        "CassetteID": "CASQV31", "ExposureTime": 8, "XRayTubeCurrent": 250, "Exposure": 2,
        "ImagerPixelSpacing": ["0.7", "0.7"], "PatientOrientation": ["L", "F"],
        "WindowCenter": "2048", "WindowWidth": "4096", "RescaleIntercept": "0",
        "RescaleSlope": "1", "RescaleType": "US", "Sensitivity": "217",
    })  # fmt: skip
    picture = chest_picture(rows, columns, bits=bits) if pixels is None else pixels
    if photometric == "MONOCHROME1" and pixels is None:
        picture = (2**bits - 1) - picture
    return _pixel_module(dataset, picture, bits, photometric)


def chest_dx(
    pixels: NDArray[np.uint16] | None = None,
    *,
    patient: Patient | None = None,
    study_uid: str | None = None,
    view: str = "PA",
    rows: int = 512,
    columns: int = 512,
    bits: int = 14,
    number: int = 1,
) -> Dataset:
    """A Digital X-Ray Image Storage - For Presentation chest radiograph of a phantom."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=DigitalXRayImageStorageForPresentation,
                        modality="DX", study_uid=study_uid, series="dx",
                        instance=f"{view}{number}", description=f"Chest {view}")  # fmt: skip
    _image_module(dataset, person, number)
    del dataset.Laterality  # the chest is not paired
    picture = chest_picture(rows, columns, bits=bits) if pixels is None else pixels
    fill(dataset, {
        "PresentationIntentType": "FOR PRESENTATION", "ImageLaterality": "U",
        "ImageType": ["ORIGINAL", "PRIMARY", ""],
        "BodyPartExamined": "CHEST", "ViewPosition": view,
        "AnatomicRegionSequence": [code("51185008", "SCT", "Chest")],
        "PatientOrientation": ["L", "F"], "DetectorType": "SCINTILLATOR", "KVP": "125",
        "DetectorID": person.detector_id, "DateOfLastDetectorCalibration": person.study_date,
        "ImagerPixelSpacing": ["0.7", "0.7"], "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1, "RescaleIntercept": "0", "RescaleSlope": "1",
        "RescaleType": "US", "PresentationLUTShape": "IDENTITY",
        "WindowCenter": str(2 ** (bits - 1)), "WindowWidth": str(2**bits),
        "AcquisitionContextSequence": [], "PositionerType": "", "ViewCodeSequence":
            [code("399348003", "SCT", "antero-posterior") if view == "AP"
             else code("399368009", "SCT", "postero-anterior")],
    })  # fmt: skip
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    return _pixel_module(dataset, picture, bits)


def ct_series(
    n: int, rows: int = 512, *, patient: Patient | None = None, study_uid: str | None = None
) -> list[Dataset]:
    """A CT Image Storage series of n axial slices of a phantom, 5 mm apart."""
    person = patient or make_patient()
    slices = []
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : rows * 1j]
    for index in range(n):
        dataset = object_of(person, sop_class_uid=CTImageStorage, modality="CT",
                            study_uid=study_uid, series="ct", instance=str(index),
                            description="Thorax 5 mm", number=2)  # fmt: skip
        _image_module(dataset, person, index + 1)
        body = ((x / 0.85) ** 2 + (y / 0.7) ** 2) < 1 - 0.1 * index / max(n, 1)
        noise = np.random.default_rng(index).integers(-12, 12, (rows, rows))
        spacing = f"{360 / rows:.6g}"
        fill(dataset, {
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "KVP": "120", "SliceThickness": "5",
            "FrameOfReferenceUID": make_uid("frame", dataset.StudyInstanceUID),
            "PositionReferenceIndicator": "", "ImagePositionPatient": ["-180", "-180",
                                                                      str(5 * index)],
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "PixelSpacing": [spacing, spacing], "RescaleIntercept": "-1024",
            "RescaleSlope": "1", "RescaleType": "HU", "PatientPosition": "HFS",
        })  # fmt: skip
        pixels = np.where(body, 1064 + noise, 24 + noise // 2).clip(0, 4095).astype(np.uint16)
        slices.append(_pixel_module(dataset, pixels, 12))
    return slices


def ultrasound(
    frames: int = 3, *, patient: Patient | None = None, study_uid: str | None = None
) -> Dataset:
    """An Ultrasound Multi-frame Image Storage object in RGB."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=UltrasoundMultiFrameImageStorage, modality="US",
                        study_uid=study_uid, series="us", instance="1",
                        description="Pleura", number=3)  # fmt: skip
    _image_module(dataset, person, 1)
    fill(dataset, {"NumberOfFrames": frames, "FrameTime": "40", "FrameIncrementPointer": 0x00181063,
                   "PatientOrientation": ""})  # fmt: skip
    return _pixel_module(dataset, colour_frames(frames), 8, "RGB")


def secondary_capture(
    pixels: NDArray[np.uint8] | None = None,
    *,
    patient: Patient | None = None,
    study_uid: str | None = None,
) -> Dataset:
    """A Secondary Capture Image Storage object: a chest picture of 8 bits."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=SecondaryCaptureImageStorage, modality="OT",
                        study_uid=study_uid, series="sc", instance="1",
                        description="Screenshot", number=4)  # fmt: skip
    _image_module(dataset, person, 1)
    fill(dataset, {"ConversionType": "WSD", "PatientOrientation": "",
                   "DateOfSecondaryCapture": person.study_date,
                   "SecondaryCaptureDeviceID": person.station})  # fmt: skip
    picture = chest_picture(bits=8).astype(np.uint8) if pixels is None else pixels
    return _pixel_module(dataset, picture, 8)


def private_object(*, patient: Patient | None = None, study_uid: str | None = None) -> Dataset:
    """An object of a private SOP Class with pixels."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=PRIVATE_SOP_CLASS, modality="OT",
                        study_uid=study_uid, series="private", instance="1",
                        description="Raw export", number=5)  # fmt: skip
    _image_module(dataset, person, 1)
    return _pixel_module(dataset, chest_picture(128, 128), 12)
