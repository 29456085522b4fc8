# ruff: noqa: E501 - rows of cases are easier to read unbroken
import time
from itertools import pairwise

import pytest

from tests.integration.text_templates import shared_scrubber
from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey, identify_subject
from updp_node.text.identity import Identity
from updp_node.text.scrub import Replacement

KEY = ProjectKey(b"k" * 32)
SUBJECT = identify_subject(KEY, project="P", issuer="", patient_id="123")
KEPT = (
    "Swan-Ganz catheter", "Kerley B lines", "Pancoast tumor", "CT chest", "Cardiomegaly", "T9 fracture",
    "Hill-Sachs deformity", "Baker cyst", "PA and AP views", "L4-L5 disc", "Foley catheter", "Tc-99m MDP",
    "Hodgkin lymphoma", "BI-RADS 2", "Omnipaque 350", "120 kVp", "5 mm nodule", "image 45 of series 3",
    "Golden S sign", "Hampton hump", "Siemens", "COVID-19 pneumonia", "Wilson disease", "T12-L1",
)  # fmt: skip


def found_in(text, identity=None):
    return [text[s.start : s.end] for s in shared_scrubber().find(text, identity)]


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("Patient: HOLLOWAY, MARGARET A.\n", "HOLLOWAY, MARGARET A"), ("Please call pager 55821.", "55821"),
        ("Accession RAD-2024-0098213", "RAD-2024-0098213"), ("Film ZX88120Q was lost", "ZX88120Q"),
        ("Seen by Dr. Black today", "Black"), ("as Mr. Hill said", "Hill"), ("Dr. Young-Ho Baek", "Young-Ho Baek"),
        ("signed LMT/jb\n", "LMT/jb"), ("on 3/14 there was", "3/14"), ("in March 2021", "March 2021"),
        ("a 93-year-old man", "93"), ("fax (212) 555-0147", "(212) 555-0147"), ("mail j.doe@mercy.org now", "j.doe@mercy.org"),
        ("lives at 4417 Old Kettle Rd", "4417 Old Kettle Rd"), ("sent to St. Mary's Hospital", "St. Mary's Hospital"),
        ("see https://x.example.org/a?b=1 for", "https://x.example.org/a?b=1"), ("transferred from Spokane.", "Spokane"),
        ("at 14:30", "14:30"), ("S/N PJN-48219", "PJN-48219"), ("SSN 402-19-8877", "402-19-8877"), ("the ____ was", "____"),
        ("by [** Name 12 **] and", "[** Name 12 **]"), ("No XXXX seen", "XXXX"), ("host 10.34.201.7", "10.34.201.7"),
        ("Dr. Н\u043ell\u043eway", "Н\u043ell\u043eway"), ("Mr. Hol\u200bloway", "Hol\u200bloway"),
    ],
)  # fmt: skip
def test_an_identifier_is_found_whole(text, identifier):
    assert identifier in found_in(text)


@pytest.mark.parametrize("text", KEPT)
def test_words_of_radiology_stay(text):
    assert found_in(f"FINDINGS: {text} is noted. {text} again.") == []


def test_a_name_once_known_is_found_where_it_stands_alone():
    text = "Dr. Okonkwo read the film. Okonkwo called back."
    assert found_in(text).count("Okonkwo") == 2


IDENTITY = Identity(
    names=("STONE^LINDA^M",), ids=("ZX-88120-Q",), dates=("19610314",), phones=("212-555-7788",),
    institutions=("Marlowe General",), addresses=("12 Elm Ridge",),
)  # fmt: skip


@pytest.mark.parametrize(
    "identifier",
    [
        "STONE, LINDA", "Linda Stone", "linda stone", "Linda M. Stone", "Stone", "ZX88120Q", "zx 88120 q", "ZX-88120-Q",
        "3/14/1961", "March 14, 1961", "14 Mar 1961", "19610314", "3/14", "212.555.7788", "(212) 555-7788",
        "marlowe general", "12 elm ridge", "L I N D A",
    ],
)  # fmt: skip
def test_what_the_header_says_is_found_in_every_spelling(identifier):
    text = f"The film of {identifier} was read."
    covered = {i for s in shared_scrubber().find(text, IDENTITY) for i in range(s.start, s.end)}
    start = text.index(identifier)
    letters = [i for i in range(start, start + len(identifier)) if text[i].isalnum()]
    missing = [text[i] for i in letters if i not in covered and text[i] != "M"]
    assert missing == []


def test_a_word_of_the_language_is_a_name_only_with_a_capital():
    assert found_in("A gall stone is seen.", IDENTITY) == []


def test_a_tag_takes_the_place_and_a_second_run_changes_nothing():
    text = "Patient: HOLLOWAY, MARGARET A. MRN 8291034 on 3/14/2021 at 14:30. Dr. Baek, pager 55821, ____."
    once = shared_scrubber().scrub(text, None, None, Replacement.TAG).text
    assert "[NAME]" in once
    assert "[ID]" in once
    assert not any(
        word in once for word in ("HOLLOWAY", "MARGARET", "8291034", "Baek", "55821", "____")
    )
    assert shared_scrubber().scrub(once, None, None, Replacement.TAG).text == once


def test_surrogates_are_consistent_in_format_and_over_reports():
    text = "HOLLOWAY, MARGARET came. Margaret Holloway left on 3/14/2021. MRN 8291034."
    first = shared_scrubber().scrub(text, None, SUBJECT).text
    assert first == shared_scrubber().scrub(text, None, SUBJECT).text
    last, given = first.split(" came")[0].split(", ")
    assert last.isupper()
    assert f"{given.capitalize()} {last.capitalize()} left" in first
    assert "HOLLOWAY" not in first.upper()
    assert "8291034" not in first
    assert "3/14/2021" not in first
    other = identify_subject(KEY, project="P", issuer="", patient_id="124")
    assert shared_scrubber().scrub(text, None, other).text != first


def test_surrogates_without_a_subject_are_refused():
    with pytest.raises(InstanceError, match="surrogate-without-subject"):
        shared_scrubber().scrub("Dr. Baek", None, None, Replacement.SURROGATE)


def test_spans_are_sorted_and_never_overlap():
    text = (
        "Dr. Baek, Baek@x.org 3/14/2021 14:30 at Baek Hospital, Spokane, WA 99201. MRN 123456789."
    )
    spans = shared_scrubber().find(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert all(0 <= s.start < s.end <= len(text) for s in spans)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00\x01\x02",
        "\ud800",
        "。。。",
        "\n" * 5000,
        "a" * 50_000,
        "1" * 50_000,
        "-/" * 20_000,
    ],
)
def test_text_of_no_language_does_no_harm(text):
    result = shared_scrubber().scrub(text, IDENTITY, SUBJECT)
    assert "\x00" not in result.text


@pytest.mark.parametrize(
    "unit", ["A-", "Dr. ", "1 ", "St. ", "x@", "a.b.", "0-0-", "Hospital of ", "[** ", "HOLLOWAY, "]
)
def test_adversarial_repetition_takes_linear_time(unit):
    text = unit * (40_000 // len(unit))
    start = time.process_time()
    shared_scrubber().find(text, IDENTITY)
    assert time.process_time() - start < 20


def test_too_long_a_text_is_quarantined():
    with pytest.raises(InstanceError, match="text-too-long"):
        shared_scrubber().find("a" * 2_000_001)
