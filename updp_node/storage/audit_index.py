"""Both indexes as an audit reads them: counts, through connections that cannot write.

Only columns that no later migration changes are asked, each by name, so that an audit reads the
index of a node that was upgraded and not yet started.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, Engine, Executable, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from updp_node.storage.released_tables import InstanceEntity
from updp_node.storage.tables import (
    DeliveryRow,
    InstanceRow,
    QuarantineRow,
    ReleaseRow,
    RunRow,
    StudyRow,
    WorkRow,
)

_BATCH = 1000


class AuditIndex:
    """Counts of the identified index since a moment.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index; `open_research_engine` makes one that cannot write.
    since : float
        Unix seconds; 0 for everything.
    """

    def __init__(self, engine: Engine, since: float = 0.0) -> None:
        self._engine = engine
        self._since = since

    def instances(self) -> dict[str, int]:
        """Instances received, by the state they are in now."""
        return self._count(InstanceRow.state, InstanceRow.received_at >= self._since)

    def held(self) -> dict[str, int]:
        """Entries into quarantine, by code; one released and held again counts twice."""
        return self._count(QuarantineRow.code, QuarantineRow.created_at >= self._since)

    def held_states(self) -> dict[str, int]:
        """The same, by what became of them."""
        return self._count(QuarantineRow.state, QuarantineRow.created_at >= self._since)

    def outcomes(self) -> dict[str, int]:
        """Instances of runs, by outcome; one that two runs took counts twice."""
        query = (
            select(WorkRow.outcome, func.count())
            .join(RunRow, RunRow.id == WorkRow.run_id)
            .where(RunRow.started_at >= self._since)
            .group_by(WorkRow.outcome)
        )
        return self._read(query)

    def runs(self) -> dict[str, int]:
        """Runs, by state."""
        return self._count(RunRow.state, RunRow.started_at >= self._since)

    def releases(self) -> dict[str, int]:
        """Released instances, by what was done with their pixels."""
        return self._count(ReleaseRow.action, ReleaseRow.released_at >= self._since)

    def deliveries(self) -> dict[str, int]:
        """Deliveries of released instances, by state."""
        query = (
            select(DeliveryRow.state, func.count())
            .join(ReleaseRow, ReleaseRow.id == DeliveryRow.release_id)
            .where(ReleaseRow.released_at >= self._since)
            .group_by(DeliveryRow.state)
        )
        return self._read(query)

    def subjects(self) -> Mapping[str, int]:
        """Distinct patients and studies of the releases."""
        query = (
            select(
                func.count(func.distinct(StudyRow.patient_sha256)),
                func.count(func.distinct(StudyRow.id)),
            )
            .select_from(ReleaseRow)
            .join(InstanceRow, InstanceRow.id == ReleaseRow.instance_id)
            .join(StudyRow, StudyRow.id == InstanceRow.study_id)
            .where(ReleaseRow.released_at >= self._since)
        )
        with Session(self._engine) as session:
            patients, studies = session.execute(query).one()
        return {"patients": patients, "studies": studies}

    def prompts(self) -> tuple[int, ...]:
        """Distinct patients of each prompt, fewest first; the prompts themselves are not told.

        Over everything that was ever released: that is what recipients hold.
        """
        query = (
            select(ReleaseRow.prompt, StudyRow.patient_sha256)
            .join(InstanceRow, InstanceRow.id == ReleaseRow.instance_id)
            .join(StudyRow, StudyRow.id == InstanceRow.study_id)
            .where(ReleaseRow.prompt.is_not(None))
            .execution_options(yield_per=_BATCH)
        )
        groups: dict[tuple[str, ...], set[str]] = {}
        with Session(self._engine) as session:
            for prompt, patient in session.execute(query):
                groups.setdefault(tuple(prompt or ()), set()).add(patient)
        return tuple(sorted(map(len, groups.values())))

    def _count(
        self, column: InstrumentedAttribute[str], condition: ColumnElement[bool]
    ) -> dict[str, int]:
        return self._read(select(column, func.count()).where(condition).group_by(column))

    def _read(self, query: Executable) -> dict[str, int]:
        counts: Counter[str] = Counter()
        with Session(self._engine) as session:
            for name, count in session.execute(query):
                counts[name or "open"] += count
        return dict(sorted(counts.items()))


def list_released(engine: Engine) -> Iterator[tuple[str, str]]:
    """Project and file, relative to the released zone, of every released instance."""
    query = select(InstanceEntity.project, InstanceEntity.file).order_by(InstanceEntity.id)
    with Session(engine) as session:
        for row in session.execute(query.execution_options(yield_per=_BATCH)):
            yield row.project, row.file
