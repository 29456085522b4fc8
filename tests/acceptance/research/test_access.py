"""Who sees what: projects, calling AE titles, certificates, tokens."""

from __future__ import annotations

import hashlib
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.acceptance.research.asking import ask, association, get
from tests.acceptance.research.process import (
    AE_TITLE,
    ResearchNode,
    make_research_node,
    run_findscu,
    write_identifier,
)
from tests.acceptance.research.retrieving import FOLDER_PORT, STORESCP
from tests.acceptance.research.web import fetch, make_token, token_ids
from tests.contracts.peers import storescp
from tests.integration.receiving import run_dcmtk
from tests.oracle_query import Information, Instance


def _of(information: Information, project: str) -> Instance:
    return next(each for each in information.instances
                if each.project == project and not each.superseded)  # fmt: skip


def _identifier(level: str, **keys: str) -> Dataset:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return identifier


def test_a_requester_of_one_project_finds_nothing_of_the_other(
    research: ResearchNode, information: Information
) -> None:
    for calling, foreign in (("REQ_A", "beta"), ("REQ_B", "alpha")):
        hidden = _of(information, foreign)
        patient, study, series, uid = hidden.names
        questions = [
            _identifier("PATIENT", PatientID=patient), _identifier("STUDY", StudyInstanceUID=study),
            _identifier("STUDY", StudyInstanceUID="", PatientID=patient),
            _identifier("SERIES", SeriesInstanceUID=series, StudyInstanceUID=study),
            _identifier("IMAGE", SOPInstanceUID=uid), _identifier("PATIENT", PatientID="*"),
        ]  # fmt: skip
        with association(research.port, calling=calling, relational=True) as opened:
            for question in questions:
                answers, status = ask(opened, question)
                assert status == 0x0000
                assert all(foreign not in str(each.PatientID) for each in answers
                           if "PatientID" in each)  # fmt: skip
                if question.get("PatientID") != "*":
                    assert answers == []


def test_a_requester_of_one_project_retrieves_nothing_of_the_other(
    research: ResearchNode, information: Information, tmp_path: Path
) -> None:
    hidden, own = _of(information, "beta"), _of(information, "alpha")
    patient, study, series, uid = hidden.names
    contexts = {(str(each.header.SOPClassUID), str(each.header.file_meta.TransferSyntaxUID))
                for each in (hidden, own)}  # fmt: skip
    question = _identifier("IMAGE", PatientID=patient, StudyInstanceUID=study,
                           SeriesInstanceUID=series, SOPInstanceUID=uid)  # fmt: skip
    assert get(research.port, question, contexts, calling="REQ_A")[1] == {}
    assert list(get(research.port, question, contexts, calling="REQ_B")[1]) == [uid]
    both = _identifier("IMAGE", PatientID=patient, StudyInstanceUID=study, SeriesInstanceUID=series)
    both.SOPInstanceUID = [uid, own.uid]
    assert get(research.port, both, contexts, calling="REQ_A")[1] == {}
    with storescp(tmp_path / "in", port=FOLDER_PORT) as peer:
        path = tmp_path / "question.dcm"
        write_identifier(_identifier("STUDY", PatientID=patient, StudyInstanceUID=study), path)
        run_dcmtk("movescu", "-P", "-aet", "REQ_A", "-aec", AE_TITLE, "-aem", STORESCP,
                  "127.0.0.1", research.port, path)  # fmt: skip
        assert peer.instance_uids() == []


def test_who_is_not_named_gets_no_association(research: ResearchNode) -> None:
    for calling, called in (("STRANGER", AE_TITLE), ("REQ_A", "ANOTHER")):
        with association(research.port, calling=calling, called=called) as opened:
            assert opened.is_rejected


