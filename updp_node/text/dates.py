"""Dates as reports write them, moved by whole days and written the same way again."""

from __future__ import annotations

import re
from datetime import date, timedelta

_MONTHS = (
    "january february march april may june july august september october november december"
).split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_TOKEN = re.compile(r"\d+|[A-Za-z]+|[^\dA-Za-z]+")
_ORDINALS = frozenset({"st", "nd", "rd", "th"})
_PIVOT = 50
FALLBACK = "an earlier date"


def shift_date(text: str, days: int) -> str:
    """The date in a text, moved and in the same spelling.

    Parameters
    ----------
    text : str
        Nothing but a date: ``3/14/2021``, ``March 2021``, ``Mon, 14-MAR-21``. Month before
        day where both are possible. Without a year a common year is taken, without a day the
        middle of the month.

    Returns
    -------
    str
        `FALLBACK` where the text is no date that the calendar knows.
    """
    tokens = _TOKEN.findall(text)
    if re.fullmatch(r"(?:19|20)\d{6}", text):
        tokens = [text[:4], "", text[4:6], "", text[6:]]
    roles = _assign(tokens)
    if roles is None:
        return FALLBACK
    day = _resolve(tokens, roles)
    if day is None:
        return FALLBACK
    try:
        moved = day + timedelta(days=days)
    except OverflowError:
        return FALLBACK
    padded = _is_padded([token for token in tokens if token.isdigit()])
    written = [_write(token, roles.get(index, ""), moved, padded=padded)
               for index, token in enumerate(tokens)]  # fmt: skip
    return "".join(written)


def month_number(word: str) -> int | None:
    """1 to 12 for a month's name or its abbreviation."""
    lower = word.lower()
    for number, name in enumerate(_MONTHS, start=1):
        if len(lower) >= 3 and (name.startswith(lower) or lower == "sept" == name[:4]):
            return number
    return None


def _weekday(word: str) -> int | None:
    lower = word.lower()
    for number, name in enumerate(_DAYS):
        if len(lower) >= 3 and name.startswith(lower):
            return number
    return None


def _assign(tokens: list[str]) -> dict[int, str] | None:
    """What each token is: year, month, day, month name, weekday, ordinal ending."""
    roles: dict[int, str] = {}
    numbers = [index for index, token in enumerate(tokens) if token.isdigit()]
    for index, token in enumerate(tokens):
        if token.isalpha():
            if token.lower() in _ORDINALS and index and tokens[index - 1].isdigit():
                roles[index] = "ordinal"
            elif month_number(token) and "month name" not in roles.values():
                roles[index] = "month name"
            elif _weekday(token) is not None:
                roles[index] = "weekday"
            elif token.lower() not in {"the", "of"}:
                return None
    named = "month name" in roles.values()
    order = _number_roles([tokens[index] for index in numbers], named=named)
    if order is None or (not order and "weekday" not in roles.values() and not named):
        return None
    roles.update(zip(numbers, order, strict=True))
    return roles


def _number_roles(numbers: list[str], *, named: bool) -> list[str] | None:
    """What the numbers of a date are, beside a month's name or without one."""
    years = [len(number) == 4 for number in numbers]
    if named:
        return {
            0: [],
            1: ["year" if years[:1] == [True] else "day"],
            2: ["year", "day"] if years[:1] == [True] else ["day", "year"],
        }.get(len(numbers))
    if len(numbers) == 3 and not years[0]:
        return ["day", "month", "year"] if int(numbers[0]) > 12 else ["month", "day", "year"]
    if len(numbers) == 2 and not years[0]:
        return ["month", "year"] if years[1] else ["month", "day"]
    return {0: [], 2: ["year", "month"], 3: ["year", "month", "day"]}.get(len(numbers))


def _resolve(tokens: list[str], roles: dict[int, str]) -> date | None:
    parts = {role: tokens[index] for index, role in roles.items()}
    if set(roles.values()) == {"weekday"}:
        first = date(2001, 1, 1)  # a Monday
        return first + timedelta(days=_weekday(parts["weekday"]) or 0)
    year = int(parts.get("year", "2001"))
    if year < 100:
        year += 1900 if year > _PIVOT else 2000
    month = (
        month_number(parts["month name"]) if "month name" in parts else int(parts.get("month", "0"))
    )
    day = int(parts.get("day", "15"))
    try:
        return date(
            2000 if (month, day) == (2, 29) and "year" not in parts else year, month or 0, day
        )
    except ValueError:
        return None


def _is_padded(numbers: list[str]) -> bool:
    """Whether single digits are written with a zero before them."""
    short = [number for number in numbers if len(number) < 4]
    return any(number.startswith("0") for number in short) or (
        len(short) > 1 and all(len(number) == 2 for number in short)
    )


def _write(token: str, role: str, moved: date, *, padded: bool) -> str:
    if role == "year":
        return f"{moved.year % 100:02d}" if len(token) == 2 else f"{moved.year:04d}"
    if role in {"month", "day"}:
        number = moved.month if role == "month" else moved.day
        return f"{number:02d}" if padded else str(number)
    return _write_word(token, role, moved)


def _write_word(token: str, role: str, moved: date) -> str:
    if role == "month name":
        name = _MONTHS[moved.month - 1]
        return _in_case(name if month_is_long(token) else name[:3], token)
    if role == "weekday":
        name = _DAYS[moved.weekday()]
        return _in_case(name if token.lower().endswith("day") else name[:3], token)
    if role == "ordinal":
        teens = 10 <= moved.day <= 20
        return "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(moved.day % 10, "th")
    return token


def month_is_long(token: str) -> bool:
    """Whether a month is written out; ``May`` counts as written out."""
    return token.lower() in _MONTHS


def _in_case(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
