"""The scorer: an answer key and released files to pass and total by kind of check.

Shares no code with the node. Old identifiers are matched with new ones by the files alone: the
map tells which file came of which instance, everything else is read from the two of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement

from tools.midi.burning import is_hidden
from tools.midi.generate import ANSWERS, digest_pixels
from tools.midi.key import KINDS, as_text
from tools.midi.planting import tokens

_STEP = re.compile(r"([0-9A-F]{4}),(?:\((.*?)\))?([0-9A-F]{2,4})(?:\[(\d+)\])?(?:\.|$)")
NOT_RELEASED = "(not released)"
_NEEDS_VALUE = frozenset({"tag_retained", "text_notnull", "text_retained", "patid_consistent"})
_OLD_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d+)?)?")
_MISSING_PASSES = frozenset({"text_removed", "date_shifted", "uid_changed", "pixels_hidden"})


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that did not pass; holds values of the invented patient."""

    kind: str
    file: str
    path: str
    expected: str
    found: str


@dataclass(slots=True)
class Score:
    """Passed and total by kind, over instances and over distinct checks of series."""

    passed: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    series_passed: Counter[str] = field(default_factory=Counter)
    series_total: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    missing: int = 0

    def table(self) -> str:
        """The figures in Markdown."""
        lines = ["| kind | instances | | series | |", "|---|---:|---:|---:|---:|"]
        for kind in KINDS:
            parts = []
            for passed, total in (
                (self.passed, self.total),
                (self.series_passed, self.series_total),
            ):
                share = f"{100 * passed[kind] / total[kind]:.3f} %" if total[kind] else "-"
                parts.append(f"{passed[kind]}/{total[kind]} | {share}")
            lines.append(f"| {kind} | {' | '.join(parts)} |")
        return "\n".join(lines)


def score(folder: Path, released: Path, map_file: Path) -> Score:
    """Judge released files by the key.

    Parameters
    ----------
    folder : pathlib.Path
        As `generate` wrote it.
    released : pathlib.Path
        Folder of the released files.
    map_file : pathlib.Path
        JSON: source SOP Instance UID to file, relative to `released`.
    """
    told: Mapping[str, str] = json.loads(map_file.read_text(encoding="utf-8"))
    with (folder / ANSWERS).open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    pairs = Pairs(records, released, told)
    result = Score()
    by_series: dict[tuple[str, str, str, str], bool] = defaultdict(lambda: True)
    for record in records:
        made = pairs.read(record)
        result.missing += made is None
        for kind, path, text in record["checks"]:
            found = _find(made, path) if made is not None else None
            check = (kind, path, text)
            passed = kind in _MISSING_PASSES
            if made is not None:
                passed = _judge(check, found, made, pairs, record["patient"])
            result.total[kind] += 1
            result.passed[kind] += passed
            by_series[(record["series"], kind, path, text)] &= passed
            if not passed:
                shown = as_text(found) if found is not None and found.VR != "SQ" else ""
                shown = NOT_RELEASED if made is None else shown
                result.failures.append(Failure(kind, record["file"], path, text[:200], shown[:200]))
    for (_, kind, _, _), passed in by_series.items():
        result.series_total[kind] += 1
        result.series_passed[kind] += passed
    return result


class Pairs:
    """Which new identifiers took the place of which old ones."""

    def __init__(
        self, records: Iterable[dict[str, Any]], released: Path, told: Mapping[str, str]
    ) -> None:
        self._released, self._told = released, told
        self.uids: dict[str, str] = {}
        self.patients: dict[str, str] = {}
        self.shifts: dict[str, int] = {}
        self._owners: dict[str, str] = {}
        for record in records:
            made = self.read(record)
            if made is not None:
                self._learn(record, made)

    def read(self, record: dict[str, Any]) -> Dataset | None:
        """The released file of an instance, if there is one."""
        name = self._told.get(record["instance"])
        return dcmread(self._released / name) if name else None

    def _learn(self, record: dict[str, Any], made: Dataset) -> None:
        for level, keyword in (("study", "StudyInstanceUID"), ("series", "SeriesInstanceUID"),
                               ("instance", "SOPInstanceUID")):  # fmt: skip
            self.is_consistent(record[level], str(made.get(keyword)))
        self.patients.setdefault(record["patient"], str(made.get("PatientID")))
        for kind, path, text in record["checks"]:
            if (
                kind == "date_shifted"
                and path == "0008,0020"
                and (days := _days(text, made.get("StudyDate")))
            ):
                self.shifts.setdefault(record["patient"], days)

    def is_consistent(self, old: str, new: str) -> bool:
        """Whether an old UID always becomes this one, and no other does."""
        return self.uids.setdefault(old, new) == new and self._owners.setdefault(new, old) == old


