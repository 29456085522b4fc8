"""Modules shared by the objects of the tests, each identifying attribute filled."""

from __future__ import annotations

import hashlib

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.factories.people import Patient

SOURCE_ROOT = "1.3.6.1.4.1.99991.7"
PRIVATE_CREATOR = "QVENDOR IMAGING 1.0"


def make_uid(*parts: object) -> str:
    """A source UID that is the same for the same parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"{SOURCE_ROOT}.{int.from_bytes(digest[:10], 'big')}"


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A Code Sequence item (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def fill(dataset: Dataset, values: dict[str, object]) -> Dataset:
    """Set attributes by keyword; lists of data sets become sequences."""
    for keyword, value in values.items():
        nested = isinstance(value, list) and value and isinstance(value[0], Dataset)
        setattr(dataset, keyword, Sequence(value) if nested else value)
    return dataset


def person_identification(name: str, person: Patient) -> Dataset:
    """An item of a Person Identification Macro with its own identifiers (PS3.3 Table 10-1)."""
    surname = name.split("^", maxsplit=1)[0]
    return fill(Dataset(), {
        "PersonIdentificationCodeSequence": [code(f"P{surname[:8].upper()}", "99QV", surname)],
        "PersonTelephoneNumbers": person.phone, "InstitutionName": person.institution,
    })  # fmt: skip


def patient_modules(dataset: Dataset, person: Patient) -> None:
    """Patient and Patient Study modules (PS3.3 C.7.1.1, C.7.2.2)."""
    other = fill(Dataset(), {"PatientID": person.other_id, "TypeOfPatientID": "TEXT",
                             "IssuerOfPatientID": person.issuer})  # fmt: skip
    surname = person.name.split("^", maxsplit=1)[0]
    fill(dataset, {
        "PatientName": person.name, "PatientID": person.patient_id,
        "IssuerOfPatientID": person.issuer, "PatientBirthDate": person.birth_date,
        "PatientBirthTime": person.birth_time, "PatientSex": person.sex,
        "OtherPatientNames": person.other_name, "OtherPatientIDsSequence": [other],
        "PatientMotherBirthName": person.mother_name, "PatientAddress": person.address,
        "PatientTelephoneNumbers": person.phone, "PatientAge": person.age,
        "PatientSize": "1.81", "PatientWeight": "83.4", "Occupation": person.occupation,
        "AdmissionID": person.admission_id, "EthnicGroup": "unknown",
        "PatientComments": f"Call {surname} at {person.phone} or {person.email}",
        "AdditionalPatientHistory": f"Mr. {surname} smoked; seen by {person.referring[:11]}",
    })  # fmt: skip


def study_modules(dataset: Dataset, person: Patient, study_uid: str, description: str) -> None:
    """General Study module (PS3.3 C.7.2.1)."""
    fill(dataset, {
        "StudyInstanceUID": study_uid, "StudyDate": person.study_date,
        "StudyTime": person.study_time, "StudyID": person.study_id,
        "AccessionNumber": person.accession, "ReferringPhysicianName": person.referring,
        "StudyDescription": description,
        "PhysiciansOfRecord": person.requester, "NameOfPhysiciansReadingStudy": person.reader,
        "ReferringPhysicianIdentificationSequence":
            [person_identification(person.referring, person)],
        "RequestingPhysician": person.requester,
    })  # fmt: skip


def series_modules(
    dataset: Dataset, person: Patient, series_uid: str, modality: str, number: int, description: str
) -> None:
    """General Series module (PS3.3 C.7.3.1)."""
    request = fill(Dataset(), {
        "RequestedProcedureID": f"RP{person.accession}", "ScheduledProcedureStepID": "SPSQV77310",
        "AccessionNumber": person.accession, "RequestedProcedureDescription": description,
    })  # fmt: skip
    fill(dataset, {
        "SeriesInstanceUID": series_uid, "SeriesNumber": number, "Modality": modality,
        "Laterality": "",
        "SeriesDate": person.study_date, "SeriesTime": person.study_time,
        "SeriesDescription": description, "PerformingPhysicianName": person.performing,
        "OperatorsName": person.operator, "ProtocolName": description,
        "RequestAttributesSequence": [request],
        "PerformedProcedureStepStartDate": person.study_date,
        "PerformedProcedureStepStartTime": person.study_time,
        "PerformedProcedureStepID": "PPSQV55021",
    })  # fmt: skip


def equipment_module(dataset: Dataset, person: Patient) -> None:
    """General Equipment module (PS3.3 C.7.5.1)."""
    fill(dataset, {
        "Manufacturer": "QVendor", "ManufacturerModelName": "Thoraxia 9",
        "InstitutionName": person.institution,
        "InstitutionAddress": person.institution_address,
        "InstitutionalDepartmentName": person.department, "StationName": person.station,
        "DeviceSerialNumber": person.device_serial, "SoftwareVersions": "3.1.4",
        "DateOfLastCalibration": person.study_date, "TimeOfLastCalibration": "060000",
    })  # fmt: skip


def private_block(dataset: Dataset, person: Patient) -> None:
    """Private attributes with identity as text, in UN and in OB (PS3.5 7.8)."""
    block = dataset.private_block(0x0099, PRIVATE_CREATOR, create=True)
    block.add_new(0x01, "LO", person.name)
    block.add_new(0x02, "UN", _even(f"patient {person.patient_id} {person.name}".encode()))
    block.add_new(0x03, "OB", _even(f"\x00\x01{person.mother_name}\x02".encode("utf-16-le")))
    block.add_new(0x04, "DS", "0.4375")


def _even(raw: bytes) -> bytes:
    return raw + b"\0" * (len(raw) % 2)


def sop_common(
    dataset: Dataset, sop_class_uid: str, sop_instance_uid: str, person: Patient
) -> None:
    """SOP Common module (PS3.3 C.12.1)."""
    fill(dataset, {
        "SpecificCharacterSet": "ISO_IR 192", "SOPClassUID": sop_class_uid,
        "SOPInstanceUID": sop_instance_uid, "InstanceCreationDate": person.study_date,
        "InstanceCreationTime": person.study_time,
        "InstanceCreatorUID": make_uid("creator", person.station),
    })  # fmt: skip


def object_of(
    person: Patient,
    *,
    sop_class_uid: str,
    modality: str,
    study_uid: str | None,
    series: str,
    instance: str,
    description: str,
    number: int = 1,
) -> Dataset:
    """What every object of the tests begins with."""
    dataset = Dataset()
    study = study_uid or make_uid("study", person.accession)
    sop_common(dataset, sop_class_uid, make_uid("instance", study, series, instance), person)
    patient_modules(dataset, person)
    study_modules(dataset, person, study, f"Chest for {person.name.split('^')[0]}")
    series_modules(dataset, person, make_uid("series", study, series), modality, number,
                   description)  # fmt: skip
    equipment_module(dataset, person)
    private_block(dataset, person)
    return dataset


def reference(image: Dataset) -> Dataset:
    """A Referenced SOP item that names an image (PS3.3 Table 10-11)."""
    return fill(Dataset(), {"ReferencedSOPClassUID": image.SOPClassUID,
                            "ReferencedSOPInstanceUID": image.SOPInstanceUID})  # fmt: skip


def evidence_of(images: list[Dataset]) -> Sequence:
    """Hierarchical SOP Instance Reference items over images of one study (PS3.3 Table C.17-3)."""
    by_series: dict[tuple[str, str], list[Dataset]] = {}
    for image in images:
        key = (image.StudyInstanceUID, image.SeriesInstanceUID)
        by_series.setdefault(key, []).append(reference(image))
    by_study: dict[str, list[Dataset]] = {}
    for (study, series), items in by_series.items():
        entry = fill(Dataset(), {"SeriesInstanceUID": series, "ReferencedSOPSequence": items})
        by_study.setdefault(study, []).append(entry)
    return Sequence([fill(Dataset(), {"StudyInstanceUID": study,
                                      "ReferencedSeriesSequence": entries})
                     for study, entries in by_study.items()])  # fmt: skip
