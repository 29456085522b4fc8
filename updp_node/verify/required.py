"""Attributes of Type 1 that must be there: those that the source had, and those of a new class.

What the source itself lacked is not held against the output.

References
----------
PS3.5 7.4.1 (Type 1); PS3.3 Annex A.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import BaseTag, Tag

from updp_node.errors import InstanceError
from updp_node.standard import TypeNode, iod_types, required_keywords

_CONTENT = 0x0040A730
"""Content trees are made anew, with other items than the source had (PS3.3 C.17.3)."""
_BINARY_VRS = frozenset("AT FD FL OB OD OF OL OV OW SL SS SV UL UN US UV".split())
_MOST_TOLD = 5


def check_required(made: Dataset, source: Dataset) -> None:
    """Hold an object to the Types of its IOD, as far as its source met them.

    Raises
    ------
    InstanceError
        ``missing-attribute``: the detail names tag paths.
    """
    missing = list(_missing(made, source))
    if missing:
        told = " ".join(missing[:_MOST_TOLD])
        raise InstanceError("missing-attribute", f"{told}, {len(missing)} in all")


def _missing(made: Dataset, source: Dataset) -> Iterator[str]:
    sop_class_uid = str(made.SOPClassUID)
    is_same_class = sop_class_uid == str(source.get("SOPClassUID"))
    for tag in _required_tags(sop_class_uid):
        if not _has_value(made, tag) and (not is_same_class or _has_value(source, tag)):
            yield _path("", tag)
    node = iod_types(sop_class_uid)
    if is_same_class and node is not None:
        yield from _missing_inside(made, source, node, "")


def _missing_inside(made: Dataset, source: Dataset, node: TypeNode, prefix: str) -> Iterator[str]:
    """Type 1 attributes of items, where a sequence has as many of them as the source had."""
    for tag in made.keys():  # noqa: SIM118  # iterating would decode each element
        child = node.child(tag) if tag != _CONTENT and tag in source else None
        if child is None or not (required := _required_inside(child)):
            continue
        items, originals = _items(made, tag), _items(source, tag)
        if len(items) != len(originals):
            continue
        path = _path(prefix, tag)
        for number, (item, original) in enumerate(zip(items, originals, strict=True), start=1):
            for inner in required:
                if _has_value(original, inner) and not _has_value(item, inner):
                    yield _path(f"{path}[{number}]", inner)
            yield from _missing_inside(item, original, child, f"{path}[{number}]")


def _items(dataset: Dataset, tag: BaseTag) -> list[Dataset]:
    try:
        element = dataset[tag]
        return list(element.value) if element.VR == "SQ" else []
    except Exception:  # noqa: BLE001  # pydicom raises what it likes on odd values
        return []


def _has_value(dataset: Dataset, tag: BaseTag) -> bool:
    if tag not in dataset:
        return False
    element = dataset.get_item(tag)
    value: Any = element.value
    if isinstance(value, bytes):
        is_binary = (element.VR or dictionary_VR(tag))[:2] in _BINARY_VRS
        return bool(value if is_binary else value.strip(b"\0 "))
    return value is not None and value != "" and (not hasattr(value, "__len__") or len(value) > 0)


def _path(prefix: str, tag: int) -> str:
    return f"{prefix}({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=256)
def _required_tags(sop_class_uid: str) -> tuple[BaseTag, ...]:
    found = (tag_for_keyword(keyword) for keyword in sorted(required_keywords(sop_class_uid)))
    return tuple(Tag(tag) for tag in found if tag is not None)


@lru_cache(maxsize=4096)
def _required_inside(node: TypeNode) -> tuple[BaseTag, ...]:
    """Tags of Type 1 in the items of a sequence."""
    tags = {tag for keyword in node.keywords() if (tag := tag_for_keyword(keyword)) is not None}
    kinds = ((tag, node.child(tag)) for tag in sorted(tags))
    return tuple(Tag(tag) for tag, kind in kinds if kind is not None and kind.type == "1")
