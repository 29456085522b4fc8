"""Reports to train the voter on: templates of both open splits, with values of no list.

Names, places and numbers are drawn at random, so that what is learnt is where an identifier
stands and not what it reads. Templates are varied before they are filled: other words for the
same label, other marks after it, other cases, lines joined and split.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tools.reports.fill import Report, Split, load_split, make_report
from tools.reports.indiana import find_indiana, generate_indiana
from tools.reports.people import Names, Person
from tools.voter_writing import PlainWords, Variation, cut, label_words, tagged
from updp_node.text.lexicon import Lexicons

_SLOT = re.compile(r"\{[^{}]*\}|<[a-z_0-9]+(?: \d)?(?: nl)?(?: \?)?>|#(?:upper|lower|[a-z]{2})\b")
_WORD = re.compile(r"[^\W\d_]+")
_INITIALS = "ABCDEFGHIJKLMNOPQRSTUVWYZ"
_SYLLABLES = (
    "ba be bo bra chi cor da den do el fa fer gal gra ha hin il ja ka ken ki la len li lo ma mi mo "
    "na nel no or pa per qui ra ri ro sa sen shi ska ta ten tov ul va vel vi wa win ya za zen zo"
).split()
_TAILS = "a en er ez i in man o ov ski son ton us wicz y yan".split()
_TOWN_TAILS = "ville ton field burg ford ham wood port dale mont bury stead haven minster".split()
_OWN = {  # kinds of words that lists of a split hold, by the list's name
    "city": "town", "countyname": "town", "county": "town", "place": "house", "house": "house",
    "street": "street", "saint": "given", "nick": "given", "lady": "", "queen": "given",
}  # fmt: skip
_CODES = frozenset("mrn acc order policy visit unit bed device gmc last4".split())


class AnyNames:
    """Names of people out of the lexicons, of the language and of nowhere."""

    def __init__(self, lexicons: Lexicons, own: Names) -> None:
        self._own = own
        self._surnames = sorted(lexicons.surnames)
        self._given = {"F": sorted(lexicons.given_female), "M": sorted(lexicons.given_male)}
        self._ambiguous = sorted(lexicons.ambiguous)
        short = [
            w for w in sorted(lexicons.words) if w.isascii() and w.isalpha() and 3 < len(w) < 9
        ]
        self._words = [w for w in short if w not in lexicons.clinical]
        self._clinical = [w for w in short if w in lexicons.clinical]

    def person(self, rng: random.Random) -> Person:
        """Somebody with names of any kind."""
        own = self._own.person(rng)
        given = own.given if rng.random() < 0.3 else self.given(rng, own.sex)
        surname = own.surname if rng.random() < 0.15 else self.surname(rng)
        middle = rng.choice(_INITIALS) if rng.random() < 0.6 else ""
        return Person(given, middle, surname, own.sex)

    def given(self, rng: random.Random, sex: str) -> str:
        """A given name, now and then of no list."""
        kind = rng.random()
        if kind < 0.70:
            return rng.choice(self._given[sex]).title()
        return self.strange(rng) if kind < 0.85 else rng.choice(self._ambiguous).title()

    def surname(self, rng: random.Random) -> str:
        """A surname: listed, invented, or a word of the language."""
        kind = rng.random()
        if kind < 0.40:
            name = rng.choice(self._surnames)
        elif kind < 0.65:
            name = rng.choice(self._ambiguous)
        elif kind < 0.82:
            name = self.strange(rng)
        elif kind < 0.95:
            name = rng.choice(self._words)
        else:
            name = rng.choice(self._clinical)
        name = name.title()
        if rng.random() < 0.04:
            name += "-" + rng.choice(self._surnames).title()
        return rng.choice(["O'", "Mc", "de ", "van "]) + name if rng.random() < 0.03 else name

    def strange(self, rng: random.Random) -> str:
        """A name that no list holds."""
        parts = rng.choices(_SYLLABLES, k=rng.choice([1, 2, 2, 3]))
        return ("".join(parts) + rng.choice(_TAILS)).title()

    def word(self, rng: random.Random) -> str:
        """A word of the language."""
        return rng.choice(self._words).title()


class AnyValues:
    """Values of a split with other places, and with formats of numbers of their own."""

    def __init__(self, lexicons: Lexicons, names: AnyNames) -> None:
        self._names = names
        self._cities = sorted(lexicons.cities)
        self._towns = sorted(lexicons.towns) or self._cities

    def vary(self, values: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
        """The same slots, filled from elsewhere for the most part."""
        varied = dict(values)
        varied["lists"] = {
            name: self._list(name, words, rng) for name, words in values["lists"].items()
        }
        varied["formats"] = {
            slot: self._formats(slot, formats, rng) for slot, formats in values["formats"].items()
        }
        return varied

    def _list(self, name: str, words: Any, rng: random.Random) -> Any:
        make = _OWN.get(name, "")
        if not make or rng.random() < 0.25:
            return words
        return [self._place(make, rng) for _ in range(4)]

    def _place(self, kind: str, rng: random.Random) -> str:
        names = self._names
        if kind == "given":
            return names.given(rng, rng.choice("FM"))
        chosen = rng.random()
        town = (
            rng.choice(self._towns).title() if chosen < 0.15
            else rng.choice(self._cities).title() if chosen < 0.65 else self._new_town(rng)
        )  # fmt: skip
        if kind == "town":
            return town
        chosen = rng.random()
        if chosen < 0.4:
            return town
        if chosen < 0.7:
            return names.surname(rng)
        return names.word(rng) if chosen < 0.85 else f"{names.word(rng)} {names.word(rng)}"

    def _new_town(self, rng: random.Random) -> str:
        if rng.random() < 0.4:
            return self._names.word(rng)
        return self._names.strange(rng)[:6] + rng.choice(_TOWN_TAILS)

    @staticmethod
    def _formats(slot: str, formats: Any, rng: random.Random) -> Any:
        if slot not in _CODES or rng.random() < 0.4:
            return formats
        short = slot in {"unit", "bed", "last4"}
        return [_code_format(rng, short=short) for _ in range(3)]


def _code_format(rng: random.Random, *, short: bool) -> str:
    """A format of an identifier that nobody has thought of."""
    parts = []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        kind = rng.random()
        digits = "#" * (rng.randint(1, 3) if short else rng.randint(2, 9))
        letters = "@" * rng.randint(1, 3)
        parts.append(
            digits if kind < 0.55 else letters + digits if kind < 0.78
            else digits + letters if kind < 0.87 else letters
        )  # fmt: skip
    text = rng.choice("-- ./").join(parts)
    return text if short or text.count("#") > 3 else text + "####"


@dataclass(frozen=True)
class Fold:
    """Which skeletons and sentences to take: all but one part of so many, or that part alone."""

    of: int = 1
    part: int = -1
    inside: bool = False

    def holds(self, text: str) -> bool:
        """Whether a skeleton or sentence is in it."""
        if self.part < 0:
            return True
        chosen = hashlib.sha256(text.encode()).digest()[0] % self.of == self.part
        return chosen == self.inside

    def cut(self, split: Split) -> Split:
        """A split of those alone."""
        pools = {
            name: tuple(s for s in sentences if self.holds(s)) or sentences[:1]
            for name, sentences in split.pools.items()
        }
        skeletons = tuple(s for s in split.skeletons if self.holds(s))
        return Split(split.name, skeletons, pools, split.values, split.names)


def load_own() -> Split:
    """The templates that only the voter is trained on."""
    source = load_split("development")
    read = yaml.safe_load(Path(__file__).with_name("voter_templates.yaml").read_text("utf-8"))
    pools = {name: tuple(sentences) for name, sentences in read["pools"].items()}
    return Split("voter", tuple(read["skeletons"]), pools, source.values, source.names)


TAGGED, CUT = 0.05, 0.12
"""Shares of reports whose identifiers are tags already, and of pieces of reports."""


class Maker:
    """Makes varied reports of splits.

    Parameters
    ----------
    lexicons : Lexicons
    splits : sequence of str
    fold : Fold
    """

    def __init__(self, lexicons: Lexicons, splits: Sequence[str], fold: Fold = Fold()) -> None:
        self.splits = [fold.cut(load_split(name)) for name in splits] + [load_own()]
        self._plain = PlainWords(lexicons)
        self._names = [AnyNames(lexicons, split.names) for split in self.splits]
        self._values = [AnyValues(lexicons, names) for names in self._names]

    def make(self, count: int, seed: int) -> Iterator[Report]:
        """Reports of all splits in turn, every second as its template is."""
        total = sum(len(split.skeletons) for split in self.splits)
        order = [
            (at, number)
            for at, split in enumerate(self.splits)
            for number in range(len(split.skeletons))
        ]
        for number in range(count):
            rng = random.Random(f"voter {seed} {number}")
            at, skeleton = order[number % total]
            yield self._vary(at, skeleton, rng)

    def _vary(self, at: int, skeleton: int, rng: random.Random) -> Report:
        split = self.splits[at]
        template, pools = split.skeletons[skeleton], split.pools
        way = Variation(rng) if rng.random() < 0.6 else None

        def write(text: str) -> str:
            return self._plain.fill(way.apply(text) if way else text, rng)

        template = write(template)
        pools = {name: tuple(map(write, sentences)) for name, sentences in pools.items()}
        if not template.startswith("#"):
            style = rng.choice(["", "", "", "", "", "", "", "upper", "lower"])
            template = f"#{style}\n{template}" if style else template
        values = self._values[at].vary(split.values, rng)
        varied = Split(split.name, (template,), pools, values, self._names[at])  # type: ignore[arg-type]
        made = make_report(varied, 0, rng)
        made = replace(made, source=f"{split.name} {skeleton + 1}")
        chosen = rng.random()
        if chosen < TAGGED:
            return tagged(made, rng)
        return cut(made, rng) if chosen < TAGGED + CUT else made

    def vocabulary(self, least: int = 2) -> frozenset[str]:
        """Words of so many skeletons and sentences, values of slots left out."""
        counts: Counter[str] = Counter()
        for split in self.splits:
            for text in (*split.skeletons, *(s for pool in split.pools.values() for s in pool)):
                counts.update(set(_WORD.findall(_SLOT.sub(" ", text).lower())))
        return frozenset(w for w, count in counts.items() if count >= least) | label_words()


def indiana(splits: Sequence[str], count: int, seed: int) -> list[Report]:
    """Indiana reports of the half that is free for tuning; none where they are not at hand."""
    archive = find_indiana()
    if archive is None or "figure" in splits:
        return []
    return list(generate_indiana(load_split(splits[0]), archive, count, seed))
