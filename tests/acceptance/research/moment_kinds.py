"""Matching of dates and times: single values, ranges, and date and time as one moment."""

from __future__ import annotations

import random

from pydicom.dataset import Dataset

from tests.acceptance.research.picking import pick, plain
from tests.oracle_query.information import Entity

_DATES = {0: ["PatientBirthDate"], 1: ["StudyDate"],
          2: ["SeriesDate", "PerformedProcedureStepStartDate"], 3: ["ContentDate"]}  # fmt: skip
_TIMES = {1: ["StudyTime"], 2: ["SeriesTime", "PerformedProcedureStepStartTime"],
          3: ["ContentTime"]}  # fmt: skip


def ask_date(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _DATES)
    if not keyword:
        return False
    setattr(identifier, keyword, value)
    return True


def ask_date_range(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _DATES)
    if not keyword:
        return False
    setattr(identifier, keyword, _date_range(value, random_))
    return True


def ask_time_range(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _TIMES)
    if not keyword:
        return False
    setattr(identifier, keyword, _time_range(value, random_))
    return True


def ask_time(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    keyword, value = pick(identifier, entity, random_, _TIMES)
    if not keyword:
        return False
    setattr(identifier, keyword, value)
    return True


def ask_datetime_range(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    value = plain(entity, "AcquisitionDateTime")
    if not value:
        return False
    year = int(value[:4])
    identifier.AcquisitionDateTime = random_.choice([
        f"{year - 1}0101000000-{year + 1}1231235959", f"{value[:14]}-", f"-{value[:14]}",
        f"{year}0201103000-0500-{year + 2}0201103000+0100", f"{year}0101+0000-{year}1231+0000",
    ])  # fmt: skip
    return True


def ask_combined(identifier: Dataset, entity: Entity, random_: random.Random) -> bool:
    """A date and a time range of one form, matched as one if that is negotiated."""
    date, time = plain(entity, "StudyDate"), plain(entity, "StudyTime")
    if not date or not time:
        return False
    first = f"{int(date[:4]) - 1}0301"
    identifier.StudyDate, identifier.StudyTime = random_.choice(
        [(f"{first}-{date}", "100000-180000"), (f"{date}-", "120000-"), (f"-{date}", "-093000"),
         (f"{date}-{date}", "000000-235959"), (date, "000000-235959"),
         (f"{first}-{date}", "180000-")]
    )  # fmt: skip
    return True


def _date_range(value: str, random_: random.Random) -> str:
    later = f"{int(value[:4]) + random_.randint(0, 3)}1231"
    earlier = f"{int(value[:4]) - random_.randint(0, 3)}0101"
    return random_.choice([f"{earlier}-{later}", f"{value}-{value}", f"{value}-", f"-{value}",
                           f"{value[:6]}01-{value[:6]}28"])  # fmt: skip


def _time_range(value: str, random_: random.Random) -> str:
    hour = int(value[:2])
    return random_.choice([
        f"{hour:02d}0000-{hour:02d}5959.999999", f"{hour:02d}0000-", f"-{hour:02d}5959.999999",
        "000000-235959.999999", f"{hour:02d}00-{min(hour + 2, 23):02d}00", f"{hour:02d}-",
    ])  # fmt: skip
