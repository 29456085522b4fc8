# ruff: noqa: E501 - rows of cases are easier to read unbroken
import pytest

from updp_node.text.fold import fold_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("plain text\n", "plain text\n"), ("НОLLОWАY", "HOLLOWAY"), ("Mu\u0308ller", "Muller"),
        ("Ｈｏｌｌｏｗａｙ", "Holloway"), ("Hol\u200blo\u00adway", "Holloway"), ("Hol\x00loway", "Holloway"),
        ("a\u00a0b", "a b"), ("ﬁbrosis", "fibrosis"), ("O’Brien", "O'Brien"), ("a\x0cb", "a\nb"),
    ],
)  # fmt: skip
def test_text_is_brought_into_one_alphabet(text, folded):
    assert fold_text(text).text == folded


@pytest.mark.parametrize(
    "text", ["Dr. Hol\u200bloway, x", "Dr. Holl\u00f6w\u0308ay\u200b, x", "ﬁn Holloway"]
)
def test_offsets_lead_back_to_the_original(text):
    folded = fold_text(text)
    start = folded.text.index("Hol")
    first, last = folded.original(start, start + 8)
    assert fold_text(text[first:last]).text == folded.text[start : start + 8]
    assert text[first] == "H"


def test_an_empty_text_folds_to_nothing():
    assert fold_text("").original(0, 0) == (0, 0)
