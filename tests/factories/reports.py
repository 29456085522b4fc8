"""Every kind of structured report, with a canary in whatever an item can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from tests.factories.documents import document_modules
from tests.factories.modules import code, evidence_of, fill, object_of
from tests.factories.people import Patient
from tests.factories.people import patient as make_patient
from tests.factories.trees import SR_CLASSES, others, tree_of
from updp_node.text.items import ContentPolicy

_MODIFIED = "Retain Longitudinal Temporal Information With Modified Dates"
_FULL = "Retain Longitudinal Temporal Information With Full Dates"
_PLAIN = ("TEXT", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME", "IMAGE", "COMPOSITE",
          "WAVEFORM", "CONTAINER")  # fmt: skip
_MEASURED = (*_PLAIN, "NUM", "SCOORD", "TCOORD")
_DOSE = ("TEXT", "CODE", "NUM", "DATETIME", "UIDREF", "PNAME", "IMAGE", "COMPOSITE", "CONTAINER")
_CAD = ("TEXT", "CODE", "NUM", "DATE", "TIME", "UIDREF", "PNAME", "IMAGE", "SCOORD",
        "WAVEFORM", "COMPOSITE", "CONTAINER")  # fmt: skip
_LOG = ("TEXT", "CODE", "NUM", "DATETIME", "DATE", "TIME", "PNAME", "IMAGE", "COMPOSITE",
        "WAVEFORM", "UIDREF", "CONTAINER")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report: its class, title and template, and the value types that it allows."""

    sop_class: str
    title: tuple[str, str, str]
    template: str
    values: tuple[str, ...]
    modality: str = "SR"


KINDS = {
    "basic text": Kind("11", ("18748-4", "LN", "Diagnostic imaging report"), "2000", _PLAIN),
    "enhanced": Kind("22", ("18748-4", "LN", "Diagnostic imaging report"), "2000", _MEASURED),
    "comprehensive": Kind("33", ("126000", "DCM", "Imaging Measurement Report"), "1500",
                          (*_MEASURED, "by reference")),
    "comprehensive 3D": Kind("34", ("126000", "DCM", "Imaging Measurement Report"), "1500",
                             (*_MEASURED, "SCOORD3D", "by reference")),
    "extensible": Kind("35", ("126000", "DCM", "Imaging Measurement Report"), "1500",
                       (*_MEASURED, "SCOORD3D", "by reference")),
    "procedure log": Kind("40", ("121120", "DCM", "Cath Lab Procedure Log"), "3001", _LOG),
    "mammography CAD": Kind("50", ("111036", "DCM", "Mammography CAD Report"), "4000", _CAD),
    "key object selection": Kind("59", ("113000", "DCM", "Of Interest"), "2010",
                                 ("TEXT", "PNAME", "CODE", "UIDREF", "IMAGE", "COMPOSITE",
                                  "WAVEFORM"), "KO"),
    "chest CAD": Kind("65", ("112000", "DCM", "Chest CAD Report"), "4100", _CAD),
    "X-ray dose": Kind("67", ("113701", "DCM", "X-Ray Radiation Dose Report"), "10001", _DOSE),
    "CT dose": Kind("67", ("113701", "DCM", "X-Ray Radiation Dose Report"), "10011", _DOSE),
    "radiopharmaceutical dose": Kind(
        "68", ("113500", "DCM", "Radiopharmaceutical Radiation Dose Report"), "10021", _DOSE),
    "colon CAD": Kind("69", ("112220", "DCM", "Colon CAD Report"), "4120", _CAD),
    "implantation plan": Kind("70", ("122361", "DCM", "Implantation Plan"), "7000", _CAD),
    "acquisition context": Kind("71", ("122701", "DCM", "Procedure Time Base"), "8101", _DOSE),
    "adult echo": Kind("72", ("125200", "DCM", "Adult Echocardiography Procedure Report"), "5300",
                       _CAD),
    "patient dose": Kind("73", ("128401", "DCM", "Patient Radiation Dose Report"), "10030", _DOSE),
    "planned agent": Kind("74", ("130500", "DCM", "Planned Imaging Agent Administration Report"),
                          "11001", _DOSE),
    "performed agent": Kind("75", ("130501", "DCM", "Performed Imaging Agent Administration"),
                            "11020", _DOSE),
    "enhanced X-ray dose": Kind("76", ("113701", "DCM", "X-Ray Radiation Dose Report"), "10040",
                                _DOSE),
    "waveform annotation": Kind("77", ("130840", "DCM", "Waveform Annotation"), "3750",
                                (*_MEASURED, "by reference")),
}  # fmt: skip


def policy(dates: str = "shift", *more: str, times: str = "coarsen") -> ContentPolicy:
    """What the research profiles ask of content trees; `dates` shift, keep or remove."""
    chosen = {"shift": [_MODIFIED], "keep": [_FULL], "remove": []}[dates]
    options = {"Clean Structured Content", "Clean Descriptors", *chosen, *more}
    return ContentPolicy(frozenset(options), times)


def report_of(kind: str, images: Sequence[Dataset], *, patient: Patient | None = None) -> Dataset:
    """A report of a kind that says in every item, and beside it, who the patient is."""
    person, stated = patient or make_patient(), KINDS[kind]
    dataset = object_of(
        person, sop_class_uid=SR_CLASSES + stated.sop_class, modality=stated.modality,
        study_uid=images[0].StudyInstanceUID, series=kind, instance="1",
        description=f"Report for {person.name.split('^')[0]}", number=9,
    )  # fmt: skip
    document_modules(dataset, person, code(*stated.title), [*images, *others()])
    is_key_object = stated.modality == "KO"
    template = fill(Dataset(), {"MappingResource": "DCMR", "TemplateIdentifier": stated.template})
    fill(dataset, {
        "ContentTemplateSequence": [template], "SeriesDescription": f"SR {person.reader}",
        "ObservationDateTime": person.study_date + "141253",
        "PredecessorDocumentsSequence": evidence_of(list(images)),
        "ContentSequence": tree_of(person, stated.values, images, is_key_object=is_key_object),
    })  # fmt: skip
    if is_key_object:
        for keyword in ("CompletionFlag", "VerificationFlag", "VerifyingObserverSequence",
                        "AuthorObserverSequence", "PerformedProcedureCodeSequence",
                        "PredecessorDocumentsSequence"):  # fmt: skip
            delattr(dataset, keyword)
    else:
        dataset.ParticipantSequence = [_participant(person)]
        dataset.CustodialOrganizationSequence = [
            fill(Dataset(), {"InstitutionName": person.institution, "InstitutionCodeSequence": []})
        ]
    return dataset


def _participant(person: Patient) -> Dataset:
    return fill(Dataset(), {
        "ParticipationType": "ENT", "ParticipationDateTime": person.study_date + "150000",
        "ObserverType": "PSN", "PersonName": person.operator,
        "PersonIdentificationCodeSequence": [code("O77", "99QV", person.operator)],
        "InstitutionName": person.institution, "InstitutionCodeSequence": [],
    })  # fmt: skip
