"""Encapsulated clinical documents (HL7 CDA) and PDF that tell who the patient is."""

from __future__ import annotations

import io
from xml.sax.saxutils import escape

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedCDAStorage, EncapsulatedPDFStorage
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from tests.factories.documents import report_sections
from tests.factories.modules import SOURCE_ROOT, fill, object_of
from tests.factories.people import Patient
from tests.factories.people import patient as make_patient

_LOINC = 'codeSystem="2.16.840.1.113883.6.1"'


def _person(name: str) -> str:
    last, first = name.split("^")[:2]
    return f"<name><given>{first}</given><family>{last}</family></name>"


def _header(person: Patient) -> str:
    contact = (f'<addr><streetAddressLine>{escape(person.address)}</streetAddressLine></addr>'
               f'<telecom value="tel:{person.phone}"/>')  # fmt: skip
    who = f'<id root="{SOURCE_ROOT}.9" extension="{person.patient_id}"/>{contact}'
    signed = (
        f'<time value="{person.study_date}141253"/><signatureCode code="S"/><assignedEntity>'
        f"{who}<assignedPerson>{_person(person.verifier)}</assignedPerson></assignedEntity>"
    )
    return f"""<realmCode code="US"/>
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<templateId root="1.2.840.10008.9.1"/><templateId root="{SOURCE_ROOT}.4"/>
<id root="{SOURCE_ROOT}.1" extension="{person.accession}"/>
<code code="18748-4" {_LOINC} displayName="Report for {person.name}"/>
<title>Chest radiograph of {person.name.replace("^", " ")}</title>
<effectiveTime value="{person.study_date}141253.000+0100"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/><languageCode code="en-US"/>
<setId root="{SOURCE_ROOT}.2" extension="{person.study_id}"/><versionNumber value="1"/>
<recordTarget><patientRole>{who}<patient>{_person(person.name)}
<administrativeGenderCode code="M" codeSystem="2.16.840.1.113883.5.1"/>
<birthTime value="{person.birth_date}"/></patient></patientRole></recordTarget>
<author><time value="{person.study_date}"/><assignedAuthor>{who}<assignedPerson>
{_person(person.reader)}</assignedPerson></assignedAuthor></author>
<dataEnterer><assignedEntity>{who}</assignedEntity></dataEnterer>
<informant><relatedEntity classCode="PRS"><relatedPerson>{_person(person.mother_name + "^Ada")}
</relatedPerson></relatedEntity></informant>
<custodian><assignedCustodian><representedCustodianOrganization>{who}
<name>{person.institution}</name></representedCustodianOrganization></assignedCustodian></custodian>
<legalAuthenticator>{signed}</legalAuthenticator><authenticator>{signed}</authenticator>
<participant typeCode="REF"><associatedEntity classCode="PROV">{who}</associatedEntity>
</participant>
<componentOf><encompassingEncounter><id root="{SOURCE_ROOT}.3" extension="{person.admission_id}"/>
<effectiveTime value="{person.study_date}"/></encompassingEncounter></componentOf>"""


def _body(person: Patient) -> str:
    last, first = person.name.split("^")[:2]
    said = {name: escape(text) for name, text in report_sections(person).items()}
    return f"""<section classCode="DOCSECT"><id root="{SOURCE_ROOT}.5"/>
<code code="18782-3" {_LOINC} displayName="Radiology study observation"/>
<title>Findings of Mr. {last}</title>
<text ID="{last}1"><table border="1" summary="{person.name}"><caption>{last}</caption><tbody>
<tr><th>Patient</th><td>{first} <content styleCode="Bold">{last[:4]}</content>{last[4:]}</td></tr>
<tr><th>MRN</th><td>{person.patient_id}</td></tr></tbody></table>
<paragraph ID="f{person.patient_id}">{said["Findings"]}</paragraph>
<list><item>{said["History"]}</item><item>{said["Comparison"]}</item></list>
<paragraph>See <linkHtml href="https://{person.email.split("@")[1]}/{person.patient_id}">{last}
</linkHtml></paragraph></text>
<entry typeCode="DRIV"><observation classCode="OBS" moodCode="EVN">
<templateId root="2.16.840.1.113883.10.20.6.2.14"/><id root="{SOURCE_ROOT}.6" extension="{last}"/>
<code code="60046008" codeSystem="2.16.840.1.113883.6.96" displayName="Effusion of {last}"/>
<text>{last}: small effusion<reference value="#f{person.patient_id}"/></text>
<statusCode code="completed"/><effectiveTime value="{person.study_date}141253"/>
<value xsi:type="PQ" value="12.5" unit="mm"/><interpretationCode code="A"
codeSystem="2.16.840.1.113883.5.83"/><performer><assignedEntity>{who_id(person)}</assignedEntity>
</performer><entryRelationship typeCode="SUBJ"><observation classCode="OBS" moodCode="EVN">
<code code="{last}" codeSystem="{SOURCE_ROOT}.7" displayName="Seen by Dr. {person.reader[:10]}"/>
<value xsi:type="ST">Told to {last}</value></observation></entryRelationship></observation></entry>
</section>"""


