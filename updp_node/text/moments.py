"""Dates and times of content items: kept, moved by the subject's shift, or made dummies.

References
----------
PS3.5 6.2 (DA, DT, TM); PS3.3 C.17.3; PS3.15 E.3.6.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from updp_node.errors import InstanceError
from updp_node.text.items import ContentPolicy

DUMMY_MOMENTS = {"DATE": "19000101", "TIME": "000000", "DATETIME": "19000101000000"}
_TM = re.compile(r"([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?")
_DA = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_DT = re.compile(
    r"(\d{4})(\d{2})?(\d{2})?([01]\d|2[0-3])?([0-5]\d)?((?:[0-5]\d|60)(?:\.\d{1,6})?)?"
    r"([+-]\d{4})?"
)


def move_moment(value: str, kind: str, policy: ContentPolicy, shift_days: int) -> str:
    """The new value of a DATE, TIME or DATETIME content item; a dummy where dates go.

    Parameters
    ----------
    kind : str
        Value Type (0040,A040).
    policy : ContentPolicy
    shift_days : int
        Of the subject; used where dates are moved.

    Raises
    ------
    InstanceError
        ``unscrubbed-date``: it is no value of its kind.
    """
    text = value.strip(" \0")
    if not text or policy.dates == "remove":
        return DUMMY_MOMENTS[kind]
    days = shift_days if policy.dates == "shift" else 0
    if kind == "TIME":
        return _time(text, policy.times)
    if kind == "DATE":
        match = _DA.fullmatch(text)
        if match is None:
            raise InstanceError("unscrubbed-date", kind)
        return _moved(match[1], match[2], match[3], days, kind)
    return _datetime(text, policy.times, days)


def _time(text: str, times: str) -> str:
    match = _TM.fullmatch(text)
    if match is None or times == "remove":
        return DUMMY_MOMENTS["TIME"]
    hour, minute, second, fraction = match.groups()
    if times == "keep":
        return hour + (minute or "") + (second or "") + (fraction or "")
    return f"{hour}{minute or '00'}00"


def _datetime(text: str, times: str, days: int) -> str:
    """A DT as coarse as it was; what is coarser than a day is moved from its first day."""
    match = _DT.fullmatch(text)
    if match is None:
        raise InstanceError("unscrubbed-date", "DATETIME")
    year, month, day, hour, minute, second, offset = match.groups()
    moved = _moved(year, month or "01", day or "01", days, "DATETIME")
    if day is None:
        return moved[: 6 if month else 4]
    if hour is None or times == "remove":
        return moved
    clock = hour + (minute or "") + (second or "")
    return moved + (clock if times == "keep" else f"{hour}{minute or '00'}00") + (offset or "")


def _moved(year: str, month: str, day: str, days: int, kind: str) -> str:
    try:
        moved = date(int(year), int(month), int(day)) + timedelta(days=days)
    except (ValueError, OverflowError) as error:
        raise InstanceError("unscrubbed-date", kind) from error
    return moved.isoformat().replace("-", "")
