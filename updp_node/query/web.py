"""Query parameters of QIDO-RS, read into queries.

References
----------
PS3.18 8.3.4: Search Query Parameters; 10.6.1.2 and 10.6.3: attributes, matching, default answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR, tag_for_keyword

from updp_node.query.keys import Key, QueryError, check_key
from updp_node.query.levels import COMPUTED, PROTOCOL, UNIQUE, Level, level_of, tag_of
from updp_node.query.query import Query

_DEFAULTS = {
    Level.PATIENT: "PatientName PatientID PatientBirthDate PatientSex",
    Level.STUDY: """StudyInstanceUID StudyDate StudyTime AccessionNumber ModalitiesInStudy
        ReferringPhysicianName StudyID StudyDescription NumberOfStudyRelatedSeries
        NumberOfStudyRelatedInstances""",
    Level.SERIES: """SeriesInstanceUID Modality SeriesDescription SeriesNumber
        NumberOfSeriesRelatedInstances PerformedProcedureStepStartDate
        PerformedProcedureStepStartTime RequestAttributesSequence""",
    Level.IMAGE: """SOPInstanceUID SOPClassUID InstanceNumber Rows Columns BitsAllocated
        NumberOfFrames""",
}
"""PS3.18 Tables 10.6.3-3 to 10.6.3-5."""
_REQUESTED = ("ScheduledProcedureStepID", "RequestedProcedureID")
_MATCHED_COMPUTED = (tag_of("ModalitiesInStudy"), tag_of("SOPClassesInStudy"))
_NEGOTIATED = frozenset({"accept", "charset"})
_UNSUPPORTED = frozenset({"emptyvaluematching", "multiplevaluematching"})
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_COUNT = re.compile(r"[0-9]{1,9}")
_MOST_KEYS = 256
_MOST_UIDS = 1000
_MOST_WILDCARDS = 16
_LONGEST_VALUE = 1024
_LONGEST_LIST = 65 * _MOST_UIDS
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What a search asks.

    Attributes
    ----------
    query : Query
        Its limit is one more than the page, so that it shows whether there is more.
    page : int
        Most answers to return.
    is_cut : bool
        The page is smaller than what was asked for.
    is_fuzzy : bool
        Fuzzy matching was asked for; it is not done.
    is_unsupported : bool
        Parameters were asked that are not supported.
    """

    query: Query
    page: int
    is_cut: bool
    is_fuzzy: bool
    is_unsupported: bool


@dataclass(slots=True)
class _Node:
    """A key while its parameters are gathered."""

    vr: str
    values: tuple[str, ...] | None = None
    nested: dict[int, _Node] = field(default_factory=dict)

    def key(self, tag: int) -> Key:
        items = tuple(node.key(each) for each, node in sorted(self.nested.items()))
        return Key(tag, self.vr, self.values or (), items)


def read_search(
    params: Sequence[tuple[str, str]], level: Level, uids: Mapping[Level, str], *, most: int
) -> Search:
    """Read the query parameters of a search.

    Parameters
    ----------
    params : sequence of (str, str)
        Names and values, decoded.
    level : Level
        Of the resources that are searched.
    uids : mapping
        Unique keys that the path names.
    most : int
        Largest page.

    Raises
    ------
    QueryError
        A parameter is unknown, repeated, malformed or out of range; its text holds no value.
    """
    options: dict[str, str] = {}
    fields: list[str] = []
    keys = _Keys()
    for name, value in params:
        lowered = name.lower()
        if lowered == "includefield":
            fields += [each.strip() for each in value.split(",") if each.strip()]
        elif lowered in {"limit", "offset", "fuzzymatching", *_NEGOTIATED, *_UNSUPPORTED}:
            if lowered in options:
                raise QueryError("an option is given twice")
            options[lowered] = value
        else:
            keys.match(name, value)
    named = [each for each in fields if each.lower() != "all"]
    for each in named:
        keys.include(each)
    for above, uid in uids.items():
        keys.fix(UNIQUE[above], uid)
    keys.include_defaults(level, uids)
    return _build(keys, level, options, everything=named != fields, most=most)


def _build(
    keys: _Keys, level: Level, options: Mapping[str, str], *, everything: bool, most: int
) -> Search:
    limit = _read_count(options["limit"], "limit") if "limit" in options else None
    offset = _read_count(options["offset"], "offset") if "offset" in options else 0
    page = most if limit is None else min(limit, most)
    made = keys.made()
    served = tuple(key for key in made if _is_served(key, level))
    ignored = tuple(key.tag for key in made if not _is_served(key, level)) + keys.unknown
    query = Query(
        level, served, ignored=ignored, limit=page + 1, offset=offset,
        all_attributes=everything, ordered=True,
    )  # fmt: skip
    return Search(
        query, page, is_cut=limit is None or limit > most,
        is_fuzzy=_read_flag(options.get("fuzzymatching", "false")),
        is_unsupported=bool(ignored) or not _UNSUPPORTED.isdisjoint(options),
    )  # fmt: skip


