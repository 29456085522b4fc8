"""Generated C-FIND questions: every level, model and type of matching, given by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.acceptance.research.kinds import KINDS, Kind
from tests.acceptance.research.picking import plain
from tests.oracle_query import Information, answer, same_under_every_reading
from tests.oracle_query.information import LEVELS, UNIQUE, Entity

PATIENT_ROOT, STUDY_ROOT = "patient", "study"
REQUESTERS = {"REQ_A": ("alpha",), "REQ_B": ("beta",), "REQ_AB": ("alpha", "beta")}
_MOST_ANSWERS = 400
_RETURNED = (
    ("PatientName", "PatientBirthDate", "PatientSex", "PatientComments", "OtherPatientIDs",
     "NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries",
     "NumberOfPatientRelatedInstances"),
    ("StudyDate", "StudyTime", "AccessionNumber", "StudyID", "StudyDescription",
     "ReferringPhysicianName", "PhysiciansOfRecord", "ProcedureCodeSequence", "PatientAge",
     "PatientWeight", "AdmittingDiagnosesDescription", "ModalitiesInStudy", "SOPClassesInStudy",
     "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    ("Modality", "SeriesNumber", "SeriesDescription", "SeriesDate", "SeriesTime", "ProtocolName",
     "BodyPartExamined", "Laterality", "OperatorsName", "RequestAttributesSequence",
     "SoftwareVersions", "PerformedProcedureStepStartDate", "NumberOfSeriesRelatedInstances"),
    ("SOPClassUID", "InstanceNumber", "ImageType", "ContentDate", "ContentTime", "Rows", "Columns",
     "BitsAllocated", "NumberOfFrames", "AcquisitionDateTime", "SliceLocation", "ImageComments",
     "CompletionFlag", "ConceptNameCodeSequence", "ReferencedSeriesSequence", "ContentLabel"),
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A C-FIND request."""

    number: int
    kind: str
    model: str
    calling: str
    identifier: Dataset
    relational: bool = False
    combined: bool = False

    @property
    def projects(self) -> tuple[str, ...]:
        return REQUESTERS[self.calling]

    @property
    def level(self) -> str:
        return str(self.identifier.QueryRetrieveLevel)

    def __str__(self) -> str:
        return f"#{self.number} {self.kind} {self.model} {self.level} as {self.calling}"


def make_questions(information: Information, *, count: int, seed: int = 5) -> list[Question]:
    """Questions whose answers do not hang on what the standard leaves to the implementer."""
    random_ = random.Random(seed)
    found: list[Question] = []
    kinds = _in_turn(random_)
    while len(found) < count:
        question = _make(next(kinds), len(found), information, random_)
        if question is not None and _is_fair(question, information):
            found.append(question)
    return found


def _in_turn(random_: random.Random) -> Iterator[Kind]:
    while True:
        yield from random_.sample(KINDS, len(KINDS))


def _make(
    kind: Kind, number: int, information: Information, random_: random.Random
) -> Question | None:
    calling = random_.choices(list(REQUESTERS), (6, 2, 2))[0]
    level = random_.choice(kind.levels)
    model = random_.choice((PATIENT_ROOT, STUDY_ROOT)) if level else PATIENT_ROOT
    entity = random_.choice(information.entities(level, REQUESTERS[calling]))
    relational = kind.combined or random_.random() < 0.25
    identifier = Dataset()
    identifier.QueryRetrieveLevel = LEVELS[level]
    _name_ancestors(identifier, entity, level, model, random_, relational=relational)
    if not kind.ask(identifier, entity, random_):
        return None
    _ask_for_more(identifier, level, model, random_, relational=relational)
    if UNIQUE[level] not in identifier:
        setattr(identifier, UNIQUE[level], "")
    _set_charset(identifier, random_)
    return Question(number, kind.name, model, calling, identifier, relational, kind.combined)


def _name_ancestors(
    identifier: Dataset, entity: Entity, level: int, model: str, random_: random.Random, *,
    relational: bool,
) -> None:  # fmt: skip
    """Unique keys above the level: all of them, or any of them in a relational query."""
    top = 0 if model == PATIENT_ROOT else 1
    for above in range(top, level):
        if not relational or random_.random() < 0.3:
            setattr(identifier, UNIQUE[above], plain(entity, UNIQUE[above]))


def _ask_for_more(
    identifier: Dataset, level: int, model: str, random_: random.Random, *, relational: bool
) -> None:
    """Return keys of the level, and of those above where the model or negotiation lets them."""
    own = [level, 0] if model == STUDY_ROOT and level == 1 else [level]
    offered = [keyword for each in own for keyword in _RETURNED[each]]
    if relational:
        offered += [keyword for each in range(level) for keyword in _RETURNED[each][:6]]
    for keyword in random_.sample(offered, random_.randint(1, min(7, len(offered)))):
        if keyword not in identifier:
            empty = Sequence() if keyword.endswith("Sequence") else ""
            setattr(identifier, keyword, None if keyword in {"Rows", "Columns"} else empty)


def _set_charset(identifier: Dataset, random_: random.Random) -> None:
    text = str(identifier)
    if not text.isascii():
        latin = all(ord(char) < 256 for char in text)
        charset = random_.choice(["ISO_IR 100", "ISO_IR 192"]) if latin else "ISO_IR 192"
        identifier.SpecificCharacterSet = charset
    elif random_.random() < 0.3:
        identifier.SpecificCharacterSet = "ISO_IR 192"


def _is_fair(question: Question, information: Information) -> bool:
    few = len(answer(information, question.identifier, question.projects,
                     combined=question.combined))  # fmt: skip
    return few <= _MOST_ANSWERS and same_under_every_reading(
        information, question.identifier, question.projects, combined=question.combined
    )
