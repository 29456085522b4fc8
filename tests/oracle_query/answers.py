"""What a C-FIND SCP answers: keys against entities, and what is returned of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tests.oracle_query.canonical import canonical, canonical_values, is_empty, texts
from tests.oracle_query.information import LEVELS, UNIQUE, Entity, Information, level_of
from tests.oracle_query.matching import (
    READINGS,
    REQUIRED,
    STRICT,
    Reading,
    matches,
    matching_items,
    moments_match,
)
from tests.oracle_query.moments import Span, range_of, span_of

Answer = dict[int, tuple[object, ...]]
"""Asked attributes with a value, and the unique keys from the top of the model down."""

_PROTOCOL = frozenset(
    tag_for_keyword(keyword)
    for keyword in ("SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC",
                    "RetrieveAETitle", "InstanceAvailability")
)  # fmt: skip
_PAIRS = (("StudyDate", "StudyTime"), ("SeriesDate", "SeriesTime"), ("ContentDate", "ContentTime"),
          ("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime"))  # fmt: skip
_DAY_US = 86_400_000_000

_COMPUTED: dict[int, Callable[[Entity], list[object]]] = {
    tag_for_keyword(keyword) or 0: compute
    for keyword, compute in {
        "NumberOfPatientRelatedStudies": lambda entity: [entity.count(1)],
        "NumberOfPatientRelatedSeries": lambda entity: [entity.count(2)],
        "NumberOfPatientRelatedInstances": lambda entity: [entity.count(3)],
        "NumberOfStudyRelatedSeries": lambda entity: [entity.count(2)],
        "NumberOfStudyRelatedInstances": lambda entity: [entity.count(3)],
        "NumberOfSeriesRelatedInstances": lambda entity: [entity.count(3)],
        "ModalitiesInStudy": lambda entity: _distinct(entity, "Modality"),
        "SOPClassesInStudy": lambda entity: _distinct(entity, "SOPClassUID"),
    }.items()
}


def answer(
    information: Information, identifier: Dataset, projects: Iterable[str], *,
    combined: bool = False, reading: Reading = STRICT,
) -> list[Answer]:  # fmt: skip
    """The answers to an identifier, in no order."""
    level = LEVELS.index(identifier.QueryRetrieveLevel)
    groups = _Ancestors(information, projects)
    return [
        _returned(identifier, entity, groups, level, reading)
        for entity in information.entities(level, projects)
        if _all_match(identifier, entity, groups, level, reading, combined=combined)
    ]


def same_under_every_reading(
    information: Information, identifier: Dataset, projects: Iterable[str], *, combined: bool
) -> bool:
    """Whether a query is a fair test: what is left to the implementer makes no difference."""
    first = _sortable(answer(information, identifier, projects, combined=combined))
    return all(
        first
        == _sortable(answer(information, identifier, projects, combined=combined, reading=reading))
        for reading in _readings_of(identifier)
    )


def _readings_of(identifier: Dataset) -> list[Reading]:
    """The readings that can make a difference to an identifier."""
    asked = {key.VR for key in identifier if not is_empty(key)}
    return [
        reading
        for reading in READINGS
        if (reading.precision == STRICT.precision or asked & {"TM", "DT"})
        and (reading.local_offset_min == STRICT.local_offset_min or "DT" in asked)
        and (reading.unknown_in_items == STRICT.unknown_in_items or "SQ" in asked)
    ]


class _Ancestors:
    """The entity of a higher level that an entity belongs to, found by its unique keys."""

    def __init__(self, information: Information, projects: Iterable[str]) -> None:
        self._by_level = [information.by_keys(level, projects) for level in range(4)]

    def of(self, entity: Entity, level: int) -> Entity:
        return self._by_level[level][entity.instances[0].names[: level + 1]]


def _held(entity: Entity, groups: _Ancestors, tag: int) -> DataElement | None:
    """The attribute as the entity of its own level holds it."""
    owner = groups.of(entity, level_of(tag))
    if tag in _COMPUTED:
        return DataElement(tag, dictionary_VR(tag), _COMPUTED[tag](owner))
    return owner.header.get(tag)


def _all_match(
    identifier: Dataset, entity: Entity, groups: _Ancestors, level: int, reading: Reading, *,
    combined: bool,
) -> bool:  # fmt: skip
    paired: set[int] = set()
    if combined:
        for date, time in _PAIRS:
            together = _both_ranges(identifier, date, time)
            if together is not None:
                paired |= {tag_for_keyword(date) or 0, tag_for_keyword(time) or 0}
                if not _pair_matches(together, entity, groups, date, time, reading):
                    return False
    return all(
        matches(key, _held(entity, groups, key.tag), reading)
        for key in identifier
        if key.tag not in _PROTOCOL and key.tag not in paired and level_of(key.tag) <= level
    )


def _both_ranges(
    identifier: Dataset, date: str, time: str
) -> tuple[tuple[Span | None, Span | None], ...] | None:
    """The ranges of a date and a time of the same form (C.2.2.2.5.4), else None."""
    ranges = []
    for keyword, vr in ((date, "DA"), (time, "TM")):
        if keyword not in identifier or is_empty(identifier[keyword]):
            return None
        text = texts(identifier[keyword])[0]
        if span_of(text, vr) is not None:
            return None
        ranges.append(range_of(text, vr))
    (first_day, last_day), (first_time, last_time) = ranges
    same_form = (first_day is None) == (first_time is None)
    same_form = same_form and (last_day is None) == (last_time is None)
    return tuple(ranges) if same_form else None


def _pair_matches(
    ranges: tuple[tuple[Span | None, Span | None], ...], entity: Entity, groups: _Ancestors,
    date: str, time: str, reading: Reading,
) -> bool:  # fmt: skip
    """One moment of date and time; of an unknown time only the day is known."""
    held = [_held(entity, groups, tag_for_keyword(keyword) or 0) for keyword in (date, time)]
    if held[0] is None or is_empty(held[0]):
        return reading.unknown == "every" or (
            reading.unknown == "required" and tag_for_keyword(date) in REQUIRED
        )
    day = span_of(texts(held[0])[0], "DA")
    if day is None:
        return False
    within: Span | None = (0, _DAY_US - 1)
    if held[1] is not None and not is_empty(held[1]):
        within = span_of(texts(held[1])[0], "TM")
    if within is None:
        return False
    moment = (day[0] + within[0], day[0] + within[1])
    (first_day, last_day), (first_time, last_time) = ranges
    first = _joined(first_day, first_time)
    return moments_match(first, _joined(last_day, last_time), moment, reading.precision)


def _joined(day: Span | None, within: Span | None) -> Span | None:
    return None if day is None or within is None else (day[0] + within[0], day[0] + within[1])


def _returned(
    identifier: Dataset, entity: Entity, groups: _Ancestors, level: int, reading: Reading
) -> Answer:
    found: Answer = {}
    for key in identifier:
        if key.tag in _PROTOCOL or level_of(key.tag) > level:
            continue
        held = _held(entity, groups, key.tag)
        if held is not None and (values := _asked_of(key, held, reading)):
            found[int(key.tag)] = values
    unique = tag_for_keyword(UNIQUE[level]) or 0
    found[unique] = (entity.instances[0].names[level],)
    return found


def _asked_of(key: DataElement, held: DataElement, reading: Reading) -> tuple[object, ...]:
    """All values; of a sequence the items that match, with what was asked of them."""
    if key.VR != "SQ" or not key.value or not len(key.value[0]):
        return canonical_values(held)
    return tuple(
        _asked_of_item(key.value[0], item, reading) for item in matching_items(key, held, reading)
    )


def _asked_of_item(wanted: Dataset, item: Dataset, reading: Reading) -> tuple[object, ...]:
    found = []
    for key in wanted:
        if key.tag in item and (values := _asked_of(key, item[key.tag], reading)):
            found.append((int(key.tag), values))
    return tuple(found)


def _distinct(entity: Entity, keyword: str) -> list[object]:
    return sorted({str(each.header.get(keyword, "")) for each in entity.instances} - {""})


def _sortable(answers: list[Answer]) -> list[str]:
    return sorted(repr(sorted(each.items())) for each in answers)


__all__ = ["Answer", "answer", "canonical", "same_under_every_reading"]