def who_id(person: Patient) -> str:
    """An identifier of the patient as CDA has it."""
    return f'<id root="{SOURCE_ROOT}.9" extension="{person.patient_id}"/>'


def clinical_document(person: Patient, *, body: str = "") -> bytes:
    """A CDA document whose every part tells of the patient.

    Parameters
    ----------
    body : str
        In the place of the structured body's section.
    """
    section = f"<component>{body or _body(person)}</component>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet href="{person.accession}.xsl"?><!-- {person.name} -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:sdtc="urn:hl7-org:sdtc">
{_header(person)}<sdtc:note>{person.name}</sdtc:note>
<component><structuredBody>{section}</structuredBody></component></ClinicalDocument>""".encode()


def encapsulated(content: bytes, *, kind: str = "cda", patient: Patient | None = None) -> Dataset:
    """An Encapsulated CDA or PDF of these bytes (PS3.3 A.45)."""
    person = patient or make_patient()
    is_cda = kind == "cda"
    dataset = object_of(
        person, sop_class_uid=EncapsulatedCDAStorage if is_cda else EncapsulatedPDFStorage,
        modality="DOC", study_uid=None, series=kind, instance="1", description="Letter", number=13,
    )  # fmt: skip
    fill(dataset, {
        "InstanceNumber": 1, "ContentDate": person.study_date, "ContentTime": person.study_time,
        "AcquisitionDateTime": person.study_date + person.study_time, "BurnedInAnnotation": "YES",
        "DocumentTitle": f"Letter on {person.name}", "ConceptNameCodeSequence": [],
        "ConversionType": "WSD", "VerificationFlag": "VERIFIED",
        "MIMETypeOfEncapsulatedDocument": "text/XML" if is_cda else "application/pdf",
        "EncapsulatedDocumentLength": len(content),
        "EncapsulatedDocument": content + b"\0" * (len(content) % 2),
    })  # fmt: skip
    if is_cda:
        dataset.HL7InstanceIdentifier = f"{SOURCE_ROOT}.1^{person.accession}"
    return dataset


def report_pdf(person: Patient, *, more: str = "") -> bytes:
    """A PDF report with properties, a script, and whatever `more` names.

    Parameters
    ----------
    more : str
        ``picture`` (a page that is one), ``logo`` (beside text), ``form``, ``attachment``,
        ``password`` or nothing.
    """
    writer = PdfWriter()
    sections = {} if more == "picture" else report_sections(person)
    lines = [line for name, text in sections.items() for line in [name, *_lines(text)]]
    page = writer.add_blank_page(612, 792)
    font = DictionaryObject({NameObject(key): NameObject(name) for key, name in
                             {"/Type": "/Font", "/Subtype": "/Type1",
                              "/BaseFont": "/Helvetica"}.items()})  # fmt: skip
    resources = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})
    drawn = " T* ".join(f"({_escape(line)}) Tj" for line in lines)
    shown = f"BT /F1 10 Tf 12 TL 54 738 Td {drawn} ET"
    if more in {"picture", "logo"}:
        resources[NameObject("/XObject")] = DictionaryObject({NameObject("/I"): _picture(writer)})
        shown += " q 90 0 0 90 54 40 cm /I Do Q"
    stream = DecodedStreamObject()
    stream.set_data(shown.encode("latin-1"))
    page[NameObject("/Resources")] = resources
    page[NameObject("/Contents")] = writer._add_object(stream)
    writer.add_metadata({"/Author": person.reader, "/Title": person.name})
    script = TextStringObject(f"app.alert('{person.name}')")
    action = {"/S": NameObject("/JavaScript"), "/JS": script}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject(key): value for key, value in action.items()}
    )
    if more == "attachment":
        writer.add_attachment("letter.txt", person.name.encode())
    if more == "form":
        _add_form(writer, person)
    if more == "password":
        writer.encrypt("secret")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _lines(text: str) -> list[str]:
    words, lines = text.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 80:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _escape(line: str) -> str:
    return line.replace("(", r"\(").replace(")", r"\)")


def _picture(writer: PdfWriter) -> object:
    stream = StreamObject()
    stream.set_data(bytes(64 * 64))
    for key, value in {"/Type": "/XObject", "/Subtype": "/Image",
                       "/ColorSpace": "/DeviceGray"}.items():  # fmt: skip
        stream[NameObject(key)] = NameObject(value)
    for key, number in {"/Width": 64, "/Height": 64, "/BitsPerComponent": 8}.items():
        stream[NameObject(key)] = NumberObject(number)
    return writer._add_object(stream)


def _add_form(writer: PdfWriter, person: Patient) -> None:
    field = DictionaryObject({
        NameObject("/FT"): NameObject("/Tx"), NameObject("/T"): TextStringObject("name"),
        NameObject("/V"): TextStringObject(person.name),
    })  # fmt: skip
    form = DictionaryObject({NameObject("/Fields"): ArrayObject([writer._add_object(field)])})
    writer.root_object[NameObject("/AcroForm")] = writer._add_object(form)


def text_of_pdf(content: bytes) -> str:
    """What a person reads in a PDF."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
