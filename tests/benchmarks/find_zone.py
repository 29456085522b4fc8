"""A big released zone that exists in its index only, and its objects for an archive to load."""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from sqlalchemy import insert

from updp_node.query.levels import Level
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.description import Description, describe, dump
from updp_node.storage.released_tables import (
    InstanceEntity,
    PatientEntity,
    SeriesEntity,
    StudyEntity,
    SyntaxEntity,
)

PER_SERIES = 25
SERIES = 2
PROJECT = "bench"
_PATTERN_UID = f"2.25.7{0:030d}"
CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
_FAMILY = """Andersson Becker Costa Dubois Eriksen Fischer García Horváth Ivanova Jensen Kowalski
Lefèvre Müller Novák Okafor Petrov Quispe Rossi Schneider Tanaka Ueda Virtanen Weber Xu Yılmaz
Zhang""".split()
_BATCH = 20_000


@dataclass(frozen=True)
class Study:
    """What is asked about a study."""

    number: int
    uid: str
    patient: int
    patient_id: str
    name: str
    date: str


def make_study(number: int) -> Study:
    """Study number `number`: two of five are of a patient who had one before."""
    random_ = random.Random(number)
    patient = number // 5 * 3 + number % 5 % 3
    family = _FAMILY[patient % len(_FAMILY)]
    return Study(
        number, f"2.25.7{number:030d}", patient, f"bench-{patient:06d}",
        f"{family}{patient // len(_FAMILY):03d}^Person",
        f"{2006 + random_.randrange(20)}{1 + random_.randrange(12):02d}"
        f"{1 + random_.randrange(28):02d}",
    )  # fmt: skip


def make_instance(study: Study, series: int, position: int) -> Dataset:
    """The header of a CT slice as it would be released."""
    instance = Dataset()
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    instance.SOPClassUID, instance.SOPInstanceUID = CT, instance_uid(study, series, position)
    instance.StudyDate = instance.SeriesDate = instance.ContentDate = study.date
    instance.StudyTime, instance.SeriesTime = "101500", f"1016{series:02d}"
    instance.ContentTime = f"1017{position % 60:02d}.250"
    instance.AccessionNumber, instance.Modality = f"A{study.number:07d}", "CT"
    instance.Manufacturer, instance.StationName = "Maker", "ST1"
    instance.ReferringPhysicianName = ""
    instance.StudyDescription, instance.SeriesDescription = "Chest CT", f"AX {series} mm"
    instance.PatientName, instance.PatientID = study.name, study.patient_id
    instance.PatientBirthDate, instance.PatientSex, instance.PatientAge = "", "O", "061Y"
    instance.PatientIdentityRemoved = "YES"
    instance.BodyPartExamined, instance.SliceThickness, instance.KVP = "CHEST", "1.25", "120"
    instance.ProtocolName, instance.ConvolutionKernel = "Thorax routine", "B60f"
    instance.StudyInstanceUID, instance.SeriesInstanceUID = study.uid, f"{study.uid}.{series}"
    instance.StudyID, instance.SeriesNumber, instance.InstanceNumber = "1", series, position
    instance.ImagePositionPatient = ["-158.1", "-179.0", str(position * 1.25)]
    instance.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    instance.FrameOfReferenceUID = f"{study.uid}.9"
    instance.SliceLocation = str(position * 1.25)
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 1, "MONOCHROME2"
    instance.Rows = instance.Columns = 4
    instance.PixelSpacing = ["0.7", "0.7"]
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 16, 12, 11
    instance.PixelRepresentation = 0
    instance.WindowCenter, instance.WindowWidth = "40", "400"
    instance.add_new("PixelData", "OW", bytes(32))
    return instance


def instance_uid(study: Study, series: int, position: int) -> str:
    return f"{study.uid}.{series}.{100 + position}"


def encode_study(study: Study) -> Iterator[bytes]:
    """Every instance of a study as a file, by changing what is of one length in a pattern."""
    family = study.name.split("^")[0][:-3]
    changes = [
        (old.encode(), new.encode())
        for old, new in (
            (_PATTERN_UID, study.uid), ("bench-000000", study.patient_id),
            (f"{family}000^", f"{study.name.split('^')[0]}^"), ("19990101", study.date),
            ("A0000000", f"A{study.number:07d}"),
        )
    ]  # fmt: skip
    for raw in _patterns(family):
        for old, new in changes:
            raw = raw.replace(old, new)  # noqa: PLW2901 - one change after the other
        yield raw


@functools.cache
def _patterns(family: str) -> tuple[bytes, ...]:
    study = Study(0, _PATTERN_UID, 0, "bench-000000", f"{family}000^Person", "19990101")
    return tuple(encode(make_instance(study, *place)) for place in places())


