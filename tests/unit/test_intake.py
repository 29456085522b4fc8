"""The intake: rows of many threads, durable when `record` returns."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from updp_node.errors import SpoolError
from updp_node.model import Received
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.intake import Intake
from updp_node.storage.study_index import StudyIndex


def received(root: Path, number: int, association: str = "a") -> Received:
    return Received(
        path=root / f"{number}.dcm", sop_class_uid="1.2", sop_instance_uid=f"1.2.{number}",
        transfer_syntax_uid="1.2.840.10008.1.2.1", calling_ae_title="PACS",
        peer_address="127.0.0.1", association_id=association, size_bytes=1, sha256="0" * 64,
    )  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url, "identified")
    return url


def test_rows_of_many_threads_are_committed_when_record_returns(tmp_path: Path, url: str) -> None:
    intake = Intake(open_engine(url), tmp_path)
    intake.opened("a", "PACS", "127.0.0.1")

    def store(number: int) -> int:
        intake.record(received(tmp_path, number))
        other = sqlite3.connect(tmp_path / "index.sqlite")
        (count,) = other.execute(
            "select count(*) from instances where sop_instance_uid = ?", (f"1.2.{number}",)
        ).fetchone()
        other.close()
        return int(count)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(store, range(200))) == [1] * 200
    intake.closed("a")
    intake.close()
    assert len(StudyIndex(open_engine(url)).unread(1000)) == 200


def test_an_index_that_cannot_commit_refuses_every_waiting_sender(tmp_path: Path, url: str) -> None:
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table instances")
    intake = Intake(engine, tmp_path)
    failures = []

    def store(number: int) -> None:
        try:
            intake.record(received(tmp_path, number))
        except SpoolError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=store, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    intake.close()
    assert failures == ["index unusable: OperationalError"] * 5
