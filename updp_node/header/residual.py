"""The source's own identifiers, searched in everything that stays.

Identity hides in attributes that no table lists: a name in a protocol label, a record number in
a software version. The names, numbers and birth date of the source header are therefore looked
for in every text that is kept, cleaned text included.

A name counts where one of its words is found that is no common word of DICOM, or two of its
words together. A number counts as a whole word, or, from six characters on, wherever its
characters stand in a row once separators are gone.

References
----------
PS3.15 E.1 (identifying information outside the listed attributes), E.3.5 (Clean Descriptors).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset

from updp_node.header.rules import CompiledProfile
from updp_node.header.values import Element, encodings_of, items_of, text_of, vr_of

_WORD = re.compile(r"[^\W_]+")
_TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "AE", "Ö": "OE", "Ü": "UE", "å": "aa", "Å": "AA",
     "ø": "oe", "Ø": "OE", "æ": "ae", "Æ": "AE"}
)  # fmt: skip
_SHORTEST_NAME = 3
_SHORTEST_NUMBER = 4
_SHORTEST_RUN = 6
_SHORTEST_IN_BYTES = 5
_DEEPEST = 4
_NUMBERS = frozenset(
    {
        "PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "StudyID",
        "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID",
        "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
        "PatientTelephoneNumbers", "ServiceEpisodeID", "ReferringPhysicianTelephoneNumbers",
        "MedicalRecordLocator", "ClinicalTrialSubjectID", "SpecimenIdentifier",
        "ContainerIdentifier", "PersonTelephoneNumbers", "VisitID", "DeviceSerialNumber",
        "RegionOfResidence",
    }
)  # fmt: skip
_PLACES = {
    "InstitutionName": "Retain Institution Identity",
    "InstitutionAddress": "Retain Institution Identity",
    "StationName": "Retain Device Identity",
    "PatientAddress": "",
    "RequestingService": "",
}
_DEVICE = "DeviceSerialNumber"
_BIRTH = "PatientBirthDate"
_NOT_SEARCHED = frozenset({0x0040A730, 0x52009229, 0x52009230})
_CODED_TERMS = frozenset(
    {
        "original", "primary", "derived", "secondary", "axial", "localizer", "monochrome1",
        "monochrome2", "rgb", "palette", "reformatted", "mpr", "volume", "projection",
        "maximum", "minimum", "mean", "other", "none", "yes", "supine", "prone", "left",
        "right", "bilateral", "unpaired", "chest", "head", "hand", "foot", "skull", "spine",
        "abdomen", "pelvis", "breast", "brain", "pet", "spect", "mammo", "vertical",
        "horizontal", "portrait", "landscape", "normal", "abnormal", "standard", "phantom",
        "multi", "average", "resampled", "added", "stress", "rest", "gated", "static",
        "dynamic", "emission", "wavelet", "lossy",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What identifies the source, folded for comparison: lower case, without diacritics.

    Attributes
    ----------
    names : frozenset of str
        Words of person names that are no common words.
    common_names : frozenset of str
        Words of person names that DICOM uses too; two of them together count.
    numbers : frozenset of str
        Identifiers as single words.
    runs : tuple of str
        Identifiers of six characters and more, separators gone.
    """

    names: frozenset[str]
    common_names: frozenset[str]
    numbers: frozenset[str]
    runs: tuple[str, ...]

    def found_in(self, text: str) -> bool:
        """Whether a text tells one of the identifiers."""
        if len(text) < _SHORTEST_NAME:
            return False
        folded = fold(text)
        words = set(_WORD.findall(folded))
        if not words.isdisjoint(self.names) or not words.isdisjoint(self.numbers):
            return True
        if self.common_names and len(words & self.common_names) > 1:
            return True
        if not self.runs or len(folded) < _SHORTEST_RUN:
            return False
        condensed = "".join(_WORD.findall(folded))
        return any(run in condensed for run in self.runs)

    def found_in_bytes(self, value: bytes) -> bool:
        """Whether bytes hold one of the longer identifiers as ASCII, UTF-8 or UTF-16 text."""
        lowered = value.lower()
        wanted = [name for name in self.names if len(name) >= _SHORTEST_IN_BYTES]
        for text in (*wanted, *self.runs):
            if text.encode() in lowered or text.encode("utf-16-le") in lowered:
                return True
        return False


