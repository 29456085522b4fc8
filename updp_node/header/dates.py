"""Dates and times: shifted by whole days, coarsened, or found to be no dates at all.

References
----------
PS3.5 6.2 (AS, DA, DT, TM), PS3.4 C.2.2.2.5 (range matching), PS3.15 E.3.6.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_DA = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_TM = re.compile(r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?")
_DT = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?((?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?"
    r"([+-]\d{4})?"
)
_OFFSET = re.compile(r"[+-](?:0\d|1[0-4])[0-5]\d")
_AGE = re.compile(r"\d{3}[DWMY]")
_OLDEST_YEARS = 89
TIMES = ("keep", "coarsen", "remove")


def shift_date(text: str, days: int) -> str | None:
    """A DA value or range, shifted; None where it is no date.

    Parameters
    ----------
    text : str
        ``YYYYMMDD``, the same with separators, or a range of two with a hyphen.
    days : int
    """
    if not text:
        return ""
    if (single := _DA.fullmatch(text)) is not None:
        return _shifted(single[1], single[2], single[3], days)
    low, hyphen, high = text.partition("-")
    if not hyphen or not (low or high):
        return None
    ends = [shift_date(end, days) if _DA.fullmatch(end) or not end else None for end in (low, high)]
    return None if None in ends else f"{ends[0]}-{ends[1]}"


def shift_datetime(text: str, days: int, times: str) -> str | None:
    """A DT value or range, shifted; the part after the date and the offset from UTC stay.

    A year, or a year and month, alone is shifted from its first day and stays as coarse.

    Parameters
    ----------
    times : str
        ``keep``, ``coarsen`` (seconds and fractions go) or ``remove``.
    """
    if not text:
        return ""
    match = _DT.fullmatch(text)
    if match is None:
        return _shift_range(text, days, times)
    year, month, day, clock, offset = match.groups()
    moved = _shifted(year, month or "01", day or "01", days)
    if moved is None or (clock and not day):
        return None
    if day is None:
        return moved[: 6 if month else 4] + (offset or "")
    if not clock or times == "remove":
        return moved
    return moved + (clock[:4] if times == "coarsen" else clock) + (offset or "")


def keep_time(text: str, times: str) -> str | None:
    """A TM value or range as the profile wants it; None where it is no time or times go."""
    if not text:
        return ""
    if times == "remove":
        return None
    match = _TM.fullmatch(text)
    if match is None:
        low, hyphen, high = text.partition("-")
        if not hyphen or "-" in high:
            return None
        ends = [keep_time(end, times) for end in (low, high)]
        return None if None in ends else f"{ends[0]}-{ends[1]}"
    hour, minute, second, fraction = match.groups()
    if times == "coarsen":
        return hour + (minute or "") + ("00" if second else "")
    return hour + (minute or "") + (second or "") + (fraction or "")


def is_date(text: str, vr: str) -> bool:
    """Whether a value of DA, DT or TM is well formed, so that it can stay as it is."""
    if vr == "DA":
        return shift_date(text, 0) is not None
    if vr == "DT":
        return shift_datetime(text, 0, "keep") is not None
    return keep_time(text, "keep") is not None


def is_offset(text: str) -> bool:
    """Whether a value is an offset from UTC (PS3.3 C.12.1.1)."""
    return not text or _OFFSET.fullmatch(text) is not None


def cap_age(text: str) -> str | None:
    """AS values with every age over 89 years as ``090Y``; None where one is no age."""
    ages = [part.strip() for part in text.split("\\")]
    if not all(not age or _AGE.fullmatch(age) for age in ages):
        return None
    return "\\".join(
        "090Y" if age.endswith("Y") and int(age[:3]) > _OLDEST_YEARS else age for age in ages
    )


def _shift_range(text: str, days: int, times: str) -> str | None:
    """A DT range: a hyphen that is not the sign of an offset divides it."""
    for place, character in enumerate(text):
        if character != "-":
            continue
        low, high = text[:place], text[place + 1 :]
        if (low or high) and all(not end or _DT.fullmatch(end) for end in (low, high)):
            ends = [shift_datetime(end, days, times) for end in (low, high)]
            return None if None in ends else f"{ends[0]}-{ends[1]}"
    return None


def _shifted(year: str, month: str, day: str, days: int) -> str | None:
    try:
        moved = date(int(year), int(month), int(day)) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"
