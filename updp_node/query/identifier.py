"""Identifiers of C-FIND, C-MOVE and C-GET, read into queries and selections.

References
----------
PS3.4 C.4.1.2.1 and C.4.1.3: C-FIND identifier and its hierarchical and relational behaviour.
PS3.4 C.4.2.1.4 and C.4.3.1.3: identifiers of C-MOVE and C-GET.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue

from updp_node.query.keys import UNABLE_TO_PROCESS, Key, QueryError, check_key
from updp_node.query.levels import COMPUTED, PROTOCOL, UNIQUE, Level, Model, level_of, top_of
from updp_node.query.query import Query, Selection

_LEVEL_TAG = 0x00080052
_MOST_KEYS = 512
_MOST_VALUES = 10_000
_DEEPEST = 8
_MOST_WILDCARDS = 16
_COMPARED_COMPUTED = 0x00080061, 0x00080062
_LEVELS = {level.name: level for level in Level}


def read_query(
    identifier: Dataset, model: Model, *, relational: bool = False, combined_datetime: bool = False
) -> Query:
    """Read the identifier of a C-FIND request.

    Parameters
    ----------
    identifier : pydicom.Dataset
    model : Model
    relational, combined_datetime : bool
        As the association negotiated.

    Raises
    ------
    QueryError
        Level, unique keys or values are wrong; carries status and offending element.
    """
    level = _read_level(identifier, model)
    elements = list(_elements(identifier))
    if len(elements) > _MOST_KEYS:
        raise QueryError("more keys than are answered at once", status=UNABLE_TO_PROCESS)
    keys = [check_key(read_key(each)) for each in elements if int(each.tag) not in PROTOCOL]
    if not relational:
        _require_unique_keys(keys, model, level)
    served = tuple(key for key in keys if _is_served(key, level))
    ignored = tuple(key.tag for key in keys if not _is_served(key, level))
    return Query(level, served, combined_datetime=combined_datetime, ignored=ignored)


def read_selection(identifier: Dataset, model: Model, *, relational: bool = False) -> Selection:
    """Read the identifier of a C-MOVE or C-GET request: unique keys only.

    Raises
    ------
    QueryError
        Level or unique keys are wrong.
    """
    level = _read_level(identifier, model)
    found = {int(each.tag): read_key(each).values for each in _elements(identifier)}
    values = {each: found.get(UNIQUE[each], ()) for each in Level}
    if not values[level] or values[level] == ("*",):
        raise QueryError("the unique key of the level is missing", tag=UNIQUE[level])
    for above in Level:
        if above >= level or (above < top_of(model)):
            continue
        if not relational and len(values[above]) != 1:
            raise QueryError("a unique key above the level is missing", tag=UNIQUE[above])
    for each in (Level.STUDY, Level.SERIES, Level.IMAGE):
        check_key(Key(UNIQUE[each], "UI", values[each]))
    return Selection(level, _literal(values[Level.PATIENT]), *_down_to(level, values))


def read_key(element: DataElement, depth: int = 0) -> Key:
    """A key from one element of an identifier.

    Raises
    ------
    QueryError
        A sequence of several items, one nested too deep, or too many values or wildcards.
    """
    tag = int(element.tag)
    if element.VR == "SQ":
        items = list(element.value or [])
        if len(items) > 1 or depth >= _DEEPEST:
            raise QueryError("a sequence key has one item, not nested deeply", tag=tag)
        nested = tuple(read_key(each, depth + 1) for item in items for each in _elements(item))
        return Key(tag, "SQ", items=nested)
    values = tuple(text for text in map(_text, _values(element)) if text and text.strip("*"))
    if any(not text.strip("*") and text for text in map(_text, _values(element))):
        values = ()  # an asterisk alone is universal matching
    if len(values) > _MOST_VALUES or any(text.count("*") > _MOST_WILDCARDS for text in values):
        raise QueryError("too many values or wildcards", tag=tag, status=UNABLE_TO_PROCESS)
    return Key(tag, element.VR, values)


def _read_level(identifier: Dataset, model: Model) -> Level:
    try:
        element = identifier.get_item(_LEVEL_TAG)
        raw = "" if element is None else str(identifier[_LEVEL_TAG].value or "").strip()
    except Exception as error:  # pydicom raises what it likes on damaged values
        raise QueryError("the level cannot be read", tag=_LEVEL_TAG) from error
    level = _LEVELS.get(raw)
    if level is None:
        raise QueryError("Query/Retrieve Level is missing or unknown", tag=_LEVEL_TAG)
    if level < top_of(model):
        raise QueryError("this level is not part of the information model", tag=_LEVEL_TAG)
    return level


def _elements(identifier: Dataset) -> Iterator[DataElement]:
    """The elements that can be keys; a damaged one is refused."""
    tags = [tag for tag in identifier.keys() if tag.element and not tag.is_private]  # noqa: SIM118
    for tag in tags:
        try:
            element = identifier[tag]
        except Exception as error:  # pydicom raises what it likes
            raise QueryError(
                "an element cannot be read", tag=int(tag), status=UNABLE_TO_PROCESS
            ) from error
        yield element


def _require_unique_keys(keys: list[Key], model: Model, level: Level) -> None:
    """Hierarchical queries name one entity at every level above (PS3.4 C.4.1.3.1.1)."""
    by_tag = {key.tag: key for key in keys}
    for above in Level:
        if above < top_of(model) or above >= level:
            continue
        key = by_tag.get(UNIQUE[above])
        if key is None or len(key.values) != 1 or "*" in key.values[0] or "?" in key.values[0]:
            raise QueryError(
                "hierarchical queries name the unique keys of the levels above", tag=UNIQUE[above]
            )


def _is_served(key: Key, level: Level) -> bool:
    """Keys of lower levels are not answered; counts are returned but not matched."""
    if level_of(key.tag) > level:
        return False
    if key.tag in COMPUTED and key.tag not in _COMPARED_COMPUTED:
        return not key.values
    return True


def _down_to(level: Level, values: dict[Level, tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for each in (Level.STUDY, Level.SERIES, Level.IMAGE):
        yield values[each] if each <= level else ()


def _literal(values: tuple[str, ...]) -> tuple[str, ...]:
    if any("*" in value or "?" in value for value in values):
        raise QueryError("wildcards do not apply to unique keys", tag=UNIQUE[Level.PATIENT])
    return values


def _values(element: DataElement) -> list[object]:
    value = element.value
    if value is None:
        return []
    return list(value) if isinstance(value, (MultiValue, list, tuple)) else [value]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "replace")
    if isinstance(value, int) and type(value).__name__ == "BaseTag":
        return f"{value:08X}"
    return str(value).strip()
