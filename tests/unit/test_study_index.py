"""Settling, claiming and what a run records, on a real SQLite index."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from updp_node.model import HeaderFacts, Received
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.delivery_index import DeliveryIndex
from updp_node.storage.intake import Intake
from updp_node.storage.review_index import ReviewIndex
from updp_node.storage.run_index import RunIndex
from updp_node.storage.run_records import Release, WorkDecision
from updp_node.storage.study_index import Claim, StudyIndex
from updp_node.storage.tables import InstanceRow

CLAIM = Claim("chest", "research-cxr", "d" * 64)
NOW = time.time() + 3600  # instances arrive before it, however long the suite takes


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url, "identified")
    return open_engine(url)


def arrive(
    engine: Engine, tmp_path: Path, uid: str, *, study: str = "1.9", modality: str = "CR"
) -> tuple[int, str]:
    """An instance received and filed; its number and its study's id."""
    intake = Intake(engine, tmp_path)
    intake.record(
        Received(tmp_path / f"{uid}.dcm", "1.2", uid, "1.2.840.10008.1.2.1", "PACS",
                 "127.0.0.1", "assoc", 1, uid.ljust(64, "0"))
    )  # fmt: skip
    intake.close()
    index = StudyIndex(engine)
    (row,) = index.unread(10)
    study_id = index.accept(row.id, HeaderFacts(study, "1.8", "1.2", uid, modality))
    return row.id, study_id


def is_sr(row: InstanceRow) -> bool:
    return row.modality == "SR"


def claim(engine: Engine, study_id: str, *, later_s: float = 100) -> str | None:
    return StudyIndex(engine).claim(study_id, CLAIM, now=NOW + later_s, quiet_s=10, is_report=is_sr)


def release_of(instance_id: int, uid: str, **more: object) -> Release:
    fields = {
        "instance_id": instance_id, "source_uid": uid, "generation": 1, "action": "none",
        "prompt": None, "references": [], "sop_instance_uid": f"2.25.{instance_id}",
        "sop_class_uid": "1.2", "study_uid": "2.25.9", "series_uid": "2.25.8",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1", "file": f"files/{uid}.dcm",
        "sha256": "0" * 64,
    }  # fmt: skip
    return Release(**(fields | more))  # type: ignore[arg-type]


def decision(instance_id: int, outcome: str | None = None, **more: object) -> WorkDecision:
    fields = {
        "instance_id": instance_id, "outcome": outcome, "code": "", "action": "none",
        "generation": 1, "prompt": None, "unrendered": None, "seed": None, "references": [],
        "findings": None,
    }  # fmt: skip
    return WorkDecision(**(fields | more))  # type: ignore[arg-type]


def test_a_study_settles_after_its_quiet_time(engine: Engine, tmp_path: Path) -> None:
    _, study_id = arrive(engine, tmp_path, "1.1")
    index = StudyIndex(engine)
    assert index.settled(time.time(), quiet_s=60) == []
    assert index.settled(time.time() + 61, quiet_s=60) == [study_id]


def test_an_open_association_holds_its_study_until_it_expires(
    engine: Engine, tmp_path: Path
) -> None:
    intake = Intake(engine, tmp_path)
    intake.opened("assoc", "PACS", "127.0.0.1")
    intake.close()
    _, study_id = arrive(engine, tmp_path, "1.1")
    index = StudyIndex(engine, association_expiry_s=120)
    assert index.settled(time.time() + 60, quiet_s=1) == []
    assert index.settled(time.time() + 121, quiet_s=1) == [study_id]


def test_a_claimed_study_is_not_claimed_twice(engine: Engine, tmp_path: Path) -> None:
    _, study_id = arrive(engine, tmp_path, "1.1")
    assert claim(engine, study_id) == f"{study_id}-1"
    assert claim(engine, study_id) is None
    assert StudyIndex(engine).settled(NOW + 100, 10) == []


def test_a_study_that_stirred_is_not_claimed(engine: Engine, tmp_path: Path) -> None:
    _, study_id = arrive(engine, tmp_path, "1.1")
    assert claim(engine, study_id, later_s=-3601) is None


def test_a_late_instance_is_a_run_of_its_own_once_the_first_has_ended(
    engine: Engine, tmp_path: Path
) -> None:
    first, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    late, _ = arrive(engine, tmp_path, "1.2")
    assert StudyIndex(engine).settled(NOW + 100, 10) == []
    runs = RunIndex(engine)
    runs.decide(run_id, lambda _: [decision(first)], report_deadline=0, now=NOW)
    runs.release(run_id, [release_of(first, "1.1")], destinations=["r"], now=NOW)
    runs.end(run_id, state="done", now=NOW)
    second = claim(engine, study_id)
    assert second == f"{study_id}-2"
    assert [work.instance_id for work in runs.works(second)] == [late]