def collect_identifiers(
    source: Dataset, rules: CompiledProfile, encodings: tuple[str, ...]
) -> Identifiers:
    """Names, numbers, addresses and birth date that the source header states, at any depth."""
    names: set[str] = set()
    numbers: set[str] = set()
    runs: set[str] = set()
    for keyword, vr, text in _statements(source, rules, encodings, 0):
        if vr == "PN":
            for spelled in {fold(text), fold(text.translate(_TRANSLITERATED))}:
                names.update(word for word in _WORD.findall(spelled) if _is_name(word))
        elif keyword == _BIRTH:
            dates = _spellings(text)
            numbers.update(word for word in dates if word.isdigit())
            runs.update(word for word in dates if len(word) >= _SHORTEST_RUN)
        else:
            for part in text.split("\\"):
                _add_number(part, numbers if keyword not in _PLACES else set(), runs)
    common = _common_words()
    return Identifiers(
        frozenset(names - common), frozenset(names & common), frozenset(numbers), tuple(runs)
    )


def fold(text: str) -> str:
    """Lower case without diacritics, for comparison only."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in decomposed if not unicodedata.combining(part))


def is_coded_term(text: str) -> bool:
    """Whether a CS value consists of terms that the standard itself uses."""
    known = _CODED_TERMS | _common_words()
    return all(word in known or len(word) < _SHORTEST_NAME for word in _WORD.findall(fold(text)))


def _statements(
    source: Dataset, rules: CompiledProfile, encodings: tuple[str, ...], depth: int
) -> Iterator[tuple[str, str, str]]:
    """Keyword, VR and text of every attribute that identifies."""
    for element in source.values():
        tag = int(element.tag)
        rule = rules.rules.get(tag)
        if rule is None or not rule.vrs:
            continue
        vr = vr_of(element, rule.vrs)
        if rule.vrs[0] == "SQ":
            if vr == "SQ" and depth < _DEEPEST and tag not in _NOT_SEARCHED:
                for item in items_of(element, source, encodings):
                    inner = encodings_of(item, encodings)
                    yield from _statements(item, rules, inner, depth + 1)
        elif rule.vrs[0] == "PN" or rule.keyword == _BIRTH or _is_searched(rule.keyword, rules):
            text = text_of(element, vr, encodings) or _guess(element)
            if text:
                yield rule.keyword, rule.vrs[0], text


def _is_searched(keyword: str, rules: CompiledProfile) -> bool:
    if keyword == _DEVICE:
        return "Retain Device Identity" not in rules.options
    if keyword in _NUMBERS:
        return True
    return keyword in _PLACES and _PLACES[keyword] not in rules.options


def _guess(element: Element) -> str:
    """Text of bytes that no declared character set explains, for the search alone."""
    return element.value.decode("latin-1") if isinstance(element.value, bytes) else ""


def _is_name(word: str) -> bool:
    return len(word) >= (_SHORTEST_NAME if word.isascii() else 2) and not word.isdigit()


def _add_number(text: str, numbers: set[str], runs: set[str]) -> None:
    words = _WORD.findall(fold(text))
    condensed = "".join(words)
    if not condensed.strip("0"):
        return
    if len(words) == 1 and len(condensed) >= _SHORTEST_NUMBER and condensed not in _common_words():
        numbers.add(condensed)
    has_digit = any(character.isdigit() for character in condensed)
    if len(condensed) >= _SHORTEST_RUN and (has_digit or len(words) > 1):
        if set(words) <= _common_words() and not has_digit:
            return
        runs.add(condensed)


def _spellings(text: str) -> set[str]:
    """The usual ways to write a date; separators are gone when they are compared."""
    digits = "".join(character for character in text if character.isdigit())[:8]
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return set()
    month = born.strftime("%b").lower()
    return {
        digits,
        born.strftime("%d%m%Y"),
        born.strftime("%m%d%Y"),
        f"{born.day:02d}{month}{born.year}",
        f"{month}{born.day:02d}{born.year}",
    }


@lru_cache(maxsize=1)
def _common_words() -> frozenset[str]:
    """Words of the names of attributes and UIDs, and of coded terms."""
    names = [entry[2] for entry in (*DicomDictionary.values(), *RepeatersDictionary.values())]
    names += [entry[0] for entry in UID_dictionary.values()]
    return frozenset(word for name in names for word in _WORD.findall(name.lower())) | _CODED_TERMS
