"""Values as they are compared: by meaning, with padding and empty attributes aside."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

Canonical = tuple[tuple[int, tuple[object, ...]], ...]
"""Tags with their values, sorted; an item of a sequence is again a `Canonical`."""

_ONE_TEXT = frozenset({"LT", "ST", "UT", "UR"})


def texts(element: DataElement) -> list[str]:
    """The values of an attribute that is no sequence, as text without padding."""
    if element.value is None:
        return []
    many = isinstance(element.value, MultiValue | list | tuple)
    values = list(element.value) if many else [element.value]
    found = [_text(element.VR, value) for value in values]
    return [] if found == [""] else found


def is_empty(element: DataElement) -> bool:
    """Whether an attribute has no value (for a sequence: no item)."""
    return not element.value if element.VR == "SQ" else not texts(element)


def canonical(dataset: Dataset) -> Canonical:
    """A data set without its empty attributes."""
    return tuple(
        (int(element.tag), values) for element in dataset if (values := canonical_values(element))
    )


def canonical_values(element: DataElement) -> tuple[object, ...]:
    """The values of an attribute; numbers by their value, names without empty ends."""
    if element.VR == "SQ":
        return tuple(canonical(item) for item in element.value)
    return tuple(_comparable(element.VR, value) for value in texts(element))


def _text(vr: str, value: object) -> str:
    text = str(value).rstrip(" \0")
    return text if vr in _ONE_TEXT else text.strip(" \0")


def _comparable(vr: str, value: str) -> object:
    if vr == "PN":
        return "=".join(group.rstrip("^ ") for group in value.split("=")).rstrip("=")
    if vr in {"IS", "DS", "FL", "FD"}:
        try:
            return Decimal(value).normalize()
        except InvalidOperation:
            return value
    return value