def test_a_late_report_takes_the_counterparts_of_its_study_along(
    engine: Engine, tmp_path: Path
) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    runs = RunIndex(engine)
    runs.decide(run_id, lambda _: [decision(image)], report_deadline=0, now=NOW)
    counterpart = release_of(image, "1.1", action="synthesize", prompt=["adult"])
    runs.release(run_id, [counterpart], destinations=[], now=NOW)
    runs.end(run_id, state="done", now=NOW)
    report, _ = arrive(engine, tmp_path, "1.2", modality="SR")
    again = claim(engine, study_id)
    assert again is not None
    assert [work.instance_id for work in runs.works(again)] == [image, report]


def test_an_image_that_waits_for_its_report_is_claimed_at_the_deadline(
    engine: Engine, tmp_path: Path
) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    runs = RunIndex(engine)
    waiting = [decision(image, "waiting", action="synthesize")]
    runs.decide(run_id, lambda _: waiting, report_deadline=NOW + 500, now=NOW)
    runs.end(run_id, state="done", now=NOW)
    index = StudyIndex(engine)
    assert index.settled(NOW + 499, 10) == []
    assert index.settled(NOW + 500, 10) == [study_id]


def test_a_release_that_is_recorded_twice_is_one(engine: Engine, tmp_path: Path) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    runs = RunIndex(engine)
    for _ in range(2):
        runs.release(run_id, [release_of(image, "1.1")], destinations=["a", "b"], now=NOW)
    assert len(runs.releases(run_id)) == 1
    runs.end(run_id, state="done", now=NOW)
    due = DeliveryIndex(engine).due(NOW)
    assert sorted(due) == [(run_id, "a", int(NOW * 1000)), (run_id, "b", int(NOW * 1000))]


def test_a_refused_delivery_waits_and_a_failed_one_can_be_retried(
    engine: Engine, tmp_path: Path
) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    runs, deliveries = RunIndex(engine), DeliveryIndex(engine)
    runs.release(run_id, [release_of(image, "1.1")], destinations=["a"], now=NOW)
    runs.end(run_id, state="done", now=NOW)
    (owed,) = deliveries.owed(run_id, "a")
    deliveries.refused(owed.release_id, "a", code="peer-refused", next_try_at=NOW + 60)
    assert deliveries.due(NOW) == []
    assert deliveries.due(NOW + 60) == [(run_id, "a", int((NOW + 60) * 1000))]
    deliveries.refused(owed.release_id, "a", code="peer-refused", next_try_at=None)
    assert deliveries.due(NOW + 1e6) == []
    (job,) = ReviewIndex(engine).jobs()
    assert job.deliveries == {"a": {"failed": 1}}
    assert deliveries.retry(run_id, now=NOW) == 1
    assert deliveries.due(NOW) == [(run_id, "a", int(NOW * 1000))]


def test_what_a_failed_run_left_open_is_quarantined_and_can_go_again(
    engine: Engine, tmp_path: Path
) -> None:
    _, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    assert RunIndex(engine).fail(run_id, code="run-failed", now=NOW) == 1
    review = ReviewIndex(engine)
    (held,) = review.held()
    assert held.code == "run-failed"
    review.release_held(held.id, now=NOW)
    assert review.held() == []
    assert claim(engine, study_id) == f"{study_id}-2"


def test_a_rejected_instance_gives_its_file_back_and_never_returns(
    engine: Engine, tmp_path: Path
) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    StudyIndex(engine).quarantine(image, code="odd", now=NOW)
    review = ReviewIndex(engine)
    (held,) = review.held()
    assert review.reject_held(held.id, now=NOW) == "1.1.dcm"
    assert claim(engine, study_id) is None


def test_a_second_content_of_one_uid_is_left_to_the_next_run(
    engine: Engine, tmp_path: Path
) -> None:
    first, study_id = arrive(engine, tmp_path, "1.1")
    arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    assert [work.instance_id for work in RunIndex(engine).works(run_id)] == [first]


def test_another_patient_under_the_same_study_uid_is_not_filed(
    engine: Engine, tmp_path: Path
) -> None:
    arrive(engine, tmp_path, "1.1")
    intake = Intake(engine, tmp_path)
    intake.record(
        Received(tmp_path / "2.dcm", "1.2", "1.2", "1.2.840.10008.1.2.1", "PACS",
                 "127.0.0.1", "assoc", 1, "f" * 64)
    )  # fmt: skip
    intake.close()
    index = StudyIndex(engine)
    (row,) = index.unread(10)
    other = HeaderFacts("1.9", "1.8", "1.2", "1.2", "CR", patient_sha256="another")
    assert index.accept(row.id, other) is None
    assert index.counts()["received"] == 1


def test_originals_of_a_study_at_work_are_not_forgotten(engine: Engine, tmp_path: Path) -> None:
    image, study_id = arrive(engine, tmp_path, "1.1")
    run_id = claim(engine, study_id)
    assert run_id is not None
    runs, review = RunIndex(engine), ReviewIndex(engine)
    runs.release(run_id, [release_of(image, "1.1")], destinations=[], now=NOW)
    assert review.expired_files(NOW + 1e6) == []
    runs.end(run_id, state="done", now=NOW)
    assert review.expired_files(NOW + 1e6) == [(image, "1.1.dcm")]
    arrive(engine, tmp_path, "1.2")
    assert review.expired_files(NOW + 1e6) == []
