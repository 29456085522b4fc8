"""Studies, series and instances of the made zone, with gaps as real objects have them."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.acceptance.research.people import UTF8, Person, other_name

_MODALITIES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4",
    "CR": "1.2.840.10008.5.1.4.1.1.1", "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1", "OT": "1.2.840.10008.5.1.4.1.1.7",
    "SR": "1.2.840.10008.5.1.4.1.1.88.11", "PR": "1.2.840.10008.5.1.4.1.1.11.1",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
}  # fmt: skip
_WITHOUT_PIXELS = ("SR", "PR")
_STUDIES = ("Chest PA and lateral", "CHEST", "Chest CT", "Abdomen*", "Knee (left)", "Hip_right",
            "MR head 100%", "")  # fmt: skip
_PROCEDURES = (("CHESTPA", "99LOCAL", "Chest PA"), ("CTCHEST", "99LOCAL", "CT Chest"),
               ("36643-5", "LN", "XR Chest 2 Views"), ("24627-2", "LN", "CT Chest"))  # fmt: skip


def uid(*parts: object) -> str:
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


@dataclass(frozen=True)
class Study:
    """A study with the attributes that all its instances share."""

    number: int
    project: str
    person: Person
    shared: Dataset

    @classmethod
    def make(cls, person: Person, number: int, project: str, random_: random.Random) -> Study:
        shared = _patient(person)
        shared.StudyInstanceUID = uid("study", project, number)
        shared.StudyDate = random_.choices(("", _date(random_)), (1, 9))[0]
        shared.StudyTime = _time(random_)
        shared.AccessionNumber = random_.choice(["", f"ACC{number:06d}", f"acc-{number}"])
        shared.StudyID = random_.choice(["", str(number % 7), f"S{number}"])
        description = random_.choice(_STUDIES)
        if description or random_.random() < 0.5:
            shared.StudyDescription = description
        if random_.random() < 0.7:
            shared.ReferringPhysicianName = _fits(other_name(random_), person)
        if random_.random() < 0.4:
            shared.PhysiciansOfRecord = [_fits(other_name(random_), person) for _ in range(2)]
        if random_.random() < 0.6:
            chosen = random_.sample(_PROCEDURES, random_.randint(1, 2))
            shared.ProcedureCodeSequence = Sequence([code(*each) for each in chosen])
        if random_.random() < 0.3:
            shared.AdmittingDiagnosesDescription = ["Cough", random_.choice(["Fever", "Asthma"])]
        if random_.random() < 0.5:
            shared.PatientAge = f"{random_.randint(1, 90):03d}Y"
            shared.PatientWeight = random_.choice(["70", "70.5", "82.25"])
        return cls(number, project, person, shared)


@dataclass(frozen=True)
class Series:
    """A series with the attributes that all its instances share."""

    study: Study
    number: int
    modality: str
    shared: Dataset

    @property
    def has_pixels(self) -> bool:
        return self.modality not in _WITHOUT_PIXELS

    @classmethod
    def make(
        cls, study: Study, number: int, random_: random.Random, *, modality: str | None = None
    ) -> Series:
        names = [name for name in _MODALITIES if name != "XA"]
        modality = modality or (random_.choice(names) if number else random_.choice(names[:6]))
        shared = Dataset()
        shared.update(study.shared)
        shared.SeriesInstanceUID = uid("series", study.project, study.number, number)
        shared.Modality = modality
        shared.SeriesNumber = random_.choices(("", str(number + 1)), (1, 9))[0]
        _describe(shared, random_)
        if random_.random() < 0.6:
            shared.SeriesDate = _date(random_)
            shared.SeriesTime = _time(random_)
        if random_.random() < 0.4:
            people = [_fits(other_name(random_), study.person) for _ in range(2)]
            shared.OperatorsName = people
        if random_.random() < 0.6:
            count = random_.randint(1, 2)
            shared.RequestAttributesSequence = Sequence([_request(random_) for _ in range(count)])
        if random_.random() < 0.5:
            shared.PerformedProcedureStepStartDate = _date(random_)
            shared.PerformedProcedureStepStartTime = _time(random_)
        return cls(study, number, modality, shared)


def fill_instance(
    series: Series, position: int, images: list[Dataset], random_: random.Random
) -> Dataset:
    """An instance without pixels; reports and presentation states name earlier images."""
    instance = Dataset()
    instance.update(series.shared)
    instance.SOPClassUID = _MODALITIES[series.modality]
    instance.SOPInstanceUID = uid("instance", series.shared.SeriesInstanceUID, position)
    instance.InstanceNumber = random_.choices(("", str(position + 1)), (1, 9))[0]
    instance.ContentDate = _date(random_)
    instance.ContentTime = _time(random_)
    instance.PatientIdentityRemoved = "YES"
    if series.has_pixels:
        kinds = random_.choice([["AXIAL"], ["LOCALIZER"], ["AXIAL", "MPR"], []])
        instance.ImageType = ["DERIVED", "PRIMARY", *kinds]
        if random_.random() < 0.6:
            zone = random_.choice(["", "+0100", "-0500"]) if random_.random() < 0.3 else ""
            instance.AcquisitionDateTime = _date(random_) + _full_time(random_) + zone
        if random_.random() < 0.3:
            instance.SliceLocation = random_.choice(["-12.5", "0", "117.25"])
            instance.ImageComments = random_.choice(["Motion", "motion, repeated", "*"])
        return instance
    _refer(instance, series.modality, images, random_)
    return instance


def _refer(instance: Dataset, modality: str, images: list[Dataset], random_: random.Random) -> None:
    if modality == "SR":
        instance.ValueType, instance.ContinuityOfContent = "CONTAINER", "SEPARATE"
        instance.CompletionFlag = random_.choice(["COMPLETE", "PARTIAL"])
        instance.VerificationFlag = "UNVERIFIED"
        instance.ConceptNameCodeSequence = Sequence([code("18748-4", "LN", "Imaging Report")])
        return
    instance.ContentLabel = random_.choice(["LUNG", "BONE"])
    instance.PresentationCreationDate, instance.PresentationCreationTime = "20200101", "120000"
    if images:
        named = Dataset()
        named.SeriesInstanceUID = images[0].SeriesInstanceUID
        chosen = random_.sample(images, min(2, len(images)))
        named.ReferencedImageSequence = Sequence([_reference(each) for each in chosen])
        instance.ReferencedSeriesSequence = Sequence([named])


def _reference(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = image.SOPClassUID
    item.ReferencedSOPInstanceUID = image.SOPInstanceUID
    return item


def _patient(person: Person) -> Dataset:
    patient = Dataset()
    if person.charset is not None:
        charset = person.charset
        patient.SpecificCharacterSet = charset if isinstance(charset, str) else list(charset)
    patient.PatientName, patient.PatientID = person.name, person.patient_id
    patient.PatientBirthDate, patient.PatientSex = person.birth_date, person.sex
    if person.comments:
        patient.PatientComments = person.comments
    if person.other_ids:
        patient.OtherPatientIDs = list(person.other_ids)
    return patient


def _describe(shared: Dataset, random_: random.Random) -> None:
    optional = {
        "SeriesDescription": ["AX 5mm", "AX 1mm", "ax 5mm", "COR", ""],
        "ProtocolName": ["Thorax routine", "Thorax low dose", "Knee"],
        "BodyPartExamined": ["CHEST", "KNEE", "HEAD"],
        "Laterality": ["L", "R"],
        "Manufacturer": ["Maker A", "Maker B"],
        "StationName": ["ST1", "ST2"],
        "SoftwareVersions": [["1.0", "2.0"], ["2.0"], ["10.0", "2.0b"]],
        "PerformedProcedureStepID": ["PPS1", "PPS2"],
    }  # fmt: skip
    for keyword, values in optional.items():
        if random_.random() < 0.7:
            setattr(shared, keyword, random_.choice(values))
    shared.FrameOfReferenceUID = uid("frame", shared.StudyInstanceUID)


def _request(random_: random.Random) -> Dataset:
    item = Dataset()
    item.RequestedProcedureID = f"RP{random_.randint(1, 9)}"
    item.ScheduledProcedureStepID = random_.choice(["SPS1", "SPS2", "sps1"])
    item.ScheduledProcedureStepDescription = random_.choice(["Chest", "Chest low dose", "Knee"])
    if random_.random() < 0.6:
        item.ScheduledProtocolCodeSequence = Sequence([code(*random_.choice(_PROCEDURES))])
    return item


def _date(random_: random.Random) -> str:
    return f"{random_.randint(2003, 2026)}{random_.randint(1, 12):02d}{random_.randint(1, 28):02d}"


def _full_time(random_: random.Random) -> str:
    return f"{random_.randint(0, 23):02d}{random_.randint(0, 59):02d}{random_.randint(0, 59):02d}"


def _time(random_: random.Random) -> str:
    full = _full_time(random_)
    return random_.choices(
        ("", full, f"{full}.{random_.randint(0, 999):03d}", full[:4]), (1, 5, 3, 1)
    )[0]


def _fits(name: str, person: Person) -> str:
    """A name that the patient's character set can hold."""
    if person.charset == UTF8 or name.isascii():
        return name
    if person.charset == "ISO_IR 100":
        return name if _is_latin(name) else "Smith^John"
    return "Smith^John"


def _is_latin(name: str) -> bool:
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
