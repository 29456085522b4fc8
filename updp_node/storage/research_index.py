"""The index of the released zone as researchers' queries read it; opened read-only.

A query is narrowed by the database, by conditions that never lose a match, and decided by
`updp_node.query.keys.matches`, so that both database and standard have one meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, select
from sqlalchemy.orm import Session

from updp_node.query.keys import matches
from updp_node.query.levels import UNIQUE, Level
from updp_node.query.moments import pair_matches, pairs_of
from updp_node.query.query import Query, Selection
from updp_node.storage.answers import Answer, Entities, Entity, assemble
from updp_node.storage.narrowing import narrow
from updp_node.storage.released_tables import (
    InstanceEntity,
    PatientEntity,
    SeriesEntity,
    StudyEntity,
    SyntaxEntity,
)

_BATCH = 200
_TICK = 500
_ENTITIES = (PatientEntity, StudyEntity, SeriesEntity, InstanceEntity)


@dataclass(frozen=True, slots=True)
class Stored:
    """A released instance to be retrieved; ``file`` is relative to the released zone."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    study_uid: str
    series_uid: str
    file: str
    size_bytes: int
    number_of_frames: int


class ResearchIndex:
    """Answers queries about the released zone.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        `open_research_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Answer]:
        """Entities of the query's level that match, one answer each.

        Closing the iterator ends the transaction. Superseded generations of an instance are
        found only where the query names their SOP Instance UID.

        Parameters
        ----------
        query : Query
        projects : frozenset of str
            What the requester may see.

        Yields
        ------
        dict
            DICOM JSON object of the asked attributes and the unique keys down to the level.
        """
        return (each for each in self.scan(query, projects) if each is not None)

    def scan(self, query: Query, projects: frozenset[str]) -> Iterator[Answer | None]:
        """As `search`, with None now and then where many rows in a row do not match."""
        wanted = _Wanted(query)
        to_skip, left = query.offset, query.limit
        passed = 0
        statement = self._statement(query, projects).execution_options(yield_per=_BATCH)
        with Session(self._engine) as session:
            entities = Entities(session)
            for row in session.execute(statement):
                held = entities.of(row)
                if not wanted.matches(held):
                    passed += 1
                    if passed % _TICK == 0:
                        yield None
                    continue
                if to_skip:
                    to_skip -= 1
                    continue
                if left is not None:
                    if not left:
                        return
                    left -= 1
                yield assemble(query, held)

    def select(self, selection: Selection, projects: frozenset[str]) -> Iterator[Stored]:
        """The instances of a selection, series by series, newest generations only.

        A superseded instance is selected where its SOP Instance UID is named.
        """
        statement = (
            select(InstanceEntity, StudyEntity.study_uid, SeriesEntity.series_uid)
            .join(SeriesEntity, InstanceEntity.series_key == SeriesEntity.id)
            .join(StudyEntity, SeriesEntity.study_key == StudyEntity.id)
            .where(_unindexed(StudyEntity.project).in_(sorted(projects)))
            .order_by(StudyEntity.id, SeriesEntity.id, InstanceEntity.id)
        )
        if selection.patient_ids:
            statement = statement.join(
                PatientEntity, StudyEntity.patient_key == PatientEntity.id
            ).where(PatientEntity.patient_id.in_(selection.patient_ids))
        for column, uids in (
            (StudyEntity.study_uid, selection.study_uids),
            (SeriesEntity.series_uid, selection.series_uids),
            (InstanceEntity.sop_instance_uid, selection.instance_uids),
        ):
            if uids:
                statement = statement.where(column.in_(uids))
        if not selection.instance_uids:
            statement = statement.where(InstanceEntity.superseded_by.is_(None))
        with Session(self._engine) as session:
            for row, study_uid, series_uid in session.execute(
                statement.execution_options(yield_per=_BATCH)
            ):
                yield Stored(
                    row.sop_class_uid, row.sop_instance_uid, row.transfer_syntax_uid, study_uid,
                    series_uid, row.file, row.size_bytes, row.number_of_frames,
                )  # fmt: skip

    def stored_syntaxes(self, projects: frozenset[str]) -> dict[str, list[str]]:
        """Transfer syntaxes of the instances of each SOP Class."""
        statement = select(SyntaxEntity).where(SyntaxEntity.project.in_(sorted(projects)))
        found: dict[str, list[str]] = {}
        with Session(self._engine) as session:
            for row in session.scalars(statement):
                found.setdefault(row.sop_class_uid, []).append(row.transfer_syntax_uid)
        return found

    def _statement(self, query: Query, projects: frozenset[str]) -> Select[Any]:
        """Rows of the level and of those above, narrowed by what the database can decide."""
        entities = _ENTITIES[: query.level + 1]
        columns: list[Any] = []
        for entity in entities:
            columns += [entity.id, entity.attributes]
        statement = select(*columns)
        if query.level >= Level.STUDY:
            statement = statement.join(StudyEntity, StudyEntity.patient_key == PatientEntity.id)
        if query.level >= Level.SERIES:
            statement = statement.join(SeriesEntity, SeriesEntity.study_key == StudyEntity.id)
        if query.level >= Level.IMAGE:
            statement = statement.join(InstanceEntity, InstanceEntity.series_key == SeriesEntity.id)
            named = any(key.tag == UNIQUE[Level.IMAGE] and key.values for key in query.keys)
            if not named:
                statement = statement.where(InstanceEntity.superseded_by.is_(None))
        top = StudyEntity if query.level >= Level.STUDY else PatientEntity
        statement = statement.where(_unindexed(top.project).in_(sorted(projects)))
        skipped = {tag for pair in pairs_of(query) for tag in (pair.time.tag,)}
        for key in query.keys:
            if key.is_universal or key.tag in skipped:
                continue
            for condition in narrow(key, self._engine.dialect.name):
                statement = statement.where(condition)
        if query.ordered or query.offset:
            statement = statement.order_by(entities[-1].id)
        return statement


class _Wanted:
    """What the database leaves to decide of a query."""

    def __init__(self, query: Query) -> None:
        self._pairs = pairs_of(query)
        paired = {tag for pair in self._pairs for tag in (pair.date.tag, pair.time.tag)}
        self._keys = [key for key in query.keys if not key.is_universal and key.tag not in paired]

    def matches(self, held: Entity) -> bool:
        """Whether an entity meets every key."""
        return all(matches(key, held.get(key.tag)) for key in self._keys) and all(
            pair_matches(pair, held.get) for pair in self._pairs
        )


def _unindexed(column: Any) -> ColumnElement[str]:
    """The same value as an expression: an index by project would seldom be the one to take."""
    return column.concat("")  # type: ignore[no-any-return]
