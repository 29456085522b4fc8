"""Dates and times as half-open intervals of digits, so that precision does not matter.

References
----------
PS3.4 C.2.2.2.5: Range Matching. PS3.5 6.2: DA, TM, DT.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MONTH, _DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(rf"(\d{{4}})[.:]?{_MONTH}[.:]?{_DAY}")
_TIME = re.compile(r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(?:\.(\d{1,6}))?)?)?")
_DATETIME = re.compile(
    rf"(\d{{4}}){_MONTH}?{_DAY}?([01]\d|2[0-3])?([0-5]\d)?([0-5]\d|60)?"
    r"(?:\.(\d{1,6}))?([+-](?:0\d|1[0-4])[0-5]\d)?"
)
_WIDTH = {"DA": 8, "TM": 12, "DT": 20}
_LAST = {"DA": "9" * 8, "TM": "9" * 12, "DT": "9" * 20}

Interval = tuple[str, str]
"""First and last instant, both included, as digits of full precision."""


def read_moment(text: str, vr: str) -> Interval | None:
    """The interval that one DA, TM or DT value means; None if it is none."""
    text = text.strip()
    if vr == "DA":
        match = _DATE.fullmatch(text)
        return None if match is None else ("".join(match.groups()),) * 2
    if vr == "TM":
        match = _TIME.fullmatch(text)
        return None if match is None else _time_interval([part or "" for part in match.groups()])
    match = _DATETIME.fullmatch(text)
    return None if match is None else _datetime_interval([part or "" for part in match.groups()])


def read_range(text: str, vr: str) -> Interval | None:
    """The interval of a matching value: one moment, ``A-B``, ``A-`` or ``-B``.

    Returns
    -------
    tuple of str, or None
        None: not a date, time or range of this VR.
    """
    single = read_moment(text, vr)
    if single is not None:
        return single
    for place in (index for index, char in enumerate(text) if char == "-"):
        first, last = text[:place].strip(), text[place + 1 :].strip()
        low = read_moment(first, vr) if first else ("0" * _WIDTH[vr],) * 2
        high = read_moment(last, vr) if last else (_LAST[vr],) * 2
        if low is not None and high is not None and (first or last):
            return low[0], high[1]
    return None


def is_range(text: str, vr: str) -> bool:
    """Whether a matching value is a range rather than one moment."""
    return read_moment(text, vr) is None and read_range(text, vr) is not None


def _time_interval(parts: list[str]) -> Interval:
    hour, minute, second, fraction = parts
    low = hour + (minute or "00") + (second or "00") + fraction.ljust(6, "0")
    high = hour + (minute or "59") + (second or "59") + fraction.ljust(6, "9")
    return low, high


def _datetime_interval(parts: list[str]) -> Interval:
    year, month, day, hour, minute, second, fraction, offset = parts
    low = f"{year}{month or '01'}{day or '01'}{hour or '00'}{minute or '00'}{second or '00'}"
    high = f"{year}{month or '12'}{day or '31'}{hour or '23'}{minute or '59'}{second or '59'}"
    return (
        _to_utc(low, offset) + fraction.ljust(6, "0"),
        _to_utc(high, offset) + fraction.ljust(6, "9"),
    )


def _to_utc(digits: str, offset: str) -> str:
    """Move a moment with an offset to UTC; one without is taken as it stands."""
    if not offset or offset in {"+0000", "-0000"}:
        return digits
    minutes = int(offset[1:3]) * 60 + int(offset[3:5])
    shift = timedelta(minutes=-minutes if offset[0] == "+" else minutes)
    try:
        moved = datetime.strptime(digits, "%Y%m%d%H%M%S") + shift  # UTC by meaning
    except (ValueError, OverflowError):
        return digits
    return f"{moved:%Y%m%d%H%M%S}"
