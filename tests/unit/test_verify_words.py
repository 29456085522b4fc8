"""Words and dates as the gate compares them."""

from __future__ import annotations

from datetime import date

import pytest

from updp_node.verify.words import find_dates, fold, is_ideographic, join_code, spell, split_words


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Müller", "muller"), ("ØSTERGÅRD", "ostergard"), ("Weiß", "weiss"), ("Łukasz", "lukasz"),
     ("Ｆｕｌｌ", "full"), ("홍길동", "홍길동"), ("plain TEXT", "plain text")],
)  # fmt: skip
def test_folding_takes_case_and_diacritics_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_umlauts_are_spelled_both_ways() -> None:
    assert spell("Jörg") == {"jorg", "joerg"}


def test_a_number_is_compared_without_separators() -> None:
    assert join_code(" ZQX-55 / 90.817") == "zqx5590817"
    assert split_words("a-b_c d2") == ["a", "b", "c", "d2"]


def test_scripts_without_spaces_are_known() -> None:
    assert is_ideographic("山田")
    assert not is_ideographic("Люкceмбypг")


@pytest.mark.parametrize(
    "text",
    ["20231105", "05112023", "11052023", "2023-11-05", "2023/11/5", "5.11.2023", "11/05/2023",
     "11/5/23", "5 nov 2023", "november 5, 2023", "5th of november 2023", "05nov2023",
     "5 novembre 2023", "5 de noviembre de 2023", "05. nov. 2023", "2023 nov 5", "2023年11月5日",
     "x20231105.dcm", "2023.11.05 14:12", "2023 11 05", "05 11 2023", "20231105141253",
     "23-11-05", "23/11/05", "5 ноября 2023", "5 νοεμβριου 2023", "5 kasim 2023",
     "5 listopada 2023", "2023년 11월 5일", "2023-11-05t14:12:53"],
)  # fmt: skip
def test_a_date_is_read_in_its_usual_spellings(text: str) -> None:
    assert date(2023, 11, 5) in set(find_dates(text))


@pytest.mark.parametrize(
    "text", ["", "no digits", "t11-12", "3.1.4", "120231105", "30.02.2023", "2023", "may 2023"]
)
def test_what_is_no_full_date_is_none(text: str) -> None:
    assert not list(find_dates(text))
