"""The statistical voter: what it may add and give back, and what it may not."""

import shutil
from dataclasses import replace

import pycrfsuite
import pytest
import yaml

from tools.train_voter import SPLITS, train
from tools.voter_data import Fold, Maker
from updp_node.errors import ConfigError
from updp_node.model import Span
from updp_node.text.identity import Identity
from updp_node.text.lexicon import lexicon_folder, load_lexicons
from updp_node.text.scrub import Scrubber
from updp_node.text.voter import Ballot, Voter, load_voter, read_model
from updp_node.text.voter_tokens import Reader, shape_of

CARD = lexicon_folder() / "en" / "voter" / "voter.yaml"


@pytest.fixture(scope="module")
def lexicons():
    return load_lexicons()


@pytest.fixture(scope="module")
def voter(lexicons):
    return load_voter(lexicons)


@pytest.fixture(scope="module")
def scrubber(lexicons):
    return Scrubber(lexicons)


class Fixed(Voter):
    """The voter with shares that a test names."""

    def __init__(self, voter, shares):
        self.bounds = voter.bounds
        self._gate = voter._gate
        self._of = voter
        self._shares = shares

    def read(self, text):
        tokens = self._of.read(text).tokens
        words = [text[token.start : token.end] for token in tokens]
        shares = [self._shares.get(word, 0.05) for word in words]
        return Ballot(tokens, shares, ["NAME" if share >= 0.5 else "" for share in shares])


def spans_of(found, text):
    return [(text[s.start : s.end], s.category, s.recognizer) for s in found.spans]


def test_shapes_keep_the_length_of_numbers_and_of_short_words():
    assert shape_of("K7.95") == "X9.99"
    assert shape_of("Burnside") == "Xxxxx"
    assert [shape_of(word) for word in ("BK", "BKL", "REPORT")] == ["XX", "XXX", "XXXX"]


def test_a_token_knows_its_lists_and_not_whose_it_is(lexicons):
    tokens = Reader(lexicons).read("Verified by ZQ 23/08/04.")
    assert tokens[1].seen.classes.count("f") == 1
    assert tokens[2].seen.shape == "XX"
    assert {token.chunk for token in tokens[3:]} == {"99/99/99"}


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("CT chest. No nodule.\nVerified by SG 23/08/04.\n", "SG"),
        ("Dr Servano informed 20.28. Verified by JF 05/07/11.", "20.28"),
        ("no ptx. d/w dr crouch 1405\n", "crouch"),
        ("Lungs are clear.\nChecked by Noble 4/2/2019 14:02\n", "Noble"),
    ],
)
def test_known_words_and_short_tokens_go_where_the_context_names_somebody(
    scrubber, text, identifier
):
    at = text.index(identifier)
    spans = scrubber.find(text, Identity())
    assert any(s.start <= at and at + len(identifier) <= s.end for s in spans)


@pytest.mark.parametrize(
    "text",
    [
        "The lungs are clear. No noble gas was given.\n",
        "IMPRESSION: NO ACUTE CARDIOPULMONARY DISEASE.\n",
        "Hill-Sachs deformity and a Baker cyst are noted.\n",
        "Nodule 1.2 x 0.8 cm on image 44 of series 3.\n",
    ],
)
def test_findings_stay(scrubber, text):
    assert not scrubber.find(text, Identity())


def test_a_likely_token_is_added_with_its_kind_and_the_voter_as_its_recognizer(voter):
    text = "seen with crouch today"
    found = Fixed(voter, {"crouch": 0.9}).vote(text, [])
    assert spans_of(found, text) == [("crouch", "NAME", "voter")]


def test_a_word_of_medicine_takes_more_to_be_added(voter):
    bounds = replace(voter.bounds, add=0.5, add_clinical=0.8)
    fixed = Fixed(voter, {"pneumonia": 0.7, "crouch": 0.7})
    fixed.bounds = bounds
    text = "pneumonia and crouch seen today"
    assert [word for word, _, _ in spans_of(fixed.vote(text, []), text)] == ["crouch"]


@pytest.mark.parametrize(
    "text",
    [
        "Clear.",
        "Seen by him, 30 degree LAO",
        "As the nurse said it was",
        "A Hill-Sachs lesion of Hill",
        "Taken there from Ohio today",
        "Report [ID] on [DATE] at [TIME]. Dr. [NAME]",
    ],
)
def test_what_the_whitelist_knows_where_it_stands_is_not_added(voter, text):
    likely = ("Clear", "30", "said", "Hill", "Sachs", "on", "at")
    fixed = Fixed(voter, dict.fromkeys(likely, 0.99))
    added = [word for word, _, _ in spans_of(fixed.vote(text, []), text)]
    assert added == (["Hill"] if text.endswith("of Hill") else [])


