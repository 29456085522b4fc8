"""Keys and how they match.

References
----------
PS3.4 C.2.2.2: Attribute Matching. PS3.18 F.2: DICOM JSON Model, the form of what is matched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from updp_node.query.levels import REQUIRED
from updp_node.query.names import fold_name, name_groups
from updp_node.query.times import is_range, read_moment, read_range

Element = Mapping[str, Any]
"""One attribute in DICOM JSON: ``{"vr": "CS", "Value": ["CR"]}``."""

WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
TIME_VRS = frozenset({"DA", "TM", "DT"})
_NUMBER_VRS = frozenset({"IS", "DS", "US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"})
_UNSEARCHABLE_VRS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})

IDENTIFIER_DOES_NOT_MATCH = 0xA900
UNABLE_TO_PROCESS = 0xC000


class QueryError(ValueError):
    """A query that cannot be answered, and the status that says so.

    Parameters
    ----------
    reason : str
        Static text; never a value of the query.
    tag : int, optional
        The offending element.
    status : int
        PS3.4 Table C.4-1: 0xA900 identifier does not match SOP Class, 0xC000 unable to process.
    """

    def __init__(
        self, reason: str, *, tag: int | None = None, status: int = IDENTIFIER_DOES_NOT_MATCH
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.tag = tag
        self.status = status


@dataclass(frozen=True, slots=True)
class Key:
    """One attribute of a query.

    Attributes
    ----------
    tag : int
    vr : str
    values : tuple of str
        What is asked for, any of them; empty is universal matching.
    items : tuple of Key
        Keys of the one item of a sequence.
    """

    tag: int
    vr: str
    values: tuple[str, ...] = ()
    items: tuple[Key, ...] = ()

    @property
    def is_universal(self) -> bool:
        """Whether every entity matches, so that the key merely asks for the value."""
        return not self.values and all(item.is_universal for item in self.items)

    @property
    def json_tag(self) -> str:
        """The tag as DICOM JSON writes it."""
        return f"{self.tag:08X}"


def check_key(key: Key) -> Key:
    """Return a key that can be matched.

    Raises
    ------
    QueryError
        A range that is none, a UID that is none, a value for binary data.
    """
    for value in key.values:
        if key.vr in TIME_VRS and read_range(value, key.vr) is None:
            raise QueryError("neither a date or time nor a range of them", tag=key.tag)
        if key.vr in _UNSEARCHABLE_VRS:
            raise QueryError("binary attributes cannot be matched", tag=key.tag)
        if key.vr in _NUMBER_VRS and _number(value) is None:
            raise QueryError("not a number", tag=key.tag)
        if key.vr == "UI" and not re.fullmatch(r"[0-9.]{1,64}", value):
            raise QueryError("not a UID; wildcards do not apply to UIDs", tag=key.tag)
    for item in key.items:
        check_key(item)
    return key


def matches(key: Key, element: Element | None) -> bool:
    """Whether an attribute of an entity meets a key.

    Parameters
    ----------
    key : Key
    element : mapping or None
        In DICOM JSON; None where the entity does not hold the attribute.

    References
    ----------
    PS3.4 C.2.2.1.2: an unknown value of a required key matches every value.
    """
    if key.is_universal:
        return True
    held: Sequence[Any] = [] if element is None else element.get("Value") or []
    if not held and key.tag in REQUIRED:
        return True
    if key.vr == "SQ":
        return any(_item_matches(key.items, item) for item in held)
    return any(_value_matches(key, value) for value in held)


def is_exact(key: Key) -> bool:
    """Whether every value of a key means equality of text."""
    if key.vr in TIME_VRS or key.vr in _NUMBER_VRS or key.vr in {"PN", "SQ"}:
        return False
    return key.vr not in WILDCARD_VRS or not any(has_wildcard(value) for value in key.values)


def has_wildcard(value: str) -> bool:
    """Whether ``*`` or ``?`` occurs."""
    return "*" in value or "?" in value


def _item_matches(keys: tuple[Key, ...], item: object) -> bool:
    if not isinstance(item, Mapping):
        return False
    return all(matches(key, item.get(key.json_tag)) for key in keys)


def _value_matches(key: Key, value: object) -> bool:
    if value is None:
        return False
    return any(_one_matches(key.vr, wanted, value) for wanted in key.values)


def _one_matches(vr: str, wanted: str, value: object) -> bool:
    if vr == "PN":
        return _name_matches(wanted, value)
    text = str(value).strip()
    if vr in TIME_VRS:
        return _time_matches(vr, wanted, text)
    if vr in _NUMBER_VRS:
        return _number(wanted) == _number(text)
    if vr in WILDCARD_VRS and has_wildcard(wanted):
        return glob_matches(wanted.strip(), text)
    return wanted.strip() == text


def _name_matches(wanted: str, value: object) -> bool:
    groups = name_groups(value)
    if "=" not in wanted:
        pattern = fold_name(wanted)
        return any(glob_matches(pattern, group) for group in groups if group)
    asked = [fold_name(part) for part in wanted.split("=")][:3]
    return all(
        not part or glob_matches(part, group) for part, group in zip(asked, groups, strict=False)
    )


def _time_matches(vr: str, wanted: str, text: str) -> bool:
    held = read_moment(text, vr)
    asked = read_range(wanted, vr)
    if held is None or asked is None:
        return False
    return asked[0] <= held[0] <= asked[1] if is_range(wanted, vr) else asked[0] == held[0]


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def glob_matches(pattern: str, text: str) -> bool:
    """Whether a text meets a pattern with ``*`` and ``?``, in time of the order of both lengths.

    A regular expression would backtrack without end on ``*a*a*a*``.
    """
    at = of = 0
    star = mark = -1
    while at < len(text):
        if of < len(pattern) and pattern[of] == "*":
            star, mark = of, at
            of += 1
        elif of < len(pattern) and pattern[of] in ("?", text[at]):
            of += 1
            at += 1
        elif star >= 0:
            mark += 1
            at, of = mark, star + 1
        else:
            return False
    return not pattern[of:].strip("*")
