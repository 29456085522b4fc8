"""Command sets, fragments, contexts and peers, without a network."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
import struct
import threading
from io import BytesIO

import pydicom
import pytest
from pynetdicom import build_context
from pynetdicom.dimse_messages import C_STORE_RQ, DIMSEMessage
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu import P_DATA_TF
from pynetdicom.presentation import AllStoragePresentationContexts

from updp_node.dimse import status
from updp_node.dimse.commands import (
    Command,
    CommandError,
    decode_command,
    encode_file_head,
    encode_response,
)
from updp_node.dimse.connections import Connections
from updp_node.dimse.contexts import choose_contexts, is_storage
from updp_node.dimse.pdata import (
    BUFFER_BYTES,
    TICK_S,
    ConnectionLostError,
    DamagedDataError,
    DataReader,
    ReadingEndedError,
)
from updp_node.dimse.peers import Peer, check_peer

CT = "1.2.840.10008.5.1.4.1.1.2"


def store_message(data: bytes, max_pdu: int) -> tuple[bytes, bytes]:
    """A C-STORE-RQ as pynetdicom sends it: its P-DATA-TF PDUs, and the command set."""
    request = C_STORE()
    request.MessageID = 7
    request.AffectedSOPClassUID = CT
    request.AffectedSOPInstanceUID = "1.2.3"
    request.Priority = 2
    request.DataSet = BytesIO(data)
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    primitives = list(message.encode_msg(1, max_pdu))
    values = [primitive.presentation_data_value_list[0][1] for primitive in primitives]
    command = b"".join(value[1:] for value in values if value[0] & 1)
    return b"".join(P_DATA_TF(primitive).encode() for primitive in primitives), command


def reader_of(sent: bytes, piece: int = 1 << 16) -> DataReader:
    """A reader of a real connection, whose other end sends in pieces and closes."""
    ours, theirs = socket.socketpair()
    ours.settimeout(TICK_S)

    def send() -> None:
        with theirs:
            for start in range(0, len(sent), piece):
                theirs.sendall(sent[start : start + piece])

    threading.Thread(target=send, daemon=True).start()
    return DataReader(ours, lambda: False)


def test_a_c_store_request_of_pynetdicom_is_read() -> None:
    _, encoded = store_message(b"data", 16382)
    assert decode_command(encoded) == Command(0x0001, 7, CT, "1.2.3", True)


def test_pynetdicom_reads_our_response() -> None:
    encoded = encode_response(Command(0x0001, 7, CT, "1.2.3", True), 5, 0xA700)
    pdu = P_DATA_TF()
    pdu.decode(encoded)
    message = DIMSEMessage()
    assert message.decode_msg(pdu.to_primitive())
    response = message.message_to_primitive()
    assert message.context_id == 5
    assert response.Status == 0xA700
    assert response.MessageIDBeingRespondedTo == 7
    assert response.AffectedSOPClassUID == CT
    assert response.AffectedSOPInstanceUID == "1.2.3"
    assert message.command_set.CommandGroupLength == len(encoded) - 12 - 12


@pytest.mark.parametrize(
    "encoded",
    [b"", b"\0" * 7, struct.pack("<HHI", 0, 0x0100, 99), struct.pack("<HHIH", 8, 0x0100, 2, 1)],
)
def test_what_is_no_command_set_is_an_error(encoded: bytes) -> None:
    with pytest.raises(CommandError):
        decode_command(encoded)


def test_text_in_place_of_a_uid_is_not_taken_over() -> None:
    elements = b"".join(
        struct.pack("<HHI", 0, element, len(value)) + value
        for element, value in (
            (0x0002, b"1.2.3\0"), (0x0100, b"\1\0"), (0x0110, b"\1\0"), (0x0800, b"\0\0"),
            (0x1000, b"DOE^JANE"),
        )
    )  # fmt: skip
    assert decode_command(elements).sop_instance_uid == ""


def test_the_head_of_a_staged_file_is_read_by_pydicom() -> None:
    head = encode_file_head(CT, "1.2.3", "1.2.840.10008.1.2.1")
    instance = pydicom.dcmread(BytesIO(head))
    assert instance.file_meta.MediaStorageSOPClassUID == CT
    assert instance.file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert instance.file_meta.FileMetaInformationGroupLength == len(head) - 132 - 12


@pytest.mark.parametrize("max_pdu", [0, 50, 16382, 131072])
@pytest.mark.parametrize("piece", [7, 1 << 16])
def test_a_data_set_arrives_whole_however_it_is_cut(max_pdu: int, piece: int) -> None:
    size = 5000 if piece == 7 else 3 * BUFFER_BYTES + 11
    data = hashlib.shake_128(b"seed").digest(5000 if max_pdu == 50 else size)
    pdus, command = store_message(data, max_pdu)
    release = struct.pack(">BxIxxxx", 0x05, 4)
    reader = reader_of(pdus + pdus + release, piece)
    for _ in range(2):
        received = bytearray()
        encoded = b""
        is_last = False
        while not is_last:
            fragment = reader.next_fragment()
            assert fragment is not None
            assert fragment.is_command
            is_last = fragment.is_last
            encoded += reader.read_command(65536)
        assert encoded == command
        reader.read_data(1, received.extend)
        assert bytes(received) == data
    assert reader.next_fragment() is None
    assert reader.unread == release[: len(reader.unread)]
    assert len(reader.unread) >= 6


def test_an_item_longer_than_its_pdu_is_refused() -> None:
    with pytest.raises(DamagedDataError):
        reader_of(struct.pack(">BxIIBB", 4, 100, 5000, 1, 3)).next_fragment()


def test_a_connection_that_ends_within_a_data_set_is_lost() -> None:
    pdus, _ = store_message(bytes(1000), 0)
    reader = reader_of(pdus[:-500])
    reader.next_fragment()
    reader.read_command(65536)
    with pytest.raises(ConnectionLostError):
        reader.read_data(1, lambda _: None)


def test_a_silent_peer_is_given_up() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.01)
        reader = DataReader(ours, lambda: False)
        reader.timeout_s = 0.05
        with pytest.raises(ReadingEndedError):
            reader.next_fragment()


def test_every_storage_class_private_and_unknown_ones_are_accepted() -> None:
    for context in AllStoragePresentationContexts:
        assert is_storage(str(context.abstract_syntax))
    assert is_storage("1.2.826.0.1.3680043.9.9999.1")
    assert is_storage("1.2.840.10008.5.1.4.1.1.99999")


@pytest.mark.parametrize(
    "uid",
    [
        "1.2.840.10008.5.1.4.1.2.2.1",  # Study Root FIND
        "1.2.840.10008.1.20.1",  # Storage Commitment Push Model
        "1.2.840.10008.1.3.10",  # Media Storage Directory
        "1.2.840.10008.3.1.2.3.3",  # Modality Performed Procedure Step
        "1.2.840.10008.1.2",  # a transfer syntax
    ],
)
def test_what_is_no_storage_class_is_not_accepted(uid: str) -> None:
    assert choose_contexts([build_context(uid)]) == []


def test_the_senders_first_syntax_is_taken_and_big_endian_only_alone() -> None:
    big, little, jpeg = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70"
    contexts = choose_contexts([build_context(CT, [jpeg, little])])
    assert contexts[0].transfer_syntax == [jpeg]
    assert choose_contexts([build_context(CT, [big, little])])[0].transfer_syntax == [little]
    assert choose_contexts([build_context(CT, [big])])[0].transfer_syntax == [big]
    both = choose_contexts([build_context(CT, [jpeg]), build_context(CT, [little])])
    assert both[0].transfer_syntax == [jpeg, little]


def test_peers_are_known_by_title_by_address_or_by_both() -> None:
    ward = ipaddress.ip_network("10.1.0.0/16")
    peers = (Peer("PACS", (ward,)), Peer("ANYWHERE"), Peer(None, (ipaddress.ip_network("::1"),)))
    assert check_peer(peers, "PACS", "10.1.2.3") is None
    assert check_peer(peers, "PACS ", "::ffff:10.1.2.3") is None
    assert check_peer(peers, "PACS", "10.2.2.3") == status.ADDRESS
    assert check_peer(peers, "ANYWHERE", "192.0.2.1") is None
    assert check_peer(peers, "WHOEVER", "::1") is None
    assert check_peer(peers[:2], "WHOEVER", "10.1.2.3") == status.CALLING_AE_TITLE
    assert check_peer((), "PACS", "10.1.2.3") == status.CALLING_AE_TITLE


def test_associations_are_counted_together_and_by_peer() -> None:
    connections = Connections(
        max_associations=3, per_peer_associations=2, max_half_open=1, half_open_s=1
    )
    peer, other = ("PACS", "10.1.2.3"), ("CT1", "10.1.2.4")
    assert connections.admit("a", peer) is None
    assert connections.admit("b", peer) is None
    assert connections.admit("c", peer) == status.TOO_MANY_OF_PEER
    assert connections.admit("d", other) is None
    assert connections.admit("e", other) == status.TOO_MANY
    connections.leave("a")
    assert connections.admit("f", other) is None


def test_the_oldest_half_open_connection_makes_way() -> None:
    connections = Connections(
        max_associations=1, per_peer_associations=1, max_half_open=1, half_open_s=-1
    )
    (first, first_end), (second, second_end) = socket.socketpair(), socket.socketpair()
    with first, first_end, second, second_end:
        connections.arrive(("a", 1), first)
        connections.arrive(("b", 2), second)
        assert first_end.recv(1) == b""
        assert connections.expire() == 1
        assert second_end.recv(1) == b""
        assert connections.expire() == 0
