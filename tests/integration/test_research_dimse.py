"""Queries by DCMTK's findscu and by pynetdicom: levels, statuses, negotiation, access."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from structlog.testing import capture_logs

from tests.integration.receiving import run_dcmtk
from tests.integration.research_requesters import (
    GOOD_IDENTIFIER,
    PATIENT_FIND,
    STUDY_FIND,
    STUDY_MOVE,
    VERIFICATION,
    associate,
    keys,
    query,
    raw,
    say,
)
from tests.integration.researching import MemoryArchive, image, researching
from updp_node.dimse.commands import C_FIND_RQ
from updp_node.tls import TlsSettings


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    made = MemoryArchive(tmp_path)
    for study in range(1, 4):
        for number in (1, 2):
            made.add(image(study, 1, number))
    return made


def test_findscu_gets_the_studies_of_both_models(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        for option, wanted in (("-S", "PatientName=*number1"), ("-P", "PatientID=P1")):
            code, output = run_dcmtk(
                "findscu", option, "-aec", "UPDPQR", "-k", "QueryRetrieveLevel=STUDY", "-k", wanted,
                "-k", "StudyInstanceUID", "-k", "StudyDescription",
                "127.0.0.1", server.address[1],
            )  # fmt: skip
            assert code == 0, output
            assert output.count("Find Response:") == 2
            assert "[1.2.3.1" in output
            assert "[1.2.3.3" in output
            assert "[Study 3 ]" in output
        assert run_dcmtk("echoscu", "-aec", "UPDPQR", "127.0.0.1", server.address[1])[0] == 0


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("identifier", "count"),
    [
        ({"QueryRetrieveLevel": "PATIENT", "PatientID": ""}, 2),
        ({"QueryRetrieveLevel": "STUDY", "PatientID": "P1", "StudyInstanceUID": ""}, 2),
        ({"QueryRetrieveLevel": "SERIES", "PatientID": "P1", "StudyInstanceUID": "1.2.3.3",
          "SeriesInstanceUID": ""}, 1),
        ({"QueryRetrieveLevel": "IMAGE", "PatientID": "P1", "StudyInstanceUID": "1.2.3.3",
          "SeriesInstanceUID": "1.2.3.3.1", "SOPInstanceUID": "", "InstanceNumber": ""}, 2),
    ],
)  # fmt: skip
def test_every_level_is_answered_and_says_where_to_retrieve(
    archive: MemoryArchive, syntax: str, identifier: dict[str, str], count: int
) -> None:
    with researching(archive) as server:
        association = associate(server.address[1], PATIENT_FIND, syntax=syntax)
        answers, status, pending = query(association, keys(**identifier), PATIENT_FIND)
        association.release()
    assert status.Status == 0x0000
    assert pending == {0xFF00}
    assert len(answers) == count
    for answer in answers:
        assert answer.QueryRetrieveLevel == identifier["QueryRetrieveLevel"]
        assert (answer.RetrieveAETitle, answer.InstanceAvailability) == ("UPDPQR", "ONLINE")
        assert set(identifier) <= {element.keyword for element in answer}
        assert "SpecificCharacterSet" not in answer


@pytest.mark.parametrize(
    ("identifier", "offending"),
    [
        ({"PatientID": ""}, "QueryRetrieveLevel"),
        ({"QueryRetrieveLevel": "FRAME"}, "QueryRetrieveLevel"),
        ({"QueryRetrieveLevel": "PATIENT", "PatientID": ""}, "QueryRetrieveLevel"),
        ({"QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": ""}, "StudyInstanceUID"),
        ({"QueryRetrieveLevel": "STUDY", "StudyDate": "yesterday"}, "StudyDate"),
    ],
)
def test_an_identifier_that_does_not_fit_is_refused_with_the_offending_element(
    archive: MemoryArchive, identifier: dict[str, str], offending: str
) -> None:
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND)
        answers, status, _ = query(association, keys(**identifier))
        assert (answers, status.Status) == ([], 0xA900)
        assert 0 < len(status.ErrorComment) <= 64
        assert status.OffendingElement == Tag(offending)
        fine = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="")
        assert len(query(association, fine)[0]) == 3  # and the association goes on
        association.release()


@pytest.mark.parametrize(
    "content",
    [b"\x08\x00\x52\x00CS\xff\x00STUDY ", b"\xff" * 33, bytes(3),
     b"\x08\x00\x05\x00SQ\0\0\xff\xff\xff\xff", b"\x20\x00\x0d\x00UI\0\0" * 2, bytes(2 << 20)],
)  # fmt: skip
def test_damaged_and_endless_identifiers_are_refused_without_a_trace(
    archive: MemoryArchive, content: bytes
) -> None:
    with researching(archive) as server, capture_logs() as logs:
        association = raw(server.address[1], STUDY_FIND)
        assert say(association, STUDY_FIND, C_FIND_RQ, content) in {0xC000, 0xA900}
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        association.release()
    assert not [log for log in logs if log["event"] == "process-crashed"]


def test_an_operation_of_another_context_is_told_so(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        association = raw(server.address[1], STUDY_MOVE, VERIFICATION)
        assert say(association, STUDY_MOVE, C_FIND_RQ, b"") == 0x0211
        assert say(association, VERIFICATION, 0x0001, bytes(5000)) == 0x0211
        association.release()


def test_keys_that_are_not_supported_are_named_by_the_status(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND)
        identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="", SliceThickness="")
        answers, status, pending = query(association, identifier)
        association.release()
    assert (len(answers), status.Status, pending) == (3, 0x0000, {0xFF01})
    assert all("SliceThickness" not in answer for answer in answers)


def test_relational_queries_and_date_times_are_in_force_where_negotiated(
    archive: MemoryArchive,
) -> None:
    identifier = keys(QueryRetrieveLevel="IMAGE", SOPInstanceUID="", StudyDate="20200103-")
    with researching(archive) as server:
        plain = associate(server.address[1], STUDY_FIND)
        assert query(plain, identifier)[1].Status == 0xA900
        plain.release()
        negotiated = associate(server.address[1], STUDY_FIND, extended=b"\1\1\1\1")
        answered = negotiated.acceptor.sop_class_extended[STUDY_FIND]
        answers, status, _ = query(negotiated, identifier)
        negotiated.release()
    assert answered == b"\1\1\0\0"  # no fuzzy matching, no timezone adjustment
    assert (len(answers), status.Status) == (2, 0x0000)
    assert archive.searched[-1].combined_datetime


def test_strangers_and_wrong_calls_are_rejected(archive: MemoryArchive) -> None:
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND, calling="STRANGER")
        assert association.is_rejected
        assert association.acceptor.primitive.diagnostic == 3
        code, _ = run_dcmtk("echoscu", "-aec", "OTHER", "127.0.0.1", server.address[1])
        assert code != 0


def test_mutual_tls_tells_the_archive_the_certificate(
    archive: MemoryArchive, tmp_path: Path
) -> None:
    authority = trustme.CA()
    paths = {}
    for name in ("server", "client"):
        issued = authority.issue_cert("127.0.0.1", common_name=name)
        paths[name] = (tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(paths[name][0])
        issued.private_key_pem.write_to_path(paths[name][1])
        paths[name][1].chmod(0o600)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    tls = TlsSettings(cert=paths["server"][0], key=paths["server"][1], ca=ca)
    with researching(archive, tls=tls) as server:
        certificate, key = paths["client"]
        code, output = run_dcmtk(
            "findscu", "+tls", key, certificate, "+cf", ca, "-S", "-aec", "UPDPQR", "-k",
            "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "127.0.0.1", server.address[1],
        )  # fmt: skip
        assert code == 0, output
        assert output.count("Find Response:") == 3
        assert run_dcmtk("echoscu", "-aec", "UPDPQR", "127.0.0.1", server.address[1])[0] != 0
    (seen,) = archive.certificates
    assert seen is not None
    assert b"client" in seen
