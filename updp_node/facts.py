"""What the node asks of a source before it decides anything: facts, never changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.uid import UID

from updp_node.errors import InstanceError
from updp_node.model import HeaderFacts
from updp_node.reading import read_source
from updp_node.subject import ProjectKey, normalize_patient_id

_DEMOGRAPHICS = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_TRAILING_PADDING = 0xFFFCFFFC
_SEQUENCES = frozenset({0x0040A730, 0x0040A043, 0x00081199})  # content, concept names, references
_COORDINATES = frozenset({"SCOORD", "SCOORD3D", "TCOORD"})
_INTO_PIXELS = (
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
    "1.2.840.10008.5.1.4.1.1.66.",  # registrations, fiducials, segmentations
    "1.2.840.10008.5.1.4.1.1.30",  # parametric map
    "1.2.840.10008.5.1.4.1.1.481.3",  # RT structure set
    "1.2.840.10008.5.1.4.1.1.88.50",  # mammography CAD SR
    "1.2.840.10008.5.1.4.1.1.88.65",  # chest CAD SR
    "1.2.840.10008.5.1.4.1.1.88.69",  # colon CAD SR
)


_NARRATIVE_CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in (11, 22, 33, 34, 35)
)
_FEWEST_WORDS = 2


@dataclass(frozen=True, slots=True)
class FactsTask:
    """A staged file, the keywords that the routes ask of it, the key that demographics hide by."""

    path: Path
    keywords: tuple[str, ...]
    key: ProjectKey


@dataclass(frozen=True, slots=True)
class PairTask:
    """Two files of one SOP Instance UID."""

    first: Path
    second: Path


def read_facts(task: FactsTask) -> HeaderFacts:
    """Read what routing and settling need of a header.

    Raises
    ------
    InstanceError
        ``unreadable-object``, ``unreadable-attribute``, or ``incomplete-identity`` where UIDs
        are missing.
    """
    source = read_source(task.path, with_pixels=False)
    try:
        return _facts_of(source, task)
    except InstanceError:
        raise
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unreadable-attribute", type(error).__name__) from None


def _facts_of(source: Dataset, task: FactsTask) -> HeaderFacts:
    needed = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    missing = [keyword for keyword in needed if not str(source.get(keyword) or "").strip()]
    if missing:
        raise InstanceError("incomplete-identity", " ".join(missing))
    demographics = (str(source.get(keyword) or "") for keyword in _DEMOGRAPHICS)
    return HeaderFacts(
        study_uid=str(source.StudyInstanceUID),
        series_uid=str(source.SeriesInstanceUID),
        sop_class_uid=str(source.SOPClassUID),
        sop_instance_uid=str(source.SOPInstanceUID),
        modality=str(source.get("Modality") or "")[:16],
        attributes={keyword: _as_text(source, keyword) for keyword in task.keywords},
        patient_sha256=task.key.digest("patient", *_patient_of(source)).hex(),
        demographics_sha256=task.key.digest("demographics", *demographics).hex(),
    )


def _patient_of(source: Dataset) -> tuple[str, str]:
    issuer = " ".join(str(source.get("IssuerOfPatientID") or "").split()).upper()
    return issuer, normalize_patient_id(str(source.get("PatientID") or ""))


def _as_text(source: Dataset, keyword: str) -> str:
    value = source.get(keyword)
    if value is None:
        return ""
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return "\\".join(str(each) for each in value)
    return str(value)


def have_same_content(task: PairTask) -> bool:
    """Whether two files hold one normalized data set: transfer syntax and padding aside."""
    first, second = read_source(task.first), read_source(task.second)
    if list(_normalize(first)) != list(_normalize(second)):
        return False
    if _pixel_bytes(first) == _pixel_bytes(second):
        return True
    syntaxes = {UID(each.file_meta.TransferSyntaxUID) for each in (first, second)}
    if len(syntaxes) == 1:
        return False
    return bool(np.array_equal(first.pixel_array, second.pixel_array))


def _pixel_bytes(source: Dataset) -> bytes:
    for keyword in _PIXEL_KEYWORDS:
        if keyword in source:
            return bytes(source[keyword].value).rstrip(b"\0")
    return b""


def _normalize(source: Dataset, depth: int = 0) -> Iterator[tuple[int, int, str]]:
    """Tags and values in order; group lengths, padding and pixels left out."""
    for element in source:
        tag = element.tag
        if tag.element == 0 or tag == _TRAILING_PADDING or element.keyword in _PIXEL_KEYWORDS:
            continue
        if element.VR == "SQ":
            yield depth, tag, f"items {len(element.value)}"
            for item in element.value:
                yield from _normalize(item, depth + 1)
        else:
            yield depth, tag, _normal_value(element)


def _normal_value(element: DataElement) -> str:
    value: Any = element.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return str(value).strip(" \0")


def _all_elements(source: Dataset) -> Iterator[DataElement]:
    """Every element at every depth.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``.
    """
    try:
        for element in source.iterall():
            if element.tag in _SEQUENCES and element.VR != "SQ":
                raise InstanceError("unreadable-attribute", f"({element.tag:08X})")
            yield element
    except InstanceError:
        raise
    except Exception as error:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unreadable-attribute", type(error).__name__) from None


def read_references(source: Dataset) -> tuple[str, ...]:
    """Every SOP Instance UID that an instance names, itself aside, sorted."""
    found: set[str] = set()
    for element in _all_elements(source):
        if element.keyword == "ReferencedSOPInstanceUID" and element.value:
            values = element.value if element.VM > 1 else [element.value]
            found.update(str(value) for value in values)
    return tuple(sorted(found - {str(source.get("SOPInstanceUID"))}))


def has_coordinates(source: Dataset) -> bool:
    """Whether the meaning of an instance rests on other instances' pixels or coordinates.

    References
    ----------
    PS3.3 C.18.6 (SCOORD), C.10 (presentation states), A.51 (segmentation).
    """
    if str(source.SOPClassUID).startswith(_INTO_PIXELS):
        return True
    return any(
        element.keyword == "ValueType" and element.value in _COORDINATES
        for element in _all_elements(source)
    )


def tells_findings(source: Dataset) -> bool:
    """Whether a structured report is the narrative of a reading, not a dose or a measurement.

    References
    ----------
    PS3.3 A.35.1 to A.35.3, A.35.13, A.35.15 (Basic Text, Enhanced, Comprehensive, Comprehensive
    3D and Extensible SR); PS3.3 C.17.3.2.1 (TEXT).
    """
    if str(source.SOPClassUID) not in _NARRATIVE_CLASSES or "ContentSequence" not in source:
        return False
    texts = (each.value for each in _all_elements(source) if each.keyword == "TextValue")
    return any(len(str(text).split()) >= _FEWEST_WORDS for text in texts)


def read_age_years(source: Dataset) -> int | None:
    """Age in whole years, from Patient's Age or from the dates of birth and study."""
    age = str(source.get("PatientAge") or "").strip().upper()
    if len(age) == 4 and age[:3].isdigit() and age[3] in "YMWD":
        per_year = {"Y": 1, "M": 12, "W": 52, "D": 365}[age[3]]
        return int(age[:3]) // per_year
    born, done = (str(source.get(key) or "") for key in ("PatientBirthDate", "StudyDate"))
    if len(born) == 8 and len(done) == 8 and born.isdigit() and done.isdigit():
        return max((int(done) - int(born)) // 10_000, 0)
    return None
