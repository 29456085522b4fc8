"""The gate's structural checks, and the proof it gives."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset

from tests.factories import code
from updp_node.errors import InstanceError
from updp_node.model import Verified, VerifiedBytes
from updp_node.verify import Allowances, Evidence, reaffirm, verify
from updp_node.verify.conformance import is_installed

PACKAGE = Path(__file__).parents[2] / "updp_node"


def make() -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "2.25.11"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.12", "2.25.13"
    made.PatientName = made.PatientID = "PROJ-1"
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethodCodeSequence = [code("113100", "DCM", "Basic Profile")]
    return made


def encode(made: Dataset, change: Callable[[FileDataset], None] | None = None) -> bytes:
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    buffer = io.BytesIO()
    dcmwrite(buffer, made, enforce_file_format=True)
    if change is None:
        return buffer.getvalue()
    read = dcmread(io.BytesIO(buffer.getvalue()))
    change(read)
    buffer = io.BytesIO()
    dcmwrite(buffer, read)
    return buffer.getvalue()


def refuse(encoded: bytes) -> str:
    with pytest.raises(InstanceError) as caught:
        verify(encoded, Evidence(), allow=Allowances())
    return caught.value.code


def test_the_proof_names_the_new_object_and_its_digest() -> None:
    encoded = encode(make())
    checked = verify(encoded, Evidence(), allow=Allowances())
    assert checked.encoded is encoded
    assert checked.sha256 == hashlib.sha256(encoded).hexdigest()
    assert (checked.sop_instance_uid, checked.study_uid) == ("2.25.11", "2.25.12")
    assert checked.transfer_syntax_uid == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize(
    "keyword",
    ["StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName", "PatientIdentityRemoved",
     "DeidentificationMethodCodeSequence"],
)  # fmt: skip
def test_an_object_without_what_every_released_object_has_is_refused(keyword: str) -> None:
    made = make()
    delattr(made, keyword)
    assert refuse(encode(made)) == "missing-attribute"


def test_an_object_not_marked_as_de_identified_is_refused() -> None:
    made = make()
    made.PatientIdentityRemoved = "NO"
    assert refuse(encode(made)) == "identity-not-marked-removed"


def test_file_meta_that_names_another_instance_is_refused() -> None:
    def other(read: FileDataset) -> None:
        read.file_meta.MediaStorageSOPInstanceUID = "2.25.99"

    assert refuse(encode(make(), other)) == "file-meta-differs"


def test_bytes_that_do_not_parse_are_refused() -> None:
    assert refuse(b"not a DICOM file at all") == "unreadable-output"
    assert refuse(encode(make())[:-40]) in {"unreadable-output", "missing-attribute"}


def test_a_value_that_cannot_be_read_is_refused_by_its_tag_path() -> None:
    made = make()
    made.add_new(0x00280010, "US", 4)
    broken = encode(made).replace(b"\x28\x00\x10\x00US\x02\x00\x04\x00",
                                  b"\x28\x00\x10\x00FD\x02\x00zz")  # fmt: skip
    assert refuse(broken) == "unreadable-attribute"


def test_a_released_file_is_affirmed_while_its_bytes_are_the_same(tmp_path: Path) -> None:
    encoded = encode(make())
    path = tmp_path / "released.dcm"
    path.write_bytes(encoded)
    affirmed = reaffirm(path, hashlib.sha256(encoded).hexdigest())
    assert (affirmed.sop_instance_uid, affirmed.study_uid) == ("2.25.11", "2.25.12")
    path.write_bytes(encoded + b"\0\0")
    with pytest.raises(InstanceError, match="released-file-changed"):
        reaffirm(path, affirmed.sha256)
    path.unlink()
    with pytest.raises(InstanceError, match="released-file-missing"):
        reaffirm(path, affirmed.sha256)


def test_only_the_gate_makes_what_may_leave() -> None:
    makers = re.compile(rf"\b(?:{Verified.__name__}|{VerifiedBytes.__name__})\(")
    found = {
        path.relative_to(PACKAGE).parts[0]
        for path in PACKAGE.rglob("*.py")
        if makers.search(re.sub(r"class \w+\(", "", path.read_text(encoding="utf-8")))
    }
    assert found == {"verify"}


def test_the_gate_shares_no_code_with_the_stages() -> None:
    shared = re.compile(r"updp_node\.(?:header|text|assemble|subject|pixels)\b")
    for path in (PACKAGE / "verify").glob("*.py"):
        assert not shared.search(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize(
    ("surplus", "passes"), [(b"", True), (b"\0", True), (b"\0\0Doe^Jane", False)]
)
def test_native_pixels_longer_than_their_attributes_say_are_refused(
    surplus: bytes, passes: bool
) -> None:
    made = make()
    made.Rows = made.Columns = 3
    made.SamplesPerPixel, made.BitsAllocated = 1, 8
    made.add_new("PixelData", "OB", b"\1" * 9 + surplus + b"\0" * ((9 + len(surplus)) % 2))
    encoded = encode(made)
    if passes:
        assert verify(encoded, Evidence(), allow=Allowances())
    else:
        assert refuse(encoded) == "pixel-length-differs"


def test_native_pixels_without_a_size_are_refused() -> None:
    made = make()
    made.add_new("PixelData", "OB", b"\1" * 10)
    made.BitsAllocated = 8
    assert refuse(encode(made)) == "pixel-length-differs"


def test_an_attribute_of_type_1_that_the_source_had_is_missed() -> None:
    source, made = make(), make()
    source.Modality, source.ConversionType = "OT", "WSD"
    encoded = encode(made)
    assert verify(encoded, Evidence(), allow=Allowances())
    with pytest.raises(InstanceError) as caught:
        verify(encoded, Evidence(), allow=Allowances(), source=source)
    assert caught.value.code == "missing-attribute"
    assert "(0008,0064)" in caught.value.detail


@pytest.mark.skipif(not is_installed(), reason="dciodvfy is not installed")
def test_an_error_of_conformance_that_the_source_had_not_is_refused(tmp_path: Path) -> None:
    source = make()
    source.PatientSex = "M"
    path = tmp_path / "source.dcm"
    path.write_bytes(encode(source))
    assert verify(path.read_bytes(), Evidence(), allow=Allowances(), source_file=path)
    made = make()
    made.PatientSex = "MALE"
    with pytest.raises(InstanceError) as caught:
        verify(encode(made), Evidence(), allow=Allowances(), source_file=path)
    assert caught.value.code == "new-conformance-error"
    assert caught.value.detail.startswith("(0010,0040)")
    assert "MALE" not in caught.value.detail
