"""Content items outside the SR tree, by their concept names (Clean Structured Content).

The acquisition context, specimen preparation and waveform annotations hold content items as
reports do. Table E.3.4-1 says by concept name what happens to them; items whose concept it does
not list stay with cleaned text. The content tree of structured reports (0040,A730) is the text
stage's: the header stage leaves it out.

References
----------
PS3.15 E.3.4 and Table E.3.4-1; PS3.3 10.2 (content item macro).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from updp_node.header import leaf
from updp_node.header.scope import Scope
from updp_node.header.values import Element, encodings_of, items_of, text_of
from updp_node.standard import ContentItemRow, content_items

STRUCTURED_OPTION = "Clean Structured Content"
_CONCEPT_NAME = 0x0040A043
_VALUE_TYPE = 0x0040A040
_CODE_VALUE = 0x00080100
_CODING_SCHEME = 0x00080102
_ASCII = ("ascii",)
# Date Time, Date, Time, Person Name, UID, Text Value (PS3.3 Table 10-2), Unformatted Text Value
_VALUES = (
    0x0040A120, 0x0040A121, 0x0040A122, 0x0040A123, 0x0040A124, 0x0040A160, 0x00700006,
)  # fmt: skip


def item_action(item: Dataset, options: Sequence[str]) -> str:
    """What happens to one content item: X, D, K or C; C where the table does not list it.

    Parameters
    ----------
    item : pydicom.dataset.Dataset
        An item of a sequence that is cleaned as structured content.
    options : sequence of str
        Options of the profile by name.
    """
    concept = _concept(item)
    if concept is None:
        return "C"
    table = _rows()
    row = table.get((*concept, _text(item, _VALUE_TYPE))) or table.get((*concept, ""))
    if row is None:
        return "C"
    chosen = sorted(row.options[name] for name in options if name in row.options)
    if chosen:
        return chosen[0]
    return "X" if row.basic.startswith("X") else row.basic


def settle_values(
    action: str, item: Dataset, elements: dict[BaseTag, Element], scope: Scope,
    encodings: tuple[str, ...],
) -> None:  # fmt: skip
    """Let the row of a content item decide about its value, over the rule of the attribute.

    K keeps the value unless it tells one of the source's identifiers; D makes it a dummy.

    Parameters
    ----------
    action : str
        K or D.
    elements : dict
        The new item as the rules of its attributes make it; changed.
    """
    for tag in _VALUES:
        rule = scope.rules.rules[tag]
        if tag not in item:
            continue
        source, vr = item.get_item(tag), rule.vrs[0]
        if action == "D":
            made: Element | None = leaf.replace(source, vr, rule, scope, encodings)
        else:
            kept = replace(rule, action="K", cleaning="")
            made = leaf.keep(source, vr, kept, scope, encodings)
        if made is not None:
            elements[BaseTag(tag)] = made


def _concept(item: Dataset) -> tuple[str, str] | None:
    if _CONCEPT_NAME not in item:
        return None
    codes = items_of(item.get_item(_CONCEPT_NAME), item, encodings_of(item, _ASCII))
    return (_text(codes[0], _CODE_VALUE), _text(codes[0], _CODING_SCHEME)) if codes else None


def _text(item: Dataset, tag: int) -> str:
    return (text_of(item.get_item(tag), "SH", _ASCII) or "") if tag in item else ""


@lru_cache(maxsize=1)
def _rows() -> Mapping[tuple[str, str, str], ContentItemRow]:
    """Rows by code, scheme and value type; without one, the first row of the concept."""
    table: dict[tuple[str, str, str], ContentItemRow] = {}
    for row in content_items():
        table[(row.code, row.scheme, row.value_type)] = row
        table.setdefault((row.code, row.scheme, ""), row)
    return table
