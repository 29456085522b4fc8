"""Bad input: the standard's status, bounded memory, no traceback; others are served meanwhile."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_FIND, C_MOVE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
)

from tests.acceptance.figures import record
from tests.acceptance.research.asking import ask, association
from tests.acceptance.research.malformed import MALFORMED, RUBBISH
from tests.acceptance.research.process import ResearchNode, running_research

MOVE = PatientRootQueryRetrieveInformationModelMove
PATIENT, STUDY = (PatientRootQueryRetrieveInformationModelFind,
                  StudyRootQueryRetrieveInformationModelFind)  # fmt: skip
_GROWTH_MB = 60
_CANARY = "Qvistorpe"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResearchNode]:
    """A process of its own, so that its memory tells of these tests alone."""

    def edit(config: dict) -> None:  # type: ignore[type-arg]
        config["research"].update(max_answers=100, acse_timeout_s=2, network_timeout_s=5)

    folder = tmp_path_factory.mktemp("bad") / "node"
    with running_research(folder, studies=120, big=False, edit=edit) as running:
        yield running
        assert _CANARY not in running.log


@pytest.fixture(autouse=True)
def _unharmed(node: ResearchNode) -> Iterator[None]:
    """After each test the process answers as before and has grown by little."""
    with association(node.port) as opened:
        ask(opened, _identifier("PATIENT", PatientID="*"))
    before, process = node.rss_mb(), node.process
    yield
    assert process is not None
    assert process.poll() is None
    assert node.answers()
    grown = node.rss_mb() - before
    assert grown < _GROWTH_MB, f"{grown:.0f} MB more"
    assert "Traceback" not in node.log
    assert "process-crashed" not in node.log, node.log[-2000:]


def _identifier(level: str | None = None, **keys: object) -> Dataset:
    identifier = Dataset()
    if level is not None:
        identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    return identifier


def _final(node: ResearchNode, identifier: Dataset, model: str = "patient") -> int:
    with association(node.port) as opened:
        assert opened.is_established
        return ask(opened, identifier, model)[1]


def _raw_status(node: ResearchNode, raw: bytes, sop_class: str = STUDY) -> int:
    """The final status of a request whose identifier is these bytes; -1 if there is none."""
    entity = AE("REQ_A")
    entity.dimse_timeout = entity.network_timeout = 20
    entity.add_requested_context(sop_class, "1.2.840.10008.1.2")
    opened = entity.associate("127.0.0.1", node.port, ae_title="RESEARCH_QR")
    assert opened.is_established
    opened._reactor_checkpoint.clear()  # as pynetdicom itself does: else it takes the answers
    while not opened._is_paused:
        time.sleep(0.01)
    request = C_MOVE() if sop_class == MOVE else C_FIND()
    request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, sop_class, 2
    request.Identifier = BytesIO(raw)
    if sop_class == MOVE:
        request.MoveDestination = "REQ_A"
    opened.dimse.send_msg(request, opened.accepted_contexts[0].context_id)
    status = 0xFF00
    while status in (0xFF00, 0xFF01):
        _, answer = opened.dimse.get_msg(block=True)
        status = -1 if answer is None else int(answer.Status)
    opened._reactor_checkpoint.set()
    opened.abort()
    return status


def _is_failure(status: int) -> bool:
    """Failure of C-FIND, PS3.4 Table C.4-1."""
    return status in (0xA700, 0xA900, 0x0122) or 0xC000 <= status <= 0xCFFF


@pytest.mark.parametrize(
    ("identifier", "model"),
    [
        (_identifier(None, PatientID=""), "patient"),
        (_identifier("", PatientID=""), "patient"),
        (_identifier("EVERYTHING", PatientID=""), "patient"),
        (_identifier("study", StudyInstanceUID=""), "study"),
        (_identifier("PATIENT", PatientID=""), "study"),
        (_identifier("STUDY", StudyInstanceUID=""), "patient"),
        (_identifier("SERIES", SeriesInstanceUID=""), "study"),
        (_identifier("SERIES", SeriesInstanceUID="", StudyInstanceUID=""), "study"),
        (_identifier("IMAGE", SOPInstanceUID="", StudyInstanceUID="1.2.3"), "study"),
        (_identifier("SERIES", SeriesInstanceUID="", StudyInstanceUID=["1.2", "1.3"]), "study"),
    ],
    ids=["no level", "empty level", "unknown level", "level in lower case",
         "patient level of the Study Root", "no patient above a study", "no study above a series",
         "empty study above a series", "no series above an image", "two studies above a series"],
)  # fmt: skip
def test_an_identifier_that_does_not_fit_the_model_is_refused(
    node: ResearchNode, identifier: Dataset, model: str
) -> None:
    status = _final(node, identifier, model)
    assert status == 0xA900 or 0xC000 <= status <= 0xCFFF, hex(status)


@pytest.mark.parametrize(
    "keys",
    [
        {"StudyDate": "yesterday"}, {"StudyDate": "20201345"}, {"StudyDate": "2020-2021-2022"},
        {"StudyDate": "99999999-00000000"}, {"StudyTime": "250000-"}, {"StudyTime": "----"},
        {"StudyInstanceUID": "1.2.*"}, {"StudyInstanceUID": "not a uid"},
        {"StudyInstanceUID": "1" * 5000}, {"PatientAge": "old"},
        {"StudyDate": f"{_CANARY}-"},
    ],
    ids=str,
)  # fmt: skip
def test_a_key_that_is_no_value_of_its_kind_is_refused_or_matches_nothing(
    node: ResearchNode, keys: dict[str, str]
) -> None:
    identifier = _identifier("STUDY", **{"StudyInstanceUID": "", **keys})
    with association(node.port) as opened:
        answers, status = ask(opened, identifier, "study")
    assert _is_failure(status) or status == 0x0000, hex(status)
    if status == 0x0000:
        dated = [each for each in answers if all(each.get(keyword) for keyword in keys)]
        assert not dated, "what has a value does not match"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(MALFORMED))
def test_a_malformed_identifier_is_answered_with_a_status(node: ResearchNode, name: str) -> None:
    started = time.monotonic()
    status = _raw_status(node, MALFORMED[name])
    assert _is_failure(status) or status == 0x0000, hex(status)
    assert time.monotonic() - started < 15
    if name in {"cut amid a value", "length of 4 GB", "rubbish", "zeros"}:
        assert status != 0x0000, "nothing can be read from it"


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "make",
    [
        lambda: _identifier("STUDY", StudyInstanceUID=[f"1.2.{n}" for n in range(50_000)]),
        lambda: _identifier("STUDY", StudyInstanceUID="", PatientName="a" * 1_000_000),
        lambda: _identifier("STUDY", StudyInstanceUID="", StudyDescription="*a" * 20_000),
        lambda: _identifier("STUDY", StudyInstanceUID="", PatientName="?" * 60_000 + "*"),
        lambda: _identifier("STUDY", StudyInstanceUID="", StudyDescription="*" * 60_000),
        lambda: _identifier("STUDY", StudyInstanceUID="", PatientID=["a"] * 30_000),
    ],
    ids=["50,000 UIDs", "a name of 1 MB", "20,000 wild cards", "60,000 question marks",
         "60,000 asterisks", "30,000 values"],
)  # fmt: skip
def test_an_oversized_identifier_takes_neither_long_nor_much_memory(
    node: ResearchNode, make: Callable[[], Dataset]
) -> None:
    started = time.monotonic()
    status = _final(node, make(), "study")
    assert status == 0x0000 or _is_failure(status), hex(status)
    assert time.monotonic() - started < 20
    assert node.peak_mb() < 400


def test_more_answers_than_the_limit_end_with_out_of_resources(node: ResearchNode) -> None:
    with association(node.port, relational=True) as opened:
        answers, status = ask(opened, _identifier("IMAGE", SOPInstanceUID=""))
    assert status == 0xA700, hex(status)
    assert len(answers) <= 100


def test_a_cancelled_query_ends_with_the_status_for_it(node: ResearchNode) -> None:
    with association(node.port, relational=True) as opened:
        context = next(each for each in opened.accepted_contexts if each.abstract_syntax == PATIENT)
        statuses = []
        for status, _ in opened.send_c_find(_identifier("IMAGE", SOPInstanceUID=""), PATIENT,
                                            msg_id=7):  # fmt: skip
            statuses.append(int(status.get("Status", -1)))
            if len(statuses) == 1:
                opened.send_c_cancel(7, context.context_id)
    assert statuses[-1] in (0xFE00, 0xA700), hex(statuses[-1])


@pytest.mark.parametrize(
    "identifier",
    [
        _identifier("STUDY"), _identifier("STUDY", PatientID="x"),
        _identifier("STUDY", PatientID="x", StudyInstanceUID=""),
        _identifier("IMAGE", PatientID="x", StudyInstanceUID="1.2"),
        _identifier(None, PatientID="x"), _identifier("PATIENT", PatientID="*"),
        _identifier("STUDY", PatientID="x", StudyInstanceUID="1.2", StudyDate="20200101"),
    ],
    ids=["no keys", "no study", "empty study", "no series", "no level", "wild card", "other key"],
)  # fmt: skip
def test_a_retrieval_without_its_unique_keys_moves_nothing(
    node: ResearchNode, identifier: Dataset
) -> None:
    entity = AE("REQ_A")
    entity.dimse_timeout = 20
    entity.add_requested_context(PatientRootQueryRetrieveInformationModelMove)
    opened = entity.associate("127.0.0.1", node.port, ae_title="RESEARCH_QR")
    assert opened.is_established
    final, moved = -1, 0
    for status, _ in opened.send_c_move(identifier, "REQ_A",
                                        PatientRootQueryRetrieveInformationModelMove):  # fmt: skip
        final = int(status.get("Status", -1))
        moved += int(status.get("NumberOfCompletedSuboperations", 0) or 0)
    opened.release()
    assert moved == 0
    assert final in (0x0000, 0xA801, 0xA900) or 0xC000 <= final <= 0xCFFF, hex(final)


@pytest.mark.timeout(120)
def test_a_malformed_retrieval_is_answered_with_a_status(node: ResearchNode) -> None:
    for name, raw in MALFORMED.items():
        status = _raw_status(node, raw, MOVE)
        assert status == 0xA801 or _is_failure(status), (name, hex(status))


@pytest.mark.parametrize("name", list(RUBBISH))
def test_rubbish_on_the_port_is_cut_off_and_others_are_served(
    node: ResearchNode, name: str
) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as opened:
        try:
            opened.sendall(RUBBISH[name])
            assert node.answers(), "others are served meanwhile"
            opened.settimeout(20)
            while opened.recv(4096):
                continue
        except ConnectionError:
            pass


@pytest.mark.timeout(120)
def test_many_connections_that_say_nothing_do_not_starve_a_requester(node: ResearchNode) -> None:
    """As many as a peer may have leave no room; they end by the ARTIM timeout."""
    silent = [socket.create_connection(("127.0.0.1", node.port), timeout=5) for _ in range(9)]
    started = time.monotonic()
    assert node.answers()
    record("research hardness", "C-ECHO beside nine silent connections",
           round(1000 * (time.monotonic() - started)), "ms")  # fmt: skip
    for each in silent:
        each.close()


def test_what_was_refused_stands_in_the_log_without_its_values(node: ResearchNode) -> None:
    for keyword in ("PatientName", "PatientID", "StudyDescription", "StudyDate"):
        _final(node, _identifier("STUDY", StudyInstanceUID="", **{keyword: f"{_CANARY}*"}), "study")
    assert _CANARY.lower() not in node.log.lower()
    assert Path(node.config).exists()
