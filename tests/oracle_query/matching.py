"""Attribute matching of PS3.4 C.2.2.2, one attribute against one key."""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tests.oracle_query.canonical import is_empty, texts
from tests.oracle_query.moments import Span, range_of, span_of

_WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
_MOMENTS = frozenset({"DA", "TM", "DT"})


@dataclass(frozen=True)
class Reading:
    """One admissible reading of what the standard leaves to the implementer.

    Attributes
    ----------
    precision : str
        How a value or key of less than full precision counts (C.2.2.2.1.3): ``point``, its
        first moment; ``key``, the key's whole span; ``overlap``, the whole span of both.
    local_offset_min : int
        Where DT values without an offset are.
    unknown_in_items : bool
        Whether an attribute that an item of a sequence lacks matches.
    unknown : str
        Which attributes of an entity match any key if they have no value: ``required``, the
        required keys (C.2.2.1.2 demands it); ``every``, the optional ones too, which C.2.2.1.3
        has processed in the same manner; ``never``, which the standard does not allow.
    """

    precision: str = "key"
    local_offset_min: int = 0
    unknown_in_items: bool = True
    unknown: str = "required"


STRICT = Reading()
ADMISSIBLE = (STRICT, Reading(unknown="every"))
"""Readings of which one must explain everything that a server answers."""
DEVIATING = Reading(unknown="never")
"""What many servers do instead: an unknown value matches nothing but universal matching."""
REQUIRED = frozenset(
    tag_for_keyword(keyword)
    for keyword in ("PatientName", "StudyDate", "StudyTime", "AccessionNumber", "StudyID",
                    "Modality", "SeriesNumber", "InstanceNumber")
)  # fmt: skip
"""Required keys of PS3.4 C.6.1.1 and C.6.2.1."""
READINGS = tuple(
    Reading(*choice)
    for choice in itertools.product(("key", "point", "overlap"), (0, -720, 840), (True, False))
)


def matches(
    key: DataElement, held: DataElement | None, reading: Reading = STRICT, *, in_item: bool = False
) -> bool:
    """Whether what an entity holds of an attribute matches a key.

    Parameters
    ----------
    held : pydicom.DataElement or None
        None or zero length: unknown.
    """
    if is_empty(key):
        return True
    if key.VR == "SQ":
        return _sequence_matches(key, held, reading, in_item=in_item)
    wanted = texts(key)
    if key.VR in _WILD and all(set(one) == {"*"} for one in wanted):
        return True
    if held is None or is_empty(held):
        return _unknown_matches(key, reading, in_item=in_item)
    values = texts(held)
    if key.VR == "UI":
        return any(value in wanted for value in values)
    return any(_value_matches(key.VR, one, value, reading) for one in wanted for value in values)


def matching_items(key: DataElement, held: DataElement, reading: Reading) -> list[Dataset]:
    """Items of a sequence that match the single item of a key (C.2.2.2.6)."""
    wanted = key.value[0]
    return [
        item
        for item in held.value
        if all(matches(one, item.get(one.tag), reading, in_item=True) for one in wanted)
    ]


def moments_match(first: Span | None, last: Span | None, held: Span, precision: str) -> bool:
    """Whether a moment lies in a range that may be open on either side (C.2.2.2.5)."""
    low = first[0] if first else held[0]
    if precision == "point":
        return low <= held[0] and (last is None or held[0] <= last[0])
    if precision == "key":
        return low <= held[0] and (last is None or held[0] <= last[1])
    return low <= held[1] and (last is None or held[0] <= last[1])


def fold(name: str) -> str:
    """A component group of a name, insensitive to case and diacritics."""
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).casefold())
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return "^".join(part.strip() for part in plain.split("^")).rstrip("^ ")


def _sequence_matches(
    key: DataElement, held: DataElement | None, reading: Reading, *, in_item: bool
) -> bool:
    if not key.value or not len(key.value[0]):
        return True
    if held is None or not held.value:
        everything = all(is_empty(one) for one in key.value[0])
        return everything or _unknown_matches(key, reading, in_item=in_item)
    return bool(matching_items(key, held, reading))


def _unknown_matches(key: DataElement, reading: Reading, *, in_item: bool) -> bool:
    if in_item:
        return reading.unknown_in_items
    return reading.unknown == "every" or (reading.unknown == "required" and key.tag in REQUIRED)


def _value_matches(vr: str, wanted: str, value: str, reading: Reading) -> bool:
    if vr in _MOMENTS:
        return _moment_matches(vr, wanted, value, reading)
    if vr == "PN":
        return _name_matches(wanted, value)
    if vr in _WILD and ("*" in wanted or "?" in wanted):
        return _pattern(wanted).fullmatch(value) is not None
    return wanted == value


def _moment_matches(vr: str, wanted: str, value: str, reading: Reading) -> bool:
    held = span_of(value, vr, reading.local_offset_min)
    if held is None:
        return False
    single = span_of(wanted, vr, reading.local_offset_min)
    if single is None:
        first, last = range_of(wanted, vr, reading.local_offset_min)
        return moments_match(first, last, held, reading.precision)
    if reading.precision == "point":
        return single[0] == held[0]
    return moments_match(single, single, held, reading.precision)


def _name_matches(wanted: str, value: str) -> bool:
    """Without ``=`` any component group may match; with it, groups are matched in place."""
    groups = value.split("=")
    if "=" not in wanted:
        return any(_group_matches(wanted, group) for group in groups if group)
    asked = wanted.split("=")
    groups += [""] * (len(asked) - len(groups))
    return all(
        not one or _group_matches(one, group) for one, group in zip(asked, groups, strict=False)
    )


def _group_matches(wanted: str, group: str) -> bool:
    if "*" in wanted or "?" in wanted:
        return _pattern(fold(wanted)).fullmatch(fold(group)) is not None
    return fold(wanted) == fold(group)


def _pattern(wanted: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in wanted), re.DOTALL)