def test_a_token_opens_its_project_alone_and_not_once_it_is_revoked(
    research: ResearchNode, information: Information
) -> None:
    token = make_token(research, "alpha", "short-lived")
    hidden, own = _of(information, "beta"), _of(information, "alpha")
    found = fetch(research, "/studies?limit=1000", token=token)
    assert found.status == 200
    studies = {study["0020000D"]["Value"][0] for study in json.loads(found.body)}
    assert studies == {each.names[1] for each in information.instances
                       if each.project == "alpha" and not each.superseded}  # fmt: skip
    _, study, series, uid = hidden.names
    for path in (
        f"/studies/{study}", f"/studies/{study}/metadata", f"/studies/{study}/series/{series}",
        f"/studies/{study}/series/{series}/instances/{uid}",
        f"/studies/{study}/series/{series}/instances/{uid}/frames/1",
        f"/studies/{study}/series/{series}/instances/{uid}/rendered",
        f"/studies/{own.names[1]}/series/{own.names[2]}/instances/{uid}",
        f"/studies/{own.names[1]}/series/{series}/instances/{uid}/metadata",
    ):  # fmt: skip
        assert fetch(research, path, token=token).status == 404, path
    for path in (f"/studies?StudyInstanceUID={study}", f"/studies/{study}/series",
                 f"/instances?SOPInstanceUID={uid}",
                 f"/studies?PatientID={hidden.names[0]}"):  # fmt: skip
        reply = fetch(research, path, token=token)
        assert reply.status in (200, 204, 404), path
        assert uid.encode() not in reply.body
        assert reply.status != 200 or json.loads(reply.body) == [], path
    revoked = token_ids(research)["short-lived"]
    assert research.cli("token", "revoke", revoked)[0] == 0
    assert fetch(research, "/studies", token=token).status == 401
    assert fetch(research, f"/studies/{own.names[1]}/metadata", token=token).status == 401


def test_without_a_valid_token_there_is_nothing_but_the_description(
    research: ResearchNode, information: Information
) -> None:
    _, study, _, _ = _of(information, "alpha").names
    for token in (None, "", "x", "0" * 5000, "é"):
        for path in ("/studies", f"/studies/{study}", f"/studies/{study}/metadata", "/instances"):
            try:
                reply = fetch(research, path, token=token)
            except UnicodeEncodeError:
                continue
            assert reply.status in (400, 401, 431), (token, path)
            assert b"alpha" not in reply.body


def test_the_tokens_are_kept_as_digests(research: ResearchNode) -> None:
    token = make_token(research, "alpha", "digest-only")
    for path in research.released.glob("index.sqlite*"):
        assert token.encode() not in path.read_bytes()
    assert hashlib.sha256(token.encode()).hexdigest() not in research.log
    assert token not in research.log


def _two_certificates(folder: Path) -> tuple[str, str]:
    """Fingerprints of the development certificates ``peer`` and ``node``."""
    names = []
    for name in ("peer", "node"):
        pem = (folder / "certs" / f"{name}.pem").read_text()
        names.append(hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest())
    return names[0], names[1]


@pytest.mark.timeout(180)
def test_a_certificate_decides_which_project_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "node"

    def edit(config: dict[str, Any]) -> None:
        certs = folder / "certs"
        config["research"]["tls"] = {
            "certificate": str(certs / "node.pem"), "key": str(certs / "node.key"),
            "ca": str(certs / "ca.pem"), "require_client_certificate": True,
        }  # fmt: skip
        peer, _ = _two_certificates(folder)
        config["research"]["access"] = [
            {"ae_title": "REQ_A", "certificate_sha256": [peer], "projects": ["alpha"]}
        ]

    node = make_research_node(folder, studies=20, big=False, edit=edit)
    node.answers = lambda: _finds(node, "peer", "REQ_A") is not None  # type: ignore[method-assign]
    node.start()
    try:
        found = _finds(node, "peer", "REQ_A")
        assert found
        assert all("alpha" in patient for patient in found)
        assert _finds(node, "peer", "REQ_B") is None, "another AE title with that certificate"
        assert _finds(node, "node", "REQ_A") is None, "another certificate with that AE title"
        assert _finds(node, None, "REQ_A") is None, "no certificate"
    finally:
        node.stop()
    assert "Traceback" not in node.log


def _finds(node: ResearchNode, certificate: str | None, calling: str) -> list[str] | None:
    """Patient IDs that are found; None if there is no association."""
    certs = node.folder / "certs"
    tls: list[object] = ["+cf", certs / "ca.pem"]
    if certificate is None:
        tls = ["+tla", *tls]
    else:
        tls = ["+tls", certs / f"{certificate}.key", certs / f"{certificate}.pem", *tls]
    code, told = run_findscu(
        *tls, "-to", 5, "-P", "-aet", calling, "-aec", AE_TITLE, "-k", "QueryRetrieveLevel=PATIENT",
        "-k", "PatientID", "localhost", node.port,
    )  # fmt: skip
    if code:
        return None
    return [line for line in told.splitlines() if "(0010,0020)" in line and "no value" not in line]
