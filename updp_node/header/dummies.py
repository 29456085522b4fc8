"""Dummy values by VR, and the surrogates of identifiers that must stay distinct.

A dummy tells nothing: it is the same for everybody. A surrogate is keyed: equal identifiers of
one project get equal surrogates, and nobody without the key can confirm a guess.

References
----------
PS3.15 E.1.1 (dummy values, action codes D and Z); PS3.5 6.2 (VRs).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from pydicom.datadict import dictionary_VM, tag_for_keyword

from updp_node.subject import Subject

_BY_VR: Mapping[str, bytes] = MappingProxyType(
    {
        "AE": b"REMOVED", "AS": b"000D", "CS": b"REMOVED", "DA": b"19000101", "DS": b"0",
        "DT": b"19000101000000", "IS": b"0", "LO": b"REMOVED", "LT": b"REMOVED",
        "PN": b"REMOVED", "SH": b"REMOVED", "ST": b"REMOVED", "TM": b"000000",
        "UC": b"REMOVED", "UR": b"urn:removed", "UT": b"REMOVED",
        "US": b"\0" * 2, "SS": b"\0" * 2, "AT": b"\0" * 4, "FL": b"\0" * 4, "SL": b"\0" * 4,
        "UL": b"\0" * 4, "FD": b"\0" * 8, "SV": b"\0" * 8, "UV": b"\0" * 8,
        "OB": b"\0" * 2, "OW": b"\0" * 2, "OL": b"\0" * 4, "OF": b"\0" * 4, "OD": b"\0" * 8,
        "OV": b"\0" * 8, "UN": b"\0" * 2,
    }
)  # fmt: skip

_BY_KEYWORD: Mapping[str, bytes] = MappingProxyType(
    {
        "CodingSchemeDesignator": b"99UPDP",
        "PatientSex": b"O",
        "TimezoneOffsetFromUTC": b"+0000",
    }
)
_KEYED: Mapping[str, int] = MappingProxyType(
    {"AccessionNumber": 16, "StudyID": 8, "ContainerIdentifier": 16, "SpecimenIdentifier": 16}
)
_SEPARATED = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC"})
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def dummy_bytes(keyword: str, vr: str) -> bytes:
    """A value of the VR that tells nothing, encoded as explicit little endian.

    Raises
    ------
    KeyError
        For SQ and UI, whose dummies are made elsewhere.
    """
    value = _BY_KEYWORD.get(keyword) or _BY_VR[vr]
    separator = b"\\" if vr in _SEPARATED else b""
    return separator.join([value] * _least_values(keyword))


@lru_cache(maxsize=1024)
def _least_values(keyword: str) -> int:
    """How many values an attribute has at least (PS3.6 6: Value Multiplicity)."""
    tag = tag_for_keyword(keyword)
    least = dictionary_VM(tag).partition("-")[0] if tag is not None else "1"
    return int(least) if least.isdigit() else 1


def surrogate(keyword: str, text: str, subject: Subject) -> str | None:
    """What stands for an identifier of the subject, where one stands for it at all.

    Parameters
    ----------
    keyword : str
    text : str
        Value of the source; an empty one stays empty, save the patient's own.

    Returns
    -------
    str or None
        None where the attribute has no surrogate.
    """
    if keyword in {"PatientID", "PatientName", "ClinicalTrialSubjectID"}:
        return subject.pseudonym
    if keyword == "ClinicalTrialProtocolID":
        return subject.project[:64]
    if keyword in _KEYED:
        return keyed_code(subject, keyword, text, _KEYED[keyword]) if text else ""
    return None


def keyed_code(subject: Subject, purpose: str, text: str, length: int) -> str:
    """A code of digits and capital letters under the project's key.

    Parameters
    ----------
    length : int
        Characters, at most 50.
    """
    digest = subject.key.digest(f"header-{purpose}", subject.project, text)
    number = int.from_bytes(digest, "big")
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(0, 5 * length, 5))