def encode(instance: Dataset) -> bytes:
    """The instance as a Part 10 file."""
    instance.file_meta = FileMetaDataset()
    instance.file_meta.TransferSyntaxUID = EXPLICIT
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, instance, enforce_file_format=True)
    return buffer.getvalue()


def places() -> Iterator[tuple[int, int]]:
    """Series and position of each instance of a study."""
    return ((series, number) for series in (1, 2)[:SERIES] for number in range(1, PER_SERIES + 1))


def fill_index(path: Path, studies: int) -> None:
    """Make a released index of so many studies, 50 instances each, by bulk insert."""
    url = sqlite_url(path)
    migrate(url, "released")
    engine = open_engine(url)
    pattern = describe_one(path.parent)
    tables = (PatientEntity, StudyEntity, SeriesEntity, InstanceEntity)
    with engine.connect() as connection:
        for table, rows in zip(tables, _rows(pattern, studies), strict=True):
            while batch := list(islice(rows, _BATCH)):
                connection.execute(insert(table), batch)
        syntax = {"project": PROJECT, "sop_class_uid": CT, "transfer_syntax_uid": EXPLICIT}
        connection.execute(insert(SyntaxEntity), [syntax])
        connection.commit()
    engine.dispose()


def describe_one(folder: Path) -> Description:
    """How the node's own reader describes an instance; rows are made after its pattern."""
    path = folder / "pattern.dcm"
    path.write_bytes(encode(make_instance(make_study(0), 1, 1)))
    return describe(path)


def _rows(pattern: Description, studies: int) -> Iterator[Iterator[dict[str, object]]]:
    texts = {level: dump(pattern.attributes[level]) for level in Level}
    yield _patients(texts[Level.PATIENT], studies)
    yield _studies(texts[Level.STUDY], studies)
    yield _series(texts[Level.SERIES], studies)
    yield _instances(texts[Level.IMAGE], studies)


def _patients(text: str, studies: int) -> Iterator[dict[str, object]]:
    from updp_node.query.names import fold_name  # noqa: PLC0415 - the index's own folding

    first, seen = make_study(0), set()
    for study in map(make_study, range(studies)):
        if study.patient not in seen:
            seen.add(study.patient)
            changed = text.replace(first.name, study.name).replace(
                first.patient_id, study.patient_id
            )
            yield {"id": study.patient + 1, "project": PROJECT, "patient_id": study.patient_id,
                   "name_alphabetic": fold_name(study.name), "name_ideographic": "",
                   "name_phonetic": "", "attributes": changed}  # fmt: skip


def _studies(text: str, studies: int) -> Iterator[dict[str, object]]:
    first = make_study(0)
    for study in map(make_study, range(studies)):
        changed = text.replace(first.uid, study.uid).replace(first.date, study.date)
        changed = changed.replace("A0000000", f"A{study.number:07d}")
        yield {"id": study.number + 1, "patient_key": study.patient + 1, "project": PROJECT,
               "study_uid": study.uid, "study_date": study.date, "study_time": "101500000000",
               "accession_number": f"A{study.number:07d}", "attributes": changed}  # fmt: skip


def _series(text: str, studies: int) -> Iterator[dict[str, object]]:
    first = make_study(0)
    for study in map(make_study, range(studies)):
        for series in range(1, SERIES + 1):
            changed = text.replace(f"{first.uid}.1", f"{study.uid}.{series}")
            changed = changed.replace(first.uid, study.uid).replace(first.date, study.date)
            yield {"id": study.number * SERIES + series, "study_key": study.number + 1,
                   "series_uid": f"{study.uid}.{series}", "modality": "CT",
                   "attributes": changed.replace("AX 1 mm", f"AX {series} mm")}  # fmt: skip


def _instances(text: str, studies: int) -> Iterator[dict[str, object]]:
    first = make_study(0)
    first_uid = instance_uid(first, 1, 1)
    for study in map(make_study, range(studies)):
        for series, position in places():
            uid = instance_uid(study, series, position)
            changed = text.replace(first_uid, uid).replace(first.date, study.date)
            changed = changed.replace('"IS","Value":[1]', f'"IS","Value":[{position}]')
            yield {"sop_instance_uid": uid, "series_key": study.number * SERIES + series,
                   "project": PROJECT, "sop_class_uid": CT,
                   "transfer_syntax_uid": EXPLICIT, "number_of_frames": 1,
                   "size_bytes": 2000, "file": f"files/00/{uid}.dcm", "sha256": "0" * 64,
                   "released_at": 0.0, "superseded_by": None,
                   "attributes": changed.replace("1.25]", f"{position * 1.25}]")}  # fmt: skip