def test_a_known_word_that_a_fail_closed_rule_took_is_given_back_and_recorded(voter):
    text = "MRI LUMBAR SPINE REPORT"
    spans = [Span(0, len(text), "INSTITUTION", "headed")]
    fixed = Fixed(voter, dict.fromkeys(text.split(), 0.00001))
    found = fixed.vote(text, spans)
    assert not found.spans
    assert [(text[v.start : v.end], v.recognizer, v.reason) for v in found.vetoes] == [
        (word, "headed", "voter") for word in text.split()
    ]


def test_a_name_beside_what_is_given_back_still_goes(voter):
    text = "BURNSIDE ELECTRONICALLY SIGNED"
    spans = [Span(0, len(text), "NAME", "unknown")]
    fixed = Fixed(voter, {"BURNSIDE": 0.9, "ELECTRONICALLY": 0.0, "SIGNED": 0.0})
    assert ("BURNSIDE", "NAME", "unknown") in spans_of(fixed.vote(text, spans), text)


@pytest.mark.parametrize("rule", ["labelled", "header", "labelled-code"])
def test_what_other_rules_found_is_never_given_back(voter, rule):
    text = "Patient: Black"
    spans = [Span(9, 14, "NAME", rule)]
    assert Fixed(voter, {"Black": 0.0}).vote(text, spans).spans == spans


def test_a_word_that_no_list_knows_is_never_given_back(voter):
    text = "the qvoxil tip"
    spans = [Span(4, 10, "NAME", "unknown")]
    assert Fixed(voter, {"qvoxil": 0.0}).vote(text, spans).spans == spans


def test_what_the_header_names_goes_whatever_the_voter_says(scrubber):
    text = "The lungs of Black are clear.\n"
    spans = scrubber.find(text, Identity(names=("BLACK^JANE",)))
    assert any(text[s.start : s.end] == "Black" for s in spans)


def test_descriptions_are_not_voted_on(lexicons):
    text = "Verified by SG 23/08/04"
    with_voter = Scrubber(lexicons)
    without = Scrubber(replace(lexicons, voter=None))
    assert with_voter.find(text, closed=False) == without.find(text, closed=False)


def test_a_pack_without_a_voter_works_as_before():
    spanish = load_lexicons(language="es")
    assert spanish.voter is None
    assert load_voter(spanish) is None


def test_a_model_that_is_not_the_one_of_the_card_is_refused(lexicons, tmp_path):
    shutil.copytree(CARD.parent, tmp_path / "voter")
    card = tmp_path / "voter" / "voter.yaml"
    content = yaml.safe_load(card.read_text("utf-8"))
    card.write_text(yaml.safe_dump(content | {"model_sha256": "0" * 64}), encoding="utf-8")
    with pytest.raises(ConfigError, match="not the one of its card"):
        Voter(lexicons, card)


def test_bounds_that_cross_are_refused(lexicons, tmp_path):
    shutil.copytree(CARD.parent, tmp_path / "voter")
    card = tmp_path / "voter" / "voter.yaml"
    content = yaml.safe_load(card.read_text("utf-8"))
    card.write_text(yaml.safe_dump(content | {"veto": 0.9}), encoding="utf-8")
    with pytest.raises(ConfigError, match="grow from 0 to 1"):
        Voter(lexicons, card)


def test_the_model_holds_no_word_but_those_of_templates(lexicons, tmp_path):
    path = tmp_path / "model.crfsuite"
    path.write_bytes(read_model(CARD.with_name("model.txt.gz")))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    forms = {name[2:] for name in tagger.info().attributes if name.startswith("w=")}
    known = Maker(lexicons, SPLITS).vocabulary()
    assert forms
    assert {form for form in forms if form.islower() and not form.endswith("x")} <= known


def test_training_twice_gives_the_same_model(lexicons, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.train_voter.INDIANA", 0)
    monkeypatch.setattr("tools.train_voter.TRANSCRIPTIONS", 0)
    monkeypatch.setattr("tools.train_voter.SETTINGS", {"max_iterations": 3})
    for name in ("one", "two"):
        train(lexicons, tmp_path / name, ["development"], 8, 3)
    one, two = ((tmp_path / name / "model.txt.gz").read_bytes() for name in ("one", "two"))
    assert one == two


def test_parts_of_the_templates_are_disjoint():
    texts = [f"sentence {number}" for number in range(100)]
    for part in range(4):
        inside = {text for text in texts if Fold(4, part, inside=True).holds(text)}
        outside = {text for text in texts if Fold(4, part).holds(text)}
        assert not inside & outside
        assert len(inside | outside) == 100
