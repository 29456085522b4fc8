"""A patient put into an object: identifying attributes, descriptions, dates, nested items."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.sequence import Sequence

from tests.factories import code
from tools.midi import words
from tools.midi.people import Person
from tools.midi.planting import Text, plant, tokens

_PLANTED = 0.35
_PRIVATE_CREATOR = "MIDI VENDOR 1.0"


@dataclass
class Marks:
    """What was written where: by the item that holds it and its tag, or by the value."""

    items: dict[tuple[int, int], Text] = field(default_factory=dict)
    held: list[Dataset] = field(default_factory=list)

    def put(self, item: Dataset, keyword: str, text: Text) -> None:
        """Write a value and remember what of it goes and stays."""
        setattr(item, keyword, text.value)
        self.items[(id(item), tag_for_keyword(keyword) or 0)] = text
        self.held.append(item)

    def find(self, item: Dataset, tag: int) -> Text | None:
        """What is known of the value at a place."""
        return self.items.get((id(item), tag))


def identify(dataset: Dataset, person: Person, kind: str, rng: random.Random) -> Marks:
    """Write a patient, his hospital and his day into an object, and texts with and without him."""
    marks = Marks()
    _move_dates(dataset, person)
    _persons(dataset, person, rng)
    _descriptions(dataset, person, kind, rng, marks)
    _codes(dataset, person, rng, marks)
    _nested(dataset, person, rng, marks)
    _private(dataset, person, rng)
    _narrative(dataset, person, rng, marks)
    written = (text.value for text in marks.items.values())
    names = " ".join((person.name, person.mother, person.site.referrer, person.site.radiologist,
                      person.site.technologist, *written))  # fmt: skip
    wide = dataset.get("SpecificCharacterSet") == "ISO_IR 192" or not _is_latin(names)
    dataset.SpecificCharacterSet = "ISO_IR 192" if wide else "ISO_IR 100"
    return marks


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _move_dates(dataset: Dataset, person: Person) -> None:
    """Every date of an object becomes one of this patient; times stay."""
    for keyword in ("StudyDate", "SeriesDate", "ContentDate"):
        setattr(dataset, keyword, "20000101")
    waiting = [dataset]
    while waiting:
        item = waiting.pop()
        for element in item:
            if element.VR == "SQ":
                waiting.extend(element.value)
            elif element.VR in {"DA", "DT"} and element.value:
                early = 40 if "Calibration" in element.keyword else 0
                day = person.study_day - timedelta(days=early)
                rest = str(element.value)[8:] if element.VR == "DT" else ""
                element.value = _da(day) + rest
    dataset.PatientBirthDate = _da(person.birth)


def _da(day: date) -> str:
    return f"{day:%Y%m%d}"


def _persons(dataset: Dataset, person: Person, rng: random.Random) -> None:
    """Attributes that the table names; the optional ones by chance."""
    site = person.site
    maker, model, software = rng.choice(words.MODELS)
    always = {
        "PatientName": person.name, "PatientID": person.patient_id, "PatientSex": person.sex,
        "PatientAge": person.age, "AccessionNumber": person.accession[:16],
        "StudyID": person.accession[-6:], "ReferringPhysicianName": site.referrer,
        "InstitutionName": site.institution,
    }  # fmt: skip
    chance = {
        "PatientSize": "1.73", "PatientWeight": str(rng.randint(48, 120)), "EthnicGroup": "Unknown",
        "PatientAddress": person.address, "PatientTelephoneNumbers": person.phone,
        "PatientMotherBirthName": person.mother, "AdmissionID": person.admission,
        "OtherPatientIDs": person.other_id, "Occupation": person.occupation, "SmokingStatus": "NO",
        "InstitutionAddress": site.address, "InstitutionalDepartmentName": site.department,
        "PhysiciansOfRecord": site.referrer, "PerformingPhysicianName": site.radiologist,
        "NameOfPhysiciansReadingStudy": site.radiologist, "OperatorsName": site.technologist,
        "RequestingPhysician": site.referrer, "StationName": rng.choice(words.STATIONS),
        "DeviceSerialNumber": rng.choice(words.SERIALS), "DateOfLastCalibration":
            _da(person.study_day - timedelta(days=40)),
        "PatientBirthTime": "041500", "CurrentPatientLocation": f"4 WEST {rng.randint(401, 460)}",
        "OtherPatientNames": f"{person.mother.split('^')[0]}^{person.first}",
        "ReferringPhysicianTelephoneNumbers": site.phone, "ReferringPhysicianAddress": site.address,
        "ScheduledProcedureStepStartDate": _da(person.study_day),
        "AcquisitionDate": _da(person.study_day),
        "PatientBirthName": person.name, "ResponsiblePerson": person.mother,
        "RequestingService": site.department,
    }  # fmt: skip
    for keyword, value in (
        always | {k: v for k, v in chance.items() if rng.random() < 0.5}
    ).items():
        setattr(dataset, keyword, value)
    dataset.IssuerOfPatientID = site.institution  # a patient has one issuer in all his objects
    if not dataset.get("Manufacturer") or rng.random() < 0.3:
        dataset.Manufacturer, dataset.ManufacturerModelName = maker, model
        dataset.SoftwareVersions = software


def _descriptions(
    dataset: Dataset, person: Person, kind: str, rng: random.Random, marks: Marks
) -> None:
    """Free text in its usual places: harmless mostly, with an identifier in a third."""
    long = words.HISTORY + words.COMMENTS
    choices: dict[str, tuple[list[str], float]] = {
        "StudyDescription": (words.STUDY[kind], 1.0),
        "SeriesDescription": (words.SERIES[kind], 1.0),
        "ProtocolName": (words.PROTOCOL.get(kind, words.PROTOCOL_OTHER), 0.6),
        "ImageComments": (words.COMMENTS, 0.4), "PatientComments": (long, 0.3),
        "AdditionalPatientHistory": (words.HISTORY, 0.4),
        "AdmittingDiagnosesDescription": (words.DIAGNOSES, 0.3),
        "Allergies": (words.ALLERGIES, 0.2),
        "MedicalAlerts": (["Pacemaker", "Contrast allergy", "Fall risk"], 0.2),
        "RequestedProcedureDescription": (words.STUDY[kind], 0.4),
        "PerformedProcedureStepDescription": (words.STUDY[kind], 0.4),
        "CommentsOnThePerformedProcedureStep": (words.COMMENTS, 0.2),
        "RequestedProcedureComments": (long, 0.15), "ReasonForStudy": (words.HISTORY, 0.2),
        "VisitComments": (long, 0.1), "PatientState": (["stable", "sedated", "NPO"], 0.1),
        "SpecialNeeds": (["Wheelchair", "Interpreter needed", "Hearing aid"], 0.1),
        "DerivationDescription": (["Lossy compression 10:1", "MIP", "lossy conversion"], 0.1),
        "ReasonForTheRequestedProcedure": (words.HISTORY, 0.15),
    }  # fmt: skip
    if kind in {"CT", "MR"}:
        choices["ContrastBolusAgent"] = (words.AGENTS, 0.4)
    for keyword, (texts, chance) in choices.items():
        if rng.random() < chance:
            vr = dictionary_VR(keyword)
            text = rng.choice(texts)
            planted = rng.random() < _PLANTED
            marks.put(dataset, keyword, plant(text, person, rng, vr) if planted else
                      Text(text, (), tokens(text)))  # fmt: skip


def _codes(dataset: Dataset, person: Person, rng: random.Random, marks: Marks) -> None:
    """Codes of published and of local schemes; meanings as senders write them."""
    for keyword, source, chance in (
        ("ProcedureCodeSequence", "procedure", 0.5), ("AnatomicRegionSequence", "region", 0.4),
        ("RequestedProcedureCodeSequence", "procedure", 0.2),
        ("PerformedProtocolCodeSequence", "procedure", 0.3),
    ):  # fmt: skip
        if rng.random() >= chance or dataset.get(keyword):
            continue
        item = code(*rng.choice(words.CODES[source]))
        if rng.random() < 0.08:
            meaning = str(item.CodeMeaning)
            item.CodingSchemeDesignator, item.CodeValue = "99LOCAL", "X17"
            marks.put(item, "CodeMeaning", plant(meaning, person, rng, "LO"))
        setattr(dataset, keyword, Sequence([item]))


def _nested(dataset: Dataset, person: Person, rng: random.Random, marks: Marks) -> None:
    """Items that hold identifiers at the second and third level."""
    if rng.random() < 0.5:
        other = Dataset()
        other.PatientID, other.TypeOfPatientID = person.other_id, "TEXT"
        other.IssuerOfPatientID = person.site.institution
        dataset.OtherPatientIDsSequence = Sequence([other])
    if rng.random() < 0.5:
        request = Dataset()
        request.AccessionNumber = person.accession[:16]
        request.RequestedProcedureID, request.ScheduledProcedureStepID = (
            person.accession[-8:],
            "SPS1",
        )
        text = rng.choice(words.STUDY["CT"])
        planted = rng.random() < _PLANTED
        put = plant(text, person, rng, "LO") if planted else Text(text, (), tokens(text))
        marks.put(request, "RequestedProcedureDescription", put)
        protocol = code(*rng.choice(words.CODES["procedure"]))
        request.ScheduledProtocolCodeSequence = Sequence([protocol])
        dataset.RequestAttributesSequence = Sequence([request])
    if rng.random() < 0.3:
        doctor = Dataset()
        doctor.PersonIdentificationCodeSequence = Sequence(
            [code("D1723", "99STAFF", person.site.referrer.split("^")[0])]
        )
        doctor.PersonTelephoneNumbers, doctor.InstitutionName = (
            person.site.phone,
            person.site.institution,
        )
        doctor.InstitutionAddress = person.site.address
        dataset.ReferringPhysicianIdentificationSequence = Sequence([doctor])
    if rng.random() < 0.2:
        before = Dataset()
        before.PatientName, before.PatientID = person.name, person.other_id
        change = Dataset()
        change.ModifiedAttributesSequence = Sequence([before])
        change.AttributeModificationDateTime = f"{_da(person.study_day)}120000"
        change.ModifyingSystem, change.SourceOfPreviousValues = "PACS1", person.site.institution
        change.ReasonForTheAttributeModification = "COERCE"
        dataset.OriginalAttributesSequence = Sequence([change])


def _private(dataset: Dataset, person: Person, rng: random.Random) -> None:
    """A vendor's block with the patient in text, in a name and in bytes."""
    if rng.random() < 0.4:
        block = dataset.private_block(0x0031, _PRIVATE_CREATOR, create=True)
        block.add_new(0x01, "LO", f"{person.last}, {person.first}")
        block.add_new(0x02, "PN", person.name)
        block.add_new(0x03, "ST", f"MRN {person.patient_id} DOB {_da(person.birth)}")
        block.add_new(0x04, "DA", _da(person.birth))
        block.add_new(0x05, "DS", "1.5")


def _narrative(dataset: Dataset, person: Person, rng: random.Random, marks: Marks) -> None:
    """Half of the reports get sentences of this benchmark instead of the factory's."""
    if "ContentSequence" not in dataset or rng.random() < 0.5:
        return
    waiting = list(dataset.ContentSequence)
    while waiting:
        item = waiting.pop()
        waiting.extend(item.get("ContentSequence") or [])
        if item.get("ValueType") == "TEXT":
            text = " ".join(rng.sample(words.FINDINGS, k=3))
            marks.put(item, "TextValue", plant(text, person, rng, "UT"))
