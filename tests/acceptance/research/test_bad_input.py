"""Bad input: the standard's status, bounded memory, no traceback; others are served meanwhile."""

from __future__ import annotations

import os
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_FIND, C_MOVE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
)

from tests.acceptance.figures import record
from tests.acceptance.research.asking import ask, association
from tests.acceptance.research.process import ResearchNode, running_research

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
    """The status of a C-FIND whose identifier is these bytes; -1 if the association ended."""
    entity = AE("REQ_A")
    entity.dimse_timeout = entity.network_timeout = 20
    entity.add_requested_context(sop_class, "1.2.840.10008.1.2")
    opened = entity.associate("127.0.0.1", node.port, ae_title="RESEARCH_QR")
    assert opened.is_established
    request = C_FIND()
    request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, sop_class, 2
    request.Identifier = BytesIO(raw)
    opened.dimse.send_msg(request, opened.accepted_contexts[0].context_id)
    while True:
        _, answer = opened.dimse.get_msg(block=True)
        if answer is None or answer.Status not in (0xFF00, 0xFF01):
            break
    if opened.is_established:
        opened.abort()
    return -1 if answer is None else int(answer.Status)


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
        {"StudyInstanceUID": "1" * 5000}, {"PatientAge": "old"}, {"PatientWeight": "NaN"},
        {"StudyDate": f"{_CANARY}-"}, {"NumberOfStudyRelatedInstances": "lots"},
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
    if "NumberOfStudyRelatedInstances" not in keys and status == 0x0000:
        dated = [each for each in answers if all(each.get(keyword) for keyword in keys)]
        assert not dated, "what has a value does not match"


def _element(group: int, element: int, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", group, element, len(value) if length is None else length) + value


_LEVEL = _element(8, 0x52, b"STUDY ")
_MALFORMED: dict[str, bytes] = {
    "cut amid a tag": _LEVEL + b"\x20\x00",
    "cut amid a value": _LEVEL + _element(0x10, 0x20, b"ab", length=4000),
    "length of 4 GB": _LEVEL + _element(0x10, 0x20, b"ab", length=0xFFFFFFFE),
    "undefined length of text": _LEVEL + _element(0x10, 0x20, b"ab", length=0xFFFFFFFF),
    "tags in descending order": _element(0x10, 0x20, b"") + _LEVEL + _element(8, 0x20, b""),
    "twice the same tag": _LEVEL + _LEVEL + _element(0x20, 0xD, b""),
    "rubbish": random.Random(1).randbytes(5000),
    "zeros": bytes(4096),
    "group 2": _element(2, 0x10, b"1.2.840.10008.1.2\0") + _LEVEL,
    "unknown character set": _element(8, 5, b"KLINGON ") + _LEVEL + _element(0x10, 0x10, b"a\xff*"),
    "odd bytes for a character set": _element(8, 5, b"ISO_IR 192")
    + _LEVEL + _element(0x10, 0x10, b"\xff\xfe\x80*"),
    "sequence that never ends": _LEVEL + _element(0x40, 0x275, b"", length=0xFFFFFFFF)
    + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" * 50,
    "sequences in sequences": _LEVEL + (_element(0x40, 0x275, b"", length=0xFFFFFFFF)
                                        + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 20000,
    "empty": b"",
}  # fmt: skip


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(_MALFORMED))
def test_a_malformed_identifier_is_answered_with_a_status(node: ResearchNode, name: str) -> None:
    started = time.monotonic()
    status = _raw_status(node, _MALFORMED[name])
    assert _is_failure(status) or status in (0x0000, -1), hex(status)
    assert time.monotonic() - started < 15
    if name in {"cut amid a value", "length of 4 GB", "rubbish", "zeros", "empty"}:
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
        lambda: _deep(300),
    ],
    ids=["50,000 UIDs", "a name of 1 MB", "20,000 wild cards", "60,000 question marks",
         "60,000 asterisks", "30,000 values", "sequences 300 deep"],
)  # fmt: skip
def test_an_oversized_identifier_takes_neither_long_nor_much_memory(
    node: ResearchNode, make: Callable[[], Dataset]
) -> None:
    started = time.monotonic()
    status = _final(node, make(), "study")
    assert status == 0x0000 or _is_failure(status), hex(status)
    assert time.monotonic() - started < 20
    assert node.peak_mb() < 400


def _deep(levels: int) -> Dataset:
    inner = _identifier(None, CodeValue="x")
    for _ in range(levels):
        outer = Dataset()
        outer.ConceptCodeSequence = Sequence([inner])
        inner = outer
    identifier = _identifier("STUDY", StudyInstanceUID="")
    identifier.ProcedureCodeSequence = Sequence([inner])
    return identifier


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


def test_a_malformed_retrieval_is_answered_with_a_status(node: ResearchNode) -> None:
    for raw in _MALFORMED.values():
        entity = AE("REQ_A")
        entity.dimse_timeout = 20
        entity.add_requested_context(PatientRootQueryRetrieveInformationModelMove,
                                     "1.2.840.10008.1.2")  # fmt: skip
        opened = entity.associate("127.0.0.1", node.port, ae_title="RESEARCH_QR")
        request = C_MOVE()
        request.MessageID, request.Priority = 1, 2
        request.AffectedSOPClassUID = PatientRootQueryRetrieveInformationModelMove
        request.MoveDestination = "REQ_A"
        request.Identifier = BytesIO(raw)
        opened.dimse.send_msg(request, opened.accepted_contexts[0].context_id)
        _, answer = opened.dimse.get_msg(block=True)
        opened.abort()
        assert answer is None or answer.Status not in (0x0000, 0xFF00), answer.Status


_RUBBISH: dict[str, bytes] = {
    "random bytes": random.Random(2).randbytes(100_000),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a PDU of 4 GB": struct.pack(">BxI", 1, 0xFFFFFFFF) + bytes(100_000),
    "P-DATA before an association": struct.pack(">BxI", 4, 6) + struct.pack(">IBB", 2, 1, 3),
    "half an A-ASSOCIATE-RQ": struct.pack(">BxI", 1, 200) + bytes(50),
    "an A-ASSOCIATE-RQ of zeros": struct.pack(">BxI", 1, 68) + bytes(68),
    "an A-ASSOCIATE-RQ of rubbish items": struct.pack(">BxI", 1, 1068)
    + b"\0\1\0\0" + b"RESEARCH_QR     REQ_A           " + bytes(32)
    + random.Random(3).randbytes(1000),
    "nothing": b"",
    "a TLS greeting": bytes.fromhex("16030100c8010000c40303") + os.urandom(190),
}  # fmt: skip


@pytest.mark.parametrize("name", list(_RUBBISH))
def test_rubbish_on_the_port_is_cut_off_and_others_are_served(
    node: ResearchNode, name: str
) -> None:
    with socket.create_connection(("127.0.0.1", node.port), timeout=20) as opened:
        try:
            opened.sendall(_RUBBISH[name])
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
