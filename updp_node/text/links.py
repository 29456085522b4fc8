"""Relationships by reference: they name their target by its place, and places move.

References
----------
PS3.3 C.17.3.2.5 (Referenced Content Item Identifier), C.17.3.1 (by-value and by-reference).
"""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from updp_node.errors import InstanceError
from updp_node.text.narrative import MOST_DEPTH

Place = tuple[int, ...]
"""Where a content item stands: the root is ``(1,)``, its second child ``(1, 2)``."""


def plan_places(source: Dataset, is_removed: Callable[[Dataset], bool]) -> dict[Place, Place]:
    """New places of the content items that stay, by their old ones.

    A relationship by reference goes with its target.

    Parameters
    ----------
    source : pydicom.Dataset
        The root content item.
    is_removed : callable
        Whether a content item is left out, its children with it.

    Raises
    ------
    InstanceError
        ``content-too-deep``.
    """
    staying = _staying(source, is_removed)
    gone = {
        place for place, item in staying.items()
        if (target := named_place(item)) and target not in staying
    }  # fmt: skip
    moved: dict[Place, Place] = {(1,): (1,)}
    reached: dict[Place, int] = {}
    for place in staying:
        parent = place[:-1]
        if place in gone or parent not in moved:
            continue
        reached[parent] = reached.get(parent, 0) + 1
        moved[place] = (*moved[parent], reached[parent])
    return moved


def named_place(item: Dataset) -> Place:
    """The place that a relationship by reference names; empty for an item with a value."""
    stated = item.get("ReferencedContentItemIdentifier")
    if stated is None or "ValueType" in item:
        return ()
    values = stated if isinstance(stated, (MultiValue, list)) else [stated]
    return tuple(int(value) for value in values)


def _staying(source: Dataset, is_removed: Callable[[Dataset], bool]) -> dict[Place, Dataset]:
    """Content items that stay, each parent before its children, siblings in order."""
    found: dict[Place, Dataset] = {(1,): source}
    waiting: list[tuple[Dataset, Place]] = [(source, (1,))]
    while waiting:
        parent, above = waiting.pop()
        if len(above) > MOST_DEPTH:
            raise InstanceError("content-too-deep", f"more than {MOST_DEPTH} levels")
        for number, item in enumerate(parent.get("ContentSequence") or [], start=1):
            if not is_removed(item):
                found[*above, number] = item
                waiting.append((item, (*above, number)))
    return found
