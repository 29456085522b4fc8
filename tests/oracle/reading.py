"""The oracle's reading of the action codes and of the options.

References
----------
PS3.15 E.1.1 (codes), Table E.1-1 (rows and columns), E.3 (options); PS3.5 7.4 (Types).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tests.oracle.tables import Row

_GRAPHICS = "Clean Graphics"
_TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE"})
_TIME_VRS = frozenset({"DA", "DT", "TM"})


class Outcome(StrEnum):
    """What may be found in the output."""

    GONE = "gone"
    EMPTY_OR_DUMMY = "empty or dummy"
    DUMMY = "dummy"
    NEW_UID = "new UID"
    KEPT = "kept"
    CLEANED = "cleaned"


class Reason(StrEnum):
    """Differences from the letter of the table; each is explained in docs/explanation/oracle.md."""

    REQUIRED = "required-by-the-iod"
    UNNAMED = "item-unknown-to-the-iod"
    UNCLEANABLE = "cannot-be-cleaned"
    AGE = "age-over-89"
    TIMES = "times-not-kept"


@dataclass(frozen=True)
class Expected:
    """What the letter of the table asks, and what else is explained.

    Attributes
    ----------
    outcome : Outcome
    must_have_value : bool
        Type 1: zero length would break the IOD.
    instead : tuple of (Outcome, Reason)
        What may stand there in place of `outcome`, and why.
    """

    outcome: Outcome
    must_have_value: bool = False
    instead: tuple[tuple[Outcome, Reason], ...] = ()


def code_for(row: Row, options: Collection[str]) -> tuple[str, frozenset[str]]:
    """The action code with the options that are on, and the options that it comes from.

    An option's cell overrides the Basic Profile. Where one option cleans and another keeps, the
    attribute is cleaned, which satisfies the purpose of both.
    """
    on = [(code, name) for name, code in row.cells if name in options]
    if not on:
        return row.basic, frozenset()
    code = "C" if any(code == "C" for code, _ in on) else "K"
    return code, frozenset(name for each, name in on if each == code)


def expect(
    row: Row, vr: str, options: Collection[str], types: Collection[str], *,
    is_place_named: bool, times: str,
) -> Expected:  # fmt: skip
    """What has to become of an attribute."""
    code, chosen = code_for(row, options)
    if code == "C":
        return _clean(row, vr, chosen, types, is_place_named=is_place_named, times=times)
    if code == "K":
        instead = ((Outcome.CLEANED, Reason.AGE),) if vr == "AS" else ()
        return Expected(Outcome.KEPT, instead=instead)
    return _basic(code, types, is_place_named=is_place_named)


def _basic(code: str, types: Collection[str], *, is_place_named: bool) -> Expected:
    """D, Z, X, U and the composite codes, by Type; 1C and 2C as 1 and 2, since present."""
    is_required = bool({"1", "1C"} & set(types))
    may_be_empty = not is_required and bool({"2", "2C"} & set(types))
    first, *others = code.rstrip("*").split("/")
    if is_required:
        chosen = others[-1] if others else first
    elif may_be_empty and others:
        chosen = "Z" if "Z" in (first, *others) else others[-1]
    else:
        chosen = first
    outcome = _OUTCOMES[chosen]
    if chosen == "X" and (is_required or may_be_empty):
        return Expected(outcome, instead=((Outcome.EMPTY_OR_DUMMY, Reason.REQUIRED),))
    if others and not is_place_named:
        last = _OUTCOMES[others[-1]]
        return Expected(outcome, instead=((last, Reason.UNNAMED),))
    return Expected(outcome, must_have_value=is_required)


def _clean(
    row: Row, vr: str, chosen: Collection[str], types: Collection[str], *,
    is_place_named: bool, times: str,
) -> Expected:  # fmt: skip
    """C, and what stands in its place where a value cannot be cleaned."""
    basic = _basic(row.basic, types, is_place_named=is_place_named)
    fallbacks = (basic.outcome, *(outcome for outcome, _ in basic.instead))
    reason = None
    if row.keyword == "TimezoneOffsetFromUTC" or vr in _TIME_VRS:
        is_date = vr in {"DA", "DT"}
        reason = Reason.TIMES if times == "remove" and not is_date else None
    elif vr not in _TEXT_VRS | {"SQ"} or (_GRAPHICS in chosen and vr != "SQ"):
        reason = Reason.UNCLEANABLE
    instead = tuple((outcome, reason) for outcome in fallbacks) if reason is not None else ()
    return Expected(Outcome.CLEANED, basic.must_have_value, instead)


_OUTCOMES = {
    "X": Outcome.GONE, "Z": Outcome.EMPTY_OR_DUMMY, "D": Outcome.DUMMY, "U": Outcome.NEW_UID,
}  # fmt: skip
