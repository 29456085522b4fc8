"""Answers, command sets and presentation contexts of the research side, without a network."""

from __future__ import annotations

import socket
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)
from pynetdicom import build_context
from pynetdicom.dimse_messages import C_GET_RSP, C_STORE_RQ

from updp_node.dimse.answers import AnswerEncoder
from updp_node.dimse.charsets import CharsetError, requested_charset
from updp_node.dimse.commands import C_GET_RQ, Command, decode_command
from updp_node.dimse.moving import propose
from updp_node.dimse.pdata import TICK_S, DataReader, ReadingEndedError
from updp_node.dimse.research_commands import Counts, encode_answer, encode_store
from updp_node.dimse.research_contexts import (
    INFORMATION_MODELS,
    answer_extension,
    choose_research_contexts,
)
from updp_node.dimse.sending import DataWriter, ShortFileError

STUDY_FIND, STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2"
VALUES: dict[str, Any] = {
    "PatientName": "Doe^John=山田^太郎",
    "PatientID": "odd",
    "StudyInstanceUID": "1.2.3",
    "ModalitiesInStudy": ["CR", "SR"],
    "NumberOfStudyRelatedInstances": 12,
    "PatientSize": 1.75,
    "SmallestImagePixelValue": 3,
    "Rows": 512,
    "FrameIncrementPointer": [0x00181063, 0x00181065],
    "RecommendedDisplayFrameRateInFloat": 29.5,
    "TextValue": "long text",
    "PatientComments": "",
}


def model() -> Dataset:
    made = Dataset()
    for keyword, value in VALUES.items():
        setattr(made, keyword, value)
    item, nested = Dataset(), Dataset()
    nested.CodeValue = "N"
    item.CodeValue, item.CodeMeaning = "T-1", "Äußerst"
    item.PurposeOfReferenceCodeSequence = [nested]
    made.ProcedureCodeSequence = [item, Dataset()]
    return made


@pytest.mark.parametrize("is_implicit", [True, False])
def test_an_answer_reads_as_the_data_set_it_was(is_implicit: bool) -> None:
    source = model()
    encoded = AnswerEncoder(is_implicit=is_implicit).encode(source.to_json_dict())
    read = read_dataset(BytesIO(encoded), is_implicit, True)
    assert read.SpecificCharacterSet == "ISO_IR 192"
    del read.SpecificCharacterSet
    source["SmallestImagePixelValue"].VR = "US"
    assert read.to_json_dict() == source.to_json_dict()
    tags = [int(element.tag) for element in read]
    assert encoded.startswith(b"\x08\x00\x05\x00")
    assert tags == sorted(tags)


def test_a_list_too_long_for_a_short_length_is_still_whole() -> None:
    uids = [f"1.2.826.0.1.3680043.8.498.{number:020d}" for number in range(2000)]
    answer = {"00080058": {"vr": "UI", "Value": uids}}
    encoded = AnswerEncoder(is_implicit=False).encode(answer)
    read = read_dataset(BytesIO(encoded), False, True)
    assert read["FailedSOPInstanceUIDList"].VR == "UN"  # PS3.5 6.2.2
    assert read.FailedSOPInstanceUIDList.decode().rstrip("\0").split("\\") == uids


def test_a_number_is_never_longer_than_a_decimal_string() -> None:
    answer = {"00101020": {"vr": "DS", "Value": [1 / 3, -1.23456789012345e-300, 1e16]}}
    encoded = AnswerEncoder(is_implicit=True).encode(answer)
    texts = encoded[8:].decode().strip().split("\\")
    assert all(len(text) <= 16 for text in texts)
    assert [float(text) for text in texts] == pytest.approx([1 / 3, -1.23456789012345e-300, 1e16])


@pytest.mark.parametrize("terms", [("ISO_IR 999",), ("",), (), ("ISO_IR 100", "nonsense")])
def test_character_sets_that_nobody_knows_are_not_used(terms: tuple[str, ...]) -> None:
    assert requested_charset(terms) is None


def test_a_character_set_says_what_it_cannot_carry() -> None:
    charset = requested_charset(("ISO_IR 100",))
    assert charset is not None
    with pytest.raises(CharsetError):
        charset.encode("Łukasz")


def test_pynetdicom_reads_our_command_sets() -> None:
    request = Command(C_GET_RQ, 7, "1.2.840.10008.5.1.4.1.2.2.3", "", True)
    encoded = encode_answer(
        request, 0xB000, comment="x" * 99, counts=Counts(1, 2, 3, 70_000), is_over=False,
        offending=0x0020000D,
    )  # fmt: skip
    message = C_GET_RSP()
    message.command_set = read_dataset(BytesIO(encoded), True, True)
    answer = message.command_set
    assert (answer.Status, answer.MessageIDBeingRespondedTo) == (0xB000, 7)
    assert answer.NumberOfRemainingSuboperations == 1
    assert answer.NumberOfCompletedSuboperations == 2
    assert answer.NumberOfFailedSuboperations == 3
    assert answer.NumberOfWarningSuboperations == 0xFFFF
    assert len(answer.ErrorComment) == 64
    assert answer.OffendingElement == 0x0020000D
    stored = encode_store("1.2", "1.2.3", 9, ("ME", 7))
    assert decode_command(stored).sop_instance_uid == "1.2.3"
    store = C_STORE_RQ()
    store.command_set = read_dataset(BytesIO(stored), True, True)
    assert store.command_set.MoveOriginatorApplicationEntityTitle == "ME"
    assert store.command_set.MoveOriginatorMessageID == 7


