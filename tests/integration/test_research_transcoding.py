"""Sub-operations whose stored transfer syntax is not accepted, or whose file is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from structlog.testing import capture_logs

from tests.integration.research_requesters import (
    counts,
    get,
)
from tests.integration.researching import MemoryArchive, image, researching


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    root = tmp_path / "released"
    root.mkdir()
    made = MemoryArchive(root)
    for number in range(1, 5):
        made.add(image(1, 1, number))
    made.add(image(2, 1, 1))
    return made


@pytest.mark.parametrize("accepted", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    "stored", [RLELossless, JPEGLSLossless, ExplicitVRLittleEndian, ImplicitVRLittleEndian]
)
def test_what_the_requester_does_not_accept_is_transcoded(
    tmp_path: Path, stored: str, accepted: str
) -> None:
    archive = MemoryArchive(tmp_path)
    frames = np.random.default_rng(1).integers(0, 1000, (3, 8, 10)).astype("<u2")
    source = image(
        1, 1, 1, PixelData=frames.tobytes(), NumberOfFrames=3, DataSetTrailingPadding=b"\0\0"
    )
    if pydicom.uid.UID(stored).is_encapsulated:
        source.compress(stored, generate_instance_uid=False)
    source.file_meta.TransferSyntaxUID = stored
    archive.add(source)
    with researching(archive) as server:
        (got,), statuses, _ = get(server.address[1], syntaxes=(accepted,))
    assert statuses[-1].Status == 0x0000
    assert got.file_meta.TransferSyntaxUID == accepted
    assert got.SOPInstanceUID == "1.2.3.1.1.1"
    assert np.array_equal(got.pixel_array, frames)
    assert got.StudyDescription == "Study 1"
    assert got.DataSetTrailingPadding == b"\0\0"


def test_the_stored_syntax_is_preferred_where_it_is_accepted(tmp_path: Path) -> None:
    archive = MemoryArchive(tmp_path)
    source = image(1, 1, 1)
    source.compress(RLELossless, generate_instance_uid=False)
    archive.add(source)
    archive.add(image(1, 1, 2))
    both = (ExplicitVRLittleEndian, RLELossless)
    with researching(archive) as server:
        got, statuses, _ = get(server.address[1], syntaxes=both)
    assert statuses[-1].Status == 0x0000
    assert [each.file_meta.TransferSyntaxUID for each in got] == [both[1], both[0]]


def test_what_cannot_be_transcoded_fails_with_its_uid_and_a_reason(archive: MemoryArchive) -> None:
    with researching(archive) as server, capture_logs() as logs:
        got, statuses, final = get(server.address[1], syntaxes=(JPEG2000Lossless,))
    assert got == []
    assert statuses[-1].Status == 0xA702
    assert final is not None
    assert len(final.FailedSOPInstanceUIDList) == 4
    reasons = {log["reason"] for log in logs if log["event"] == "sub-operation-not-successful"}
    assert reasons == {"transcoding-impossible"}


def test_files_that_are_gone_or_cut_fail_alone(archive: MemoryArchive) -> None:
    (archive.root / "1.2.3.1.1.2.dcm").unlink()
    with (archive.root / "1.2.3.1.1.3.dcm").open("r+b") as file:
        file.truncate(100)
    with researching(archive) as server:
        got, statuses, final = get(server.address[1])
    assert len(got) == 2
    assert (statuses[-1].Status, counts(statuses[-1])) == (0xB000, (2, 2, 0, None))
    assert final is not None
    assert final.FailedSOPInstanceUIDList == ["1.2.3.1.1.2", "1.2.3.1.1.3"]


def test_a_requester_without_the_role_gets_nothing(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        got, statuses, _ = get(server.address[1], is_provider=False)
    assert (got, statuses[-1].Status) == ([], 0xA702)