class _Keys:
    """Gathers keys from parameters."""

    def __init__(self) -> None:
        self._top = _Node("SQ")
        self._unknown: list[int] = []
        self._count = 0

    @property
    def unknown(self) -> tuple[int, ...]:
        """Tags that are asked and cannot be served: private, unknown, of the protocol."""
        return tuple(self._unknown)

    def made(self) -> list[Key]:
        """The keys, checked."""
        return [check_key(key) for key in self._top.key(0).items]

    def match(self, name: str, value: str) -> None:
        """Add an attribute with what it has to match."""
        found = self._find(name)
        if found is None:
            return
        tag, node = found
        if node.vr == "SQ":
            raise QueryError("a sequence is matched by an attribute in it", tag=tag)
        if node.values is not None:
            raise QueryError("an attribute is given twice", tag=tag)
        node.values = _read_values(value, node.vr, tag)

    def include(self, name: str) -> None:
        """Add an attribute that is returned."""
        self._find(name, is_included=True)

    def fix(self, tag: int, uid: str) -> None:
        """Add a unique key that the path names."""
        node = self._top.nested.setdefault(tag, _Node("UI"))
        if node.values is not None:
            raise QueryError("path and query name the same unique key", tag=tag)
        node.values = (uid,)

    def include_defaults(self, level: Level, uids: Iterable[Level]) -> None:
        """Add what is returned unasked, of the level and of levels that the path leaves open."""
        shown = {level, *(each for each in Level if each < level and not _is_fixed(each, uids))}
        for each in sorted(shown):
            for keyword in _DEFAULTS[each].split():
                self._default(keyword)

    def _default(self, keyword: str) -> None:
        tag = tag_of(keyword)
        if tag in self._top.nested:
            return
        node = self._top.nested[tag] = _Node(_vr_of(tag) or "UN")
        if node.vr == "SQ":
            for nested in _REQUESTED:
                node.nested[tag_of(nested)] = _Node("SH")

    def _find(self, name: str, *, is_included: bool = False) -> tuple[int, _Node] | None:
        """The node of an attribute named by keywords or tags joined by dots."""
        self._count += 1
        if self._count > _MOST_KEYS:
            raise QueryError("more attributes than are answered at once")
        steps = [_read_tag(step) for step in name.split(".", _DEEPEST)]
        node = self._top
        if steps[0] in PROTOCOL:
            if not is_included:
                self._unknown.append(steps[0])
            return None
        for place, tag in enumerate(steps):
            vr = _vr_of(tag)
            if vr is None:
                self._unknown.append(steps[0])
                return None
            if place and node.vr != "SQ":
                raise QueryError("only sequences have attributes in them", tag=steps[place - 1])
            node = node.nested.setdefault(tag, _Node(vr))
        return steps[-1], node


def _is_fixed(level: Level, uids: Iterable[Level]) -> bool:
    """Whether the path names the entity of a level; the patient goes with the study."""
    return level in uids or (level is Level.PATIENT and Level.STUDY in uids)


def _is_served(key: Key, level: Level) -> bool:
    if level_of(key.tag) > level:
        return False
    return key.tag not in COMPUTED or key.tag in _MATCHED_COMPUTED or not key.values


def _read_tag(text: str) -> int:
    if _TAG.fullmatch(text):
        return int(text, 16)
    tag = tag_for_keyword(text) if _KEYWORD.fullmatch(text) else None
    if tag is None:
        raise QueryError("a parameter is neither an attribute nor an option of searches")
    return int(tag)


def _vr_of(tag: int) -> str | None:
    """VR of a public attribute; None of what cannot be searched."""
    if (tag >> 16) & 1 or tag >> 16 < 8:
        return None
    try:
        vr = dictionary_VR(tag)
    except KeyError:
        return None
    return None if vr == "NONE" else vr.split(" or ")[0]


def _read_values(text: str, vr: str, tag: int) -> tuple[str, ...]:
    """What is to be matched: a list for UIDs, else one value; nothing is universal."""
    if len(text) > (_LONGEST_LIST if vr == "UI" else _LONGEST_VALUE):
        raise QueryError("a value is too long", tag=tag)
    parts = re.split(r"[,\\]", text) if vr == "UI" else [text]
    values = tuple(part.strip() for part in parts if part.strip(" *"))
    if len(values) > _MOST_UIDS or any(value.count("*") > _MOST_WILDCARDS for value in values):
        raise QueryError("too many values or wildcards", tag=tag)
    return values


def _read_count(text: str, name: str) -> int:
    if not _COUNT.fullmatch(text):
        raise QueryError(f"{name} is a whole number from 0 to 999999999")
    return int(text)


def _read_flag(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise QueryError("fuzzymatching is true or false")
    return text.lower() == "true"