@pytest.mark.parametrize(
    ("uid", "asked", "answered"),
    [
        (STUDY_FIND, b"\1\1\1", b"\1\1\0"),
        (STUDY_FIND, b"\1", b"\1"),
        (STUDY_FIND, b"\0\1\1\1\1\1", b"\0\1\0\0\0"),
        (STUDY_FIND, b"\2", b"\0"),
        (STUDY_FIND, b"", None),
        (STUDY_MOVE, b"\1\1", b"\1\0"),
        (CTImageStorage, b"\1", None),
    ],
)
def test_extensions_are_answered_byte_by_byte(
    uid: str, asked: bytes, answered: bytes | None
) -> None:
    assert answer_extension(uid, asked) == answered


def test_six_information_models_are_there() -> None:
    assert sorted(INFORMATION_MODELS) == [
        f"1.2.840.10008.5.1.4.1.2.{root}.{operation}" for root in (1, 2) for operation in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("syntaxes", "stored", "chosen"),
    [
        ((JPEG2000Lossless, ExplicitVRLittleEndian), (), ExplicitVRLittleEndian),
        ((JPEG2000Lossless, ExplicitVRLittleEndian), (JPEG2000Lossless,), JPEG2000Lossless),
        (
            (JPEG2000Lossless, ImplicitVRLittleEndian),
            (JPEG2000Lossless, ExplicitVRLittleEndian), ImplicitVRLittleEndian,
        ),
        ((JPEG2000Lossless,), (ExplicitVRLittleEndian,), JPEG2000Lossless),
    ],
)  # fmt: skip
def test_the_transfer_syntax_of_a_storage_context_is_one_that_can_be_served(
    syntaxes: tuple[str, ...], stored: tuple[str, ...], chosen: str
) -> None:
    proposed = [build_context(CTImageStorage, list(syntaxes))]
    (context,) = choose_research_contexts(
        proposed, frozenset({CTImageStorage}), {CTImageStorage: stored}
    )
    assert context.transfer_syntax == [chosen]
    assert (context.scu_role, context.scp_role) == (False, True)
    assert choose_research_contexts(proposed, frozenset(), {}) == []


def test_proposals_are_split_where_contexts_do_not_suffice() -> None:
    stored = {f"1.2.{number}": frozenset({ExplicitVRLittleEndian}) for number in range(100)}
    groups = list(propose(stored))
    assert [len(group) for group in groups] == [128, 72]
    assert groups[0][0][1] == (ExplicitVRLittleEndian,)
    assert groups[0][1][1] == (ImplicitVRLittleEndian,)


@pytest.mark.parametrize("max_length", [0, 128, 4095, 16384, 1 << 22])
@pytest.mark.parametrize("size", [2, 122, 8178, 300_000, 1_000_000])
def test_a_file_comes_out_of_its_fragments_as_it_was(
    tmp_path: Path, max_length: int, size: int
) -> None:
    content = bytes(number * 7 % 251 for number in range(size))
    path = tmp_path / "file"
    path.write_bytes(b"head" + content)
    sender, taker = socket.socketpair()
    sender.settimeout(TICK_S)
    taker.settimeout(TICK_S)
    received = bytearray()
    reader = DataReader(taker, lambda: False)
    thread = threading.Thread(target=lambda: reader.read_data(3, received.extend))
    thread.start()
    with path.open("rb") as file, sender, taker:
        writer = DataWriter(sender, max_length, 5, lambda: False)
        writer.send_file(3, file.fileno(), 4, size)
        thread.join(10)
    assert bytes(received) == content


def test_a_file_that_is_shorter_than_it_was_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    sender, taker = socket.socketpair()
    with path.open("rb") as file, sender, taker:
        writer = DataWriter(sender, 128, 5, lambda: False)
        with pytest.raises(ShortFileError):
            writer.send_file(3, file.fileno(), 4, 110)


def test_a_peer_that_takes_nothing_ends_the_writing() -> None:
    sender, taker = socket.socketpair()
    sender.settimeout(0.1)
    with sender, taker:
        writer = DataWriter(sender, 0, 0.2, lambda: False)
        with pytest.raises(ReadingEndedError):
            writer.send(bytes(1 << 24))
        stopped = DataWriter(sender, 0, 60, lambda: True)
        with pytest.raises(ReadingEndedError):
            stopped.send(bytes(1 << 24))
