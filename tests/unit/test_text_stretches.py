"""Names of institutions and addresses go whole; measures and codes of billing stay."""

from __future__ import annotations

import pytest

from tests.integration.text_templates import shared_scrubber
from updp_node.model import Span
from updp_node.text.lexicon import load_lexicons
from updp_node.text.stretches import Stretches

FINDINGS = "The heart is normal in size. The lungs are clear.\n"


def kept(text: str) -> str:
    """The text without what is removed."""
    parts, done = [], 0
    for span in shared_scrubber().find(text):
        parts.append(text[done : span.start])
        done = span.end
    return "".join([*parts, text[done:]])


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ("Followed at Wexcombe Pain and Spine for this.", "Spine"),
        ("Priors from Teller Rad of Nebraska were loaded.", "Nebraska"),
        ("Brought in by Larkmoor County EMS on a backboard.", "EMS"),
        ("brought in by larkmoor county ambulance after a fall.", "larkmoor county ambulance"),
        ("Awaiting a bed in the Tessel NICU.", "NICU"),
        ("Referred by Dr. Tessel's office for pain.", "office"),
        ("Known to NHS Lanarkshire since birth.", "NHS"),
        ("Transferred from HMP Wexcombe by guards.", "HMP"),
        ("Primary care: Wexcombe CBOC. Follow up.", "CBOC"),
    ],
)
def test_an_institution_goes_with_the_words_that_make_it_one(text: str, goes: str) -> None:
    assert goes not in kept(FINDINGS + text + "\n")


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ("Discharged to 3 The Maltings.", ("3 ", "Maltings")),
        ("Pedestrian struck at the corner of Tessel and Marlowe.", ("corner", "Marlowe")),
        ("She gets mail at 28633 FM 9926, Elko.", ("28633", "FM", "9926")),
        ("Lives at basement flat, 88 Wellington Drive.", ("basement", "88")),
        ("Residence: Flat No. 416, Shanti Apartments.", ("Flat", "416", "Shanti")),
        ("Address: Blk 107 Bukit Batok East 06-402.", ("107", "Bukit", "402")),
        ("Found at the 8300 block of Stonegate Square.", ("8300", "Stonegate")),
        ("Moved from 629 FRANKLIN COVE last month.", ("629", "COVE")),
        ("lives at 649 e elm dr, dayton.", ("649", "elm")),
        ("Rollover on I-83 near mile marker 188; trapped.", ("83", "188")),
    ],
)
def test_an_address_goes_with_its_numbers_and_small_words(text: str, goes: tuple[str, ...]) -> None:
    left = kept(FINDINGS + text + "\n")
    assert not [each for each in goes if each in left]


@pytest.mark.parametrize(
    "text",
    [
        "CPT: 71260, 74177. ICD-10: R91.1, C34.11.",
        "Seen on series #12, images #5-7; see image #1452.",
        "Peak velocity of 3.2 m/sec with an SUV of 18.1 in the hilum.",
        "ABG 7.39/42/79 with the ratio normal at 1.08 today.",
        "Smokes 1 to 2 packs per day. Increased every 2 to 3 minutes.",
        "Refractory period was 440 ms at drive cycle length 600 ms.",
        "Diffusion with b = 0, 500, 1000 was acquired.",
        "The 11:30 position of the right breast shows a cyst.",
        "Technetium 99m was injected. Pharmacy notified.",
    ],
)
def test_numbers_with_their_own_label_or_unit_stay(text: str) -> None:
    assert kept(FINDINGS + text + "\n") == FINDINGS + text + "\n"


def test_a_person_beside_a_department_is_no_institution() -> None:
    text = "Preliminary result given to Dr. Tessel in radiology."
    assert "in radiology" in kept(FINDINGS + text + "\n")


def test_a_pack_without_tails_extends_nothing() -> None:
    spanish = Stretches(load_lexicons(language="es"))
    span = Span(0, 8, "INSTITUTION", "unknown")
    assert not [*spanish.fill([span], "Wexcombe Pain and Spine")]
