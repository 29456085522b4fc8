"""The patient of the tests: a canary in every identifying attribute."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Patient:
    """One invented patient with the people and places around him; no value is ordinary."""

    name: str = "Qvistorpe^Zebediahn^Klaxo"
    other_name: str = "Vantregold^Zebediahn"
    mother_name: str = "Brunkestaff"
    patient_id: str = "7738201946"
    other_id: str = "ZQX-55-90817"
    issuer: str = "QVHOSPISSUER"
    birth_date: str = "19510623"
    birth_time: str = "043117"
    sex: str = "M"
    age: str = "072Y"
    phone: str = "(555) 017-7391"
    address: str = "4711 Quxbury Crescent, Wexmoorton 90817"
    email: str = "z.qvistorpe@wexmoormail.example"
    occupation: str = "Quxbury keeper"
    accession: str = "ACQV8830172"
    study_id: str = "SIDQV4471"
    admission_id: str = "ADMQV99127"
    study_date: str = "20231117"
    study_time: str = "141253.871000"
    referring: str = "Drommelhart^Isaura^^Dr."
    performing: str = "Pellquist^Ottoline"
    operator: str = "Grymsdotter^Freja"
    reader: str = "Hargenfeld^Thaddeus^^Prof."
    requester: str = "Obermarck^Lucinde"
    verifier: str = "Stravinger^Ambrosia"
    institution: str = "Wexmoorton Royal Infirmary"
    institution_address: str = "12 Tharnegate Row, Wexmoorton"
    department: str = "Thoracic Unit Kestrelwing"
    station: str = "QVSTATION07"
    device_serial: str = "SNQV-3391-77"
    detector_id: str = "DETQV00451"

    @property
    def person_names(self) -> tuple[str, ...]:
        """Every PN of this patient's objects."""
        return (self.name, self.other_name, self.mother_name, self.referring, self.performing,
                self.operator, self.reader, self.requester, self.verifier)  # fmt: skip


_NOT_CANARIES = frozenset({"sex", "age", "study_time", "birth_time"})
_ORDINARY = frozenset({"royal", "infirmary", "crescent", "keeper", "lighthouse", "thoracic",
                       "unit", "prof.", "row,", "dr."})  # fmt: skip
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August",
           "September", "October", "November", "December")  # fmt: skip


def patient(**changes: str) -> Patient:
    """The patient of the tests, with any field changed."""
    return replace(Patient(), **changes)


def spell_date(date: str) -> tuple[str, ...]:
    """Spellings of a DA value that the reports of the tests use."""
    year, month, day = date[:4], date[4:6], date[6:8]
    word = _MONTHS[int(month) - 1]
    return (date, f"{year}-{month}-{day}", f"{month}/{day}/{year}", f"{day}.{month}.{year}",
            f"{word} {int(day)}, {year}", f"{int(day)} {word} {year}")  # fmt: skip


def plant(person: Patient) -> tuple[str, ...]:
    """Every string that must not survive: names by token, IDs with and without separators."""
    found: list[str] = []
    for entry in fields(person):
        value: str = getattr(person, entry.name)
        if entry.name in _NOT_CANARIES or not value:
            continue
        if entry.name.endswith("_date"):
            found.extend(spell_date(value))
            continue
        found.append(value)
        words = value.replace("^", " ").replace("@", " ").replace("=", " ").split()
        found.extend(word.strip(",") for word in words
                     if len(word.strip(",")) >= 4 and word.lower() not in _ORDINARY)  # fmt: skip
    return tuple(dict.fromkeys(found))
