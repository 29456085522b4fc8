import pytest

from updp_node.errors import InstanceError
from updp_node.model import Certainty, Finding, Laterality
from updp_node.text.findings import extract_findings, load_finding_rules

P, A, U = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
L, R, B = Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Small left pleural effusion.", Finding("pleural effusion", P, L, None, "mild")),
        ("No pleural effusion.", Finding("pleural effusion", A)),
        ("There is no evidence of pneumothorax.", Finding("pneumothorax", A)),
        ("The heart is moderately enlarged.", Finding("cardiomegaly", P, None, None, "moderate")),
        ("Right upper lobe consolidation.", Finding("consolidation", P, R, "upper lobe")),
        ("Bibasilar atelectasis.", Finding("atelectasis", P, B, "base")),
        ("This may represent pneumonia.", Finding("pneumonia", U)),
        ("Pneumonia cannot be excluded.", Finding("pneumonia", U)),
        ("Effusion has resolved.", Finding("pleural effusion", A)),
        ("No change in the right pleural effusion.", Finding("pleural effusion", P, R)),
        ("No focal airspace opacity to suggest pneumonia.", Finding("pneumonia", A)),
        ("Swan-Ganz catheter in place.", Finding("central venous catheter", P)),
        ("Pericardial effusion is seen.", Finding("pericardial effusion", P)),
        ("Calcified granuloma in the right apex.", Finding("granuloma", P, R, "apex")),
        ("Lungs are hyperinflated.", Finding("hyperinflation", P)),
        ("Severe emphysema.", Finding("emphysema", P, None, None, "severe")),
        ("Left 7th rib fracture.", Finding("fracture", P, L, "rib")),
    ],
)  # fmt: skip
def test_a_sentence_yields_its_finding(sentence, expected):
    assert expected in extract_findings(f"FINDINGS: {sentence}")


def test_the_side_belongs_to_the_finding_it_stands_with():
    found = extract_findings("Left pleural effusion and right lower lobe consolidation.")
    assert Finding("pleural effusion", P, L) in found
    assert Finding("consolidation", P, R, "lower lobe") in found


def test_indication_history_and_comparison_are_not_read():
    text = (
        "INDICATION: pneumonia\nHISTORY: Pneumothorax.\nCOMPARISON: none\nFINDINGS: Clear lungs.\n"
    )
    assert extract_findings(text) == ()


def test_a_denial_ends_where_another_thought_begins():
    found = extract_findings("No pneumothorax, but there is a small effusion.")
    assert {(f.term, f.certainty) for f in found} == {("pneumothorax", A), ("pleural effusion", P)}


def test_a_stated_finding_beats_an_unqualified_denial():
    found = extract_findings("FINDINGS: No effusion.\nIMPRESSION: Left effusion.\n")
    assert [f.certainty for f in found if f.term == "pleural effusion"] == [P]


def test_terms_are_canonical_and_come_sorted_once():
    text = "Atelectasis. Atelectatic change. Bibasilar atelectasis."
    found = extract_findings(text)
    assert list(found) == sorted(
        set(found), key=lambda f: (f.term, f.certainty, f.laterality or "")
    )
    assert {f.term for f in found} <= set(load_finding_rules().parents)


def test_no_text_yields_no_finding():
    assert extract_findings("") == ()
    assert extract_findings("\x00\x01\n\n:::;;;..") == ()


def test_too_long_a_text_is_quarantined():
    with pytest.raises(InstanceError, match="text-too-long"):
        extract_findings("a" * 2_000_001)
