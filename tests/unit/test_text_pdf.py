"""PDF: its text read, scrubbed and laid out anew; the gate reads what came out."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pypdf import PdfReader

from tests import factories
from tests.factories import clinical
from updp_node.assemble import Provenance, assemble_document, encode
from updp_node.assemble.encapsulated import NewDocument, lay_out
from updp_node.documents import scrub_document
from updp_node.errors import InstanceError
from updp_node.header import deidentify
from updp_node.line import Line, make_line
from updp_node.subject import ProjectKey, UidMap
from updp_node.text.pdf import read_pdf
from updp_node.verify import Allowances, read_evidence, verify

PERSON = factories.patient()
PROVENANCE = Provenance("0.1.0", "p", "ab" * 32, 1, datetime(2023, 11, 17, tzinfo=UTC))
PROFILE = """
name: documents
version: "1"
options: [Clean Structured Content]
documents: {cda: clean, pdf: text}
other_objects: keep
"""


@pytest.fixture(name="line")
def _line(tmp_path: Path) -> Line:
    path = tmp_path / "documents.yaml"
    path.write_text(PROFILE)
    return _made(str(path))


def _made(profile: str) -> Line:
    return make_line(profile, key=ProjectKey(b"k" * 32), project="T", pseudonym="{project}-{code}")


def test_the_text_of_a_pdf_is_read_as_it_reads() -> None:
    text = read_pdf(clinical.report_pdf(PERSON))
    assert "small left pleural effusion" in text
    assert PERSON.patient_id in text


@pytest.mark.parametrize(
    ("more", "code"),
    [("picture", "document-has-images"), ("form", "document-has-form"),
     ("attachment", "document-has-attachment"), ("password", "unreadable-document")],
)  # fmt: skip
def test_a_pdf_that_is_more_than_its_text_is_refused(more: str, code: str) -> None:
    with pytest.raises(InstanceError, match=code):
        read_pdf(clinical.report_pdf(PERSON, more=more))


def test_a_logo_beside_text_is_left_out() -> None:
    assert "pleural effusion" in read_pdf(clinical.report_pdf(PERSON, more="logo"))


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4\n", b"Walker", b"%PDF-1.4" + b"\0" * 999])
def test_what_is_no_pdf_is_refused(content: bytes) -> None:
    with pytest.raises(InstanceError, match="unreadable-document"):
        read_pdf(content)


def test_a_pdf_without_text_is_refused() -> None:
    with pytest.raises(InstanceError, match="document-without-text"):
        read_pdf(lay_out(" "))


def test_what_is_laid_out_is_what_is_read() -> None:
    text = "FINDINGS (chest): heart 50 % \\ café\nNo effusion.\n\n1. Clear.\fSecond page"
    content = lay_out(text)
    assert read_pdf(content).split() == text.split()
    reader = PdfReader(io.BytesIO(content))
    assert len(reader.pages) == 2
    assert not reader.metadata
    assert lay_out(text) == content


def test_a_long_text_goes_over_lines_and_pages() -> None:
    text = "word " * 3000
    content = lay_out(text)
    assert len(PdfReader(io.BytesIO(content)).pages) > 1
    assert read_pdf(content).split() == text.split()


def test_letters_that_the_font_lacks_are_refused_and_ligatures_spelled_out() -> None:
    assert "fibrosis" in read_pdf(lay_out("\ufb01brosis"))
    with pytest.raises(InstanceError, match="document-script"):
        lay_out("\u6771\u4eac")


def test_a_document_of_the_source_does_not_pass_the_gate(line: Line) -> None:
    source = clinical.encapsulated(clinical.report_pdf(PERSON), kind="pdf")
    planted = NewDocument(lay_out(f"Letter on {PERSON.name.split('^')[0]}"), "application/pdf")
    with pytest.raises(InstanceError, match="residual-identifier"):
        _through_the_gate(source, planted, line)


def test_a_scrubbed_document_passes_the_gate_unverified(line: Line) -> None:
    source = clinical.encapsulated(clinical.report_pdf(PERSON), kind="pdf")
    subject = line.subject_of(source)
    document = scrub_document(source, (), line, subject, UidMap(subject, "d"))
    made = _through_the_gate(source, document, line)
    assert made.VerificationFlag == "UNVERIFIED"
    assert made.BurnedInAnnotation == "NO"
    assert made.EncapsulatedDocumentLength == len(document.content)


def _through_the_gate(source: Dataset, document: NewDocument, line: Line) -> Dataset:
    subject = line.subject_of(source)
    header = deidentify(source, line.rules, subject, UidMap(subject, "d"), clean_text=lambda _: "")
    made = assemble_document(header, document, PROVENANCE)
    encoded = encode(made, transfer_syntax_uid="1.2.840.10008.1.2.1")
    verify(encoded, read_evidence([source]), allow=Allowances())
    return made


@pytest.mark.parametrize("number", [3, 4, 5])
def test_models_stay_held(number: int, line: Line) -> None:
    source = clinical.encapsulated(b"solid Qvistorpe", kind="pdf")
    source.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.104.{number}"
    _assert_held(source, line)


def test_a_document_whose_class_and_type_differ_is_held(line: Line) -> None:
    source = clinical.encapsulated(clinical.report_pdf(PERSON), kind="pdf")
    source.MIMETypeOfEncapsulatedDocument = "text/XML"
    _assert_held(source, line)


@pytest.mark.parametrize("kind", ["cda", "pdf"])
def test_documents_are_held_where_the_profile_says_nothing(kind: str) -> None:
    _assert_held(clinical.encapsulated(b"<a/>", kind=kind), _made("basic"))


def _assert_held(source: Dataset, line: Line) -> None:
    subject = line.subject_of(source)
    with pytest.raises(InstanceError, match="encapsulated-document"):
        scrub_document(source, (), line, subject, UidMap(subject, "d"))
