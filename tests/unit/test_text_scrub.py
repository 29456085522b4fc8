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


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("Patient: Nakagawa, Kenji L\nMRN: 1", "Nakagawa, Kenji L"), ("VERIFIED BY: MAL/TR\n", "MAL/TR"),
        ("stable. yamamoto/ls\n", "yamamoto/ls"), ("aware 08:45. TL 12/31\n", "TL"), ("D:OC T:SM 03/15/16 1258\n", "OC"),
        ("by Xiaoli Xu at 09:18", "Xiaoli Xu"), ("her daughter Vikram.", "Vikram"), ("ED doc Baek aware", "Baek"),
        ("drs kirk and martin", "martin"), ("phoned to nakagawa at 6:03 am", "nakagawa"), ("Walker^Alice^Marie", "Walker^Alice^Marie"),
        ("file AliceWalker here", "AliceWalker"), ("H O L L O W A Y came", "H O L L O W A Y"), ("Mr. Ho1loway", "Ho1loway"),
        ("seen on the 14th.", "the 14th"), ("since last March", "March"), ("compared to 12/30 and 2/20.", "2/20"),
        ("14MAR2021", "14MAR2021"), ("at 2021-03-14T10:22 he", "10:22"), ("at 00.35 by M.", "00.35"), ("03/15/16 1258", "1258"),
        ("98F w/ COPD", "98"), ("Male, 91, collapse", "91"), ("in her nineties", "nineties"), ("ninety-two-year-old", "ninety-two"),
        ("Secretary: 020 7946 0137", "020 7946 0137"), ("Ph 02 5550 5021", "02 5550 5021"), ("bleep 4471", "4471"),
        ("at Cedar Hills Urgent Care is", "Cedar Hills Urgent Care"), ("from McCormack & Best Orthopedics.", "McCormack & Best Orthopedics"),
        ("Unit 8, 12 Sycamore Parade", "12 Sycamore Parade"), ("91 Washington Avenue, Derby\n", "Derby"), ("Idaho 69639", "69639"),
        ("mail a.b at mercy dot org", "a.b at mercy dot org"), ("Пациент Иванов", "Иванов"), ("film of 山田太郎 taken", "山田太郎"),
    ],
)  # fmt: skip
def test_an_identifier_in_an_unusual_form_is_found(text, identifier):
    covered = {i for s in shared_scrubber().find(text) for i in range(s.start, s.end)}
    start = text.index(identifier)
    letters = [i for i in range(start, start + len(identifier)) if text[i].isalnum()]
    assert [text[i] for i in letters if i not in covered] == []


def test_neighbours_of_different_categories_have_a_surrogate_each():
    text = "Dr. Okonkwo 3/14/2021 14:30 at Marlowe General Hospital, Spokane, WA 99201."
    spans = shared_scrubber().find(text)
    found = [text[s.start : s.end] for s in spans]
    assert "Okonkwo" in found
    assert "3/14/2021" in found
    assert "14:30" in found


def test_a_mark_takes_nothing_with_it():
    text = "Two views dated XXXX, XXXX. No effusion; the heart XXXX is large."
    once = shared_scrubber().scrub(text, None, None, Replacement.TAG).text
    assert once == "Two views dated [MARK], [MARK]. No effusion; the heart [MARK] is large."


def test_the_whitelist_says_what_it_kept_and_why():
    text = "Dr. Baker saw a Baker cyst. COVID-19 was excluded at 120 kVp. Accession 77123456."
    explained = shared_scrubber().explain(text)
    assert explained.spans == shared_scrubber().find(text)
    kept = {(text[v.start : v.end], v.reason) for v in explained.vetoes}
    assert ("Baker", "eponym or phrase") in kept
    assert all(text[v.start : v.end] != "77123456" for v in explained.vetoes)


def test_a_second_run_that_knows_the_first_changes_nothing():
    text = "HOLLOWAY, MARGARET came on 3/14/2021 at 14:30. MRN 8291034. Dr. Baek, pager 55821."
    scrubber = shared_scrubber()
    first = scrubber.scrub(text, None, SUBJECT)
    second = scrubber.scrub(first.text, None, SUBJECT, issued=first.issued)
    assert second.text == first.text
    assert scrubber.scrub(first.text, None, SUBJECT).text != first.text


def test_what_the_header_says_is_replaced_though_an_earlier_run_may_have_written_it():
    scrubber = shared_scrubber()
    result = scrubber.scrub("Dr. Stone came.", IDENTITY, SUBJECT, issued=frozenset({"stone"}))
    assert "Stone" not in result.text


@pytest.mark.parametrize("override", ["\u202d", "\u202e"])
def test_text_that_turns_letters_round_is_quarantined(override):
    with pytest.raises(InstanceError, match="text-direction-override"):
        shared_scrubber().find(f"Seen by {override}YAWOLLOH")


def test_no_pattern_takes_more_than_a_second_of_what_it_dislikes():
    units = [
        "A-",
        "Dr. ",
        "1 ",
        "x@",
        "a.b.",
        "0-0-",
        "3/14 ",
        "12 Elm Ridge ",
        "A^",
        "a",
        "1",
        "020 ",
        "(Aa ",
    ]
    slow = []
    for unit in units:
        text = (unit * (100_000 // len(unit) + 1))[:100_000]
        for pattern in shared_scrubber().lexicons.patterns:
            start = time.process_time()
            for _ in pattern.regex.finditer(text):
                pass
            if time.process_time() - start > 1:
                slow.append((pattern.name, unit))
    assert slow == []
