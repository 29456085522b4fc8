"""Answers of queries, from the rows of an entity and of those above it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pydicom.datadict import dictionary_VR
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from updp_node.query.keys import Element, Key, matches
from updp_node.query.levels import COMPUTED, UNIQUE, Level, level_of, tag_of
from updp_node.query.query import Query
from updp_node.storage.description import Attributes
from updp_node.storage.released_tables import InstanceEntity, SeriesEntity, StudyEntity

Answer = dict[str, dict[str, Any]]
"""DICOM JSON object (PS3.18 F.2)."""

_CACHED = 2048


class Entities:
    """Reads rows into entities; what lies above is read once for many rows.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
        For the attributes that are counted.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cache: list[dict[int, Attributes]] = [{}, {}, {}]

    def of(self, row: Row[Any]) -> Entity:
        """The entity of a row: id and attributes for each level from the top."""
        levels = []
        last = len(row) // 2 - 1
        for level in range(last + 1):
            key, text = row[2 * level], row[2 * level + 1]
            levels.append(json.loads(text) if level == last else self._above(level, key, text))
        return Entity(levels, tuple(row[::2]), self._session)

    def _above(self, level: int, key: int, text: str) -> Attributes:
        cache = self._cache[level]
        if key not in cache:
            if len(cache) >= _CACHED:
                cache.clear()
            cache[key] = json.loads(text)
        return cache[key]


class Entity:
    """One entity and those above it.

    Parameters
    ----------
    levels : list of dict
        Attributes from the patient down.
    keys : tuple of int
        Primary keys from the patient down.
    session : sqlalchemy.orm.Session
    """

    __slots__ = ("_computed", "_session", "keys", "levels")

    def __init__(self, levels: list[Attributes], keys: tuple[int, ...], session: Session) -> None:
        self.levels = levels
        self.keys = keys
        self._session = session
        self._computed: dict[int, Element] = {}

    def get(self, tag: int) -> Element | None:
        """An attribute of the entity, None where it holds none."""
        if tag in COMPUTED:
            if tag not in self._computed:
                self._computed[tag] = _COUNT[tag](self._session, self.keys)
            return self._computed[tag]
        level = level_of(tag)
        return self.levels[level].get(f"{tag:08X}") if level < len(self.levels) else None


def assemble(query: Query, entity: Entity) -> Answer:
    """The answer of one entity: what was asked, and the unique keys down to its level."""
    answer: Answer = {}
    if query.all_attributes:
        for attributes in entity.levels:
            answer.update(attributes)
    for level in range(len(entity.levels)):
        tag = UNIQUE[Level(level)]
        answer[f"{tag:08X}"] = dict(entity.get(tag) or {"vr": dictionary_VR(tag)})
    for key in query.keys:
        element = entity.get(key.tag)
        if element is None:
            answer[key.json_tag] = {"vr": key.vr}
        elif key.items:
            answer[key.json_tag] = _only_asked(key, element)
        else:
            answer[key.json_tag] = dict(element)
    return answer


def _only_asked(key: Key, element: Element) -> dict[str, Any]:
    """Matching items with the attributes that the key's item asks for (PS3.4 C.2.2.2.6)."""
    items = []
    for item in element.get("Value") or []:
        if not matches(key, {"vr": "SQ", "Value": [item]}):
            continue
        kept: dict[str, Any] = {}
        for nested in key.items:
            held: Mapping[str, Any] | None = item.get(nested.json_tag)
            if held is None:
                kept[nested.json_tag] = {"vr": nested.vr}
            else:
                kept[nested.json_tag] = _only_asked(nested, held) if nested.items else dict(held)
        items.append(kept)
    return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}


def _count(what: Level, session: Session, keys: tuple[int, ...], *, of: Level) -> Element:
    """How many entities of a level lie below one of another."""
    column = {Level.STUDY: StudyEntity.id, Level.SERIES: SeriesEntity.id}.get(
        what, InstanceEntity.id
    )
    statement = select(func.count()).select_from(_joined(what, of, column, keys[of]).subquery())
    return {"vr": "IS", "Value": [session.scalar(statement) or 0]}


def _joined(what: Level, of: Level, column: Any, key: int) -> Any:
    statement = select(column)
    if of <= Level.STUDY and what >= Level.SERIES:
        statement = statement.join_from(
            StudyEntity, SeriesEntity, SeriesEntity.study_key == StudyEntity.id
        )
    if what is Level.IMAGE:
        if of is Level.SERIES:
            statement = statement.where(InstanceEntity.series_key == key)
        else:
            statement = statement.join(InstanceEntity, InstanceEntity.series_key == SeriesEntity.id)
        statement = statement.where(InstanceEntity.superseded_by.is_(None))
    if of is Level.PATIENT:
        statement = statement.where(StudyEntity.patient_key == key)
    elif of is Level.STUDY:
        statement = statement.where(StudyEntity.id == key)
    return statement


def _distinct(column: Any, vr: str, session: Session, keys: tuple[int, ...]) -> Element:
    """The different values of a column below a study."""
    below = select(column).join_from(
        SeriesEntity, InstanceEntity, InstanceEntity.series_key == SeriesEntity.id
    )
    if column is SeriesEntity.modality:
        below = select(column)
    else:
        below = below.where(InstanceEntity.superseded_by.is_(None))
    found: Iterator[str | None] = iter(
        session.scalars(below.where(SeriesEntity.study_key == keys[Level.STUDY]).distinct())
    )
    values = sorted(value for value in found if value)
    return {"vr": vr, "Value": values} if values else {"vr": vr}


_COUNT = {
    tag_of("NumberOfPatientRelatedStudies"): partial(_count, Level.STUDY, of=Level.PATIENT),
    tag_of("NumberOfPatientRelatedSeries"): partial(_count, Level.SERIES, of=Level.PATIENT),
    tag_of("NumberOfPatientRelatedInstances"): partial(_count, Level.IMAGE, of=Level.PATIENT),
    tag_of("NumberOfStudyRelatedSeries"): partial(_count, Level.SERIES, of=Level.STUDY),
    tag_of("NumberOfStudyRelatedInstances"): partial(_count, Level.IMAGE, of=Level.STUDY),
    tag_of("NumberOfSeriesRelatedInstances"): partial(_count, Level.IMAGE, of=Level.SERIES),
    tag_of("ModalitiesInStudy"): partial(_distinct, SeriesEntity.modality, "CS"),
    tag_of("SOPClassesInStudy"): partial(_distinct, InstanceEntity.sop_class_uid, "UI"),
}
