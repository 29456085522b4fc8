"""A prompt holds whole rendered terms and never contradicts the report."""

from __future__ import annotations

import itertools
import math

import pytest

from updp_node.model import Certainty, Finding, Laterality, Prompt
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.prompt import build_prompt
from updp_node.pixels.vocabulary import Vocabulary

VOCABULARY = load_default_vocabulary()


def present(term: str) -> Finding:
    return Finding(term, Certainty.PRESENT, Laterality.LEFT, "lower lobe", "mild")


def absent(term: str) -> Finding:
    return Finding(term, Certainty.ABSENT)


def doubted(term: str) -> Finding:
    return Finding(term, Certainty.UNCERTAIN)


def build(*findings: Finding, age: int | None = 40, view: str | None = "PA") -> Prompt:
    return build_prompt(findings, VOCABULARY, age_years=age, view=view)


def test_a_rendered_finding_enters_without_side_place_or_severity() -> None:
    prompt = build(present("pneumonia"))
    assert prompt.terms == ("adult", "PA view", "pneumonia")
    assert prompt.text == "adult, PA view, pneumonia"


def test_a_finding_that_cannot_be_drawn_is_told_apart() -> None:
    prompt = build(present("pneumothorax"), present("pneumonia"))
    assert "pneumonia" in prompt.terms
    assert prompt.unrendered == ("pneumothorax",)


def test_no_finding_needs_the_absence_of_every_finding() -> None:
    assert "no finding" in build().terms
    assert "no finding" in build(absent("pneumothorax")).terms
    assert "no finding" not in build(present("pneumothorax")).terms
    assert "no finding" not in build(doubted("pneumonia")).terms


def test_doubt_is_not_rendered() -> None:
    assert build(doubted("pneumonia")).terms == ("adult", "PA view")


def test_a_negated_finding_never_enters_even_when_also_stated() -> None:
    prompt = build(present("pneumonia"), absent("pneumonia"))
    assert "pneumonia" not in prompt.terms
    assert "no finding" not in prompt.terms


def test_without_a_report_nothing_is_claimed() -> None:
    prompt = build_prompt((), VOCABULARY, age_years=None, view=None, reported=False)
    assert prompt.terms == ("adult",)


@pytest.mark.parametrize(
    ("age", "band"), [(0, "child"), (15, "child"), (16, "adult"), (95, "adult"), (None, "adult")]
)
def test_the_age_is_no_finer_than_child_or_adult(age: int | None, band: str) -> None:
    assert build(age=age).terms[0] == band


def test_children_have_no_view_term() -> None:
    assert build(age=3, view="AP").terms == ("child", "no finding")


def test_a_finding_taught_with_adults_only_is_not_drawn_for_a_child() -> None:
    prompt = build(present("pleural effusion"), age=3)
    assert prompt.terms == ("child",)
    assert prompt.unrendered == ("pleural effusion",)


def test_an_unknown_view_is_left_out() -> None:
    assert build(view="LL").terms == ("adult", "no finding")


def test_synonyms_map_to_the_rendered_word() -> None:
    assert "infiltration" in build(present("Infiltrates")).terms


def test_every_rendered_term_has_its_hundred_images() -> None:
    assert all(VOCABULARY.counts[term] >= 100 for term in VOCABULARY.terms)


def test_no_prompt_leaves_the_list_that_bounds_the_bits() -> None:
    admissible = set(VOCABULARY.list_prompts())
    terms = ["pneumonia", "infiltration", "pneumothorax", "pleural effusion", "atelectasis"]
    stated = [*map(present, terms), *map(absent, terms), *map(doubted, terms)]
    for pair in itertools.combinations(stated, 2):
        for age, view in itertools.product((3, None), ("PA", "AP", "LL", None)):
            prompt = build(*pair, age=age, view=view)
            assert Prompt(prompt.terms) in admissible
            denied = {item.term for item in pair if item.certainty is Certainty.ABSENT}
            assert not denied & set(prompt.terms)
    assert VOCABULARY.count_bits() == pytest.approx(math.log2(len(admissible)))


def test_a_word_beside_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValueError, match="whole terms"):
        VOCABULARY.order(("adult", "smith"))


def test_a_small_vocabulary_counts_its_prompts() -> None:
    small = Vocabulary(
        ("adult", "AP view", "no finding", "x"),
        {"adult": ("AP view",)},
        {"adult": ("no finding", "x")},
        {},
        {},
    )
    assert len(small.list_prompts()) == 2 * 3
