"""Dates and times of one pair, matched together where the association negotiated it.

References
----------
PS3.4 C.2.2.2.5.4: Range Matching of Combined Date and Time Attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from updp_node.query.keys import Element, Key
from updp_node.query.levels import REQUIRED, tag_of
from updp_node.query.query import Query
from updp_node.query.times import is_range, read_moment

_PAIRS = [
    (tag_of(f"{name}Date"), tag_of(f"{name}Time"))
    for name in (
        "Study", "Series", "Acquisition", "Content", "PatientBirth", "PerformedProcedureStepStart",
        "PerformedProcedureStepEnd", "InstanceCreation",
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Keys of a date and the time of that day, both ranges."""

    date: Key
    time: Key


def pairs_of(query: Query) -> list[Pair]:
    """The pairs of a query that are to be matched together."""
    if not query.combined_datetime:
        return []
    by_tag = {key.tag: key for key in query.keys if len(key.values) == 1}
    pairs = [
        Pair(by_tag[date], by_tag[time])
        for date, time in _PAIRS
        if date in by_tag and time in by_tag
    ]
    return [pair for pair in pairs if _form(pair.date) == _form(pair.time) != (False, False)]


def pair_matches(pair: Pair, get: Callable[[int], Element | None]) -> bool:
    """Whether an entity's date and time lie between the combined ends.

    Of an entity without a time only the day is known; without a date nothing is, and an
    unknown value of a required key matches (C.2.2.1.2).
    """
    date = _moment(get(pair.date.tag), "DA")
    if date is None:
        return pair.date.tag in REQUIRED
    time = _moment(get(pair.time.tag), "TM")
    first, last = (date + (time or "0" * 12)), (date + (time or "9" * 12))
    low, high = _end(pair, 0), _end(pair, 1)
    return (low is None or low <= last) and (high is None or first <= high)


def _end(pair: Pair, which: int) -> str | None:
    """First (0) or last (1) instant; None where the date is open at that end."""
    date = _part(pair.date, which)
    if not date:
        return None
    day = read_moment(date, "DA")
    time = _part(pair.time, which)
    moment = read_moment(time, "TM") if time else None
    if day is None:
        return None
    clock = moment[which] if moment else ("0" * 12, "9" * 12)[which]
    return day[which] + clock


def _form(key: Key) -> tuple[bool, bool]:
    """Which ends a range names; neither for what is no range. Pairs need the same form."""
    if not _is_range(key):
        return False, False
    first, _, last = key.values[0].partition("-")
    return bool(first.strip()), bool(last.strip())


def _part(key: Key, which: int) -> str:
    value = key.values[0]
    if not _is_range(key):
        return value
    return value.split("-")[which].strip()


def _is_range(key: Key) -> bool:
    return is_range(key.values[0], key.vr)


def _moment(element: Element | None, vr: str) -> str | None:
    values = (element or {}).get("Value") or []
    moment = read_moment(str(values[0]), vr) if values else None
    return moment[0] if moment else None
