"""People of the generated reports: names with their frequency, from all over the world."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WORLD_SHARE = 0.25
WORDLIKE_SHARE = 0.04
_INITIALS = "AAABCCDDEEFGHJJKLLMMMNOPRRSSTVW"


@dataclass(frozen=True, slots=True)
class Person:
    """A person's given name, middle initial, surname and sex (``F`` or ``M``)."""

    given: str
    middle: str
    surname: str
    sex: str

    def dicom(self) -> str:
        """The name as a header has it: ``HOLLOWAY^MARGARET^A``."""
        return "^".join(part for part in (self.surname, self.given, self.middle) if part).upper()

    def write(self, form: str) -> str:
        """The name in one of the orders of a report.

        Parameters
        ----------
        form : str
            One or more of the letters ``f`` (given name), ``m`` (middle initial with a point),
            ``n`` (middle initial), ``l`` (surname), ``i`` (initial of the given name with a
            point), ``j`` (that initial alone), ``k`` (initial of the surname), and anything else
            as it stands; ``form`` in capitals makes the name capitals, ``_`` before it lower
            case, ``/`` is a line's end.
        """
        if form.startswith("_"):
            return self.write(form[1:]).lower()
        if form.isupper() or any(letter.isupper() for letter in form):
            return self.write(form.lower()).upper()
        letters = {
            "f": self.given,
            "l": self.surname,
            "m": f"{self.middle}." if self.middle else "",
            "n": self.middle,
            "i": f"{self.given[0]}.",
            "j": self.given[0],
            "k": self.surname[0],
            "/": "\n",
        }
        written = "".join(letters.get(letter, letter) for letter in form)
        return written if self.middle else _tidy(written)


def _tidy(written: str) -> str:
    """A name without the gaps that a missing middle initial left."""
    return written.replace("  ", " ").replace(" ,", ",").strip(" ^")


class Names:
    """The given names and surnames of one split.

    Parameters
    ----------
    values : mapping
        ``surnames``, ``female``, ``male`` (``Name`` or ``Name:frequency``), ``wordlike``
        (surnames) and ``world`` (lists of ``female``, ``male``, ``surnames``).
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._surnames = _weighted(values["surnames"])
        self._given = {"F": _weighted(values["female"]), "M": _weighted(values["male"])}
        self._wordlike: list[str] = values["wordlike"].split()
        self._world: list[Mapping[str, str]] = values["world"]

    def person(self, rng: random.Random) -> Person:
        """Somebody: usually of a US census name, often of one from elsewhere."""
        sex = rng.choice("FM")
        kind = rng.random()
        middle = rng.choice(_INITIALS) if rng.random() < 0.7 else ""
        if kind < WORLD_SHARE:
            culture = rng.choice(self._world)
            given = rng.choice(_words(culture["female" if sex == "F" else "male"]))
            return Person(given, middle, rng.choice(_words(culture["surnames"])), sex)
        given = rng.choices(*self._given[sex])[0]
        if kind < WORLD_SHARE + WORDLIKE_SHARE:
            return Person(given, middle, rng.choice(self._wordlike), sex)
        return Person(given, middle, rng.choices(*self._surnames)[0], sex)

    def everything(self) -> tuple[frozenset[str], frozenset[str]]:
        """All given names and all surnames, in lower case."""
        given = {name for names, _ in self._given.values() for name in names}
        surnames = {*self._surnames[0], *self._wordlike}
        for culture in self._world:
            given |= {*_words(culture["female"]), *_words(culture["male"])}
            surnames |= set(_words(culture["surnames"]))
        return (
            frozenset(name.lower() for name in given),
            frozenset(name.lower() for name in surnames),
        )


def _weighted(text: str) -> tuple[Sequence[str], Sequence[int]]:
    pairs = [word.partition(":") for word in text.split()]
    return [name for name, _, _ in pairs], [int(weight or 1) for _, _, weight in pairs]


def _words(text: str) -> list[str]:
    """Names of a list; ``+`` joins the parts of one name."""
    return [word.replace("+", " ") for word in text.split()]
