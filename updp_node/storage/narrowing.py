"""Conditions of the database for the keys of a query: they may let too much through, never less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from updp_node.query.keys import TIME_VRS, Key
from updp_node.query.levels import REQUIRED, UNIQUE, tag_of
from updp_node.query.names import fold_name
from updp_node.query.times import is_range, read_moment, read_range
from updp_node.storage.released_tables import (
    InstanceEntity,
    PatientEntity,
    SeriesEntity,
    StudyEntity,
)

_LAST = "\U0010ffff"
_WILDCARD = re.compile(r"[*?]")

_TEXT: dict[int, Any] = {
    tag_of("PatientID"): PatientEntity.patient_id,
    tag_of("StudyInstanceUID"): StudyEntity.study_uid,
    tag_of("StudyDate"): StudyEntity.study_date,
    tag_of("StudyTime"): StudyEntity.study_time,
    tag_of("AccessionNumber"): StudyEntity.accession_number,
    tag_of("SeriesInstanceUID"): SeriesEntity.series_uid,
    tag_of("Modality"): SeriesEntity.modality,
    tag_of("SOPInstanceUID"): InstanceEntity.sop_instance_uid,
    tag_of("SOPClassUID"): InstanceEntity.sop_class_uid,
}
_UNKNOWN_MATCHES = frozenset(REQUIRED - set(UNIQUE.values()))  # PS3.4 C.2.2.1.2
_NAME = tag_of("PatientName")
_MODALITIES = tag_of("ModalitiesInStudy")
_SOP_CLASSES = tag_of("SOPClassesInStudy")


def narrow(key: Key, dialect: str) -> Iterator[ColumnElement[bool]]:
    """Conditions that every match of a key meets; none where the database cannot help.

    Parameters
    ----------
    key : Key
        Not universal.
    dialect : str
        Of the database: only SQLite is known to sort text by code points.
    """
    if key.tag == _NAME:
        yield from _narrow_name(key, dialect)
    elif key.tag == _MODALITIES:
        series = aliased(SeriesEntity)
        below = select(series.id).where(
            series.study_key == StudyEntity.id, _any(series.modality, key, dialect)
        )
        yield below.correlate(StudyEntity).exists()
    elif key.tag == _SOP_CLASSES:
        series, instance = aliased(SeriesEntity), aliased(InstanceEntity)
        below = select(instance.id).join(series, instance.series_key == series.id)
        below = below.where(
            series.study_key == StudyEntity.id, _any(instance.sop_class_uid, key, dialect)
        )
        yield below.correlate(StudyEntity).exists()
    elif key.tag in _TEXT:
        column = _TEXT[key.tag]
        condition = _any(column, key, dialect)
        yield or_(condition, column.is_(None)) if key.tag in _UNKNOWN_MATCHES else condition


def _any(column: Any, key: Key, dialect: str) -> ColumnElement[bool]:
    """Any of the values of a key; equality in one condition, so that an index serves it."""
    if key.vr in TIME_VRS:
        return or_(*(_within(column, value, key.vr) for value in key.values))
    plain = [value.strip() for value in key.values if not _WILDCARD.search(value)]
    wild = [value.strip() for value in key.values if _WILDCARD.search(value)]
    conditions = [column.in_(plain)] if plain else []
    conditions += [_begins(column, _prefix(value), dialect) for value in wild]
    return or_(*conditions)


def _within(column: Any, value: str, vr: str) -> ColumnElement[bool]:
    asked = read_range(value, vr)
    if asked is None:
        return column.is_(None)  # type: ignore[no-any-return]
    if is_range(value, vr):
        return and_(column >= asked[0], column <= asked[1])
    moment = read_moment(value, vr)
    return column == (moment or asked)[0]  # type: ignore[no-any-return]


def _begins(column: Any, prefix: str, dialect: str) -> ColumnElement[bool]:
    if not prefix:
        return column.is_not(None)  # type: ignore[no-any-return]
    if dialect != "sqlite":
        return column.startswith(prefix, autoescape=True)  # type: ignore[no-any-return]
    return and_(column >= prefix, column < prefix + _LAST)


def _narrow_name(key: Key, dialect: str) -> Iterator[ColumnElement[bool]]:
    groups = (
        PatientEntity.name_alphabetic, PatientEntity.name_ideographic, PatientEntity.name_phonetic
    )  # fmt: skip
    conditions: list[ColumnElement[bool]] = []
    for value in key.values:
        if "=" in value:
            first = _prefix(fold_name(value.split("=")[0]))
            if first:
                conditions.append(_begins(groups[0], first, dialect))
            else:
                return
        else:
            prefix = _prefix(fold_name(value))
            if not prefix:
                return
            conditions += [_begins(group, prefix, dialect) for group in groups]
    yield or_(*conditions, and_(*(group == "" for group in groups)))


def _prefix(value: str) -> str:
    return _WILDCARD.split(value, maxsplit=1)[0]
