"""Dates and times by their meaning (PS3.4 C.2.2.2.5, PS3.5 6.2): spans in microseconds."""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

Span = tuple[int, int]
"""First and last microsecond that a value of limited precision may mean."""

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?")
_DATETIME = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6}))?)?)?)?)?)?"
    r"([+-]\d{4})?"
)
_EPOCH = datetime(1, 1, 1)
_US = 1_000_000


def span_of(text: str, vr: str, local_offset_min: int = 0) -> Span | None:
    """What a DA, TM or DT value means; None if it is none.

    Parameters
    ----------
    local_offset_min : int
        Offset from UTC, in minutes, of DT values that state none.
    """
    text = text.strip()
    if vr == "TM":
        match = _TIME.fullmatch(text)
        return _within_day(*match.groups()) if match else None
    if vr == "DA":
        match = _DATE.fullmatch(text)
        return _moment(match.groups(), 0) if match else None
    match = _DATETIME.fullmatch(text)
    if match is None:
        return None
    *parts, offset = match.groups()
    return _moment(parts, _minutes(offset) if offset else local_offset_min)


def range_of(text: str, vr: str, local_offset_min: int = 0) -> tuple[Span | None, Span | None]:
    """First and last value of ``A-B``, ``A-``, ``-B``; None where the range is open.

    Raises
    ------
    ValueError
        The text is no range.
    """
    for place in (index for index, char in enumerate(text) if char == "-"):
        first, last = text[:place].strip(), text[place + 1 :].strip()
        low = span_of(first, vr, local_offset_min) if first else None
        high = span_of(last, vr, local_offset_min) if last else None
        if (low or not first) and (high or not last) and (low or high):
            return low, high
    raise ValueError("no range")


def _within_day(hour: str, minute: str | None, second: str | None, part: str | None) -> Span:
    low = (int(hour) * 3600 + int(minute or 0) * 60 + int(second or 0)) * _US
    return _widen(low, minute, second, part)


def _widen(low: int, minute: str | None, second: str | None, part: str | None) -> Span:
    if part is not None:
        low += int(part.ljust(6, "0"))
        return low, low + 10 ** (6 - len(part)) - 1
    width = 1 if second is not None else 60 if minute is not None else 3600
    return low, low + width * _US - 1


def _moment(parts: object, offset_min: int) -> Span | None:
    year, month, day, *rest = (*parts, None, None, None, None)[:7]  # type: ignore[misc]
    hour, minute, second, part = rest
    try:
        start = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0))
        if hour is not None:
            base = _microseconds(start)
            within = (int(minute or 0) * 60 + int(second or 0)) * _US
            low, high = _widen(base + within, minute, second, part)
        else:
            last_month = int(month or 12)
            last_day = int(day or calendar.monthrange(int(year), last_month)[1])
            end = datetime(int(year), last_month, last_day) + timedelta(days=1)
            low, high = _microseconds(start), _microseconds(end) - 1
    except ValueError:
        return None
    return low - offset_min * 60 * _US, high - offset_min * 60 * _US


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _minutes(offset: str) -> int:
    total = int(offset[1:3]) * 60 + int(offset[3:5])
    return -total if offset[0] == "-" else total
