"""Types of matching that a question may use, drawn from what an entity holds.

Each function adds keys to an identifier and tells whether the entity had what it needs.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.acceptance.research.moment_kinds import (
    ask_combined,
    ask_date,
    ask_date_range,
    ask_datetime_range,
    ask_time,
    ask_time_range,
)
from tests.acceptance.research.people import other_name
from tests.acceptance.research.picking import level_number, pick, plain
from tests.oracle_query.information import UNIQUE, Entity

_NAMES = {0: ["PatientName"], 1: ["ReferringPhysicianName", "PhysiciansOfRecord"],
          2: ["OperatorsName"]}  # fmt: skip
_TEXTS = {
    0: ["PatientSex", "PatientComments", "OtherPatientIDs"],
    1: ["AccessionNumber", "StudyID", "StudyDescription", "AdmittingDiagnosesDescription",
        "PatientAge"],
    2: ["Modality", "SeriesDescription", "ProtocolName", "BodyPartExamined", "SoftwareVersions",
        "StationName", "Laterality", "SeriesNumber"],
    3: ["ImageType", "InstanceNumber", "ImageComments", "CompletionFlag", "ContentLabel", "Rows",
        "NumberOfFrames", "SOPClassUID", "SliceLocation"],
}  # fmt: skip
_NUMBERS = frozenset({"SeriesNumber", "InstanceNumber", "Rows", "NumberOfFrames", "SOPClassUID",
                      "SliceLocation", "PatientAge"})  # fmt: skip
_ALL = (0, 1, 2, 3)


@dataclass(frozen=True)
class Kind:
    """A type of matching, and the levels at which it may be asked."""

    name: str
    levels: tuple[int, ...]
    ask: Callable[[Dataset, Entity, random.Random], bool]
    combined: bool = False


def ask_universal(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    return level_number(identifier) > 0 or random_.random() < 0.5


def ask_single(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _TEXTS)
    if not keyword or "*" in value or "?" in value:
        return False
    setattr(identifier, keyword, int(value) if keyword == "Rows" else value)
    return True


def ask_other_case(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    """Text, unlike names, is sensitive to case."""
    keyword, value = pick(identifier, entity, random_, _TEXTS)
    if keyword in {*_NUMBERS, ""} or value.swapcase() == value or "*" in value or "?" in value:
        return False
    if identifier.QueryRetrieveLevel == "IMAGE" and keyword == "ImageType":
        return False  # lower case is no code string
    setattr(identifier, keyword, value.upper() if value != value.upper() else value.title())
    return True


def ask_unique(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword = UNIQUE[level_number(identifier)]
    setattr(identifier, keyword, plain(entity, keyword))
    return True


def ask_uid_list(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    if identifier.QueryRetrieveLevel == "PATIENT":
        return False
    keyword = UNIQUE[level_number(identifier)]
    others = [f"1.2.3.{random_.randint(1, 99)}" for _ in range(random_.randint(0, 3))]
    setattr(identifier, keyword, [*others, plain(entity, keyword), "2.25.1"])
    return True


def ask_wildcard(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _TEXTS)
    if keyword in {*_NUMBERS, ""} or not value:
        return False
    place = random_.randrange(len(value))
    setattr(identifier, keyword, random_.choice([
        f"{value[: place + 1]}*", f"*{value[place:]}", f"*{value[place]}*", "*",
        f"{value[:place]}?{value[place + 1 :]}", f"?*{value[-1]}",
    ]))  # fmt: skip
    return True


def ask_patient_id_wildcard(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    if "PatientID" in identifier:
        return False
    value = plain(entity, "PatientID")
    identifier.PatientID = random_.choice([f"{value[:-1]}?", f"{value[:8]}*", f"*{value[-3:]}"])
    return True


def ask_name(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _NAMES)
    if not keyword:
        return False
    group = random_.choice([each for each in value.split("=") if each])
    setattr(identifier, keyword, random_.choice([
        value, group, group.upper(), group.lower(), _bare(group), _bare(group).swapcase(),
        f"{group}^",
    ]))  # fmt: skip
    return True


def ask_name_wildcard(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _NAMES)
    if not keyword:
        return False
    group = random_.choice([each for each in value.split("=") if each])
    family = group.split("^")[0]
    setattr(identifier, keyword, random_.choice([
        f"{family}*", f"{_bare(family).lower()}^*", f"{group[:2].upper()}*", f"*{group[-2:]}",
        f"*{_bare(group[1:3])}*", f"?{_bare(group[1:])}",
    ]))  # fmt: skip
    return True


def ask_unknown_name(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword = random_.choice(_NAMES[level_number(identifier)])
    setattr(identifier, keyword, f"{other_name(random_)}Q")
    return True


def ask_sequence(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword = "ProcedureCodeSequence"
    wanted = Dataset()
    if identifier.QueryRetrieveLevel == "STUDY":
        if keyword not in entity.header:
            return False
        one = random_.choice(list(entity.header[keyword].value))
        wanted.CodeValue = random_.choice([str(one.CodeValue), f"{str(one.CodeValue)[:2]}*", ""])
        wanted.CodingSchemeDesignator = random_.choice(["", str(one.CodingSchemeDesignator)])
        wanted.CodeMeaning = random_.choice(["", "*Chest*"])
    else:
        keyword = "RequestAttributesSequence"
        if keyword not in entity.header:
            return False
        one = random_.choice(list(entity.header[keyword].value))
        step = random_.choice([str(one.ScheduledProcedureStepID), "SPS?", ""])
        wanted.ScheduledProcedureStepID = step
        wanted.RequestedProcedureID = random_.choice(["", str(one.RequestedProcedureID)])
    setattr(identifier, keyword, Sequence([wanted]))
    return True


def ask_nested_sequence(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    inner, wanted = Dataset(), Dataset()
    if identifier.QueryRetrieveLevel == "SERIES":
        inner.CodingSchemeDesignator = random_.choice(["LN", "99LOCAL"])
        inner.CodeValue = ""
        wanted.ScheduledProcedureStepID = ""
        wanted.ScheduledProtocolCodeSequence = Sequence([inner])
        identifier.RequestAttributesSequence = Sequence([wanted])
        return True
    named = entity.header.get("ReferencedSeriesSequence")
    if not named:
        return False
    target = random_.choice(list(named[0].ReferencedImageSequence))
    inner.ReferencedSOPInstanceUID = str(target.ReferencedSOPInstanceUID)
    inner.ReferencedSOPClassUID = ""
    wanted.ReferencedImageSequence = Sequence([inner])
    identifier.ReferencedSeriesSequence = Sequence([wanted])
    return True


def ask_whole_sequence(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword = {1: "ProcedureCodeSequence", 2: "RequestAttributesSequence",
               3: "ReferencedSeriesSequence"}[level_number(identifier)]  # fmt: skip
    setattr(identifier, keyword, Sequence([Dataset()] if random_.random() < 0.5 else []))
    return True


def ask_in_study(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    if random_.random() < 0.6:
        offered = ["CT", "SR", "MR", "D?", plain(entity, "Modality")]
        identifier.ModalitiesInStudy = random_.choice(offered)
        identifier.SOPClassesInStudy = ""
    else:
        identifier.SOPClassesInStudy = plain(entity, "SOPClassUID")
        identifier.ModalitiesInStudy = ""
    return True


def ask_counts(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    counts = (("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries",
               "NumberOfPatientRelatedInstances"),
              ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
              ("NumberOfSeriesRelatedInstances",))[level_number(identifier)]  # fmt: skip
    for keyword in counts:
        setattr(identifier, keyword, "")
    return True


def ask_several(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    """Keys of several types at once."""
    level = level_number(identifier)
    asks = [ask_single, ask_wildcard, ask_date_range]
    asks += [ask_time_range] if level else []
    asks += [ask_name_wildcard] if level < 3 else []
    return sum(each(identifier, entity, random_) for each in random_.sample(asks, 2)) == 2


def _bare(text: str) -> str:
    """Without diacritics, where they can be taken off."""
    apart = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


KINDS = [
    Kind("universal", _ALL, ask_universal), Kind("single value", _ALL, ask_single),
    Kind("text in another case", _ALL, ask_other_case), Kind("unique key", _ALL, ask_unique),
    Kind("list of UID", (1, 2, 3), ask_uid_list), Kind("wild card", _ALL, ask_wildcard),
    Kind("wild card in Patient ID", (0, 1), ask_patient_id_wildcard),
    Kind("person name", (0, 1, 2), ask_name),
    Kind("wild card in a person name", (0, 1, 2), ask_name_wildcard),
    Kind("nobody's name", (0, 1, 2), ask_unknown_name), Kind("date", _ALL, ask_date),
    Kind("date range", _ALL, ask_date_range), Kind("time", (1, 2, 3), ask_time),
    Kind("time range", (1, 2, 3), ask_time_range),
    Kind("date and time range", (3,), ask_datetime_range),
    Kind("combined date and time", (1,), ask_combined, combined=True),
    Kind("sequence", (1, 2), ask_sequence), Kind("nested sequence", (2, 3), ask_nested_sequence),
    Kind("whole sequence", (1, 2, 3), ask_whole_sequence),
    Kind("modalities and SOP classes in study", (1,), ask_in_study),
    Kind("counts", (0, 1, 2), ask_counts), Kind("several keys", _ALL, ask_several),
]  # fmt: skip
