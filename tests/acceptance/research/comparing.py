"""What a server answered beside what the oracle says it must answer."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset

from tests.oracle_query import Answer, canonical
from tests.oracle_query.information import LEVELS, UNIQUE

_ORDERLESS = {tag_for_keyword("ModalitiesInStudy"), tag_for_keyword("SOPClassesInStudy")}
_BESIDES = {
    tag_for_keyword(keyword)
    for keyword in ("SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle",
                    "InstanceAvailability", "TimezoneOffsetFromUTC", *UNIQUE)
}  # fmt: skip


def differences(
    identifier: Dataset, answers: Sequence[Dataset], expected: Sequence[Answer]
) -> list[str]:
    """What is wrong with the answers; empty if nothing is."""
    unique = tag_for_keyword(UNIQUE[LEVELS.index(identifier.QueryRetrieveLevel)]) or 0
    got = [read_answer(answer) for answer in answers]
    by_key = {each.get(unique): each for each in got}
    wanted = {each[unique]: each for each in expected}
    told = []
    if len(by_key) != len(got):
        told.append(f"{len(got) - len(by_key)} entities were answered more than once")
    if missing := wanted.keys() - by_key.keys():
        told.append(f"{len(missing)} of {len(wanted)} missing, one is {min(missing, key=str)}")
    if added := by_key.keys() - wanted.keys():
        told.append(f"{len(added)} of {len(by_key)} too many, one is {min(added, key=str)}")
    for key in wanted.keys() & by_key.keys():
        told += _attributes(identifier, wanted[key], by_key[key])
    told += [
        "Query/Retrieve Level missing or another"
        for each in answers
        if each.get("QueryRetrieveLevel") != identifier.QueryRetrieveLevel
    ][:1]
    return told[:8]


def read_answer(dataset: Dataset) -> Answer:
    dataset.decode()
    found = dict(canonical(dataset))
    for tag in _ORDERLESS & found.keys():
        found[tag] = tuple(sorted(found[tag], key=str))
    return found


def _attributes(identifier: Dataset, wanted: Answer, got: Answer) -> list[str]:
    told = []
    for tag in wanted.keys() | got.keys():
        if tag in identifier and tag not in _BESIDES and wanted.get(tag) != got.get(tag):
            told.append(f"{keyword_for_tag(tag)}: {got.get(tag)!r}, not {wanted.get(tag)!r}")
        elif tag in UNIQUE and wanted.get(tag, got.get(tag)) != got.get(tag):
            told.append(f"{keyword_for_tag(tag)} differs")
        elif tag not in identifier and tag not in _BESIDES:
            told.append(f"{keyword_for_tag(tag)} was not asked")
    return told
