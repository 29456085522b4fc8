"""Values of one report's slots: who, when, where, and the numbers of it."""

from __future__ import annotations

import datetime
import random
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.reports.dates import WITHOUT_DAY, write_date, write_time
from tools.reports.people import Names, Person
from updp_node.text.identity import Identity

PEOPLE = frozenset("pt rad rad2 res ref doc doc2 nurse tech kin trans".split())
DATES = frozenset("study dob prior prior2 prior3 sign event future".split())
WRITTEN = {
    "is_name": "NAME", "is_id": "ID", "is_date": "DATE", "is_time": "TIME", "is_age": "AGE",
    "is_phone": "PHONE", "is_addr": "ADDRESS", "is_loc": "LOCATION", "is_inst": "INSTITUTION",
    "is_dev": "DEVICE", "is_url": "URL", "xxxx": "MARK",
}  # fmt: skip
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Value:
    """Text of a slot, its gold category ("" for none), and whether the header has it."""

    text: str
    category: str
    in_header: bool = False


class Case:
    """What one report is about: the same patient, physicians, dates and numbers throughout.

    Parameters
    ----------
    values : mapping
        Formats and places of the split.
    locale : str
        ``us``, ``uk`` or ``au``: how dates, phones and addresses are written.
    """

    def __init__(
        self, values: Mapping[str, Any], names: Names, locale: str, rng: random.Random
    ) -> None:
        self.rng = rng
        self._values = values
        self._names = names
        self._locale = locale
        self._people: dict[str, Person] = {}
        self._fixed: dict[str, str] = {}
        self._header = {who for who, share in (("pt", 1.0), ("ref", 0.7), ("rad", 0.4))
                        if rng.random() < share}  # fmt: skip
        self._header |= {"mrn", "acc", "dob", "study"}
        self._header |= {what for what in ("hosp", "ptphone", "ptaddress") if rng.random() < 0.5}
        self._dates = self._make_dates()
        self._style = rng.random()

    def _make_dates(self) -> dict[str, datetime.date]:
        rng = self.rng
        study = datetime.date(2004, 1, 1) + datetime.timedelta(days=rng.randrange(7900))
        after = {"study": 0, "sign": rng.choice([0, 0, 0, 1, 2]), "future": rng.randint(20, 300)}
        before = {"prior": 60, "prior2": 400, "prior3": 1500, "event": 25}
        dates = {name: study + datetime.timedelta(days=days) for name, days in after.items()}
        for name, most in before.items():
            dates[name] = study - datetime.timedelta(days=rng.randint(1, most))
        dates["dob"] = study - datetime.timedelta(days=rng.randint(18 * 365, 96 * 365))
        return dates

    def identity(self) -> Identity:
        """The header of the study: what of the report's identifiers stands in it."""
        people = [self._person(who).dicom() for who in ("pt", "ref", "rad") if who in self._header]
        fixed = self._fixed_value
        return Identity(
            names=tuple(people),
            ids=(fixed("mrn"), fixed("acc")),
            dates=tuple(self._dates[name].strftime("%Y%m%d") for name in ("dob", "study")),
            phones=(fixed("ptphone"),) if "ptphone" in self._header else (),
            addresses=(fixed("ptaddress"),) if "ptaddress" in self._header else (),
            institutions=(fixed("hosp"),) if "hosp" in self._header else (),
        )

    def value(self, slot: str, form: str) -> Value:
        """The value of a slot in a form.

        ``is_id`` and the like (`WRITTEN`) have their format in the template itself.

        Raises
        ------
        KeyError
            A template names a slot that there is not.
        """
        if slot in WRITTEN:
            return Value(self._pattern(form or "XXXX"), WRITTEN[slot])
        if slot in PEOPLE:
            initials = set(form) <= set("jnkJNK_. -")
            text = self._person(slot).write(form or "f l")
            return Value(text, "NAME", slot in self._header and not initials)
        if slot in DATES:
            text = write_date(self._dates[slot], form or "*", self._locale, self.rng)
            category = "" if form == "year" else "DATE"  # 45 CFR 164.514(b)(2)(i)(C)
            return Value(text, category, slot in self._header and form not in WITHOUT_DAY)
        if slot == "time":
            return Value(write_time(form or "*", self.rng), "TIME")
        if slot in {"age", "age90"}:
            old = slot == "age90"
            return Value(str(self.rng.randint(90, 103) if old else self.rng.randint(19, 88)),
                         "AGE" if old else "")  # fmt: skip
        category = self._category(slot)
        return Value(
            self._fixed_value(slot, form), category, slot in self._header and form in {"", "U"}
        )

    def _person(self, who: str) -> Person:
        if who not in self._people:
            self._people[who] = self._names.person(self.rng)
        return self._people[who]

    def _category(self, slot: str) -> str:
        category: str = self._values["categories"][slot]
        return category

    def _fixed_value(self, slot: str, form: str = "") -> str:
        """A number or place, the same wherever the report says it.

        ``form`` tells two of a kind apart; ``U`` is the same in capitals.
        """
        if form == "U":
            return self._fixed_value(slot).upper()
        key = f"{slot}:{form}"
        if key not in self._fixed:
            self._fixed[key] = self._make(slot)
        return self._fixed[key]

    def _make(self, slot: str) -> str:
        formats = self._values["formats"][slot]
        if isinstance(formats, Mapping):
            formats = formats.get(self._locale, formats["us"])
        return self._pattern(self.rng.choice(formats))

    def _pattern(self, pattern: str) -> str:
        """A format's text: ``#`` a digit, ``@`` a letter, ``[list]`` one of a list of words.

        ``(*`` and ``*)`` stand for square brackets, ``<at>`` for an at sign.
        """
        rng = self.rng
        while "[" in pattern and (end := pattern.find("]")) > 0:
            start = pattern.rfind("[", 0, end)
            pattern = pattern[:start] + self._word(pattern[start + 1 : end]) + pattern[end + 1 :]
        digits = (rng.choice("123456789" if n == 0 else "0123456789") for n in range(99))
        return "".join(
            next(digits) if mark == "#" else rng.choice(_LETTERS) if mark == "@" else mark
            for mark in pattern
        ).replace("(*", "[*").replace("*)", "*]").replace("<at>", "@")  # fmt: skip

    def _word(self, name: str) -> str:
        rng = self.rng
        if name == "surname":
            return self._names.person(rng).surname
        if name == "given":
            return self._names.person(rng).given
        if name == "flast":
            person = self._names.person(rng)
            return _plain(f"{person.given[0]}{person.surname}")
        if name == "first.last":
            person = self._names.person(rng)
            return _plain(f"{person.given}.{person.surname}")
        words = self._values["lists"][name]
        if isinstance(words, Mapping):
            words = words.get(self._locale, words["us"])
        return str(rng.choice(words))


def _plain(name: str) -> str:
    """A name as a mailbox has it."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z.]", "", ascii_only.lower())
