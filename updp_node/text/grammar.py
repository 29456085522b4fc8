"""What rules need to know of a language that is no list of words: `language.yaml` of its pack."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from updp_node.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Grammar:
    """One language's calendar, word endings, word order and stock phrases.

    All terms are in lower case and without accents, as folded text is compared.

    Attributes
    ----------
    model : str
        Package of a spaCy model whose entities vote; empty: none votes.
    warm_up : str
        A short report that touches every rule once.
    months, weekdays : tuple of str
        From January, from Monday; the first three letters are the abbreviation.
    day_first : bool
        Whether ``3/4/2021`` is the third of April.
    date_fillers : frozenset of str
        Words inside a date: ``the``, ``of``.
    ordinals : Mapping of str to str
        Ending of a day by its last digit; ``other`` for all else (and from 10 to 20).
    phrases : Mapping of str to str
        ``earlier_date``, ``some_time``, ``oldest``; ``institution`` with ``{}`` for the name,
        ``address`` with ``{number}`` and ``{street}``.
    regexes : Mapping of str to re.Pattern
        Shapes of words and joints, see `_REGEXES`.
    terms : Mapping of str to frozenset of str
        Small closed sets of words, see `_TERMS`.
    inflections : tuple of pairs of str
        Ending, and what stands in its place in the base form.
    """

    model: str
    warm_up: str
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    day_first: bool
    date_fillers: frozenset[str]
    ordinals: Mapping[str, str]
    phrases: Mapping[str, str]
    regexes: Mapping[str, re.Pattern[str]]
    terms: Mapping[str, frozenset[str]]
    inflections: tuple[tuple[str, str], ...]

    def ordinal(self, day: int) -> str:
        """The ending that makes a number of a day."""
        other = self.ordinals["other"]
        return other if 10 <= day <= 20 else self.ordinals.get(str(day % 10), other)


_REGEXES = (
    "ordinal_between",  # between day and month or year in certain hits: `(?:\s+of)?`
    "and",  # what joins two names of a list
    "half_of_day",  # am or pm
    "word_ending",  # endings that no name has
    "prefix",  # word beginnings before a known word
    "doubled",  # a doubled consonant before an ending; the first letter of the pair in group 1
    "institution",  # facility word before its name
    "town_prefix",  # an abbreviation that begins a town's name
    "degree",  # letters after a name that are no initials
    "name_stop",  # what stands after the last word of a name
    "street_doctor",  # what looks like a street and is a title; its words in group 1
    "abbreviated",  # ends with a full stop that ends no sentence
    "clause_end",  # after a finding: where its clause ends
    "phrase_end",  # after a finding: where its own words end
)
_TERMS = (
    "spoken_titles", "order_particles", "house_joiners", "house_saints", "house_names",
)  # fmt: skip
_PHRASES = ("earlier_date", "some_time", "oldest", "institution", "address")


def make_grammar(content: Mapping[str, Any], path: Path) -> Grammar:
    """The grammar that a file states.

    Raises
    ------
    ConfigError
        A key is missing or a regular expression cannot be compiled; names file and key.
    """
    try:
        return Grammar(
            model=str(content["model"] or ""),
            warm_up=str(content["warm_up"]),
            months=_exactly(12, content["months"]),
            weekdays=_exactly(7, content["weekdays"]),
            day_first=bool(content["day_first"]),
            date_fillers=frozenset(content["date_fillers"]),
            ordinals={str(key): str(value) for key, value in content["ordinals"].items()},
            phrases={key: str(content["phrases"][key]) for key in _PHRASES},
            regexes={key: re.compile(content["regexes"][key], _flags(key)) for key in _REGEXES},
            terms={key: frozenset(map(str, content["terms"][key])) for key in _TERMS},
            inflections=tuple((str(a), str(b)) for a, b in content["inflections"]),
        )
    except KeyError as error:
        raise ConfigError("missing", file=str(path), key=str(error.args[0])) from error
    except (re.error, TypeError, ValueError) as error:
        raise ConfigError("not as a language.yaml is written", file=str(path)) from error


def _exactly(count: int, values: Sequence[object]) -> tuple[str, ...]:
    if len(values) != count:
        raise ValueError("not as many as the calendar has")
    return tuple(map(str, values))


def _flags(key: str) -> re.RegexFlag:
    return re.NOFLAG if key in {"institution", "street_doctor", "degree"} else re.IGNORECASE