def _judge(
    check: tuple[str, str, str], found: DataElement | None, made: Dataset, pairs: Pairs,
    patient: str,
) -> bool:  # fmt: skip
    """Whether one check passes."""
    kind, _, text = check
    if kind in {"pixels_retained", "pixels_hidden"}:
        return digest_pixels(made) == text if kind == "pixels_retained" else is_hidden(made, text)
    if found is None or found.VR == "SQ":
        return (
            kind not in _NEEDS_VALUE
            if found is None
            else kind != "text_notnull" or bool(found.value)
        )
    value = as_text(found)
    if kind in {"uid_changed", "uid_consistent", "patid_consistent"}:
        return _judge_identifier(kind, text, value, pairs)
    if kind == "date_shifted":
        days = _days(text, value)
        return text not in value and days in {None, pairs.shifts.get(patient, days)}
    if kind in {"text_retained", "text_removed"}:
        return _holds_all(value, text) if kind == "text_retained" else not _holds(value, text)
    return kind == "tag_retained" or value != ""


def _judge_identifier(kind: str, text: str, value: str, pairs: Pairs) -> bool:
    """Whether an identifier changed, and always to the same."""
    if kind == "uid_changed":
        return text not in value.split("\\")
    if kind == "patid_consistent":
        return value == pairs.patients[text] and value not in {"", text}
    if "\\" in value:
        return pairs.uids.get(text) in {None, *value.split("\\")}
    return value == "" or pairs.is_consistent(text, value)


def _find(made: Dataset, path: str) -> DataElement | None:
    """The element that a path of the key names; None where it is gone."""
    item, element = made, None
    for group, creator, low, index in _STEP.findall(path):
        tag = _tag(item, int(group, 16), creator, int(low, 16))
        if tag is None or tag not in item:
            return None
        element = item[tag]
        if index:
            items = element.value or []
            if int(index) >= len(items):
                return None
            item = items[int(index)]
    return element


def _tag(item: Dataset, group: int, creator: str, low: int) -> tuple[int, int] | None:
    if not creator:
        return group, low
    for block in range(0x10, 0x100):
        owner = item.get((group, block))
        if owner is not None and str(owner.value).strip() == creator:
            return group, block << 8 | low
    return None


def _holds(value: str, token: str) -> bool:
    """Whether a token stands in a value; short ones as a whole word only."""
    low, wanted = value.lower(), token.lower()
    if len(wanted) < 4:
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", low) is not None
    return wanted in low


def _holds_all(value: str, text: str) -> bool:
    """Whether a text stayed: equal as a number, whole, or with every token that counts."""
    if text.lower() in value.lower():
        return True
    if _OLD_TIME.fullmatch(text):  # HH:MM:SS of ACR-NEMA, written as the standard has it now
        return value.replace(":", "") == text.replace(":", "")
    try:
        return [float(part) for part in value.split("\\")] == [
            float(part) for part in text.split("\\")
        ]
    except ValueError:
        pass
    return all(token.lower() in value.lower() for token in tokens(text))


def _days(old: str, new: str | None) -> int | None:
    """By how many days a date moved; None where one of the two is no date."""
    ends = [re.fullmatch(r"(\d{4})(\d\d)(\d\d).*", str(each or "")) for each in (old, new)]
    if ends[0] is None or ends[1] is None:
        return None
    first, second = (date(*(int(part) for part in match.groups())) for match in ends if match)
    return (second - first).days


def failures_by_cause(failures: Iterable[Failure]) -> Iterator[tuple[str, int, Failure]]:
    """Kind and last tag, how often, and one example."""
    groups: dict[str, list[Failure]] = defaultdict(list)
    for each in failures:
        last = "not released" if each.found == NOT_RELEASED else each.path.rpartition(".")[2]
        groups[f"{each.kind} {last}"].append(each)
    for name, members in sorted(groups.items(), key=lambda group: -len(group[1])):
        yield name, len(members), members[0]
