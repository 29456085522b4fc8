"""A prompt never contradicts its report: over all admissible prompts and sets of findings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updp_node.model import Certainty, Finding, Laterality, Prompt
from updp_node.pixels.consistency import find_contradiction, read_statements
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.prompt import build_prompt

VOCABULARY = load_default_vocabulary()
PRESENT, ABSENT, UNCERTAIN = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
TERMS = ("pneumonia", "infiltration", "pleural effusion", "atelectasis", "pneumothorax")
ANY_FINDING = st.builds(
    Finding,
    st.sampled_from((*TERMS, "no finding", "cardiomegaly", "effusion")),
    st.sampled_from(Certainty),
    st.sampled_from((None, *Laterality)),
    st.sampled_from((None, "lower lobe", "upper lobe")),
)
PROMPTS = VOCABULARY.list_prompts()


def contradicts(terms: Sequence[str], stated: dict[str, Certainty]) -> bool:
    """What the rules say, told independently: one certainty per term."""
    drawn = set(terms) - {"adult", "child", "AP view", "PA view"}
    band = "child" if "child" in terms else "adult"
    if any(stated.get(term) is ABSENT for term in drawn):
        return True
    if "no finding" in drawn:
        return any(certainty is not ABSENT for certainty in stated.values())
    present = {term for term, certainty in stated.items() if certainty is PRESENT}
    if present & set(VOCABULARY.findings[band]) - drawn:
        return True
    return any(stated.get(term) not in (PRESENT, UNCERTAIN) for term in drawn)


def test_every_prompt_against_every_report_of_one_certainty_per_finding() -> None:
    checked = 0
    for combination in itertools.product((None, *Certainty), repeat=len(TERMS)):
        stated = {term: each for term, each in zip(TERMS, combination, strict=True) if each}
        findings = [Finding(term, each) for term, each in stated.items()]
        for band in VOCABULARY.bands:
            statements = read_statements(findings, VOCABULARY, band)
            for prompt in (each for each in PROMPTS if band in each.terms):
                found = find_contradiction(prompt, statements, VOCABULARY)
                assert (found is not None) == contradicts(prompt.terms, stated), (prompt, stated)
                checked += 1
    assert checked == 4 ** len(TERMS) * len(PROMPTS)


@given(st.lists(ANY_FINDING, max_size=8), st.sampled_from((3, 40, None)), st.booleans())
def test_the_prompt_of_the_rules_never_contradicts(
    findings: list[Finding], age: int | None, unstated_free: bool
) -> None:
    prompt = build_prompt(findings, VOCABULARY, age_years=age, view="PA")
    band = "child" if age == 3 else "adult"
    statements = read_statements(findings, VOCABULARY, band, unstated_free=unstated_free)
    assert find_contradiction(prompt, statements, VOCABULARY) is None
    assert not statements.required & statements.denied
    assert not statements.free & (statements.denied | statements.required)


@given(st.lists(ANY_FINDING, max_size=8))
def test_nothing_that_is_stated_present_is_lost_without_a_word(findings: list[Finding]) -> None:
    prompt = build_prompt(findings, VOCABULARY, age_years=40, view=None)
    told = set(prompt.terms) | set(prompt.unrendered)
    for finding in findings:
        if finding.certainty is PRESENT and finding.term != "no finding":
            assert finding.term in told or VOCABULARY.find(finding.term, "adult") in told


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        (("adult", "pneumonia"), "negated"),
        (("adult",), "dropped"),
        (("adult", "no finding"), "negated"),
        (("adult", "pleural effusion", "infiltration"), "unstated"),
        (("adult", "pleural effusion", "atelectasis"), None),
        (("adult", "pleural effusion"), None),
    ],
)
def test_each_kind_of_contradiction_has_its_name(terms: tuple[str, ...], fault: str | None) -> None:
    findings = [
        Finding("pleural effusion", PRESENT),
        Finding("pneumonia", ABSENT),
        Finding("atelectasis", UNCERTAIN),
    ]
    statements = read_statements(findings, VOCABULARY, "adult")
    assert find_contradiction(Prompt(terms), statements, VOCABULARY) == fault


def test_what_is_withheld_is_not_dropped() -> None:
    statements = read_statements([Finding("pleural effusion", PRESENT)], VOCABULARY, "adult")
    coarser = Prompt(("adult",), withheld=("pleural effusion",))
    assert find_contradiction(coarser, statements, VOCABULARY) is None
    clean = read_statements([], VOCABULARY, "adult")
    assert find_contradiction(Prompt(("adult",)), clean, VOCABULARY) is None


def test_a_denial_of_one_side_does_not_take_back_the_other() -> None:
    findings = [
        Finding("pleural effusion", PRESENT, Laterality.RIGHT),
        Finding("pleural effusion", ABSENT, Laterality.LEFT),
    ]
    assert "pleural effusion" in read_statements(findings, VOCABULARY, "adult").required
    same = [*findings, Finding("pleural effusion", ABSENT, Laterality.RIGHT)]
    assert "pleural effusion" in read_statements(same, VOCABULARY, "adult").denied


def test_without_a_report_all_is_open() -> None:
    statements = read_statements([], VOCABULARY, "child", reported=False)
    assert statements.free == {"no finding", "pneumonia"}
    assert not statements.required | statements.denied
