"""Dates and times in every usual spelling."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Mapping

_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_HOURS = "_ one two three four five six seven eight nine ten eleven twelve".split()
_COMMON = ("iso", "mdy", "dMony")
_USUAL: Mapping[str, tuple[str, ...]] = {
    "us": ("us", "us", "us0", "us0", "us2", "us02", "usdash", "mdy", "Mdy", "dMony", "iso"),
    "uk": ("uk0", "uk0", "uk2", "dmy", "dmy", "dMy", "dot", "ordy"),
    "au": ("uk0", "uk0", "uk2", "dmy", "dMy", "dMon2", "ukdash"),
    "ca": ("iso", "iso", "dMony", "Mdy", "mdy", "us0", "dmy"),
    "ie": ("uk0", "uk2", "dmy", "dMy", "ordy", "dot"),
    "nz": ("uk0", "uk2", "dmy", "dMy", "dMon2"),
    "in": ("ukdash", "uk0", "dMony", "dot", "dmy"),
    "za": ("isoslash", "iso", "uk0", "dmy", "dMy"),
    "sg": ("uk0", "dMy", "dMony", "dmy"),
    "va": ("Mdy_upper", "us0", "Mdy_va", "dMONy", "us02"),
}


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


_FORMS: Mapping[str, Callable[[datetime.date], str]] = {
    "us": lambda d: f"{d.month}/{d.day}/{d.year}",
    "us0": lambda d: f"{d:%m/%d/%Y}",
    "us2": lambda d: f"{d.month}/{d.day}/{d:%y}",
    "us02": lambda d: f"{d:%m/%d/%y}",
    "usdash": lambda d: f"{d.month}-{d.day}-{d:%y}",
    "usdash0": lambda d: f"{d:%m-%d-%Y}",
    "uk0": lambda d: f"{d:%d/%m/%Y}",
    "uk2": lambda d: f"{d:%d/%m/%y}",
    "ukdash": lambda d: f"{d:%d-%m-%Y}",
    "dot": lambda d: f"{d:%d.%m.%Y}",
    "dot2": lambda d: f"{d.day}.{d.month}.{d:%y}",
    "iso": lambda d: f"{d:%Y-%m-%d}",
    "isoslash": lambda d: f"{d:%Y/%m/%d}",
    "compact": lambda d: f"{d:%Y%m%d}",
    "mdy": lambda d: f"{_MONTHS[d.month - 1]} {d.day}, {d.year}",
    "mdysplit": lambda d: f"{_MONTHS[d.month - 1]} {d.day},\n{d.year}",
    "mdoy": lambda d: f"{_MONTHS[d.month - 1]} {_ordinal(d.day)}, {d.year}",
    "Mdy": lambda d: f"{_MONTHS[d.month - 1][:3]} {d.day}, {d.year}",
    "Mdoty": lambda d: f"{_MONTHS[d.month - 1][:3]}. {d.day}, {d.year}",
    "Mdy_upper": lambda d: f"{_MONTHS[d.month - 1][:3].upper()} {d:%d}, {d.year}",
    "Mdy_va": lambda d: f"{_MONTHS[d.month - 1][:3].upper()} {d:%d},{d.year}",
    "dmy": lambda d: f"{d.day} {_MONTHS[d.month - 1]} {d.year}",
    "dMy": lambda d: f"{d.day} {_MONTHS[d.month - 1][:3]} {d.year}",
    "dMony": lambda d: f"{d.day:02d}-{_MONTHS[d.month - 1][:3]}-{d.year}",
    "dMONy": lambda d: f"{d.day:02d}-{_MONTHS[d.month - 1][:3].upper()}-{d.year}",
    "dMon2": lambda d: f"{d.day}-{_MONTHS[d.month - 1][:3]}-{d:%y}",
    "dMONyjoined": lambda d: f"{d.day:02d}{_MONTHS[d.month - 1][:3].upper()}{d.year}",
    "ordy": lambda d: f"{_ordinal(d.day)} {_MONTHS[d.month - 1]} {d.year}",
    "ordofy": lambda d: f"{_ordinal(d.day)} of {_MONTHS[d.month - 1]} {d.year}",
    "wmdy": lambda d: f"{_DAYS[d.weekday()]}, {_MONTHS[d.month - 1]} {d.day}, {d.year}",
    "wdmy": lambda d: f"{_DAYS[d.weekday()]} {d.day} {_MONTHS[d.month - 1]} {d.year}",
    "wus": lambda d: f"{_DAYS[d.weekday()]} {d.month}/{d.day}",
    "wmd": lambda d: f"{_DAYS[d.weekday()]}, {_MONTHS[d.month - 1]} {d.day}",
    "wdm": lambda d: f"{_DAYS[d.weekday()]} {_ordinal(d.day)} {_MONTHS[d.month - 1]}",
    "m/d": lambda d: f"{d.month}/{d.day}",
    "d/m": lambda d: f"{d.day}/{d.month}",
    "md": lambda d: f"{_MONTHS[d.month - 1]} {d.day}",
    "mdo": lambda d: f"{_MONTHS[d.month - 1]} {_ordinal(d.day)}",
    "dm": lambda d: f"{d.day} {_MONTHS[d.month - 1]}",
    "ordm": lambda d: f"{_ordinal(d.day)} {_MONTHS[d.month - 1]}",
    "my": lambda d: f"{_MONTHS[d.month - 1]} {d.year}",
    "mofy": lambda d: f"{_MONTHS[d.month - 1]} of {d.year}",
    "My": lambda d: f"{_MONTHS[d.month - 1][:3]} {d.year}",
    "M2": lambda d: f"{_MONTHS[d.month - 1][:3]} '{d:%y}",
    "m/y": lambda d: f"{d.month}/{d.year}",
    "m0/y": lambda d: f"{d:%m/%Y}",
    "dotshort": lambda d: f"{d.day}.{d.month}.",
    "mdash": lambda d: f"{d.month}-{d.day}",
    "wcomma": lambda d: f"{_DAYS[d.weekday()][:3]}, {d.day} {_MONTHS[d.month - 1][:3]} {d.year}",
    "wMd": lambda d: f"{_DAYS[d.weekday()][:3]} {_MONTHS[d.month - 1][:3]} {d.day}",
    "dM": lambda d: f"{d.day} {_MONTHS[d.month - 1][:3]}",
    "dMupper": lambda d: f"{d.day:02d} {_MONTHS[d.month - 1][:3].upper()} {d:%y}",
    "dM2": lambda d: f"{d.day} {_MONTHS[d.month - 1][:3]} '{d:%y}",
    "ordofm": lambda d: f"{_ordinal(d.day)} of {_MONTHS[d.month - 1]}",
    "thedmy": lambda d: f"{_ordinal(d.day)} day of {_MONTHS[d.month - 1]}, {d.year}",
    "ukspace": lambda d: f"{d:%d %m %Y}",
    "sixdigits": lambda d: f"{d:%d%m%y}",
    "usdot": lambda d: f"{d:%m.%d.%Y}",
    "uspad": lambda d: f"{d.month:2d}/{d.day:2d}/{d:%y}".strip(),
    "year": lambda d: f"{d.year}",
    "month": lambda d: _MONTHS[d.month - 1],
}

WITHOUT_DAY = frozenset({"my", "mofy", "My", "M2", "m/y", "m0/y", "year", "month"})


def write_date(day: datetime.date, form: str, locale: str, rng: random.Random) -> str:
    """A date in a named form; ``*`` takes one that is usual in the place.

    Raises
    ------
    KeyError
        No such form.
    """
    if form == "*":
        form = rng.choice(_USUAL.get(locale, _USUAL["us"]))
    return _FORMS[form](day)


def write_time(form: str, rng: random.Random) -> str:
    """A time of day in a named form; ``*`` takes any of the usual ones."""
    hour, minute, second = rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)
    twelve = hour % 12 or 12
    half = "AM" if hour < 12 else "PM"
    forms = {
        "24": f"{hour:02d}:{minute:02d}",
        "24s": f"{hour:02d}:{minute:02d}:{second:02d}",
        "ampm": f"{twelve}:{minute:02d} {half}",
        "bare": f"{twelve}:{minute:02d}",
        "ampmjoined": f"{twelve}:{minute:02d}{half}",
        "ampm0": f"{twelve:02d}:{minute:02d} {half}",
        "pm": f"{twelve}:{minute:02d} {half.lower()[0]}.m.",
        "lower": f"{twelve}:{minute:02d} {half.lower()}",
        "hour": f"{twelve} {half.lower()}",
        "hours": f"{hour:02d}{minute:02d} hours",
        "hrs": f"{hour:02d}{minute:02d} hrs",
        "h": f"{hour:02d}{minute:02d}h",
        "military": f"{hour:02d}{minute:02d}",
        "dot": f"{hour:02d}.{minute:02d}",
        "dotpm": f"{twelve}.{minute:02d}{half.lower()}",
        "dotpms": f"{twelve}.{minute:02d} {half.lower()}",
        "T": f"T{hour:02d}:{minute:02d}:{second:02d}",
        "six": f"{hour:02d}{minute:02d}{second:02d}",
        "hm": f"{hour:02d}h{minute:02d}",
        "colonh": f"{hour:02d}:{minute:02d}h",
        "a": f"{twelve}:{minute:02d}{half.lower()[0]}",
        "hourjoined": f"{twelve}{half.lower()}",
        "hourpm": f"{twelve} {half.lower()[0]}.m.",
        "oclock": f"{twelve} o'clock",
        "clockword": f"{_HOURS[twelve]} o'clock",
        "quarter": f"quarter past {_HOURS[twelve]}",
        "halfpast": f"half past {_HOURS[twelve]}",
        "to": f"ten to {_HOURS[twelve]}",
        "fifteen": f"{_HOURS[twelve]} fifteen",
        "ms": f"{hour:02d}:{minute:02d}:{second:02d}.{minute:02d}0",
    }
    return forms[rng.choice(("24", "24", "ampm", "ampm", "pm", "lower")) if form == "*" else form]
