"""A research SCP over an archive that lies in memory, with real files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from updp_node.dimse.research_server import ResearchServer, ResearchSettings, start_research
from updp_node.query.keys import matches
from updp_node.query.levels import UNIQUE, Level, level_of
from updp_node.query.query import Query, Selection
from updp_node.research.files import StoredFile, open_stored
from updp_node.research.transcode import transcode

PROJECT = frozenset({"project"})


@dataclass(frozen=True)
class MemoryStored:
    """One instance."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    file: str


@dataclass
class MemoryArchive:
    """Answers computed from the files, one after the other."""

    root: Path
    projects: frozenset[str] = PROJECT
    certificates: list[bytes | None] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    searched: list[Query] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    stored: list[tuple[MemoryStored, dict[str, Any]]] = field(default_factory=list)

    def add(self, instance: Dataset) -> None:
        file = f"{instance.SOPInstanceUID}.dcm"
        pydicom.dcmwrite(self.root / file, instance, enforce_file_format=True)
        found = instance.to_json_dict(bulk_data_threshold=1 << 30)
        found.pop("7FE00010", None)
        self.stored.append(
            (
                MemoryStored(
                    instance.SOPClassUID,
                    instance.SOPInstanceUID,
                    instance.file_meta.TransferSyntaxUID,
                    file,
                ),
                found,
            )
        )

    def admit(
        self, calling_ae_title: str, address: str, certificate: bytes | None
    ) -> frozenset[str]:
        self.certificates.append(certificate)
        return self.projects if calling_ae_title != "STRANGER" else frozenset()

    def stored_syntaxes(self, projects: frozenset[str]) -> Mapping[str, Sequence[str]]:
        syntaxes: dict[str, list[str]] = {}
        for stored, _ in self.stored:
            known = syntaxes.setdefault(stored.sop_class_uid, [])
            if stored.transfer_syntax_uid not in known:
                known.append(stored.transfer_syntax_uid)
        return syntaxes

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Mapping[str, Any]]:
        self.searched.append(query)
        seen = set()
        for found in [held for _, held in self.stored] + self.objects:
            unique = found[f"{UNIQUE[query.level]:08X}"]["Value"][0]
            if unique in seen or not all(
                matches(key, found.get(key.json_tag)) for key in query.keys
            ):
                continue
            seen.add(unique)
            wanted = {key.tag for key in query.keys} | {UNIQUE[query.level]}
            yield {
                f"{tag:08X}": found.get(f"{tag:08X}", {"vr": pydicom.datadict.dictionary_VR(tag)})
                for tag in wanted
                if level_of(tag) <= query.level
            }

    def select(self, selection: Selection, projects: frozenset[str]) -> Iterator[MemoryStored]:
        wanted = {
            Level.PATIENT: selection.patient_ids,
            Level.STUDY: selection.study_uids,
            Level.SERIES: selection.series_uids,
            Level.IMAGE: selection.instance_uids,
        }
        for stored, found in self.stored:
            held = {level: found[f"{tag:08X}"]["Value"][0] for level, tag in UNIQUE.items()}
            if all(not uids or held[level] in uids for level, uids in wanted.items()):
                yield stored

    def open(self, stored: MemoryStored) -> StoredFile:
        return open_stored(self.root, stored)

    def transcode(
        self, stored: MemoryStored, accepted: Sequence[str]
    ) -> AbstractContextManager[StoredFile]:
        return transcode(self.root / stored.file, accepted)


@contextmanager
def researching(archive: Any, **changes: Any) -> Iterator[ResearchServer]:
    """Run a research SCP."""
    settings = ResearchSettings("UPDPQR", "127.0.0.1", 0)
    server = start_research(replace(settings, **changes), archive)
    try:
        yield server
    finally:
        server.stop(drain_s=1)


def image(study: int = 1, series: int = 1, number: int = 1, **attributes: Any) -> Dataset:
    """A small image of a study; odd studies are of one patient, even ones of another."""
    made = Dataset()
    made.SOPClassUID = CTImageStorage
    made.SOPInstanceUID = f"1.2.3.{study}.{series}.{number}"
    made.StudyInstanceUID = f"1.2.3.{study}"
    made.SeriesInstanceUID = f"1.2.3.{study}.{series}"
    made.PatientID = f"P{study % 2}"
    made.PatientName = f"Surrogate^Number{study % 2}"
    made.StudyDate = f"202001{study:02d}"
    made.StudyTime = "101500"
    made.Modality = "CT"
    made.StudyDescription = f"Study {study}"
    made.SeriesNumber = series
    made.InstanceNumber = number
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows, made.Columns = 8, 10
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0
    made.PixelData = np.arange(80, dtype="<u2").tobytes()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return made
