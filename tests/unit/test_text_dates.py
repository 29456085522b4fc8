# ruff: noqa: E501 - rows of cases are easier to read unbroken
import pytest

from updp_node.text.dates import shift_date
from updp_node.text.lexicon import load_grammar

ENGLISH = load_grammar()
FALLBACK = ENGLISH.phrases["earlier_date"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/14/2021", "2/2/2021"), ("03/14/21", "02/02/21"), ("2021-03-14", "2021-02-02"),
        ("20210314", "20210202"), ("March 14, 2021", "February 2, 2021"),
        ("March 14th, 2021", "February 2nd, 2021"), ("14-MAR-2021", "2-FEB-2021"),
        ("Mon, Mar 15 2021", "Wed, Feb 3 2021"), ("March 2021", "February 2021"), ("3/14", "2/2"),
        ("14.03.2021", "02.02.2021"), ("14 March 2021", "2 February 2021"), ("3/2021", "2/2021"),
        ("30.12.1999", "20.11.1999"), ("Monday", "Wednesday"), ("the 14th of March 2021", "the 2nd of February 2021"),
    ],
)  # fmt: skip
def test_a_date_is_moved_and_keeps_its_spelling(text, expected):
    assert shift_date(text, -40, ENGLISH) == expected


@pytest.mark.parametrize(
    "text", ["the third of July", "45/45/2020", "13-2020-99-1", "0000-00-00", ""]
)
def test_what_no_calendar_knows_is_replaced_whole(text):
    assert shift_date(text, -40, ENGLISH) == FALLBACK


def test_intervals_stay_true():
    assert shift_date("1/31/2020", 29, ENGLISH) == "2/29/2020"
    assert shift_date("2020-12-31", 1, ENGLISH) == "2021-01-01"
