"""Dates and times of content items as the profile has them."""

from __future__ import annotations

import pytest

from tests.factories.reports import policy
from updp_node.errors import InstanceError
from updp_node.text.moments import move_moment


@pytest.mark.parametrize(
    ("value", "kind", "dates", "times", "expected"),
    [
        ("20210314", "DATE", "shift", "keep", "20210304"),
        ("20210314", "DATE", "keep", "keep", "20210314"),
        ("20210314", "DATE", "remove", "keep", "19000101"),
        ("143055.5", "TIME", "shift", "keep", "143055.5"),
        ("143055.5", "TIME", "shift", "coarsen", "143000"),
        ("143055.5", "TIME", "shift", "remove", "000000"),
        ("20210314143055.5+0100", "DATETIME", "shift", "keep", "20210304143055.5+0100"),
        ("20210314143055.5+0100", "DATETIME", "shift", "coarsen", "20210304143000+0100"),
        ("20210314143055", "DATETIME", "shift", "remove", "20210304"),
        ("20210314143055", "DATETIME", "keep", "keep", "20210314143055"),
        ("2021", "DATETIME", "shift", "keep", "2020"),
        ("202103", "DATETIME", "keep", "keep", "202103"),
        ("00010101", "DATE", "keep", "keep", "00010101"),
    ],
)
def test_a_moment_is_kept_moved_or_a_dummy(
    value: str, kind: str, dates: str, times: str, expected: str
) -> None:
    assert move_moment(value, kind, policy(dates, times=times), -10) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [("Walker", "DATE"), ("20211399", "DATE"), ("2021Walker", "DATETIME"), ("00010101", "DATE")],
)
def test_what_is_no_date_is_refused(value: str, kind: str) -> None:
    with pytest.raises(InstanceError, match="unscrubbed-date"):
        move_moment(value, kind, policy("shift"), -10)


def test_a_time_that_is_none_is_a_dummy() -> None:
    assert move_moment("Walker", "TIME", policy("shift", times="keep"), -10) == "000000"
