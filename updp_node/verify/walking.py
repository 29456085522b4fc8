"""Walks data sets for the gate: every element at every depth, unreadable ones by their bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from updp_node.errors import InstanceError

_NUMBER_VRS = frozenset({"AT", "DS", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_ESCAPES = re.compile(r"\x1b[\x20-\x2f]+[\x30-\x7e]")  # PS3.5 6.1.2.5; pydicom leaves some


def walk(data_set: Dataset, *, lenient: bool = False) -> Iterator[tuple[DataElement, str]]:
    """Every element at every depth with its path, sequences aside; iterative.

    Parameters
    ----------
    data_set : pydicom.Dataset
    lenient : bool
        Of what pydicom cannot make a value, the bytes are given where they are text.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``: pydicom cannot make a value of it.
    """
    stack: list[tuple[Dataset, str]] = [(data_set, "")]
    while stack:
        current, prefix = stack.pop()
        for tag in current.keys():  # noqa: SIM118  # iterating would decode each element
            path = f"{prefix}({tag >> 16:04X},{tag & 0xFFFF:04X})"
            raw = current.get_item(tag).value  # pydicom decodes in place
            try:
                element = current[tag]
                items = list(element.value) if element.VR == "SQ" else None
            except Exception:  # noqa: BLE001  # pydicom raises what it likes on odd values
                if not lenient:
                    raise InstanceError("unreadable-attribute", path) from None
                if (text := _read_as_text(tag, raw)) is not None:
                    yield text, path
                continue
            if items is None:
                yield element, path
                if lenient and _is_replaced(raw, element) and (text := _read_as_text(tag, raw)):
                    yield text, path
            else:
                stack.extend((item, f"{path}[{at}]") for at, item in enumerate(items, start=1))


def _is_replaced(raw: object, element: DataElement) -> bool:
    """Whether text holds characters that stand for bytes that its character set has not."""
    is_text = isinstance(raw, bytes) and not raw.isascii() and not isinstance(element.value, bytes)
    return is_text and "\ufffd" in str(element.value)


def _read_as_text(tag: BaseTag, value: object) -> DataElement | None:
    """An unreadable element by its bytes, if they are text; None if they are not."""
    text = value.decode("latin-1") if isinstance(value, bytes) else ""
    if not (text := text.replace("\x1b", " ").strip("\0 ")):
        return None
    vr = "PN" if _has_name(tag) else "UT"
    return DataElement(tag, vr, text, already_converted=True) if text.isprintable() else None


def _has_name(tag: BaseTag) -> bool:
    return dictionary_has_tag(tag) and dictionary_VR(tag) == "PN"


def texts_of(element: DataElement) -> list[str]:
    """The values of an element as text; none for numbers in binary and for bulk data."""
    value = element.value
    if value is None or element.VR in _NUMBER_VRS or isinstance(value, bytes):
        return []
    values = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return [_ESCAPES.sub("", str(each)) for each in values if not isinstance(each, bytes)]
