"""The search of what arrived for what was sent, apart from the node's own gate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

_NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
          "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName",
          "NameOfPhysiciansReadingStudy", "RequestingPhysician", "PersonName",
          "VerifyingObserverName")  # fmt: skip
_NUMBERS = ("PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "AdmissionID",
            "PatientTelephoneNumbers", "DeviceSerialNumber")  # fmt: skip
_WHOLE = ("PatientAddress", "InstitutionName", "InstitutionAddress")
_DATES = ("PatientBirthDate", "StudyDate")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
_NOBODY = frozenset({"TEST", "PATIENT", "ANONYMOUS", "ANONYMIZED", "UNKNOWN", "NONE", "CHEST",
                     "NAME", "STUDY", "WARD", "HOSPITAL"})  # fmt: skip
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_SHORTEST_NAME = 4
_SHORTEST_NUMBER = 5


def identifiers_of(source: Dataset) -> set[str]:
    """What the header of a source, at any depth, says of who and where."""
    found: set[str] = set()
    for element in source.iterall():
        if element.keyword in _NAMES:
            parts = (part for value in _values(element.value) for part in re.split(r"\W+", value))
            found |= {part for part in parts if _is_name(part)}
        elif element.keyword in _NUMBERS:
            found |= {value for value in _values(element.value) if _is_number(value)}
        elif element.keyword in (*_DATES, *_UIDS):
            found |= {value for value in _values(element.value) if len(value) >= 8}
        elif element.keyword in _WHOLE:
            found |= {value for value in _values(element.value) if len(value) > _SHORTEST_NUMBER}
    return found


def find_residue(path: Path, identifiers: Iterable[str]) -> set[str]:
    """Identifiers that stand in a file, in any case, as whole tokens; pixel values aside."""
    text = _searchable(path)
    return {each for each in identifiers if _stands_in(each, text)}


def _searchable(path: Path) -> str:
    """Every byte of a file but its pixel values, as upper case text."""
    content = path.read_bytes()
    instance = pydicom.dcmread(path)
    for keyword in _PIXELS:
        pixels = instance.get(keyword)
        if isinstance(pixels, bytes) and pixels:
            content = content.replace(pixels, b"", 1)
    return (content.decode("utf-8", "replace") + "\n" + content.decode("latin-1")).upper()


def _stands_in(identifier: str, text: str) -> bool:
    escaped = re.escape(identifier.upper())
    return re.search(rf"(?<![A-Z0-9]){escaped}(?![A-Z0-9])", text) is not None


def _values(value: object) -> list[str]:
    values = value if isinstance(value, MultiValue) else [value]
    return [str(each).strip() for each in values if str(each).strip()]


def _is_name(part: str) -> bool:
    return len(part) >= _SHORTEST_NAME and part.upper() not in _NOBODY and not part.isdigit()


def _is_number(value: str) -> bool:
    return len(value) >= _SHORTEST_NUMBER and any(character.isdigit() for character in value)
