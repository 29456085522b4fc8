"""200 generated questions, answered as independent code answers them from the files alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.figures import record
from tests.acceptance.research.asking import ask, association
from tests.acceptance.research.comparing import differences
from tests.acceptance.research.kinds import KINDS
from tests.acceptance.research.process import ResearchNode
from tests.acceptance.research.questions import Question, make_questions
from tests.oracle_query import ADMISSIBLE, DEVIATING, Information, Reading, answer

COUNT = 200
pytestmark = pytest.mark.timeout(900)  # making 200 fair questions takes half a minute, or more


@pytest.fixture(scope="module")
def questions(information: Information) -> list[Question]:
    return make_questions(information, count=COUNT)


def test_the_questions_cover_every_level_model_and_type_of_matching(
    questions: list[Question],
) -> None:
    assert {question.kind for question in questions} == {kind.name for kind in KINDS}
    pairs = Counter((question.model, question.level) for question in questions)
    assert len(pairs) == 7, "Study Root has no patient level"
    assert min(pairs.values()) >= 10, pairs
    assert {question.calling for question in questions} == {"REQ_A", "REQ_B", "REQ_AB"}
    assert sum(question.relational for question in questions) >= 20


def test_every_answer_is_the_one_that_the_files_give(
    research: ResearchNode, information: Information, questions: list[Question], tmp_path: Path
) -> None:
    wrong: dict[Reading, list[str]] = {reading: [] for reading in (*ADMISSIBLE, DEVIATING)}
    count = 0
    for question in questions:
        answers = _ask(research, question, tmp_path)
        count += len(answers)
        for reading, told in wrong.items():
            expected = answer(information, question.identifier, question.projects,
                              combined=question.combined, reading=reading)  # fmt: skip
            if found := differences(question.identifier, answers, expected):
                lines = "\n  ".join((str(question), str(question.identifier), *found))
                told.append(f"{lines}\n")
    best = min(ADMISSIBLE, key=lambda reading: len(wrong[reading]))
    record("research queries", "generated queries answered as the files say",
           COUNT - len(wrong[best]), f"of {COUNT}")  # fmt: skip
    record("research queries", "answers compared", count, "")
    counts = {reading.unknown: len(told) for reading, told in wrong.items()}
    assert not wrong[best], (
        f"questions answered otherwise, by which unknown values match every key: {counts}\n"
        + "\n".join(wrong[min(wrong, key=lambda reading: len(wrong[reading]))])
    )


def _ask(research: ResearchNode, question: Question, folder: Path):
    """By findscu; by pynetdicom where extended negotiation is needed, which findscu has not."""
    if not question.relational and not question.combined:
        place = folder / str(question.number)
        return research.find(question.identifier, place, model=question.model,
                             calling=question.calling)[0]  # fmt: skip
    with association(research.port, calling=question.calling, relational=question.relational,
                     combined=question.combined) as opened:  # fmt: skip
        answers, status = ask(opened, question.identifier, question.model)
    assert status == 0x0000, f"{question}: {status:#06x}\n{question.identifier}"
    return answers
