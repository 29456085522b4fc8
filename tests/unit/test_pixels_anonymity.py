"""Coarser prompts, the public population, and the bands that an object tells."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from updp_node.model import Prompt
from updp_node.pixels.anonymity import (
    POPULATION_FILE,
    AnonymityPolicy,
    Population,
    list_coarser,
    read_population,
    tell_anonymity,
    tell_band,
)
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.vocabulary import Vocabulary

VOCABULARY = load_default_vocabulary()
LABELS = ("cardiomegaly", "consolidation", "edema", "emphysema", "fibrosis", "hernia", "mass",
          "nodule", "pleural thickening", "pneumothorax")  # fmt: skip
LARGE = Vocabulary(
    terms=(*VOCABULARY.terms, *LABELS),
    views=VOCABULARY.views,
    findings={**VOCABULARY.findings, "adult": (*VOCABULARY.findings["adult"], *LABELS)},
    synonyms=VOCABULARY.synonyms,
    counts={},
)


@pytest.fixture(scope="module")
def population() -> Population:
    return read_population(VOCABULARY)


@pytest.fixture(scope="module")
def large() -> Population:
    return read_population(LARGE)


def test_the_view_goes_first_then_the_rarest_finding(population: Population) -> None:
    prompt = VOCABULARY.order(("adult", "PA view", "pneumonia", "pleural effusion"), ("hernia",))
    ladder = list_coarser(prompt, population)
    assert [each.terms for each in ladder] == [
        ("adult", "PA view", "pneumonia", "pleural effusion"),
        ("adult", "pneumonia", "pleural effusion"),
        ("adult", "pleural effusion"),
        ("adult",),
    ]
    assert [each.withheld for each in ladder] == [
        (), (), ("pneumonia",), ("pleural effusion", "pneumonia"),
    ]  # fmt: skip
    assert all(each.unrendered == ("hernia",) for each in ladder)


def test_a_coarser_prompt_never_turns_into_no_finding(population: Population) -> None:
    for prompt in VOCABULARY.list_prompts():
        finer, *coarser = list_coarser(prompt, population)
        assert finer == prompt
        for each in coarser:
            assert "no finding" not in set(each.terms) - set(prompt.terms)
            assert set(each.terms) < set(prompt.terms)
            assert Prompt(each.terms) in VOCABULARY.list_prompts()


def test_a_coarser_prompt_is_never_rarer_than_a_finer_one_without_its_view(
    population: Population,
) -> None:
    for prompt in VOCABULARY.list_prompts():
        without_view = Prompt(tuple(t for t in prompt.terms if "view" not in t))
        assert population.count(without_view) >= population.count(prompt)
        band = Prompt((prompt.terms[0],))
        assert population.count(band) >= population.count(without_view)


def test_the_shipped_vocabulary_has_no_prompt_below_five(population: Population) -> None:
    counts = {prompt: population.count(prompt) for prompt in VOCABULARY.list_prompts()}
    assert min(counts.values()) >= 5
    assert population.count(VOCABULARY.order(("adult",))) > 29_000


def test_a_large_vocabulary_has_rare_prompts_and_every_one_finds_a_common_one(
    large: Population,
) -> None:
    policy = AnonymityPolicy(gate="k_map", k_min=5)
    rare = [LARGE.order(terms) for terms in large.prompts if large.prompts[terms] < 5]
    assert len(rare) > 500
    for prompt in rare:
        allowed = policy.list_allowed(prompt, large)
        assert allowed
        assert all(large.count(each) >= 5 for each in allowed)
        lost = set(prompt.terms) - set(allowed[0].terms) - {"PA view", "AP view"}
        assert set(allowed[0].withheld) == lost - {"no finding"}


def test_a_rare_prompt_is_refused_where_the_profile_says_so(large: Population) -> None:
    rare = next(LARGE.order(terms) for terms in large.prompts if large.prompts[terms] < 5)
    assert AnonymityPolicy("k_map", 5, "refuse").list_allowed(rare, large) == []
    assert AnonymityPolicy("none", 5, "refuse").list_allowed(rare, large) == [rare]
    ladder = AnonymityPolicy("k_released", 5, "generalize").list_allowed(rare, large)
    assert ladder == list_coarser(rare, large)
    assert AnonymityPolicy("k_released", 5, "wait").list_allowed(rare, large) == [rare]


@pytest.mark.parametrize(
    ("k", "band"),
    [(0, "0"), (1, "1-4"), (4, "1-4"), (5, "5-9"), (9, "5-9"), (10, "10-19"), (20, "20-99"),
     (99, "20-99"), (100, "100+"), (30805, "100+")],
)  # fmt: skip
def test_an_object_tells_a_band(k: int, band: str) -> None:
    assert tell_band(k) == band


def test_the_two_figures_are_never_mixed() -> None:
    assert tell_anonymity("k_map", k_map=40, k_released=6) == "k-map 20-99"
    assert tell_anonymity("k_released", k_map=40, k_released=6) == "k-released 5-9"
    assert tell_anonymity("none", k_map=3, k_released=1) == "k-map 1-4, not gated"
    assert tell_anonymity("k_released", k_map=40, k_released=None) == ""


def test_the_table_carries_its_attribution_and_no_patient() -> None:
    content = json.loads(gzip.decompress(POPULATION_FILE.read_bytes()))
    assert "NIH Clinical Center" in content["attribution"]
    assert sum(patients for _, patients in content["patients"]) == 30_805
    assert POPULATION_FILE.stat().st_size < 60_000
    assert set(content) == {"name", "attribution", "kinds", "patients"}


@pytest.mark.shared_data
def test_the_counts_are_those_of_the_published_table(population: Population) -> None:
    beside = Path(__file__).resolve().parents[3] / "shared"
    shared = Path(os.environ.get("UPDP_SHARED", beside))
    source = shared / "data" / "cxr" / "metadata" / "nih_data_entry_2017_v2020.csv.gz"
    if not source.is_file():
        pytest.skip(f"NOT RUN: no table of ChestX-ray14 in {shared} (UPDP_SHARED)")
    patients: dict[tuple[str, ...], set[str]] = defaultdict(set)
    with gzip.open(source, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if int(row["Patient Age"]) >= 16:
                labels = set(row["Finding Labels"].split("|"))
                drawn = labels & {"Pneumonia", "Infiltration", "Effusion", "Atelectasis"}
                patients[(row["View Position"], *sorted(drawn))].add(row["Patient ID"])
    prompt = VOCABULARY.order(("adult", "PA view", "pneumonia", "pleural effusion"))
    assert population.count(prompt) == len(patients["PA", "Effusion", "Pneumonia"])
    either = patients["PA", "Atelectasis"] | patients["AP", "Atelectasis"]
    assert population.count(VOCABULARY.order(("adult", "atelectasis"))) == len(either)
