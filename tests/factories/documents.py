"""Reports, key objects, presentation states and PDF of the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydicom.dataset import Dataset
from pydicom.uid import (
    BasicTextSRStorage,
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
)

from tests.factories.modules import code, evidence_of, fill, make_uid, object_of, reference
from tests.factories.people import Patient, spell_date
from tests.factories.people import patient as make_patient

SECTIONS = {"Findings": ("121070", "121071"), "Impressions": ("121072", "121073"),
            "History": ("121060", "121060"), "Comparison": ("121058", "121058")}  # fmt: skip


def report_sections(person: Patient) -> dict[str, str]:
    """A chest report with identifiers in other orders and spellings than in the header."""
    last, first = person.name.split("^")[:2]
    birth, study = spell_date(person.birth_date), spell_date(person.study_date)
    return {
        "History": f"{first} {last}, born {birth[4]}, MRN {person.patient_id}, phone "
                   f"{person.phone}. Cough and fever for three days.",
        "Comparison": f"Radiograph of {study[3]}, accession {person.accession}.",
        "Findings": f"The heart is mildly enlarged. There is a small left pleural effusion. "
                    f"No pneumothorax. Mr. {last.upper()} was imaged upright by "
                    f"{person.operator.split('^')[0]} at {person.institution}.",
        "Impressions": f"1. Small left pleural effusion.\n2. Mild cardiomegaly.\nDiscussed with "
                       f"Dr. {person.referring.split('^')[0]} on {study[1]}. "
                       f"Contact {person.email}.",
    }  # fmt: skip


def content_item(
    value_type: str, concept: Dataset, relationship: str = "CONTAINS", **values: object
) -> Dataset:
    """An SR content item (PS3.3 Table C.17-6)."""
    return fill(Dataset(), {"RelationshipType": relationship, "ValueType": value_type,
                            "ConceptNameCodeSequence": [concept], **values})  # fmt: skip


def document_modules(
    dataset: Dataset, person: Patient, title: Dataset, references: Sequence[Dataset]
) -> Dataset:
    """SR Document General and root of SR Document Content (PS3.3 C.17.2, C.17.3)."""
    observer = fill(Dataset(), {
        "VerifyingObserverName": person.verifier, "VerifyingOrganization": person.institution,
        "VerificationDateTime": person.study_date + "151500",
        "VerifyingObserverIdentificationCodeSequence": [code("V77", "99QV", person.verifier)],
    })  # fmt: skip
    request = fill(Dataset(), {
        "StudyInstanceUID": dataset.StudyInstanceUID, "ReferencedStudySequence": [],
        "AccessionNumber": person.accession, "PlacerOrderNumberImagingServiceRequest": "PLQV1",
        "FillerOrderNumberImagingServiceRequest": "FLQV1", "RequestedProcedureID": "RPQV1",
        "RequestedProcedureDescription": "Chest", "RequestedProcedureCodeSequence": [],
        "RequestingPhysician": person.requester,
    })  # fmt: skip
    author = fill(Dataset(), {"ObserverType": "PSN", "PersonName": person.reader,
                              "InstitutionName": person.institution,
                              "PersonIdentificationCodeSequence":
                                  [code("A77", "99QV", person.reader)],
                              "InstitutionCodeSequence": []})  # fmt: skip
    fill(dataset, {
        "InstanceNumber": 1, "ContentDate": person.study_date, "ContentTime": person.study_time,
        "CompletionFlag": "COMPLETE", "VerificationFlag": "VERIFIED",
        "VerifyingObserverSequence": [observer], "AuthorObserverSequence": [author],
        "ReferencedRequestSequence": [request], "PerformedProcedureCodeSequence": [],
        "ReferencedPerformedProcedureStepSequence": [], "ValueType": "CONTAINER",
        "ContinuityOfContent": "SEPARATE", "ConceptNameCodeSequence": [title],
    })  # fmt: skip
    if references:
        dataset.CurrentRequestedProcedureEvidenceSequence = evidence_of(list(references))
    return dataset


def text_sr(
    text: str | Mapping[str, str] | None = None,
    *,
    references: Sequence[Dataset] = (),
    patient: Patient | None = None,
    study_uid: str | None = None,
) -> Dataset:
    """A Basic Text SR with persons in header and content, and identifiers in its text.

    Parameters
    ----------
    text : str or mapping of section (Findings, Impressions, History, Comparison) to str, optional
        A plain text becomes the findings; without one a report with canaries is made.
    references : sequence of Dataset
        Images of the study that the report names.
    """
    person = patient or make_patient()
    study = study_uid or (references[0].StudyInstanceUID if references else None)
    dataset = object_of(person, sop_class_uid=BasicTextSRStorage, modality="SR", study_uid=study,
                        series="sr", instance="1", description="Report", number=9)  # fmt: skip
    document_modules(dataset, person, code("18748-4", "LN", "Diagnostic imaging report"),
                      references)  # fmt: skip
    sections = {"Findings": text} if isinstance(text, str) else text or report_sections(person)
    observer = code("121008", "DCM", "Person Observer Name")
    items = [
        content_item("CODE", code("121005", "DCM", "Observer Type"), "HAS OBS CONTEXT",
                     ConceptCodeSequence=[code("121006", "DCM", "Person")]),
        content_item("PNAME", observer, "HAS OBS CONTEXT", PersonName=person.reader),
        content_item("UIDREF", code("121012", "DCM", "Device Observer UID"), "HAS OBS CONTEXT",
                     UID=make_uid("observer", person.station)),
        content_item("DATETIME", code("111060", "DCM", "Study Date"), "HAS OBS CONTEXT",
                     DateTime=person.study_date + "141253"),
    ]  # fmt: skip
    for heading, body in sections.items():
        outer, inner = SECTIONS.get(heading, ("121070", "121071"))
        child = content_item("TEXT", code(inner, "DCM", heading.rstrip("s")), TextValue=body)
        items.append(
            content_item(
                "CONTAINER",
                code(outer, "DCM", heading),
                ContinuityOfContent="SEPARATE",
                ContentSequence=[child],
            )
        )
    for image in references:
        items.append(content_item("IMAGE", code("121191", "DCM", "Referenced Segment"),
                                  ReferencedSOPSequence=[reference(image)]))  # fmt: skip
    return fill(dataset, {"ContentSequence": items})


def comprehensive_sr_with_scoord(image: Dataset, *, patient: Patient | None = None) -> Dataset:
    """A Comprehensive SR that measures on an image: SCOORD selected from IMAGE."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=ComprehensiveSRStorage, modality="SR",
                        study_uid=image.StudyInstanceUID, series="cad", instance="1",
                        description="Measurements", number=10)  # fmt: skip
    document_modules(dataset, person, code("126000", "DCM", "Imaging Measurement Report"), [image])
    selected = content_item("IMAGE", code("121112", "DCM", "Source of Measurement"),
                            "SELECTED FROM", ReferencedSOPSequence=[reference(image)])  # fmt: skip
    region = content_item("SCOORD", code("111030", "DCM", "Image Region"), "INFERRED FROM",
                          GraphicType="POLYLINE", GraphicData=[10.0, 10.0, 60.0, 80.0],
                          ContentSequence=[selected])  # fmt: skip
    value = fill(Dataset(), {"NumericValue": "86", "MeasurementUnitsCodeSequence":
                             [code("mm", "UCUM", "mm")]})  # fmt: skip
    length = content_item("NUM", code("410668003", "SCT", "Length"),
                          MeasuredValueSequence=[value], ContentSequence=[region])  # fmt: skip
    return fill(dataset, {"ContentSequence": [length]})


