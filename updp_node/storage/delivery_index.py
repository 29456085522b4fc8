"""What is owed to each destination, and what arrived there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from updp_node.storage.database import reading
from updp_node.storage.tables import DeliveryRow, ReleaseRow, RunRow


@dataclass(frozen=True, slots=True)
class Owed:
    """A released file that a destination has not confirmed."""

    release_id: int
    file: str
    sha256: str
    sop_instance_uid: str
    attempts: int


class DeliveryIndex:
    """The identified index as the forwarding side sees it.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the identified index.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reader = reading(engine)

    def due(self, now: float) -> list[tuple[str, str, int]]:
        """Ended run, destination and the time its attempt fell due (Unix milliseconds).

        The time names the attempt: every postponement and every retry sets another one.
        """
        query = (
            select(DeliveryRow.run_id, DeliveryRow.destination, func.max(DeliveryRow.next_try_at))
            .join(RunRow, RunRow.id == DeliveryRow.run_id)
            .where(DeliveryRow.state == "pending", DeliveryRow.next_try_at <= now)
            .where(RunRow.state != "running")
            .group_by(DeliveryRow.run_id, DeliveryRow.destination)
            .order_by(func.min(DeliveryRow.next_try_at))
        )
        with Session(self._reader) as session:
            return [
                (run_id, target, int(due_at * 1000))
                for run_id, target, due_at in session.execute(query)
            ]

    def owed(self, run_id: str, destination: str) -> list[Owed]:
        """Pending deliveries of a run to a destination, in the order of release."""
        query = (
            select(DeliveryRow, ReleaseRow)
            .join(ReleaseRow, ReleaseRow.id == DeliveryRow.release_id)
            .where(DeliveryRow.run_id == run_id, DeliveryRow.destination == destination)
            .where(DeliveryRow.state == "pending")
            .order_by(ReleaseRow.id)
        )
        with Session(self._reader) as session:
            return [
                Owed(release.id, release.file, release.sha256, release.sop_instance_uid,
                     delivery.attempts)
                for delivery, release in session.execute(query)
            ]  # fmt: skip

    def delivered(self, release_ids: list[int], destination: str, *, now: float) -> None:
        """Note that a destination confirmed instances."""
        self._set(release_ids, destination, state="delivered", delivered_at=now, code=None)

    def refused(
        self, release_id: int, destination: str, *, code: str, next_try_at: float | None
    ) -> None:
        """Note a refusal: tried again at a time, or failed for good where that is None."""
        with Session(self._engine) as session, session.begin():
            row = session.get_one(DeliveryRow, (release_id, destination))
            row.attempts += 1
            row.code = code
            if next_try_at is None:
                row.state = "failed"
            else:
                row.next_try_at = next_try_at

    def postpone(self, run_id: str, destination: str, *, code: str, next_try_at: float) -> None:
        """Note that a destination could not be reached; everything owed waits."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.run_id == run_id, DeliveryRow.destination == destination)
                .where(DeliveryRow.state == "pending")
                .values(attempts=DeliveryRow.attempts + 1, code=code, next_try_at=next_try_at)
            )

    def retry(self, run_id: str, *, now: float) -> int:
        """Make every unfinished delivery of a run due at once; returns how many."""
        with Session(self._engine) as session, session.begin():
            rows = session.scalars(
                select(DeliveryRow).where(
                    DeliveryRow.run_id == run_id, DeliveryRow.state.in_(("pending", "failed"))
                )
            ).all()
            for row in rows:
                row.state, row.next_try_at = "pending", now
            return len(rows)

    def _set(self, release_ids: list[int], destination: str, **values: object) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(
                update(DeliveryRow)
                .where(DeliveryRow.release_id.in_(release_ids))
                .where(DeliveryRow.destination == destination)
                .values(attempts=DeliveryRow.attempts + 1, **values)
            )
