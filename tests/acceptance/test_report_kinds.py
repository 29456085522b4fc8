"""Every kind of report, document and presentation state, alone down the line."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.figures import record
from tests.factories import clinical, reports
from tests.integration.text_templates import shared_scrubber
from tests.matrix.samples import find_samples
from updp_node.errors import InstanceError
from updp_node.line import Line, make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.subject import ProjectKey, Subject, UidMap
from updp_node.text.identity import read_identity
from updp_node.text.report import ReportContent, scrub_content
from updp_node.text.scrub import Replacement
from updp_node.verify.conformance import compare_conformance

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
IMAGES = factories.ct_series(2, rows=16)
PERSON = factories.patient()
PIXELMED = Path("/usr/share/java/pixelmed.jar")
_JAVA = ("java", *(f"-Djdk.xml.xpath{limit}=0" for limit in
                   ("TotalOpLimit", "ExprOpLimit", "ExprGrpLimit")), "-cp", str(PIXELMED),
         "com.pixelmed.validate.DicomSRValidator")  # fmt: skip
_PLACE = re.compile(r"\d+(?:\.\d+)*: ")
_SLOW_TEMPLATES_S = 900
PROFILE = """
name: documents
version: "1"
options: [Clean Descriptors, Clean Graphics, Clean Structured Content,
  Retain Longitudinal Temporal Information With Modified Dates, Retain Patient Characteristics]
times: coarsen
pixels: {other_images: keep}
report: {replacement: %s}
documents: {cda: clean, pdf: text}
other_objects: keep
"""


@pytest.fixture(scope="module", params=["surrogate", "category"])
def line(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Line:
    path = tmp_path_factory.mktemp("profile") / "documents.yaml"
    path.write_text(PROFILE % request.param)
    return _line(str(path))


def _line(profile: str) -> Line:
    return make_line(profile, key=ProjectKey(b"k" * 32), project="T", pseudonym="{project}-{code}")


def _release(source: Dataset, line: Line, folder: Path) -> tuple[Path, Path]:
    """The source's file and the released one."""
    path = factories.write(source, folder / f"{source.SOPInstanceUID}.dcm")
    action = examine(ExamineTask(path, line)).action
    task = ReleaseTask(path=path, line=line, action=action, generation=1,
                       folder=folder / "out", created=CREATED, replace=True)  # fmt: skip
    return path, release_instance(task).path


def _canaries(*places: bytes) -> list[str]:
    found = {text for _, text in factories.grep_canaries(places, factories.canaries(PERSON))}
    return sorted(found | {"a source UID" for each in places if _ROOT in each})


_ROOT = factories.SOURCE_ROOT.encode()


@pytest.mark.parametrize("kind", list(reports.KINDS))
def test_a_report_of_every_kind_names_nobody_and_stays_valid(
    kind: str, line: Line, tmp_path: Path
) -> None:
    source, made = _release(reports.report_of(kind, IMAGES), line, tmp_path)
    assert _canaries(made.read_bytes()) == []
    assert compare_conformance(source, made.read_bytes()) == []
    assert _dsrdump(made) <= _dsrdump(source)
    out = dcmread(made)
    assert out.get("VerificationFlag", "UNVERIFIED") == "UNVERIFIED"
    assert not {"VerifyingObserverSequence", "AuthorObserverSequence", "ParticipantSequence",
                "CustodialOrganizationSequence"} & set(out.dir())  # fmt: skip
    assert out.ContentTemplateSequence[0].TemplateIdentifier == reports.KINDS[kind].template
    record("reports", f"{kind}: content items kept", sum(1 for _ in _items(out)),
           f"of {sum(1 for _ in _items(dcmread(source)))}")  # fmt: skip


@pytest.mark.parametrize("kind", list(reports.KINDS))
def test_a_report_names_the_released_images_everywhere(
    kind: str, line: Line, tmp_path: Path
) -> None:
    images = {str(dcmread(_release(image, line, tmp_path)[1]).SOPInstanceUID) for image in IMAGES}
    out = dcmread(_release(reports.report_of(kind, IMAGES), line, tmp_path)[1])
    evidence = {
        str(sop.ReferencedSOPInstanceUID)
        for study in out.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for sop in series.ReferencedSOPSequence
    }
    named = {str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
             for item in _items(out) if "ReferencedSOPSequence" in item}  # fmt: skip
    assert images <= named <= evidence
    uids = {_concept(item): str(item.UID) for item in _items(out) if "UID" in item}
    assert uids["110180"] == out.StudyInstanceUID
    assert uids["113769"] in images
    for item in _items(out):
        if "ReferencedContentItemIdentifier" in item:
            assert _at(out, list(item.ReferencedContentItemIdentifier)).ValueType == "IMAGE"


@pytest.mark.parametrize("kind", list(reports.KINDS))
def test_a_second_run_over_the_output_changes_nothing(
    kind: str, line: Line, tmp_path: Path
) -> None:
    source = reports.report_of(kind, IMAGES)
    subject = line.subject_of(source)
    first = _scrub(source, line, subject, UidMap(subject, "d"))
    out = dcmread(_release(source, line, tmp_path)[1])
    out.ContentSequence, out.ContentTemplateSequence = first.content, first.template
    unmoved = replace(subject, shift_days=0)
    second = _scrub(out, line, unmoved, _Same(unmoved, "d"), first.issued)
    assert second.content == first.content
    assert second.template == first.template
    assert second.removed == 0


def _scrub(
    report: Dataset, line: Line, subject: Subject, uids: UidMap, known: frozenset[str] = frozenset()
) -> ReportContent:
    return scrub_content(
        report, shared_scrubber(), read_identity([report]), subject, uids,
        Replacement(line.replacement), policy=reports.policy(times="keep"), known=known,
    )  # fmt: skip


