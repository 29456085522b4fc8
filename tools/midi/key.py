"""The answer key: for every attribute of an object what a curator would demand of it.

Ten kinds of checks, named as in the MIDI-B challenge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from tools.midi.header import Marks
from tools.midi.people import Person
from tools.midi.planting import Text, spoken, tokens
from tools.midi.reading import is_text_vr, read_action, safe_private, types_of

KINDS = (
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed",
    "uid_consistent", "patid_consistent", "pixels_hidden", "pixels_retained",
)  # fmt: skip
_BULK = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_OLDEST = 89


@dataclass(frozen=True, slots=True)
class Check:
    """One demand on one attribute.

    Attributes
    ----------
    kind : str
    path : str
        Tags from the data set down, ``0040,0275[0].0040,0007``; private ones by creator.
    text : str
        The value, token, UID or digest that the demand is about.
    """

    kind: str
    path: str
    text: str = ""


def as_text(element: DataElement) -> str:
    """The value of an element as text; values joined by backslashes."""
    value = element.value
    if value is None:
        return ""
    if isinstance(value, MultiValue | list | tuple):
        return "\\".join("" if part is None else str(part) for part in value)
    return str(value).rstrip("\0 ")


def tag_path(dataset: Dataset, element: DataElement) -> str:
    """A tag as the key names it; of a private element the creator and the low byte."""
    tag = element.tag
    if not tag.is_private:
        return f"{tag.group:04X},{tag.element:04X}"
    creator = str(dataset.get((tag.group, tag.element >> 8)).value)
    return f"{tag.group:04X},({creator.strip()}){tag.element & 0xFF:02X}"


class KeyMaker:
    """Makes the checks of one object.

    Parameters
    ----------
    dataset : pydicom.Dataset
        As it is written, identifiers in it.
    person : Person
    marks : Marks
        What `identify` wrote where.
    """

    def __init__(self, dataset: Dataset, person: Person, marks: Marks) -> None:
        self._dataset = dataset
        self._marks = marks
        self._types = types_of(str(dataset.SOPClassUID))
        self._planted = _strings_of(person)

    def checks(self) -> list[Check]:
        """Every check of the object, pixels aside."""
        return list(self._walk(self._dataset, "", (), "keep"))

    def _walk(
        self, item: Dataset, prefix: str, path: tuple[str, ...], outer: str
    ) -> Iterator[Check]:
        for element in item:
            tag = int(element.tag)
            if element.tag.is_private:
                yield from self._private(item, element, prefix, outer)
                continue
            keyword = keyword_for_tag(tag)
            action = read_action(tag)
            if outer in {"remove", "uid", "own"} and action not in {"date", "uid", "remove"}:
                action = "inside"  # the items may go: nothing in them has to stay
            here, names = prefix + tag_path(item, element), (*path, keyword)
            if action not in {"inside"} and outer in {"keep", "clean"}:
                yield from self._conform(element, here, names, action)
            if element.VR == "SQ":
                inner = action if action != "inside" else "remove"
                for index, each in enumerate(element.value):
                    yield from self._walk(each, f"{here}[{index}].", names, inner)
            elif keyword not in _PIXELS:
                yield from self._leaf(item, element, here, action)

    def _conform(
        self, element: DataElement, here: str, names: tuple[str, ...], action: str
    ) -> Iterator[Check]:
        """What the IOD demands: Type 1 and 2 attributes stay, those of Type 1 with a value."""
        kind = self._types.get(names, "")
        if kind not in {"1", "2"} or element.keyword in _PIXELS or action == "own":
            return
        yield Check("tag_retained", here)
        if kind == "1" and (element.value if element.VR == "SQ" else as_text(element)):
            yield Check("text_notnull", here)

    def _leaf(self, item: Dataset, element: DataElement, here: str, action: str) -> Iterator[Check]:
        text = as_text(element)
        typed = is_text_vr(element.VR) or element.VR == "PN"
        if not text:
            return
        if element.keyword == "PatientID" and "[" not in here:
            yield Check("patid_consistent", here, text)
            yield Check("text_removed", here, text)
        elif action in {"date", "uid"}:
            yield from _moves(action, here, text)
        elif action in {"keep", "time"} and not is_text_vr(element.VR):
            yield from _stays(element, here, text)
        elif action in {"keep", "clean"}:
            yield from self._text(item, element, here, text)
        elif element.VR == "DA":  # written anew: the old day must be gone all the same
            yield Check("text_removed", here, text)
        elif typed:
            goes = action == "remove"
            found = tokens(text, generic=True) if goes else self._split(item, element, text).removed
            yield from (Check("text_removed", here, token) for token in found)

    def _text(self, item: Dataset, element: DataElement, here: str, text: str) -> Iterator[Check]:
        found = self._split(item, element, text)
        yield from (Check("text_removed", here, token) for token in found.removed)
        if found.kept:
            yield Check("text_retained", here, "\\".join(found.kept) if found.removed else text)

    def _split(self, item: Dataset, element: DataElement, text: str) -> Text:
        """What goes and what stays of a text: as it was planted, or by its sentences."""
        marked = self._marks.find(item, int(element.tag))
        if marked is not None:
            return marked
        if not self._hits(text):
            return Text(text, (), tokens(text))
        sentences = [each for each in _SENTENCE.split(text) if each]
        removed = tuple(dict.fromkeys(token for each in sentences for token in self._hits(each)))
        kept = tuple(token for each in sentences if not self._hits(each) for token in tokens(each))
        low = {token.lower() for token in removed}
        return Text(
            text, removed, tuple(t for t in kept if t.lower() not in low and not _is_dated(t))
        )

    def _hits(self, text: str) -> list[str]:
        return [
            each for each in self._planted
            if re.search(rf"(?<!\w){re.escape(each)}(?!\w)", text, re.IGNORECASE)
        ]  # fmt: skip

    def _private(
        self, item: Dataset, element: DataElement, prefix: str, outer: str
    ) -> Iterator[Check]:
        """Private elements: known to be safe and harmless ones stay, planted ones go."""
        tag = element.tag
        owner = item.get((tag.group, tag.element >> 8))
        if tag.is_private_creator or owner is None or element.VR == "SQ":
            return
        here, text = prefix + tag_path(item, element), as_text(element)
        if element.VR in _BULK or not text:
            return
        hits = self._hits(text.replace("^", " "))
        if hits or element.VR == "PN":
            for token in hits or tokens(text, generic=True):
                yield Check("text_removed", here, token)
        elif element.VR in {"DA", "DT"}:
            yield Check("date_shifted", here, text)
        elif (
            tag.group,
            tag.element & 0xFF,
            str(owner.value).strip(),
        ) in safe_private() and outer == "keep":
            yield Check("text_retained", here, text)


def _moves(action: str, here: str, text: str) -> Iterator[Check]:
    """Dates move; UIDs change, the standard's own aside, and always to the same."""
    if action == "date":
        yield Check("date_shifted", here, text)
        return
    for uid in text.split("\\"):
        if not uid.startswith("1.2.840.10008."):
            yield Check("uid_changed", here, uid)
            yield Check("uid_consistent", here, uid)


