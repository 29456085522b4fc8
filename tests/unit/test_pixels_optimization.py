"""Content optimization: both solvers stay among the admissible prompts and find good ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from tests.factories.encoder import TinyEncoder
from updp_node.model import Certainty, Finding, Prompt
from updp_node.pixels.alignment import Objective
from updp_node.pixels.consistency import find_contradiction, read_statements
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.optimization import Settings, Space, optimize, search_beam
from updp_node.pixels.pez import project
from updp_node.pixels.suggestion import Question, answer, answer_by_rules, reduce

VOCABULARY = load_default_vocabulary()
PRESENT, ABSENT, UNCERTAIN = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
DRAWN = ("pneumonia", "infiltration", "pleural effusion", "atelectasis")
ADMISSIBLE = set(VOCABULARY.list_prompts())


@pytest.fixture(scope="module")
def encoder() -> TinyEncoder:
    return TinyEncoder((*VOCABULARY.terms, "cardiomegaly"))


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (160, 140), dtype=np.uint8)


def ask(
    *findings: Finding, solver: str = "beam", seed: int = 0, reported: bool = True, **more: object
) -> Question:
    settings = Settings(solver=solver, **more)  # type: ignore[arg-type]
    return Question(picture(seed), findings, reported, 40, "PA", settings)


def make_space(*findings: Finding, reported: bool = True, **more: bool) -> Space:
    statements = read_statements(findings, VOCABULARY, "adult", reported=reported, **more)
    return Space(VOCABULARY, ("adult", "PA view"), statements)


def list_sets(space: Space) -> list[frozenset[str]]:
    """Every admissible set, by brute force."""
    free = space.candidates
    subsets = itertools.chain.from_iterable(
        itertools.combinations(free, size) for size in range(len(free) + 1)
    )
    grown = (space.start | set(subset) for subset in subsets)
    return [findings for findings in grown if space.admits(findings)]


@pytest.mark.parametrize("seed", range(8))
def test_a_wide_beam_finds_the_best_of_all_sets(encoder: TinyEncoder, seed: int) -> None:
    space = make_space(reported=False)
    objective = Objective(encoder, picture(seed))
    scores = {each: objective.score(space.order(each).terms).total for each in list_sets(space)}
    assert len(scores) == 17  # 16 sets of four findings, and no finding
    found = search_beam(space, scores.__getitem__, width=64)
    assert scores[found] == max(scores.values())


@pytest.mark.parametrize("seed", range(8))
def test_the_gradient_solver_comes_close_to_the_best(encoder: TinyEncoder, seed: int) -> None:
    exact = answer(ask(seed=seed, reported=False), VOCABULARY, encoder)
    found = answer(ask(seed=seed, reported=False, solver="pez"), VOCABULARY, encoder)
    assert Prompt(found.prompt.terms) in ADMISSIBLE
    assert found.after.total >= found.before.total
    gained = found.after.total - found.before.total
    assert gained >= 0.6 * (exact.after.total - exact.before.total) - 1e-6


@pytest.mark.parametrize("solver", ["beam", "pez"])
def test_the_same_question_has_the_same_answer(encoder: TinyEncoder, solver: str) -> None:
    question = ask(Finding("pneumonia", UNCERTAIN), solver=solver)
    first, second = (answer(question, VOCABULARY, encoder) for _ in range(2))
    assert first == second


def test_the_projection_chooses_among_the_allowed_rows_only() -> None:
    table = torch.eye(4)[:2]
    soft = torch.tensor([[-1.0, -2.0, 9.0, 9.0], [0.1, 3.0, 0.0, 0.0]])
    assert project(soft, table).tolist() == [0, 1]


@pytest.mark.parametrize("solver", ["beam", "pez"])
@pytest.mark.parametrize("seed", range(3))
def test_what_the_report_settles_is_not_searched(
    encoder: TinyEncoder, solver: str, seed: int
) -> None:
    findings = (
        Finding("pleural effusion", PRESENT),
        Finding("pneumonia", ABSENT),
        Finding("cardiomegaly", PRESENT),
    )
    found = answer(ask(*findings, solver=solver, seed=seed), VOCABULARY, encoder)
    assert found.prompt.terms == ("adult", "PA view", "pleural effusion")
    assert found.prompt.unrendered == ("cardiomegaly",)


@pytest.mark.parametrize("solver", ["beam", "pez"])
def test_a_doubted_finding_enters_where_the_image_suggests_it(
    encoder: TinyEncoder, solver: str
) -> None:
    findings = (Finding("pleural effusion", PRESENT), Finding("pneumonia", UNCERTAIN))
    chosen = {
        answer(ask(*findings, solver=solver, seed=seed), VOCABULARY, encoder).prompt.terms
        for seed in range(12)
    }
    base = ("adult", "PA view")
    assert chosen <= {(*base, "pleural effusion"), (*base, "pneumonia", "pleural effusion")}


def test_a_clean_report_is_no_finding_whatever_the_image_looks_like(encoder: TinyEncoder) -> None:
    for seed in range(4):
        question = ask(Finding("pneumonia", ABSENT), seed=seed, unstated_free=True)
        assert answer(question, VOCABULARY, encoder).prompt.terms[-1] == "no finding"


def test_unstated_findings_enter_only_where_the_profile_lets_them(encoder: TinyEncoder) -> None:
    stated = Finding("pleural effusion", PRESENT)
    free = make_space(stated, unstated_free=True)
    assert set(free.candidates) == {"pneumonia", "infiltration", "atelectasis"}
    assert make_space(stated).candidates == ()


def test_at_most_so_many_findings_but_never_fewer_than_stated(encoder: TinyEncoder) -> None:
    stated = [Finding(term, PRESENT) for term in DRAWN[:3]]
    limited = ask(*stated, max_terms=1, unstated_free=True)
    assert set(answer(limited, VOCABULARY, encoder).prompt.terms) >= set(DRAWN[:3])
    open_ones = Space(
        VOCABULARY, ("adult",), read_statements((), VOCABULARY, "adult", reported=False), 2
    )
    assert max(len(each) for each in list_sets(open_ones)) == 2


def test_the_report_pulls_towards_itself_by_its_weight(encoder: TinyEncoder) -> None:
    stated = ("pleural effusion",)
    image = Objective(encoder, picture(1), stated, report_weight=0.0)
    both = Objective(encoder, picture(1), stated, report_weight=2.0)
    scored = both.score(("adult", "pleural effusion"))
    assert scored.report is not None
    assert scored.total == pytest.approx(scored.image + 2 * scored.report)
    assert image.score(("adult", "pleural effusion")).total == pytest.approx(scored.image)
    assert both.score(("unheard of",)).total == 0


def test_no_solver_contradicts_any_report(encoder: TinyEncoder) -> None:
    certainties = (None, PRESENT, ABSENT, UNCERTAIN)
    for combination in itertools.product(certainties, repeat=4):
        stated = [Finding(t, c) for t, c in zip(DRAWN, combination, strict=True) if c]
        found = answer(ask(*stated, unstated_free=True), VOCABULARY, encoder)
        statements = read_statements(stated, VOCABULARY, "adult", unstated_free=True)
        assert find_contradiction(found.prompt, statements, VOCABULARY) is None
        assert Prompt(found.prompt.terms) in ADMISSIBLE


def test_without_a_solver_the_rules_make_the_prompt() -> None:
    shown = (Finding("pneumonia", PRESENT),)
    silent = Question(picture(0), (), False, 3, None, Settings("none"), shown)
    assert answer_by_rules(silent, VOCABULARY).terms == ("child", "pneumonia")
    told = Question(picture(0), (), True, 3, None, Settings("none"), shown)
    assert answer_by_rules(told, VOCABULARY).terms == ("child", "no finding")


def test_a_question_carries_a_reduced_image() -> None:
    assert reduce(np.zeros((2500, 2000), np.uint8)).shape == (512, 410)
    assert reduce(np.zeros((64, 512), np.uint8)).shape == (64, 512)
    optimized = optimize(
        make_space(reported=False), Objective(TinyEncoder(VOCABULARY.terms), picture(0)), Settings()
    )
    assert optimized.steps == 17
