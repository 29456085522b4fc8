"""The entities of a released zone, read from its files and its ledger (PS3.4 C.6)."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

LEVELS = ("PATIENT", "STUDY", "SERIES", "IMAGE")
UNIQUE = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

# PS3.4 C.6.1.1.2 to C.6.1.1.4 with the modules of PS3.3 C.7.1 to C.7.5 that belong to them;
# everything else is an attribute of the composite object.
_PATIENT = """PatientName PatientID PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs
OtherPatientNames EthnicGroup PatientComments IssuerOfPatientID NumberOfPatientRelatedStudies
NumberOfPatientRelatedSeries NumberOfPatientRelatedInstances""".split()
_STUDY = """StudyInstanceUID StudyDate StudyTime AccessionNumber StudyID StudyDescription
ReferringPhysicianName PhysiciansOfRecord NameOfPhysiciansReadingStudy ProcedureCodeSequence
AdmittingDiagnosesDescription PatientAge PatientSize PatientWeight Occupation
AdditionalPatientHistory ModalitiesInStudy SOPClassesInStudy NumberOfStudyRelatedSeries
NumberOfStudyRelatedInstances""".split()
_SERIES = """SeriesInstanceUID Modality SeriesNumber SeriesDescription SeriesDate SeriesTime
ProtocolName BodyPartExamined Laterality OperatorsName PerformingPhysicianName
RequestAttributesSequence PerformedProcedureStepID PerformedProcedureStepStartDate
PerformedProcedureStepStartTime PerformedProcedureStepDescription Manufacturer
ManufacturerModelName StationName SoftwareVersions InstitutionName FrameOfReferenceUID
NumberOfSeriesRelatedInstances""".split()
_LEVEL_OF = {
    tag_for_keyword(keyword): number
    for number, keywords in enumerate((_PATIENT, _STUDY, _SERIES))
    for keyword in keywords
}


@dataclass(frozen=True)
class Instance:
    """A released instance. ``header`` is its data set up to the pixels."""

    project: str
    header: Dataset
    file: Path
    superseded: bool

    @property
    def uid(self) -> str:
        return str(self.header.SOPInstanceUID)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Unique keys of its entities from the patient down."""
        return tuple(str(self.header.get(keyword, "")) for keyword in UNIQUE)


@dataclass(frozen=True)
class Entity:
    """A patient, study, series or instance, with the instances below it."""

    instances: tuple[Instance, ...]

    @property
    def header(self) -> Dataset:
        return self.instances[0].header

    def count(self, level: int) -> int:
        """Number of entities of a level below this one."""
        return len({instance.names[: level + 1] for instance in self.instances})


Entities = dict[tuple[str, ...], Entity]
"""Entities of one level by their unique keys from the top down."""


class Information:
    """Everything that a zone holds."""

    def __init__(self, instances: Iterable[Instance]) -> None:
        self.instances = tuple(instances)
        self._known: dict[tuple[int, frozenset[str]], Entities] = {}

    def by_keys(self, level: int, projects: Iterable[str]) -> Entities:
        """The entities of a level that may be seen; a newer generation hides the older."""
        seen = frozenset(projects)
        if (level, seen) not in self._known:
            groups: dict[tuple[str, ...], list[Instance]] = {}
            for instance in self.instances:
                if instance.project in seen and not instance.superseded:
                    groups.setdefault(instance.names[: level + 1], []).append(instance)
            self._known[level, seen] = {
                keys: Entity(tuple(members)) for keys, members in groups.items()
            }
        return self._known[level, seen]

    def entities(self, level: int, projects: Iterable[str]) -> list[Entity]:
        return list(self.by_keys(level, projects).values())


def level_of(tag: int) -> int:
    """The level whose entities hold an attribute."""
    return _LEVEL_OF.get(tag, 3)


def read_information(released: Path) -> Information:
    """Read a released zone: ``ledger.jsonl`` and the files that it names."""
    with (released / "ledger.jsonl").open(encoding="utf-8") as ledger:
        lines = [json.loads(line) for line in ledger]
    superseded = {line["supersedes"] for line in lines}
    return Information(
        tuple(
            Instance(
                project=line["project"],
                header=_header(released / line["file"]),
                file=released / line["file"],
                superseded=line["sop_instance_uid"] in superseded,
            )
            for line in lines
        )
    )


def _header(path: Path) -> Dataset:
    header = pydicom.dcmread(path, stop_before_pixels=True)
    header.decode()
    return header
