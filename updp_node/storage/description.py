"""What the index keeps of a released object: its attributes by level, as DICOM JSON.

References
----------
PS3.18 F.2: DICOM JSON Model. PS3.4 C.6: levels of the Query/Retrieve information models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from updp_node.errors import InstanceError
from updp_node.query.levels import Level, level_of
from updp_node.query.names import name_groups
from updp_node.query.times import read_moment

LONGEST_ELEMENT = 16 * 1024
"""Characters of DICOM JSON; a longer attribute is left to the file: it is neither matched nor
returned by queries. WADO-RS metadata has it."""

_BULK_VRS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
Attributes = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Description:
    """One released object as the index knows it.

    Attributes
    ----------
    sop_class_uid, sop_instance_uid, series_uid, study_uid, transfer_syntax_uid, patient_id : str
    number_of_frames, size_bytes : int
        Of the instance; size of the file.
    attributes : Mapping[Level, dict]
        DICOM JSON of what each level holds.
    """

    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str
    study_uid: str
    transfer_syntax_uid: str
    patient_id: str
    number_of_frames: int
    size_bytes: int
    attributes: Mapping[Level, Attributes]

    def names(self) -> tuple[str, str, str]:
        """The groups of Patient's Name, folded."""
        values = self.attributes[Level.PATIENT].get("00100010", {}).get("Value") or [{}]
        groups = (*name_groups(values[0]), "", "", "")
        return groups[0], groups[1], groups[2]

    def moment(self, level: Level, tag: str) -> str | None:
        """A date or time as digits that sort, or None."""
        element = self.attributes[level].get(tag, {})
        values = element.get("Value") or [""]
        interval = read_moment(str(values[0]), str(element.get("vr", "DA")))
        return interval[0] if interval else None

    def text(self, level: Level, tag: str) -> str | None:
        """The first value of an attribute as text, or None."""
        values = self.attributes[level].get(tag, {}).get("Value") or []
        return str(values[0]).strip() if values and values[0] is not None else None


def describe(path: Path) -> Description:
    """Read the header of a released file.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    InstanceError
        ``released-file-unreadable``: it is no DICOM object, or lacks a UID.
    """
    try:
        found = dcmread(path, stop_before_pixels=True, defer_size=1 << 20)
        return _describe(found, path.stat().st_size)
    except (OSError, InvalidDicomError, AttributeError, ValueError, KeyError, TypeError) as error:
        raise InstanceError("released-file-unreadable", type(error).__name__) from error


def dump(attributes: Attributes) -> str:
    """DICOM JSON as the index keeps it."""
    return json.dumps(attributes, ensure_ascii=False, separators=(",", ":"))


def _describe(found: Dataset, size_bytes: int) -> Description:
    by_level: dict[Level, Attributes] = {level: {} for level in Level}
    for element in found:
        if element.tag.is_private or element.VR in _BULK_VRS or not element.tag.element:
            continue
        if int(element.tag) == 0x00080005:
            continue  # DICOM JSON is UTF-8
        encoded = element.to_json_dict(None, 0)
        if len(json.dumps(encoded)) <= LONGEST_ELEMENT:
            by_level[level_of(int(element.tag))][f"{int(element.tag):08X}"] = encoded
    return Description(
        sop_class_uid=str(found.SOPClassUID),
        sop_instance_uid=str(found.SOPInstanceUID),
        series_uid=str(found.SeriesInstanceUID),
        study_uid=str(found.StudyInstanceUID),
        transfer_syntax_uid=str(found.file_meta.TransferSyntaxUID),
        patient_id=str(found.get("PatientID") or ""),
        number_of_frames=int(found.get("NumberOfFrames") or 1),
        size_bytes=size_bytes,
        attributes=by_level,
    )