def _stays(element: DataElement, here: str, text: str) -> Iterator[Check]:
    """A value that is no free text: it stays as it is; an age over 89 must not."""
    if element.VR == "AS" and text[3:] == "Y" and text[:3].isdigit() and int(text[:3]) > _OLDEST:
        yield Check("text_removed", here, text)
    elif element.VR in _BULK:
        yield Check("tag_retained", here)
    else:
        yield Check("text_retained", here, text)


def _strings_of(person: Person) -> tuple[str, ...]:
    """Every string by which the patient and those around him are known."""
    site = person.site
    names = (person.name, person.mother, site.referrer, site.radiologist, site.technologist)
    words = [word for name in names for word in tokens(name, generic=True) if len(word) > 2]
    codes = (person.patient_id, person.other_id, person.accession, person.accession[:16],
             person.phone, site.phone, person.email, person.ssn, person.admission)  # fmt: skip
    places = (*tokens(site.institution, generic=True), *tokens(person.address, generic=True))
    days = [spelling for day in (person.birth, person.study_day) for spelling in (
        f"{day:%Y%m%d}", f"{day:%m/%d/%Y}", f"{day.isoformat()}", f"{day:%d.%m.%Y}",
        f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%B} {day.year}")]  # fmt: skip
    found = (*words, *codes, *places, *days, *(spoken(name) for name in names))
    return tuple(dict.fromkeys(each for each in found if len(each) > 2))


def _is_dated(token: str) -> bool:
    return bool(re.search(r"\d{4}", token))
