# ruff: noqa: E501 - rows of cases are easier to read unbroken
"""Content trees of structured reports: made by hand, and real samples."""

import copy
import os
import warnings
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.factories.reports import policy
from tests.integration.text_templates import shared_scrubber
from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.text.identity import read_identity
from updp_node.text.report import is_report, narrative, scrub_content
from updp_node.text.scrub import Replacement

KEY = ProjectKey(b"k" * 32)
SUBJECT = identify_subject(KEY, project="P", issuer="", patient_id="123")
UIDS = UidMap(SUBJECT, "digest", replaced_classes={"1.2.3.4": "1.2.840.10008.5.1.4.1.1.7"})
CANARY = "QUAILCANARY"


def code(value, meaning, scheme="DCM"):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def item(kind, name=None, **values):
    made = Dataset()
    made.RelationshipType = "CONTAINS"
    made.ValueType = kind
    if name:
        made.ConceptNameCodeSequence = Sequence([name])
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def reference(uid="1.2.3.4", sop_class="1.2.840.10008.5.1.4.1.1.1"):
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = sop_class, uid
    made.ReferencedFrameNumber = [1]
    return made


def make_report(*content):
    report = Dataset()
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    report.Modality = "SR"
    report.PatientName = f"{CANARY}^MARGARET^A"
    report.PatientID = f"ID{CANARY}77"
    report.StudyDate = "20210314"
    report.ValueType = "CONTAINER"
    report.ContinuityOfContent = "SEPARATE"
    report.ConceptNameCodeSequence = Sequence([code("18748-4", "Diagnostic imaging study", "LN")])
    report.ContentSequence = Sequence(content)
    return report


def every_kind():
    finding = item("TEXT", code("121071", "Finding"), TextValue=(
        f"{CANARY.title()}, Margaret was seen by Dr. Baek on 3/14/2021. Moderate left pleural effusion. No pneumothorax."))  # fmt: skip
    measured = Dataset()
    measured.NumericValue = "12"
    measured.MeasurementUnitsCodeSequence = Sequence([code("mm", "millimeter", "UCUM")])
    number = item(
        "NUM", code("410668003", "Length", "SCT"), MeasuredValueSequence=Sequence([measured])
    )
    image = item(
        "IMAGE",
        code("121112", "Source of Measurement"),
        ReferencedSOPSequence=Sequence([reference()]),
    )
    scoord = item("SCOORD", GraphicType="POINT", GraphicData=[1.0, 2.0])
    scoord.ContentSequence = Sequence([image])
    number.ContentSequence = Sequence([scoord])
    section = item("CONTAINER", code("121070", "Findings"), ContinuityOfContent="SEPARATE")
    section.ContentSequence = Sequence([finding, number])
    return [
        item("PNAME", code("121008", "Person Observer Name"), PersonName=f"{CANARY}^Observer"),
        item("PNAME", code("121029", "Subject Name"), PersonName=f"{CANARY}^MARGARET"),
        item("TEXT", code("121022", "Accession Number"), TextValue=f"ACC{CANARY}"),
        item("DATE", code("111018", "Content Date"), Date="20210314"),
        item("TIME", code("111019", "Content Time"), Time="143055.123"),
        item("DATETIME", code("111526", "DateTime Started"), DateTime="20210314143055+0100"),
        item("UIDREF", code("112227", "Frame of Reference UID"), UID="1.2.3.9"),
        item("CODE", code("121071", "Finding"), ConceptCodeSequence=Sequence([code("X1", f"Seen by Dr. {CANARY.title()}", "99LOCAL")])),
        item("COMPOSITE", code("121180", "Key Images"), ReferencedSOPSequence=Sequence([reference("1.2.3.5")])),
        item("WAVEFORM", code("121112", "Source of Measurement"), ReferencedSOPSequence=Sequence([reference("1.2.3.6")])),
        section,
    ]  # fmt: skip


def scrub(report, *, shift_dates=True, replacement=Replacement.SURROGATE, uids=UIDS):
    return scrub_content(
        report,
        shared_scrubber(),
        read_identity([report]),
        SUBJECT,
        uids,
        replacement,
        policy=policy(dates="shift" if shift_dates else "remove"),
    )


def encode(content):
    holder = Dataset()
    holder.ContentSequence = content
    holder.file_meta = FileMetaDataset()
    holder.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = BytesIO()
    holder.save_as(stream, enforce_file_format=False, implicit_vr=False, little_endian=True)
    return stream.getvalue()


def items_of(content):
    waiting = list(content)
    while waiting:
        found = waiting.pop()
        yield found
        waiting += list(found.get("ContentSequence") or [])


