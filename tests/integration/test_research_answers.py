"""How answers come: character sets, fragments, limit, cancel, and peers that leave."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.research_requesters import (
    GOOD_IDENTIFIER,
    STUDY_FIND,
    associate,
    keys,
    query,
    raw,
    say,
)
from tests.integration.researching import MemoryArchive, image, researching
from updp_node.dimse.commands import C_FIND_RQ
from updp_node.query.query import Query


@pytest.fixture
def archive(tmp_path: Path) -> MemoryArchive:
    made = MemoryArchive(tmp_path)
    for study in range(1, 4):
        for number in (1, 2):
            made.add(image(study, 1, number))
    return made


class Endless(MemoryArchive):
    """Answers until it is closed."""

    is_closed: threading.Event

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Mapping[str, Any]]:
        self.is_closed = threading.Event()
        try:
            while True:
                yield {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}}
        finally:
            self.is_closed.set()


def test_a_cancelled_query_ends_at_once(tmp_path: Path) -> None:
    archive = Endless(tmp_path)
    with researching(archive, max_answers=1 << 40) as server, capture_logs() as logs:
        association = associate(server.address[1], STUDY_FIND)
        identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="")
        statuses = []
        for status, _ in association.send_c_find(identifier, STUDY_FIND, msg_id=5):
            statuses.append(status.Status)
            if len(statuses) == 10:
                association.send_c_cancel(5, query_model=STUDY_FIND)
        assert statuses[-1] == 0xFE00
        assert archive.is_closed.is_set()
        association.release()
    (event,) = [log for log in logs if log["event"] == "query-answered"]
    assert (event["status"], event["query_level"], event["method"]) == ("0xFE00", "STUDY", "C-FIND")


class Fruitless(MemoryArchive):
    """Finds nothing, and goes on looking."""

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[None]:  # type: ignore[override]
        while True:
            yield None


def test_a_query_that_finds_nothing_can_be_cancelled(tmp_path: Path) -> None:
    with researching(Fruitless(tmp_path)) as server:
        association = associate(server.address[1], STUDY_FIND)
        identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="")
        answers = association.send_c_find(identifier, STUDY_FIND, msg_id=5)
        threading.Timer(0.3, association.send_c_cancel, (5,), {"query_model": STUDY_FIND}).start()
        assert [status.Status for status, _ in answers] == [0xFE00]
        association.release()


@pytest.mark.parametrize("is_orderly", [True, False])
def test_a_peer_that_leaves_among_the_answers_ends_the_query(
    tmp_path: Path, is_orderly: bool
) -> None:
    archive = Endless(tmp_path)
    with researching(archive, max_answers=1 << 40) as server:
        association = raw(server.address[1], STUDY_FIND)
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        association.abort() if is_orderly else association._connection.close()
        assert archive.is_closed.wait(5)


def test_stopping_ends_a_query_that_does_not_end(tmp_path: Path) -> None:
    archive = Endless(tmp_path)
    with researching(archive, max_answers=1 << 40, dimse_timeout_s=2.0) as server:
        association = raw(server.address[1], STUDY_FIND)
        assert say(association, STUDY_FIND, C_FIND_RQ, GOOD_IDENTIFIER) == 0xFF00
        server.stop(drain_s=0.1)  # the peer reads nothing
        assert archive.is_closed.is_set()


@pytest.mark.parametrize(
    ("requested", "name", "answered"),
    [
        (None, "Äußerst^Née", "ISO_IR 192"),
        ("ISO_IR 100", "Äußerst^Née", "ISO_IR 100"),
        ("ISO_IR 100", "Łukasz^Żak", "ISO_IR 192"),
        ("ISO_IR 192", "山田^太郎", "ISO_IR 192"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"]),
        ("ISO_IR 100", "Plain^Name", None),
    ],
)
def test_answers_come_in_the_character_set_asked_for_where_it_can_carry_them(
    tmp_path: Path, requested: Any, name: str, answered: Any
) -> None:
    archive = MemoryArchive(tmp_path)
    archive.add(image(PatientName=name, SpecificCharacterSet="ISO_IR 192"))
    identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="", PatientName="")
    if requested:
        identifier.SpecificCharacterSet = requested
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND)
        ((answer,), status, _) = query(association, identifier)
        association.release()
    assert status.Status == 0x0000
    assert str(answer.PatientName) == name
    assert answer.get("SpecificCharacterSet") == answered


def test_a_key_is_read_in_the_character_set_of_the_request(tmp_path: Path) -> None:
    archive = MemoryArchive(tmp_path)
    archive.add(image(PatientName="Äußerst^Née", SpecificCharacterSet="ISO_IR 192"))
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND)
        for charset, name, count in (("ISO_IR 100", "äußer*", 1), ("ISO_IR 192", "aussen*", 0)):
            identifier = keys(
                QueryRetrieveLevel="STUDY", StudyInstanceUID="", SpecificCharacterSet=charset,
                PatientName=name,
            )  # fmt: skip
            assert len(query(association, identifier)[0]) == count
        association.release()
    assert archive.searched[0].keys[0].values == ("äußer*",)


def test_answers_longer_than_a_pdu_come_in_fragments(archive: MemoryArchive) -> None:
    archive.add(image(9, 1, 1, StudyDescription="A" * 64, PatientComments="B" * 9000))
    identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.3.9", PatientComments="")
    with researching(archive) as server:
        association = associate(server.address[1], STUDY_FIND, max_pdu=512)
        ((answer,), status, _) = query(association, identifier)
        association.release()
    assert status.Status == 0x0000
    assert answer.PatientComments == "B" * 9000


def test_the_limit_of_answers_has_its_status(archive: MemoryArchive) -> None:
    with researching(archive, max_answers=2) as server:
        association = associate(server.address[1], STUDY_FIND)
        identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="")
        answers, status, _ = query(association, identifier)
        association.release()
    assert (len(answers), status.Status) == (2, 0xA700)
    assert status.ErrorComment


class Broken(MemoryArchive):
    """Fails after the first answer, with a value in the message."""

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Mapping[str, Any]]:
        yield from list(super().search(query, projects))[:1]
        raise RuntimeError("CANARYVALUE")


def test_a_failing_archive_is_told_without_values(tmp_path: Path) -> None:
    archive = Broken(tmp_path)
    archive.add(image())
    with researching(archive) as server, capture_logs() as logs:
        association = associate(server.address[1], STUDY_FIND)
        identifier = keys(QueryRetrieveLevel="STUDY", StudyInstanceUID="")
        answers, status, _ = query(association, identifier)
        association.release()
    assert (len(answers), status.Status) == (1, 0xC000)
    assert "CANARYVALUE" not in str(logs) + str(status)
    assert [log["error_type"] for log in logs if log["event"] == "archive-failed"] == [
        "RuntimeError"
    ]