def key_object(references: Sequence[Dataset], *, patient: Patient | None = None) -> Dataset:
    """A Key Object Selection that names images, with a description that names people."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=KeyObjectSelectionDocumentStorage, modality="KO",
                        study_uid=references[0].StudyInstanceUID, series="ko", instance="1",
                        description="Key images", number=11)  # fmt: skip
    document_modules(dataset, person, code("113000", "DCM", "Of Interest"), references)
    for keyword in ("CompletionFlag", "VerificationFlag", "VerifyingObserverSequence",
                    "AuthorObserverSequence", "PerformedProcedureCodeSequence"):  # fmt: skip
        delattr(dataset, keyword)
    note = content_item("TEXT", code("113012", "DCM", "Key Object Description"),
                        TextValue=f"For {person.referring}: {person.name}")  # fmt: skip
    items = [
        content_item(
            "IMAGE", code("121112", "DCM", "Source"), ReferencedSOPSequence=[reference(image)]
        )
        for image in references
    ]
    for item in items:
        del item.ConceptNameCodeSequence
    return fill(dataset, {"ContentSequence": [note, *items]})


def presentation_state(image: Dataset, *, patient: Patient | None = None) -> Dataset:
    """A Grayscale Softcopy Presentation State with a text object that names the patient."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=GrayscaleSoftcopyPresentationStateStorage,
                        modality="PR", study_uid=image.StudyInstanceUID, series="pr",
                        instance="1", description="Annotated", number=12)  # fmt: skip
    series = fill(Dataset(), {"SeriesInstanceUID": image.SeriesInstanceUID,
                              "ReferencedImageSequence": [reference(image)]})  # fmt: skip
    text = fill(Dataset(), {"BoundingBoxAnnotationUnits": "PIXEL",
                            "UnformattedTextValue": f"{person.name} {person.patient_id}",
                            "BoundingBoxTopLeftHandCorner": [5.0, 5.0],
                            "BoundingBoxBottomRightHandCorner": [90.0, 30.0],
                            "BoundingBoxTextHorizontalJustification": "LEFT"})  # fmt: skip
    annotation = fill(Dataset(), {"GraphicLayer": "NOTES", "TextObjectSequence": [text]})
    layer = fill(Dataset(), {"GraphicLayer": "NOTES", "GraphicLayerOrder": 1})
    area = fill(Dataset(), {"DisplayedAreaTopLeftHandCorner": [1, 1],
                            "DisplayedAreaBottomRightHandCorner": [image.Columns, image.Rows],
                            "PresentationSizeMode": "SCALE TO FIT",
                            "PresentationPixelAspectRatio": [1, 1]})  # fmt: skip
    return fill(dataset, {
        "InstanceNumber": 1, "ContentLabel": "NOTES", "ContentDescription": person.name,
        "ContentCreatorName": person.reader, "PresentationCreationDate": person.study_date,
        "PresentationCreationTime": person.study_time, "ReferencedSeriesSequence": [series],
        "GraphicAnnotationSequence": [annotation], "GraphicLayerSequence": [layer],
        "DisplayedAreaSelectionSequence": [area], "PresentationLUTShape": "IDENTITY",
    })  # fmt: skip


