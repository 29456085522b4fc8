"""What is asked: a query (C-FIND, QIDO-RS) and a selection (C-MOVE, C-GET, WADO-RS)."""

from __future__ import annotations

from dataclasses import dataclass

from updp_node.query.keys import Key
from updp_node.query.levels import Level


@dataclass(frozen=True, slots=True)
class Query:
    """A question for entities of one level.

    Attributes
    ----------
    level : Level
    keys : tuple of Key
        All that was asked, of this level and of those above; universal keys ask for a value.
    combined_datetime : bool
        Date and time ranges of one pair are matched together (PS3.4 C.2.2.2.5.4).
    ignored : tuple of int
        Tags that were asked and are not supported at this level.
    limit : int or None
        Most answers.
    offset : int
        Answers left out at the beginning; needs `ordered`.
    all_attributes : bool
        Everything that the entity and those above hold is returned.
    ordered : bool
        Answers come in an order that does not change between queries.
    """

    level: Level
    keys: tuple[Key, ...]
    combined_datetime: bool = False
    ignored: tuple[int, ...] = ()
    limit: int | None = None
    offset: int = 0
    all_attributes: bool = False
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Unique keys of what is to be retrieved; an empty tuple does not restrict.

    Attributes
    ----------
    level : Level
    patient_ids, study_uids, series_uids, instance_uids : tuple of str
    """

    level: Level
    patient_ids: tuple[str, ...] = ()
    study_uids: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    instance_uids: tuple[str, ...] = ()
