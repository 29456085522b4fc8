"""Reports as new instances: the header joined with the scrubbed content."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests import factories
from updp_node.assemble import Provenance, assemble_report, encode
from updp_node.errors import InstanceError
from updp_node.header import compile_profile, deidentify, load_profile
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.verify import Allowances, read_evidence, verify

PROVENANCE = Provenance("0.1.0", "research-cxr", "ab" * 32, 1, datetime(2023, 11, 17, tzinfo=UTC))
SUBJECT = identify_subject(
    ProjectKey(b"k" * 32), project="TRIAL", issuer="", patient_id="7738201946"
)
RULES = compile_profile(load_profile("research-cxr"))
IMAGE = factories.chest_cr(rows=32, columns=32)


def scrubbed_root() -> Dataset:
    """What the text stage hands over."""
    root = Dataset()
    root.ConceptNameCodeSequence = [factories.code("18748-4", "LN", "Diagnostic imaging report")]
    root.ContinuityOfContent = "SEPARATE"
    item = factories.content_item(
        "TEXT", factories.code("121071", "DCM", "Finding"), TextValue="Small left effusion."
    )
    root.ContentSequence = Sequence([item])
    return root


def assemble(source: Dataset, root: Dataset) -> Dataset:
    header = deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "d"), clean_text=lambda _: "Chest")
    return assemble_report(header, source, root, PROVENANCE)


def test_a_report_is_unverified_and_names_no_verifier() -> None:
    made = assemble(factories.text_sr(references=[IMAGE]), scrubbed_root())
    assert (made.CompletionFlag, made.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert made.ValueType == "CONTAINER"
    assert made.ContentSequence[0].TextValue == "Small left effusion."
    assert "VerifyingObserverSequence" not in made
    assert (
        made.ContributingEquipmentSequence[-1].PurposeOfReferenceCodeSequence[0].CodeValue
        == "109104"
    )


def test_a_key_object_gets_no_verification_flag() -> None:
    made = assemble(factories.key_object([IMAGE]), scrubbed_root())
    assert "VerificationFlag" not in made


def test_a_report_whose_text_was_not_scrubbed_is_refused() -> None:
    with pytest.raises(InstanceError, match="report-without-content"):
        assemble(factories.text_sr(), Dataset())


def test_a_report_passes_the_gate_and_holds_no_canary() -> None:
    source = factories.text_sr(references=[IMAGE])
    encoded = encode(assemble(source, scrubbed_root()), transfer_syntax_uid=ExplicitVRLittleEndian)
    allow = Allowances(shift_days=SUBJECT.shift_days)
    assert verify(encoded, read_evidence([source, IMAGE]), allow=allow)
    assert not factories.grep_canaries(encoded, factories.canaries(factories.patient()))


def test_a_report_whose_text_was_left_as_it_was_does_not_pass_the_gate() -> None:
    source = factories.text_sr(references=[IMAGE])
    root = scrubbed_root()
    root.ContentSequence = source.ContentSequence
    encoded = encode(assemble(source, root), transfer_syntax_uid=ExplicitVRLittleEndian)
    with pytest.raises(InstanceError, match="residual-identifier"):
        verify(encoded, read_evidence([source]), allow=Allowances())


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is missing")
@pytest.mark.parametrize("kind", ["report", "key object"])
def test_a_report_has_no_error_for_dciodvfy(kind: str, tmp_path: Path) -> None:
    source = factories.text_sr(references=[IMAGE])
    root = scrubbed_root()
    if kind == "key object":
        source = factories.key_object([IMAGE])
        image = source.ContentSequence[1]
        image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = UidMap(SUBJECT, "d").instance(
            IMAGE.SOPInstanceUID
        )
        root.ContentSequence = Sequence([image])
        root.ConceptNameCodeSequence = source.ConceptNameCodeSequence
    made = assemble(source, root)
    path = tmp_path / "made.dcm"
    path.write_bytes(encode(made, transfer_syntax_uid=ExplicitVRLittleEndian))
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    assert not [line for line in done.stderr.splitlines() if line.startswith("Error")]
