"""A structured report as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from updp_node.errors import InstanceError

MOST_DEPTH = 128
_PLAIN = {"TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "DATETIME": "DateTime",
          "TIME": "Time"}  # fmt: skip


def walk_content(source: Dataset) -> Iterator[tuple[Dataset, int]]:
    """Every content item in reading order with its depth, without recursion.

    Raises
    ------
    InstanceError
        ``content-too-deep``.
    """
    waiting = [(item, 1) for item in reversed(source.get("ContentSequence") or [])]
    while waiting:
        item, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise InstanceError("content-too-deep", f"more than {MOST_DEPTH} levels")
        yield item, depth
        waiting += [(child, depth + 1) for child in reversed(item.get("ContentSequence") or [])]


def code_meaning(data_set: Dataset, keyword: str) -> str:
    """Code Meaning of the first item of a code sequence; empty where there is none."""
    items = data_set.get(keyword) or []
    return str(items[0].get("CodeMeaning") or "") if items else ""


def narrate(source: Dataset) -> str:
    """Section headings and text of a content tree, one item a line.

    Raises
    ------
    InstanceError
        ``content-too-deep``.

    References
    ----------
    PS3.3 C.17.3 (SR Document Content), Table C.17.3-7 (value types).
    """
    title = code_meaning(source, "ConceptNameCodeSequence")
    lines = [title] if title else []
    for item, _ in walk_content(source):
        name = code_meaning(item, "ConceptNameCodeSequence")
        value = _value(item)
        if str(item.get("ValueType") or "") == "CONTAINER":
            lines.append(f"\n{name}:" if name else "")
        elif value:
            lines.append(f"{name}: {value}" if name else value)
    return "\n".join(lines).strip() + "\n"


def _value(item: Dataset) -> str:
    kind = str(item.get("ValueType") or "")
    if kind in _PLAIN:
        return str(item.get(_PLAIN[kind]) or "")
    if kind == "CODE":
        return code_meaning(item, "ConceptCodeSequence")
    measured = (item.get("MeasuredValueSequence") or []) if kind == "NUM" else []
    if not measured:
        return ""
    unit = code_meaning(measured[0], "MeasurementUnitsCodeSequence")
    return f"{measured[0].get('NumericValue') or ''} {unit}".strip()
