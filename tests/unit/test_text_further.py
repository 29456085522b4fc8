"""Further identifiers that go, and further words of reports that stay."""

from __future__ import annotations

import pytest

from tests.unit.test_text_stretches import FINDINGS, kept
from tools.build_words import _proper
from updp_node.text.certain import find_certain
from updp_node.text.identity import Identity
from updp_node.text.lexicon import load_lexicons


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ("Dr. Tessel, Wexcombe Radiologists, P.A., was told.", ("Wexcombe", "Radiologists", "P.A")),
        ("Requested by Jane Tessel, MD, Wexcombe Urology, P.C., today.", ("Urology", "P.C")),
        ("Sent by Great Wexcombe Women's Health Group, for pain.", ("Women", "Health Group")),
        ("Patient TESSEL, JANE, UR 382716, Ward 6S, follow up.", ("Ward", "6S")),
        ("Flushes were given to Jane on Tessel Pavilion 4.", ("Tessel", "4")),
        ("Admitted to American Legion Post 951 Monday.", ("Post", "951")),
        ("Read by Wexcombe Overnight Reads on call.", ("Wexcombe", "Overnight")),
        ("Good response to naloxone per ALS-2.", ("ALS-2",)),
        ("Transferred out of the unit to 3B on hospital day four.", ("3B",)),
        ("Outside films from Mass General reviewed.", ("Mass", "General")),
        ("Works at Patient First as a clerk.", ("Patient First",)),
        ("Lives in West Midlands with her son.", ("West Midlands",)),
        ("Resident of Kern and Berks Counties for years.", ("Kern", "Berks")),
    ],
)  # fmt: skip
def test_institutions_and_places_go(text: str, goes: tuple[str, ...]) -> None:
    left = kept(FINDINGS + text + "\n")
    assert not [each for each in goes if each in left], left


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ("Witnessed by Manuel Her, RN.", "Her"),
        ("Parent Trevor Webster, 59 Spruce Ct.", "Trevor"),
        ("TRANSCRIBED BY: AM  JOB: 5243524", "AM"),
        ("Jane Tessel, M.D./SRC", "SRC"),
        ("Escalated to Tessel; closed by ES 2/12/16.", "ES"),
        ("TRIAL WORKSHEET\nInitials AHP    Visit 3", "AHP"),
        ("22:07 AD called the ward.", "AD"),
        ("Technologist ES noted that the patient moved.", "ES"),
        ("Subject no. 366-594 was imaged.", "366-594"),
        ("Fluoroscopy unit XR-PORT-47 was used.", "PORT"),
        ("Images acquired on MR1-MAIN today.", "MAIN"),
        ("Reset by the device clinic (452), at 12:50.", "452"),
        ("Called Jane 1922, no reply.", "1922"),
        ("TWIN B. Isolette 76-B.", "76-B"),
        ("Struck at Jefferson and 14th on foot.", "14th"),
    ],
)
def test_people_and_numbers_go(text: str, goes: str) -> None:
    assert goes not in kept(FINDINGS + text + "\n")


@pytest.mark.parametrize(
    "text",
    [
        "Recent travel to Kenya and Vietnam, positive QuantiFERON.",
        "The flow void lies beside the lacune at its widest.",
        "Estimated weight 2,140 g (Hadlock), growth is normal.",
        "Pain was 7/10 before and 2/10 after the injection.",
        "Calcium score: LM 0, LAD 212, LCx 34, RCA 118.",
        "Lesion at 2:00, 5 cm FN, is unchanged.",
        "Dating scan at 24+3 weeks.",
        "Rectal cancer, mrT3c N1b, EMVI positive.",
        "Six cycles of R-CHOP were given.",
        "The 5th and 6th ribs are healed.",
        "Multiple sclerosis diagnosed in 2018.",
    ],
)
def test_words_of_reports_stay(text: str) -> None:
    assert kept(FINDINGS + text + "\n") == FINDINGS + text + "\n"


@pytest.mark.parametrize(
    "text",
    ["Seen by M. O'Neil-Tessel today.", "ONEILTESSEL, JANE", "O Neil Tessel", "T.E-S S E.L L I",
     "id 00-12 34.56", "12/34(56"],
)  # fmt: skip
def test_what_the_header_says_is_found_however_it_is_split(text: str) -> None:
    identity = Identity(names=("O'Neil-Tessel^Jane", "Tesselli^Ada"), ids=("123456",))
    assert find_certain(text, identity, load_lexicons())


def test_proper_nouns_are_no_words() -> None:
    small, capital = {"liver", "polish"}, {"lincolnshire", "kenya", "polish", "bavarian", "rf"}
    words = {"liver", "lincolnshire", "kenya", "polish", "bavarian", "rf"}
    assert _proper(words, small, capital) == {"lincolnshire"}
