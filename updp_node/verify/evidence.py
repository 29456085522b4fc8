"""What must not leave: the identifiers of the sources, read by the gate itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from pydicom import Dataset
from pydicom._uid_dict import UID_dictionary
from pydicom.dataelem import DataElement

from updp_node.verify.keywords import (
    CLASS_UIDS,
    CODES,
    CONTACTS,
    DEVICE_UIDS,
    DEVICES,
    NAMES,
    PATIENT_CODES,
    PHONES,
    PLACES,
    TECHNICAL,
    TRAITS,
    VENDOR,
)
from updp_node.verify.ordinary import ORDINARY, PLACEHOLDERS
from updp_node.verify.walking import texts_of, walk
from updp_node.verify.words import find_dates, fold, is_ideographic, join_code, spell, split_words

Phrase = tuple[str, ...]

_TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_CONTEXT_GROUP = re.compile(r"1\.2\.840\.10008\.6\.1\.\d{1,4}")
_FEWEST_DOTS = 2
_SHORTEST_SUFFIX = 6  # behind the UID of a class: less may be a class that came later
_PERSON_CODES = "(0040,1101)"
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PARTS = re.compile(r"[,;/\r\n]+")
_NAME_WORD = re.compile(r"[^\W\d_]+")
_DUMMY_DATES = frozenset({date(1900, 1, 1)})
_MIN_NAME, _MIN_CODE, _MIN_PATIENT_DIGITS, _MIN_DIGITS, _MIN_PHONE = 3, 4, 5, 6, 7
_MIN_JOINED, _MIN_PLACE_WORD, _MIN_LONE_WORD = 5, 4, 6


@dataclass(frozen=True, slots=True)
class Allowances:
    """What the profile retains, so that it is no leak.

    Attributes
    ----------
    uids, full_dates, institution, device, patient_characteristics : bool
        The option of that name is on.
    shift_days : int or None
        By how many days every date was moved; None where dates are removed.
    """

    uids: bool = False
    full_dates: bool = False
    institution: bool = False
    device: bool = False
    patient_characteristics: bool = False
    shift_days: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Evidence:
    """Identifiers of the sources; never printed. Words are folded.

    Attributes
    ----------
    names : frozenset of str
        Words of person names, three letters and longer; `spelled` are those that ASCII does
        not hold, as they were written; `ideographs` names without spaces between words.
    persons : frozenset of tuple of str
        The words of each whole name.
    codes, devices : frozenset of str
        Numbers without separators that mean somebody (or a device) wherever they stand.
    weak_codes : frozenset of str
        Short numbers and bare words: they count in identifying attributes only.
    contacts, places, traits : frozenset of tuple of str
        Words of addresses and e-mails; of institutions; of occupation, rank and residence.
    dates, birth_dates : frozenset of date
        Every full date of attributes and of text.
    values : frozenset of (int, date)
        Tag and date of every DA and DT attribute, at any depth.
    uids, device_uids : frozenset of str
    """

    names: frozenset[str] = field(default_factory=frozenset)
    spelled: frozenset[str] = field(default_factory=frozenset)
    ideographs: frozenset[str] = field(default_factory=frozenset)
    persons: frozenset[Phrase] = field(default_factory=frozenset)
    codes: frozenset[str] = field(default_factory=frozenset)
    devices: frozenset[str] = field(default_factory=frozenset)
    weak_codes: frozenset[str] = field(default_factory=frozenset)
    contacts: frozenset[Phrase] = field(default_factory=frozenset)
    places: frozenset[Phrase] = field(default_factory=frozenset)
    traits: frozenset[Phrase] = field(default_factory=frozenset)
    dates: frozenset[date] = field(default_factory=frozenset)
    birth_dates: frozenset[date] = field(default_factory=frozenset)
    values: frozenset[tuple[int, date]] = field(default_factory=frozenset)
    uids: frozenset[str] = field(default_factory=frozenset)
    device_uids: frozenset[str] = field(default_factory=frozenset)

    def __repr__(self) -> str:
        return f"Evidence({len(self.names)} names, {len(self.codes)} codes, {len(self.uids)} UIDs)"


class _Gathering:
    """Sets that grow while the sources are walked, by the names of `Evidence`."""

    def __init__(self) -> None:
        self.found: dict[str, set[object]] = {each.name: set() for each in fields(Evidence)}
        self.vendors: set[Phrase] = set()

    def add(self, element: DataElement, path: str) -> None:
        """Take what an element tells."""
        for text in texts_of(element):
            if element.VR == "PN" or element.keyword in NAMES:
                self._add_name(text)
            elif element.VR == "UI":
                self._add_uid(element.keyword, text)
            elif element.VR in {"DA", "DT"}:
                self._add_date(element, text)
            else:
                self._add_field(element.keyword, path, text)
                if element.VR in _TEXT_VRS:
                    self._add_text(element.keyword, text)

    def _add_name(self, text: str) -> None:
        for group in text.split("="):
            parts = [_telling_words(part) for part in group.split("^")]
            words = [word for part in parts for word in part]
            if words:
                self.found["persons"].add(tuple(fold(word) for word in words))
            for word in words:
                self._add_name_word(word)
            for joined in ["".join(part) for part in (*parts, words) if len(part) > 1]:
                if is_ideographic(joined):
                    self.found["ideographs"].add(fold(joined))
                elif len(joined) >= _MIN_JOINED:
                    self.found["names"] |= spell(joined)
        self._add_code("".join(each for each in text if each.isdigit()), "codes", _MIN_DIGITS)

    def _add_name_word(self, word: str) -> None:
        if is_ideographic(word):
            if len(word) > 1:
                self.found["ideographs"].add(fold(word))
            self.found["names"] |= {each for each in spell(word) if each.isascii()}
        elif len(word) >= _MIN_NAME:
            self.found["names"] |= spell(word)
        if not word.isascii():
            self.found["spelled"].add(word)

    def _add_uid(self, keyword: str, text: str) -> None:
        if text.count(".") < _FEWEST_DOTS or is_registered(text):
            return  # empty, or a dummy such as "0", which stands for any class as well
        if keyword not in CLASS_UIDS or _extends_class(text):
            self.found["device_uids" if keyword in DEVICE_UIDS else "uids"].add(text)

    def _add_date(self, element: DataElement, text: str) -> None:
        if element.keyword in TECHNICAL:
            return
        found = set(find_dates(text[:8])) - _DUMMY_DATES
        self.found["dates"] |= found
        self.found["values"] |= {(int(element.tag), each) for each in found}
        if element.keyword == "PatientBirthDate":
            self.found["birth_dates"] |= found

    def _add_field(self, keyword: str, path: str, text: str) -> None:
        if keyword in PATIENT_CODES:
            self._add_code(text, "codes", _MIN_PATIENT_DIGITS, letters=True)
        elif keyword in CODES or (_PERSON_CODES in path and keyword == "CodeValue"):
            self._add_code(text, "codes", _MIN_DIGITS)
        elif keyword in DEVICES:
            self._add_code(text, "devices", _MIN_DIGITS)
        elif keyword in PHONES:
            digits = "".join(each for each in text if each.isdigit())
            for size in (len(digits), 10, _MIN_PHONE):
                self._add_code(digits[-size:], "codes", _MIN_PHONE)
        elif keyword in VENDOR:
            self.vendors.add(tuple(split_words(fold(text))))
        for kind, keywords in (("contacts", CONTACTS), ("places", PLACES), ("traits", TRAITS)):
            if keyword in keywords:
                self._add_phrase(text, kind)

    def _add_text(self, keyword: str, text: str) -> None:
        if keyword in TECHNICAL:
            return
        self.found["dates"] |= set(find_dates(fold(text))) - _DUMMY_DATES
        for address in _EMAIL.findall(text):
            self._add_phrase(address, "contacts")

    def _add_code(self, text: str, kind: str, min_digits: int, *, letters: bool = False) -> None:
        if len(code := join_code(text)) < _MIN_CODE or code in PLACEHOLDERS:
            return
        if code.isdigit():
            is_strong = len(code) >= min_digits and len(set(code)) > 1
        elif code.isalpha():
            is_strong = letters and code not in ORDINARY
        else:
            is_strong = True
        self.found[kind if is_strong else "weak_codes"].add(code)

    def _add_phrase(self, text: str, kind: str) -> None:
        """The whole phrase and its parts: the town of an address tells enough alone."""
        for part in {text, *_PARTS.split(text)}:
            words = tuple(split_words(fold(part)))
            least = _MIN_PLACE_WORD if len(words) > 1 else _MIN_LONE_WORD
            if any(len(word) >= least and self._is_telling(word) for word in words):
                self.found[kind].add(words)

    @staticmethod
    def _is_telling(word: str) -> bool:
        return word not in ORDINARY and word not in PLACEHOLDERS and not word.isdigit()

    def finish(self) -> Evidence:
        """What was gathered; the name of a product is neither a place nor a device."""
        self.found["places"] -= self.vendors
        self.found["devices"] -= {word for words in self.vendors for word in words}
        sets = {name: frozenset(values) for name, values in self.found.items()}
        return Evidence(**sets)  # type: ignore[arg-type]


def is_registered(uid: str) -> bool:
    """Whether the standard defines a UID as it stands; its root alone proves nothing.

    References
    ----------
    PS3.6 Annex A; PS3.16 (UIDs of context groups).
    """
    return uid in UID_dictionary or _CONTEXT_GROUP.fullmatch(uid) is not None


def _extends_class(uid: str) -> bool:
    """Whether a UID is that of a class with something behind it, as senders make for instances."""
    dots = (at for at, each in enumerate(uid) if each == ".")
    return any(uid[:at] in UID_dictionary and len(uid) - at > _SHORTEST_SUFFIX for at in dots)


def _telling_words(part: str) -> list[str]:
    """The words of a component of a name that are no titles and no placeholders."""
    return [word for word in _NAME_WORD.findall(part) if fold(word) not in PLACEHOLDERS]


def read_evidence(sources: Sequence[Dataset]) -> Evidence:
    """Read the identifiers of sources, at every depth; never fails on an odd value.

    Parameters
    ----------
    sources : sequence of pydicom.Dataset
        The instance itself and others of its study.
    """
    gathering = _Gathering()
    for source in sources:
        for element, path in walk(source, lenient=True):
            gathering.add(element, path)
    return gathering.finish()
