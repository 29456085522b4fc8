"""The numbers of a measurement, and nothing else that could stand in their place."""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from updp_node.errors import InstanceError

_NUMBERS = (
    "NumericValue",
    "FloatingPointValue",
    "RationalNumeratorValue",
    "RationalDenominatorValue",
)
_DS = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_SUBJECT_AGE = ("121033", "DCM")
_YEARS, _OLDEST_YEARS = "a", 90


def copy_numbers(source: Dataset, concept: tuple[str, str]) -> Dataset:
    """Numeric Value and its more precise forms of a Measured Value item; units are left out.

    An age over 89 years becomes 90.

    Parameters
    ----------
    concept : tuple of str
        Code value and scheme of the content item's concept name.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``: a value that is no number.

    References
    ----------
    PS3.3 C.18.1 (Numeric Measurement Macro); PS3.5 6.2 (DS).
    """
    made = Dataset()
    caps = concept == _SUBJECT_AGE and _unit(source) == _YEARS
    for keyword in _NUMBERS:
        value = _number(source, keyword) if keyword in source else None
        if value is None:
            continue
        if caps and float(value) >= _OLDEST_YEARS:
            return _oldest()
        setattr(made, keyword, value)
    return made


def _oldest() -> Dataset:
    made = Dataset()
    made.NumericValue = str(_OLDEST_YEARS)
    return made


def _number(source: Dataset, keyword: str) -> Any:
    """The value as it stands there, checked to be a number; None where it is empty."""
    try:
        value = source[keyword].value
    except Exception:  # noqa: BLE001  # pydicom raises what it likes on odd values
        raise InstanceError("unreadable-attribute", keyword) from None
    if value is None or value == "":
        return None
    if keyword != "NumericValue" and isinstance(value, (int, float)):
        return value
    text = str(value).strip()
    if isinstance(value, (MultiValue, list)) or not _DS.fullmatch(text):
        raise InstanceError("unreadable-attribute", keyword)
    return text


def _unit(source: Dataset) -> str:
    units = source.get("MeasurementUnitsCodeSequence") or []
    return str(units[0].get("CodeValue") or "") if units else ""
