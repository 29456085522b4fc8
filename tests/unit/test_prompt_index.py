"""Prompts are counted: who waits, who is granted, and who is released together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.prompt_index import PromptDesk, Reserved, Wish, pass_barrier, withdraw
from updp_node.storage.tables import PromptProjectRow, PromptRow, StudyRow

FINE, COARSE, COARSEST = "adult, PA view, effusion", "adult, effusion", "adult"
LADDER = (FINE, COARSE, COARSEST)
NOW = 1000.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    url = sqlite_url(tmp_path / "index.sqlite")
    migrate(url, "identified")
    made = open_engine(url)
    with Session(made) as session, session.begin():
        session.add_all(
            StudyRow(id=f"study-{n}", study_uid=f"1.{n}", last_arrival_at=0, patient_sha256="",
                     generation=1, report_deadline=None)
            for n in range(40)
        )  # fmt: skip
    yield made
    made.dispose()


Reserve = Callable[..., Reserved]


@pytest.fixture
def reserve(engine: Engine) -> Reserve:
    def call(
        number: int, *prompts: str, k_min: int = 3, subject: int | None = None, project: str = "p"
    ) -> Reserved:
        """One image of one study of one subject, all of the same number."""
        wish = Wish(project, f"subject-{number if subject is None else subject}", f"uid-{number}",
                    prompts or LADDER, k_min)  # fmt: skip
        with Session(engine) as session, session.begin():
            return PromptDesk(session, f"study-{number}", now=NOW).reserve(wish)

    return call


def states(engine: Engine) -> dict[tuple[str, str], str]:
    with Session(engine) as session:
        rows = session.scalars(select(PromptRow))
        return {(row.source_uid, row.prompt): row.state for row in rows}


def woken(engine: Engine) -> set[str]:
    with Session(engine) as session:
        query = select(StudyRow.id).where(StudyRow.report_deadline == NOW)
        return set(session.scalars(query))


def arrive(engine: Engine, number: int) -> bool:
    with Session(engine) as session, session.begin():
        return pass_barrier(session, f"uid-{number}", now=NOW)


def test_where_it_does_not_gate_the_first_is_granted_and_counted(reserve: Reserve) -> None:
    assert reserve(1, k_min=0) == Reserved(0, 1)
    assert reserve(2, k_min=0) == Reserved(0, 2)
    assert reserve(2, k_min=0) == Reserved(0, 2)


def test_the_first_wait_and_the_last_of_the_group_grants_them_all(
    engine: Engine, reserve: Reserve
) -> None:
    assert reserve(1, FINE) == Reserved(None, 1)
    assert reserve(2, FINE) == Reserved(None, 2)
    assert woken(engine) == set()
    assert reserve(3, FINE) == Reserved(0, 3)
    assert woken(engine) == {"study-1", "study-2"}
    assert set(states(engine).values()) == {"held"}
    assert reserve(1, FINE) == Reserved(0, 3)


def test_those_who_wait_meet_at_the_finest_prompt_that_enough_would_take(
    engine: Engine, reserve: Reserve
) -> None:
    assert reserve(1, FINE, COARSE, COARSEST).chosen is None
    assert reserve(2, "adult, AP view, effusion", COARSE, COARSEST).chosen is None
    assert reserve(3, "adult, AP view, effusion", COARSE, COARSEST) == Reserved(1, 3)
    assert {prompt for _, prompt in states(engine)} == {COARSE}


def test_a_common_prompt_is_granted_at_once_and_the_finer_one_first(reserve: Reserve) -> None:
    for number in range(3):
        reserve(number, COARSEST)
    for number in range(3, 6):
        reserve(number, FINE)
    assert reserve(7, *LADDER) == Reserved(0, 4)
    assert reserve(8, "adult, rare", COARSEST) == Reserved(1, 4)


def test_one_subject_counts_once_however_many_images(reserve: Reserve) -> None:
    for number in range(5):
        assert reserve(number, FINE, subject=0) == Reserved(None, 1)
    assert reserve(6, FINE) == Reserved(None, 2)
    assert reserve(7, FINE).chosen == 0


def test_projects_are_counted_apart(reserve: Reserve) -> None:
    for number in range(2):
        reserve(number, FINE)
    assert reserve(3, FINE, project="q") == Reserved(None, 1)


def test_a_reservation_made_again_finds_itself(engine: Engine, reserve: Reserve) -> None:
    for _ in range(4):
        assert reserve(1, FINE, COARSE) == Reserved(None, 1)
    assert len(states(engine)) == 2


def test_another_prompt_takes_the_place_of_the_one_that_was_waited_for(
    engine: Engine, reserve: Reserve
) -> None:
    reserve(1, FINE, COARSE)
    reserve(1, "adult, pneumonia")
    assert states(engine) == {("uid-1", "adult, pneumonia"): "waiting"}


def test_nobody_is_released_before_enough_came_down_the_line(
    engine: Engine, reserve: Reserve
) -> None:
    for number in range(3):
        reserve(number, FINE)
    assert [arrive(engine, number) for number in (0, 1)] == [False, False]
    assert arrive(engine, 1) is False  # the same one again
    assert arrive(engine, 2) is True
    assert woken(engine) >= {"study-0", "study-1"}
    assert [arrive(engine, number) for number in (0, 1)] == [True, True]
    assert set(states(engine).values()) == {"released"}


def test_a_group_that_lost_one_waits_for_another(engine: Engine, reserve: Reserve) -> None:
    for number in range(3):
        reserve(number, FINE)
    assert [arrive(engine, number) for number in (0, 1)] == [False, False]
    with Session(engine) as session, session.begin():
        withdraw(session, ["uid-2"])
    assert arrive(engine, 0) is False
    assert reserve(4, FINE) == Reserved(0, 3)
    assert [arrive(engine, number) for number in (4, 0, 1)] == [True, True, True]


def test_what_was_released_is_not_withdrawn(engine: Engine, reserve: Reserve) -> None:
    for number in range(3):
        reserve(number, FINE)
    for number in (0, 1, 2, 0, 1):
        arrive(engine, number)
    with Session(engine) as session, session.begin():
        withdraw(session, [f"uid-{number}" for number in range(3)])
    assert set(states(engine).values()) == {"released"}


def test_a_later_generation_may_get_a_finer_prompt_and_still_counts_at_the_old_one(
    engine: Engine, reserve: Reserve
) -> None:
    for number in range(3):
        reserve(number, COARSEST)
    for number in (0, 1, 2, 0, 1):
        arrive(engine, number)
    assert reserve(0, FINE, COARSEST) == Reserved(1, 3)
    for number in range(5, 8):
        reserve(number, FINE)
    assert reserve(0, FINE, COARSEST) == Reserved(0, 4)
    assert states(engine)["uid-0", COARSEST] == "released"
    assert reserve(9, COARSEST) == Reserved(0, 4)


def test_an_image_without_a_reservation_passes(engine: Engine) -> None:
    assert arrive(engine, 30) is True


def test_every_reservation_takes_its_turn_at_the_row_of_its_project(
    engine: Engine, reserve: Reserve
) -> None:
    reserve(1)
    reserve(2)
    with Session(engine) as session:
        row = session.get_one(PromptProjectRow, "p")
        assert row.reservations == 2
