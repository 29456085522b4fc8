"""A C-FIND requester that does next to nothing with answers, so that the server is measured."""

from __future__ import annotations

import io
import socket
import struct
import time
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"
_IMPLICIT = "1.2.840.10008.1.2"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Timing:
    """One query: seconds to the first answer and to the last, and how many there were."""

    first_s: float
    total_s: float
    answers: int
    status: int


class Requester:
    """An association for the Study Root, opened by hand (PS3.8 9.3).

    Parameters
    ----------
    port : int
    called, calling : str
    relational : bool
        Offer relational queries (PS3.4 C.5.1.1).
    """

    def __init__(
        self, port: int, *, called: str, calling: str = "BENCH", relational: bool = True
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self._socket.makefile("rb", buffering=_CHUNK)
        self._message = 0
        self._socket.sendall(_request(called, calling, relational=relational))
        kind, _ = self._read_pdu()
        if kind != 2:
            raise RuntimeError(f"no association: PDU type {kind}")

    def find(self, identifier: Dataset) -> Timing:
        """Ask and read everything."""
        self._message = self._message % 65535 + 1
        command, question = _command(self._message), _encoded(identifier)
        started = time.perf_counter()
        self._socket.sendall(_pdata(command, 3) + _pdata(question, 2))
        first = None
        for count, status in enumerate(self._statuses()):
            if status not in (0xFF00, 0xFF01):
                total = time.perf_counter() - started
                return Timing(first or total, total, count, status)
            first = first or time.perf_counter() - started
        raise RuntimeError("the association ended")

    def close(self) -> None:
        """Release the association."""
        self._socket.sendall(struct.pack(">BxI4x", 5, 4))
        self._read_pdu()
        self._socket.close()

    def _statuses(self):
        """The status of each response, once its identifier has come whole."""
        status, command, awaited = 0, b"", False
        while True:
            kind, body = self._read_pdu()
            if kind != 4:
                return
            at = 0
            while at < len(body):
                (length,) = struct.unpack_from(">I", body, at)
                control = body[at + 5]
                if control & 1:
                    command += body[at + 6 : at + 4 + length]
                    if control & 2:
                        status, awaited = _read_command(command)
                        command = b""
                        if not awaited:
                            yield status
                elif control & 2:
                    yield status
                at += 4 + length

    def _read_pdu(self) -> tuple[int, bytes]:
        header = self._input.read(6)
        if len(header) < 6:
            return 0, b""
        kind, length = struct.unpack(">BxI", header)
        return kind, self._input.read(length)


def _request(called: str, calling: str, *, relational: bool) -> bytes:
    context = b"\x01\0\0\0" + _item(0x30, STUDY_ROOT.encode()) + _item(0x40, _IMPLICIT.encode())
    user = _item(0x51, struct.pack(">I", 1 << 18)) + _item(0x52, b"2.25.4711")
    if relational:
        root = STUDY_ROOT.encode()
        user += _item(0x56, struct.pack(">H", len(root)) + root + b"\x01\0\0\0")
    body = struct.pack(">Hxx16s16s32x", 1, called.ljust(16).encode(), calling.ljust(16).encode())
    body += _item(0x10, b"1.2.840.10008.3.1.1.1") + _item(0x20, context) + _item(0x50, user)
    return struct.pack(">BxI", 1, len(body)) + body


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _pdata(content: bytes, control: int) -> bytes:
    value = struct.pack(">IBB", len(content) + 2, 1, control) + content
    return struct.pack(">BxI", 4, len(value)) + value


def _command(message: int) -> bytes:
    command = Dataset()
    command.AffectedSOPClassUID, command.CommandField = STUDY_ROOT, 0x0020
    command.MessageID, command.Priority, command.CommandDataSetType = message, 0, 1
    raw = _encoded(command)
    return struct.pack("<HHII", 0, 0, 4, len(raw)) + raw


def _encoded(dataset: Dataset) -> bytes:
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = buffer.is_little_endian = True
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def _read_command(raw: bytes) -> tuple[int, bool]:
    """Status, and whether an identifier follows."""
    status, follows = -1, False
    buffer = io.BytesIO(raw)
    while header := buffer.read(8):
        _, element, length = struct.unpack("<HHI", header)
        value = buffer.read(length)
        if element == 0x0900:
            (status,) = struct.unpack("<H", value)
        elif element == 0x0800:
            follows = value != b"\x01\x01"
    return status, follows
