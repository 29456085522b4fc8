"""Initials, names that are words, towns that are words, and numbers beside their labels."""

from __future__ import annotations

import pytest

from tests.integration.text_templates import shared_scrubber
from updp_node.text.identity import Identity

BEFORE, AFTER = "The heart is normal in size.\n\n", "\n"


def goes(text: str, identifier: str, identity: Identity | None = None) -> bool:
    """Whether every character of an identifier is removed."""
    whole = BEFORE + text + AFTER
    start = len(BEFORE) + text.index(identifier)
    covered: set[int] = set()
    for span in shared_scrubber().find(whole, identity):
        covered.update(range(span.start, span.end))
    return all(at in covered for at in range(start, start + len(identifier))
               if whole[at].isalnum())  # fmt: skip


@pytest.mark.parametrize(
    ("text", "initials"),
    [
        ("Checked by JK on 3 Feb.", "JK"), ("Verified by KS 28/10/19", "KS"),
        ("Images protocolled by AW.", "AW"), ("Reported 12/03/2019 09.05 MK", "MK"),
        ("Dictated 05DEC2017 0025. HQ", "HQ"), ("Therapist RL. Approved.", "RL"),
        ("WET READ: NKP Tue 5/28", "NKP"), ("Prelim read by DS, final by RM.", "RM"),
        ("No fracture seen. GH", "GH"), ("lungs are clear. kd", "kd"), ("KTB", "KTB"),
        ("bw/tl DD: 03/04/12", "bw"), ("HGS:SVC 1/29/08", "HGS"), ("/ARC", "ARC"),
        ("Case 1: DG, 00719088", "DG"), ("Transcribed by: MS", "MS"), ("HN 17:40", "HN"),
        ("Interpreted by CJ / ML", "ML"), ("-croft", "croft"), ("~brandt", "brandt"),
        ("Read on 2012-09-26 / vr", "vr"), ("Dictated at 19:44; vw; signed", "vw"),
        ("Read 3/12/2019 | KQB", "KQB"),
    ],
)  # fmt: skip
def test_initials_go_where_somebody_signs(text: str, initials: str) -> None:
    assert goes(text, initials)


@pytest.mark.parametrize(
    "text",
    ["CXR", "LUNGS", "Evaluated by CT.", "pushed by gas.", "NAD"],
)
def test_letters_that_nobody_signs_with_stay(text: str) -> None:
    assert shared_scrubber().find(BEFORE + text + AFTER) == ()


@pytest.mark.parametrize(
    ("text", "word"), [("Given at 10:40; no; stat.", "no"), ("Seen 3/12/2019 / CT", "CT")]
)
def test_small_words_beside_a_time_or_a_date_stay(text: str, word: str) -> None:
    assert not goes(text, word)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("d/w marsh @ 1845", "marsh"), ("results called to stone at 9:15", "stone"),
        ("informed banks (1402)", "banks"), ("results to addison at northvale hospital", "addison"),
        ("discussed with Amanda\nFields, who will call", "Fields"),
        ("Ordered by:\nTina\nMass", "Tina"),
        ("NNP Ifeoma aware 09:22.", "Ifeoma"), ("Siblings Bonnie and Clyde", "Bonnie"),
        ("Transcriptionist- Dawn Field, today", "Dawn Field"),
        ("/es/ LIHUA W CHEN", "LIHUA W CHEN"),
        ("DR: ADDISON", "ADDISON"), ("Dr A. van der Meer read it", "A. van der Meer"),
        ("Staff: HAZEL M PAGET, Verifier", "HAZEL M PAGET"), ("BABY GIRL LOCKE", "LOCKE"),
        ("User: pwindsor", "pwindsor"), ("Father of baby Ernest present.", "Ernest"),
    ],
)  # fmt: skip
def test_names_that_are_words_go_where_somebody_is_told(text: str, name: str) -> None:
    assert goes(text, name)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Dr Pell was informed at 16.34", "16.34"), ("Dr Ashworth aware 19.05.", "19.05"),
        ("Seen 14.3.19 08.15", "08.15"), ("Dictated 26SEP2014 1933.", "1933"),
        ("compare 11/17. Stable.", "11/17"), ("Friday 3/14 film", "3/14"),
        ("Called 2215 6/7", "2215"),
    ],
)  # fmt: skip
def test_times_with_a_point_and_days_without_a_year_go(text: str, moment: str) -> None:
    assert goes(text, moment)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Lives in Reading, PA.", "Reading"), ("Flew in from Normal, IL yesterday.", "Normal"),
        ("Nursing home in Orange.", "Orange"), ("Resident of Coeur d'Alene.", "Coeur d'Alene"),
        ("PO Box 330, Superior, WI 54880", "Superior"), ("12 Mill Lane, Bath", "Bath"),
        ("Larkmoor Hospital, Mobile, rang", "Mobile"), ("from Knoxville, N.C. 62332", "N.C. 62332"),
        ("sent by St. Jude Manor", "St. Jude Manor"),
        ("admitted from The Day Clinic", "The Day Clinic"),
        ("at st. jude primary care today", "st. jude primary care"),
        ("Seen at Holden and Associates", "Holden and Associates"),
        ("our lady of mercy hospital sent films", "our lady of mercy hospital"),
    ],
)  # fmt: skip
def test_places_that_are_words_go_with_their_context(text: str, place: str) -> None:
    assert goes(text, place)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Location K7.95", "K7.95"), ("RM 2M 80", "2M 80"), ("Exam #: 76X943740", "76X943740"),
        ("Machine SN LFP425803 V. Done", "LFP425803 V"), ("Visit HAR 84861400", "HAR 84861400"),
        ("Claim number TML 899 W 08543, paid", "TML 899 W 08543"), ("Pgr 50-483", "50-483"),
        ("loc: 5west-93", "5west-93"), ("episode 21-3763\nCase", "21-3763"),
    ],
)  # fmt: skip
def test_numbers_go_whole_beside_their_labels(text: str, code: str) -> None:
    assert goes(text, code)


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("Author ID JFOREMAN", "JFOREMAN"), ("seen by foreman, j. today", "foreman, j"),
        ("FOREMAN,JUDITH N   7268", "FOREMAN,JUDITH N"), ("O Brien was here", "O Brien"),
        ("number 244672 again", "244672"), ("asked rex constable to come", "rex constable"),
    ],
)  # fmt: skip
def test_what_the_header_holds_goes_in_every_spelling(text: str, identifier: str) -> None:
    names = ("FOREMAN^JUDITH^NEHA", "O'BRIEN^SEAN", "CONSTABLE^REX")
    assert goes(text, identifier, Identity(names=names, ids=("00244672",)))
