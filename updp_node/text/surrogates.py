"""Invented values in place of identifiers: keyed, consistent, in the same format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from updp_node.subject import Subject
from updp_node.text.dates import shift_date
from updp_node.text.lexicon import Lexicons

_OLDEST = "90"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class Surrogates:
    """Makes surrogates; the same identifier of a subject always gets the same one.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self._lexicons = lexicons
        self._invented = lexicons.surrogates
        self._phrases = phrases = lexicons.grammar.phrases
        self._makers: Mapping[str, Callable[[str, Subject], str]] = {
            "NAME": self._name,
            "DATE": lambda found, subject: shift_date(found, subject.shift_days, lexicons.grammar),
            "TIME": self._time,
            "AGE": lambda found, _: _OLDEST if found.isdigit() else phrases["oldest"],
            "ID": _code,
            "DEVICE": _code,
            "PHONE": _phone,
            "EMAIL": self._email,
            "URL": lambda found, _: "https://example.org/" if "/" in found else "example.org",
            "MARK": lambda _found, _subject: "",
            "INSTITUTION": self._institution,
            "LOCATION": self._city,
            "ADDRESS": self._address,
        }

    def replace(self, found: str, category: str, subject: Subject) -> str:
        """The surrogate of an identifier.

        Parameters
        ----------
        found : str
            The identifier in folded text.
        category : str
            A category no rule knows gets its tag.
        """
        make = self._makers.get(category)
        return make(found, subject) if make else f"[{category}]"

    def _email(self, found: str, subject: Subject) -> str:
        return f"{self._pick('surnames', found, subject).lower()}@example.org"

    def _institution(self, found: str, subject: Subject) -> str:
        return self._phrases["institution"].format(self._pick("institutions", found, subject))

    def _city(self, found: str, subject: Subject) -> str:
        return self._pick("cities", found, subject)

    def _pick(self, kind: str, found: str, subject: Subject) -> str:
        choices: Sequence[str] = self._invented[kind]
        return choices[_number(subject, kind, found.lower()) % len(choices)]

    def _name(self, found: str, subject: Subject) -> str:
        """Every word of a name by itself, so that all orders of it agree."""
        words = list(re.finditer(r"[^\W\d_]+(?:['-][^\W\d_]+)*", found))
        parts, done = [], 0
        for position, match in enumerate(words):
            parts += [
                found[done : match.start()],
                self._name_word(match[0], position, len(words), subject),
            ]
            done = match.end()
        return "".join([*parts, found[done:]])

    def _name_word(self, word: str, position: int, count: int, subject: Subject) -> str:
        lower = word.lower()
        if len(word) == 1:
            return _LETTERS[_number(subject, "initial", lower) % len(_LETTERS)]
        if len(word) < 4 and count == 2 and word.islower() and position == 1:
            return "".join(
                _LETTERS[_number(subject, "initial", c) % len(_LETTERS)] for c in lower
            ).lower()
        if lower in self._lexicons.given_female:
            kind = "given_female"
        elif lower in self._lexicons.given_male:
            kind = "given_male"
        else:
            kind = "surnames"
        invented = self._pick(kind, lower, subject)
        if word.isupper():
            return invented.upper()
        return invented.lower() if word.islower() else invented

    def _time(self, found: str, subject: Subject) -> str:
        digits = re.match(r"(\d{1,2})(\D?)", found)
        if not digits:
            return self._phrases["some_time"]
        number = _number(subject, "time", found)
        half = bool(self._lexicons.grammar.regexes["half_of_day"].search(found))
        hour = 1 + number % 11 if half else 8 + number % 10
        replaced = [f"{hour:0{len(digits[1])}d}"]
        rest = found[len(digits[1]) :]
        replaced.append(re.sub(r"\d\d", lambda _: f"{(number >> 8) % 60:02d}", rest))
        return "".join(replaced)

    def _address(self, found: str, subject: Subject) -> str:
        if re.search(r"[a-z]{2}", found, re.IGNORECASE) and len(found) > 9:
            number = 10 + _number(subject, "house", found) % 90
            street = self._pick("streets", found, subject)
            return self._phrases["address"].format(number=number, street=street)
        return _code(found, subject)


def _number(subject: Subject, *parts: str) -> int:
    return int.from_bytes(subject.key.digest("surrogate", subject.subject_id, *parts)[:8], "big")


def _code(found: str, subject: Subject) -> str:
    """Other digits for digits, other letters for letters; separators stay."""
    compared = re.sub(r"[\W_]", "", found).upper()
    digest = subject.key.digest("surrogate", subject.subject_id, "code", compared)
    stream = digest * (len(found) // len(digest) + 1)
    replaced, position = [], 0
    for character in found:
        if not character.isalnum():
            replaced.append(character)
            continue
        byte, position = stream[position], position + 1
        if character.isdigit():
            replaced.append(str(byte % 10))
        else:
            letter = _LETTERS[byte % len(_LETTERS)]
            replaced.append(letter if character.isupper() else letter.lower())
    return "".join(replaced)


def _phone(found: str, subject: Subject) -> str:
    """Seven digits and more end in 555-01xx, which is nobody's number; short ones are coded."""
    digits = [character for character in found if character.isdigit()]
    coded = [c for c in _code("".join(digits), subject)]
    if len(digits) >= 7:
        coded[-7:-2] = list("55501")
    stream = iter(coded)
    return "".join(next(stream) if c.isdigit() else c for c in found)