class _Same(UidMap):
    """For an output, whose UIDs are new already."""

    __slots__ = ()

    def instance(self, source_uid: str) -> str:
        return source_uid

    def other(self, source_uid: str) -> str:
        return source_uid


def _samples() -> list[Path]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [path for path in find_samples() if "SR" in path.name or "report" in path.name
                or path.name.startswith("sr_")]  # fmt: skip


@pytest.mark.parametrize("path", _samples(), ids=lambda path: path.name)
def test_a_packaged_report_stays_valid(path: Path, line: Line, tmp_path: Path) -> None:
    source = dcmread(path)
    source.PatientID = source.get("PatientID") or "PID77120"
    original, made = _release(source, line, tmp_path)
    assert compare_conformance(original, made.read_bytes()) == []
    assert _dsrdump(made) <= _dsrdump(original)
    if line.replacement == "surrogate":
        _hold_to_templates(path.name, original, made)


@pytest.mark.parametrize("kind", ["basic text", "CT dose", "key object selection"])
def test_a_report_follows_its_template_as_before(kind: str, tmp_path: Path) -> None:
    line = _line("pixel-passthrough")
    original, made = _release(reports.report_of(kind, IMAGES), line, tmp_path)
    _hold_to_templates(kind, original, made)


def _hold_to_templates(name: str, source: Path, made: Path) -> None:
    """PixelMed's validator finds no error that the source had not."""
    if not PIXELMED.exists() or shutil.which("java") is None:
        pytest.skip("LOUD: pixelmed-apps and a Java runtime are missing: templates not checked")
    before, after = _pixelmed(source), _pixelmed(made)
    assert after <= before
    record("reports", f"{name}: PixelMed errors", len(after), f"of {len(before)}")


def _dsrdump(path: Path) -> set[str]:
    """What DCMTK has against a tree, places aside."""
    done = subprocess.run(["dsrdump", "-q", str(path)], capture_output=True, encoding="latin-1",
                          check=False)  # fmt: skip
    return {_PLACE.sub("", line).replace(str(path), "") for line in done.stderr.splitlines()}


def _pixelmed(path: Path) -> set[str]:
    done = subprocess.run([*_JAVA, str(path)], capture_output=True, text=True, check=False,
                          timeout=_SLOW_TEMPLATES_S)  # fmt: skip
    told = (done.stdout + done.stderr).splitlines()
    assert any("validation complete" in line.lower() for line in told), told[-3:]
    return {_PLACE.sub("", line) for line in told if line.startswith("Error")}


def _items(report: Dataset) -> Iterator[Dataset]:
    waiting = list(report.ContentSequence)
    while waiting:
        item = waiting.pop()
        waiting.extend(item.get("ContentSequence") or [])
        yield item


def _concept(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeValue)


def _at(report: Dataset, place: list[int]) -> Dataset:
    item = report
    for number in place[1:]:
        item = item.ContentSequence[number - 1]
    return item


def test_a_clinical_document_names_nobody_and_keeps_its_findings(
    line: Line, tmp_path: Path
) -> None:
    source = clinical.encapsulated(clinical.clinical_document(PERSON))
    original, made = _release(source, line, tmp_path)
    out = dcmread(made)
    text = bytes(out.EncapsulatedDocument)
    assert _canaries(made.read_bytes(), text) == []
    assert b"small left pleural effusion" in text
    assert b'value="12.5" unit="mm"' in text
    assert out.HL7InstanceIdentifier in text.decode()
    assert compare_conformance(original, made.read_bytes()) == []


def test_a_pdf_names_nobody_and_keeps_its_findings(line: Line, tmp_path: Path) -> None:
    source = clinical.encapsulated(clinical.report_pdf(PERSON), kind="pdf")
    original, made = _release(source, line, tmp_path)
    content = bytes(dcmread(made).EncapsulatedDocument)
    text = clinical.text_of_pdf(content)
    assert _canaries(made.read_bytes(), text.encode()) == []
    assert "small left pleural effusion" in text
    assert b"JavaScript" not in content
    assert compare_conformance(original, made.read_bytes()) == []


@pytest.mark.parametrize(
    ("more", "code"),
    [("picture", "document-has-images"), ("form", "document-has-form"),
     ("attachment", "document-has-attachment"), ("password", "unreadable-document")],
)  # fmt: skip
def test_a_pdf_that_is_more_than_its_text_is_held(
    more: str, code: str, line: Line, tmp_path: Path
) -> None:
    source = clinical.encapsulated(clinical.report_pdf(PERSON, more=more), kind="pdf")
    with pytest.raises(InstanceError, match=code):
        _release(source, line, tmp_path)


@pytest.mark.parametrize("number", ["1", "2", "3", "5"])
def test_a_presentation_state_keeps_its_notes_without_names(
    number: str, line: Line, tmp_path: Path
) -> None:
    source = factories.presentation_state(IMAGES[0])
    source.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.11.{number}"
    source.ContentDescription = f"Nodule of {PERSON.name.split('^')[0]}"
    note = source.GraphicAnnotationSequence[0].TextObjectSequence[0]
    note.UnformattedTextValue = f"Small nodule, MRN {PERSON.patient_id}"
    _, made = _release(source, line, tmp_path)
    assert _canaries(made.read_bytes()) == []
    out = dcmread(made)
    said = out.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue
    assert said.startswith("Small nodule")
    assert out.ContentDescription.startswith("Nodule of ")
    assert not out.get("ContentCreatorName")
