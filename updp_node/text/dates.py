"""Dates as reports write them, moved by whole days and written the same way again."""

from __future__ import annotations

import re
from datetime import date, timedelta

from updp_node.text.grammar import Grammar

_TOKEN = re.compile(r"\d+|[A-Za-z]+|[^\dA-Za-z]+")
_PIVOT = 50


def shift_date(text: str, days: int, grammar: Grammar) -> str:
    """The date in a text, moved and in the same spelling.

    Parameters
    ----------
    text : str
        Nothing but a date: ``3/14/2021``, ``March 2021``, ``Mon, 14-MAR-21``. Where both are
        possible, month and day stand as is usual in the language. Without a year a common year
        is taken, without a day the middle of the month.
    grammar : Grammar
        Of the language that the text is in.

    Returns
    -------
    str
        The grammar's ``earlier_date`` where the text is no date that the calendar knows.
    """
    fallback = grammar.phrases["earlier_date"]
    tokens = _TOKEN.findall(text)
    if re.fullmatch(r"(?:19|20)\d{6}", text):
        tokens = [text[:4], "", text[4:6], "", text[6:]]
    roles = _assign(tokens, grammar)
    if roles is None:
        return fallback
    day = _resolve(tokens, roles, grammar)
    if day is None:
        return fallback
    try:
        moved = day + timedelta(days=days)
    except OverflowError:
        return fallback
    padded = _is_padded([token for token in tokens if token.isdigit()])
    written = [_write(token, roles.get(index, ""), moved, grammar, padded=padded)
               for index, token in enumerate(tokens)]  # fmt: skip
    return "".join(written)


def month_number(word: str, grammar: Grammar) -> int | None:
    """1 to 12 for a month's name or its abbreviation."""
    lower = word.lower()
    for number, name in enumerate(grammar.months, start=1):
        if len(lower) >= 3 and name.startswith(lower):
            return number
    return None


def _weekday(word: str, grammar: Grammar) -> int | None:
    lower = word.lower()
    for number, name in enumerate(grammar.weekdays):
        if len(lower) >= 3 and name.startswith(lower):
            return number
    return None


def _assign(tokens: list[str], grammar: Grammar) -> dict[int, str] | None:
    """What each token is: year, month, day, month name, weekday, ordinal ending."""
    roles: dict[int, str] = {}
    numbers = [index for index, token in enumerate(tokens) if token.isdigit()]
    for index, token in enumerate(tokens):
        if token.isalpha():
            if token.lower() in grammar.ordinals.values() and index and tokens[index - 1].isdigit():
                roles[index] = "ordinal"
            elif month_number(token, grammar) and "month name" not in roles.values():
                roles[index] = "month name"
            elif _weekday(token, grammar) is not None:
                roles[index] = "weekday"
            elif token.lower() not in grammar.date_fillers:
                return None
    named = "month name" in roles.values()
    order = _number_roles([tokens[index] for index in numbers], grammar, named=named)
    if order is None or (not order and "weekday" not in roles.values() and not named):
        return None
    roles.update(zip(numbers, order, strict=True))
    return roles


def _number_roles(numbers: list[str], grammar: Grammar, *, named: bool) -> list[str] | None:
    """What the numbers of a date are, beside a month's name or without one."""
    years = [len(number) == 4 for number in numbers]
    if named:
        return {
            0: [],
            1: ["year" if years[:1] == [True] else "day"],
            2: ["year", "day"] if years[:1] == [True] else ["day", "year"],
        }.get(len(numbers))
    if len(numbers) == 3 and not years[0]:
        return [*_day_and_month(numbers, grammar), "year"]
    if len(numbers) == 2 and not years[0]:
        return ["month", "year"] if years[1] else _day_and_month(numbers, grammar)
    return {0: [], 2: ["year", "month"], 3: ["year", "month", "day"]}.get(len(numbers))


def _day_and_month(numbers: list[str], grammar: Grammar) -> list[str]:
    """Which comes first; as usual in the language where both could."""
    first, second = int(numbers[0]), int(numbers[1])
    day_first = first > 12 or (grammar.day_first and second <= 12)
    return ["day", "month"] if day_first else ["month", "day"]


def _resolve(tokens: list[str], roles: dict[int, str], grammar: Grammar) -> date | None:
    parts = {role: tokens[index] for index, role in roles.items()}
    if set(roles.values()) == {"weekday"}:
        first = date(2001, 1, 1)  # a Monday
        return first + timedelta(days=_weekday(parts["weekday"], grammar) or 0)
    year = int(parts.get("year", "2001"))
    if year < 100:
        year += 1900 if year > _PIVOT else 2000
    month = (
        month_number(parts["month name"], grammar)
        if "month name" in parts
        else int(parts.get("month", "0"))
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


def _write(token: str, role: str, moved: date, grammar: Grammar, *, padded: bool) -> str:
    if role == "year":
        return f"{moved.year % 100:02d}" if len(token) == 2 else f"{moved.year:04d}"
    if role in {"month", "day"}:
        number = moved.month if role == "month" else moved.day
        return f"{number:02d}" if padded else str(number)
    return _write_word(token, role, moved, grammar)


def _write_word(token: str, role: str, moved: date, grammar: Grammar) -> str:
    if role == "month name":
        name = grammar.months[moved.month - 1]
        return _in_case(name if token.lower() in grammar.months else name[:3], token)
    if role == "weekday":
        name = grammar.weekdays[moved.weekday()]
        return _in_case(name if token.lower() in grammar.weekdays else name[:3], token)
    return grammar.ordinal(moved.day) if role == "ordinal" else token


def _in_case(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
