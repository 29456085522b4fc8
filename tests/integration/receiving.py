"""A receiver with its real index, and what DCMTK sends to it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from sqlalchemy import select

from updp_node.dimse.receiver import Receiver, ReceiverSettings, start_receiver
from updp_node.model import Received
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.files import Staging
from updp_node.storage.intake import Intake
from updp_node.storage.tables import AssociationRow, Identified, InstanceRow

CANARY = "CANARYNAME"


@dataclass(frozen=True)
class Running:
    """A receiver that runs, and where its instances and rows are."""

    receiver: Receiver
    root: Path
    url: str

    @property
    def port(self) -> int:
        return self.receiver.address[1]

    def rows(self) -> list[Any]:
        return self._all_of(InstanceRow)

    def associations(self) -> list[Any]:
        return self._all_of(AssociationRow)

    def _all_of(self, table: type[Identified]) -> list[Any]:
        engine = open_engine(self.url)
        with engine.connect() as connection:
            rows = list(connection.execute(select(table.__table__)))
        engine.dispose()
        return rows

    def files(self) -> list[Path]:
        return [path for path in (self.root / "staged").rglob("*") if path.is_file()]


@contextmanager
def running(root: Path, **changes: Any) -> Iterator[Running]:
    """Run a receiver that admits everybody unless `changes` of its settings say otherwise."""
    root.mkdir(parents=True, exist_ok=True)
    url = sqlite_url(root / "identified.sqlite")
    migrate(url, "identified")
    intake = Intake(open_engine(url), root)
    settings = ReceiverSettings(
        ae_title="UPDP", host="127.0.0.1", port=0, staging=Staging(root / "staged"), allow_any=True
    )
    receiver = start_receiver(replace(settings, **changes), intake)
    try:
        yield Running(receiver, root, url)
    finally:
        receiver.stop(drain_s=1)
        intake.close()


class SlowIntake:
    """An intake that waits for a signal before a row counts as durable."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.recorded: list[Received] = []

    def record(self, received: Received) -> None:
        self.release.wait(20)
        self.recorded.append(received)

    def opened(self, association_id: str, calling_ae_title: str, peer_address: str) -> None:
        pass

    def touched(self, association_id: str) -> None:
        pass

    def closed(self, association_id: str) -> None:
        pass


def dcmtk(program: str, *arguments: object, nodelay: bool = True) -> subprocess.Popen[str]:
    """Start a DCMTK program; never pynetdicom's program of the same name."""
    path = Path("/usr/bin") / program
    if not path.exists():
        found = shutil.which(program)
        if found is None:
            pytest.skip(f"DCMTK IS NOT INSTALLED: no {program} (scripts/setup installs it)")
        path = Path(found)
    return subprocess.Popen(
        [str(path), *map(str, arguments)],
        env={"TCP_NODELAY": "1"} if nodelay else {},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_dcmtk(program: str, *arguments: object, nodelay: bool = True) -> tuple[int, str]:
    """Run a DCMTK program to its end: exit code and output."""
    process = dcmtk(program, *arguments, nodelay=nodelay)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def write_instance(
    path: Path,
    number: int,
    *,
    size_bytes: int = 4096,
    sop_class_uid: str = CTImageStorage,
    transfer_syntax_uid: str = ExplicitVRLittleEndian,
) -> Dataset:
    """An instance as a file for DCMTK to send."""
    instance = Dataset()
    instance.SOPClassUID = sop_class_uid
    instance.SOPInstanceUID = f"1.2.3.4.{number}"
    instance.StudyInstanceUID = "1.2.3"
    instance.SeriesInstanceUID = "1.2.3.4"
    instance.PatientName = CANARY
    instance.PatientID = CANARY
    pixels = bytes(size_bytes)
    if UID(transfer_syntax_uid).is_encapsulated:
        pixels = encapsulate([b"\xff\xd8" + bytes(size_bytes) + b"\xff\xd9"])
    instance.add_new("PixelData", "OB", pixels)
    instance["PixelData"].is_undefined_length = UID(transfer_syntax_uid).is_encapsulated
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = UID(transfer_syntax_uid)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, instance, enforce_file_format=True)
    return instance


def data_set_bytes(path: Path) -> bytes:
    """What stands in a Part 10 file after its File Meta Information."""
    with path.open("rb") as file:
        file.seek(132)
        meta = pydicom.filereader._read_file_meta_info(file)
        file.seek(132 + 12 + meta.FileMetaInformationGroupLength)
        return file.read()