@pytest.mark.parametrize("replacement", list(Replacement))
@pytest.mark.parametrize("shift_dates", [True, False])
def test_no_canary_of_any_value_type_is_left(replacement, shift_dates):
    report = make_report(*every_kind())
    before = report.to_json()
    made = scrub(report, shift_dates=shift_dates, replacement=replacement)
    raw = encode(made.content)
    for canary in (
        CANARY,
        CANARY.title(),
        "20210314",
        "3/14/2021",
        "1.2.3.4",
        "1.2.3.9",
        "Baek",
        "143055",
    ):
        assert canary.encode() not in raw.replace(b"\0", b""), canary
    assert CANARY not in made.text.upper()
    assert report.to_json() == before


def test_every_value_type_keeps_its_meaning():
    made = scrub(make_report(*every_kind()))
    by_kind = {found.ValueType: found for found in items_of(made.content)}
    assert by_kind["NUM"].MeasuredValueSequence[0].NumericValue == "12"
    assert by_kind["IMAGE"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == UIDS.instance(
        "1.2.3.4"
    )
    assert (
        by_kind["IMAGE"].ReferencedSOPSequence[0].ReferencedSOPClassUID
        == "1.2.840.10008.5.1.4.1.1.7"
    )
    assert UIDS.other("1.2.3.9") == by_kind["UIDREF"].UID
    assert by_kind["TIME"].Time == "143000"
    assert by_kind["DATETIME"].DateTime.endswith("143000+0100")
    assert by_kind["SCOORD"].GraphicType == "POINT"
    assert made.has_coordinates
    assert made.removed == 1  # Accession Number
    names = {
        str(found.PersonName) for found in items_of(made.content) if found.ValueType == "PNAME"
    }
    assert names <= {"Removed^Name", SUBJECT.pseudonym}
    found = {(f.term, f.certainty.value) for f in made.findings}
    assert found == {
        ("pleural effusion", "present"),
        ("pneumothorax", "absent"),
    }
    assert made.verification_flag == "UNVERIFIED"


def test_a_second_run_over_tagged_text_changes_no_text():
    first = scrub(make_report(*every_kind()), replacement=Replacement.TAG)
    again = scrub(make_report(*first.content), replacement=Replacement.TAG)
    texts = [
        [f.TextValue for f in items_of(c) if f.ValueType == "TEXT"]
        for c in (first.content, again.content)
    ]
    assert texts[0] == texts[1]


def test_what_no_value_type_defines_is_left_behind():
    odd = item("TEXT", code("121071", "Finding"), TextValue="Clear lungs.")
    odd.PatientComments = CANARY
    odd.add_new(0x00091001, "LO", CANARY)
    assert CANARY.encode() not in encode(scrub(make_report(odd)).content)


def test_an_unknown_value_type_is_quarantined():
    with pytest.raises(InstanceError, match="unknown-value-type"):
        scrub(make_report(item("TABLE", code("121071", "Finding"))))


def test_a_date_that_cannot_be_read_is_quarantined():
    bad = item("DATE", code("121100", "Some date"))
    bad.add_new("Date", "LO", "not a date")
    with pytest.raises(InstanceError, match="unscrubbed-date"):
        scrub(make_report(bad))


def test_content_nested_too_deep_is_quarantined():
    inner = item("TEXT", code("121071", "Finding"), TextValue="x")
    for _ in range(600):
        outer = item("CONTAINER", code("121070", "Findings"), ContinuityOfContent="SEPARATE")
        outer.ContentSequence = Sequence([inner])
        inner = outer
    with pytest.raises(InstanceError, match="content-too-deep"):
        scrub(make_report(inner))
    with pytest.raises(InstanceError, match="content-too-deep"):
        narrative(make_report(inner))


def test_an_encapsulated_document_is_quarantined():
    document = Dataset()
    document.SOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    with pytest.raises(InstanceError, match="encapsulated-document"):
        scrub(document)


def test_only_structured_reports_are_reports():
    assert is_report(make_report(*every_kind()))
    image = Dataset()
    image.Modality = "DX"
    assert not is_report(image)


def sample_files():
    inside = Path(pydicom.__file__).parent / "data" / "test_files"
    shared = (
        Path(os.environ.get("UPDP_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "dicom"
    )
    return [
        *sorted(inside.glob("reportsi*.dcm")),
        inside / "test-SR.dcm",
        *sorted(shared.glob("sr_*.dcm")),
    ]


@pytest.mark.parametrize("path", sample_files(), ids=lambda path: path.name)
def test_a_real_report_comes_out_without_its_names(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = pydicom.dcmread(path)
    before = copy.deepcopy(source)
    identity = read_identity([source])
    made = scrub(source)
    assert source == before
    uids = {
        str(e.value)
        for e in source.iterall()
        if e.keyword == "ReferencedSOPInstanceUID" and len(str(e.value)) > 9
    }
    raw = encode(made.content)
    for uid in uids:
        assert uid.encode() not in raw
    for name in identity.names:
        assert name.encode() not in raw
    assert sum(1 for _ in items_of(made.content)) + made.removed >= 1
