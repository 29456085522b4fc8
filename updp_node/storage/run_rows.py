"""Between the rows of a run and what the run index takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from updp_node.storage.prompt_index import withdraw
from updp_node.storage.run_records import Known, Release, Work
from updp_node.storage.tables import (
    DeliveryRow,
    InstanceRow,
    QuarantineRow,
    ReleaseRow,
    RunRow,
    WorkRow,
)


def hold(
    session: Session, run_id: str, instance: InstanceRow, *, code: str, detail: str, now: float
) -> None:
    """Quarantine an instance; it no longer counts among those that share a prompt."""
    instance.state = "quarantined"
    withdraw(session, [instance.sop_instance_uid])
    session.add(
        QuarantineRow(instance_id=instance.id, run_id=run_id, code=code, detail=detail[:500],
                      state="open", created_at=now)
    )  # fmt: skip


def to_work(work: WorkRow, instance: InstanceRow) -> Work:
    """One instance of a run."""
    return Work(
        instance.id, instance.file, instance.sop_instance_uid, instance.sop_class_uid,
        instance.state, instance.supersedes, instance.findings, work.outcome, work.action,
        work.generation, work.prompt, work.unrendered, work.seed,
        list(work.references or ()), work.attempts, work.withheld, work.k_map, work.k_released,
    )  # fmt: skip


def to_known(row: ReleaseRow) -> Known:
    """A release as the next plan sees it."""
    return Known(
        row.instance_id, row.generation, row.action, row.prompt, list(row.references or ()),
        row.sop_instance_uid, row.sop_class_uid,
    )  # fmt: skip


def to_release(row: ReleaseRow) -> Release:
    """A release as it was recorded."""
    return Release(
        row.instance_id, row.source_uid, row.generation, row.action, row.prompt,
        list(row.references or ()), row.sop_instance_uid, row.sop_class_uid, row.study_uid,
        row.series_uid, row.transfer_syntax_uid, row.file, row.sha256,
    )  # fmt: skip


def is_released(session: Session, release: Release) -> bool:
    """Whether a release is recorded."""
    query = select(ReleaseRow.id).where(ReleaseRow.sop_instance_uid == release.sop_instance_uid)
    return session.scalar(query) is not None


def add_release(
    session: Session, run: RunRow, release: Release, destinations: Sequence[str], now: float
) -> None:
    """Record a release, and that each destination is owed it."""
    fields = asdict(release) | {"references": release.references or None}
    row = ReleaseRow(**fields, run_id=run.id, profile_digest=run.profile_digest, released_at=now)
    session.add(row)
    session.flush()
    for destination in destinations:
        session.add(
            DeliveryRow(release_id=row.id, destination=destination, run_id=run.id,
                        state="pending", attempts=0, next_try_at=now)
        )  # fmt: skip