def encapsulated_pdf(*, patient: Patient | None = None, study_uid: str | None = None) -> Dataset:
    """An Encapsulated PDF whose page and metadata name the patient."""
    person = patient or make_patient()
    dataset = object_of(person, sop_class_uid=EncapsulatedPDFStorage, modality="DOC",
                        study_uid=study_uid, series="pdf", instance="1",
                        description="Letter", number=13)  # fmt: skip
    page = f"BT /F1 12 Tf 72 720 Td ({person.name.replace('^', ' ')} {person.patient_id}) Tj ET"
    raw = (f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
           f"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
           f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R>>endobj\n"
           f"4 0 obj<</Length {len(page)}>>stream\n{page}\nendstream endobj\n"
           f"5 0 obj<</Author({person.reader})>>endobj\n"
           f"trailer<</Root 1 0 R/Info 5 0 R>>\n%%EOF\n").encode()  # fmt: skip
    return fill(dataset, {
        "InstanceNumber": 1, "ContentDate": person.study_date, "ContentTime": person.study_time,
        "AcquisitionDateTime": person.study_date + person.study_time, "BurnedInAnnotation": "YES",
        "DocumentTitle": f"Letter on {person.name}", "ConceptNameCodeSequence": [],
        "MIMETypeOfEncapsulatedDocument": "application/pdf",
        "EncapsulatedDocument": raw + b"\0" * (len(raw) % 2), "ConversionType": "WSD",
    })  # fmt: skip
