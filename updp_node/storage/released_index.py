"""The index of the released zone: what researchers may find. Knows nothing of the sources."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from updp_node.storage.tables import ReleasedInstanceRow


@dataclass(frozen=True, slots=True)
class ReleasedInstance:
    """A released instance; ``file`` is relative to the released zone."""

    sop_instance_uid: str
    sop_class_uid: str
    series_uid: str
    study_uid: str
    transfer_syntax_uid: str
    project: str
    file: str
    sha256: str
    supersedes: str | None = None


class ReleasedIndex:
    """Writes the index of the released zone.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the released index.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, instances: list[ReleasedInstance], *, now: float) -> None:
        """Make released instances findable; what is there already stays as it is."""
        with Session(self._engine) as session, session.begin():
            for each in instances:
                if session.get(ReleasedInstanceRow, each.sop_instance_uid) is None:
                    session.add(
                        ReleasedInstanceRow(
                            sop_instance_uid=each.sop_instance_uid,
                            sop_class_uid=each.sop_class_uid, series_uid=each.series_uid,
                            study_uid=each.study_uid,
                            transfer_syntax_uid=each.transfer_syntax_uid, project=each.project,
                            file=each.file, sha256=each.sha256, released_at=now,
                        )
                    )  # fmt: skip
                if each.supersedes is not None:
                    session.execute(
                        update(ReleasedInstanceRow)
                        .where(ReleasedInstanceRow.sop_instance_uid == each.supersedes)
                        .values(superseded_by=each.sop_instance_uid)
                    )
