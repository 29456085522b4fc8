"""The judgement: what was planted, compared with what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from tests.oracle.instances import Planted
from tests.oracle.reading import Expected, Outcome, Reason, expect
from tests.oracle.values import (
    CANARY,
    NUMBER_BYTES,
    OFFSET,
    clean,
    fitted,
    is_new_uid,
    is_valid,
    moved,
)

_SINGLE = frozenset({"ST", "LT", "UT", "UR"})
_OPEN, _CLEANED, _COVERED, _DUMMY = "open", "cleaned", "covered", "dummy"


@dataclass
class Judge:
    """Judges the instances of one subject under one set of options.

    Attributes
    ----------
    judged : collections.Counter
        Judgements by outcome.
    explained : collections.Counter
        Differences from the letter of the table by reason and keyword.
    wrong : list of str
        What is neither the table's letter nor explained.
    kept : set of str
        Canaries that may be found in the output.
    """

    options: Collection[str]
    shift_days: int
    times: str
    uid_root: str = "2.25"
    judged: Counter[Outcome] = field(default_factory=Counter)
    explained: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    uids: dict[str, str] = field(default_factory=dict)

    def judge(self, planted: list[Planted], out: Dataset | None, mode: str = _OPEN) -> None:
        """One level of an instance and everything below it."""
        for one in planted:
            element = out[one.tag] if out is not None and one.tag in out else None
            value = None if element is None else element.value
            if mode in {_COVERED, _DUMMY}:
                self._judge_covered(one, element is not None, value, mode)
            elif one.row is None and one.vr == "SQ":
                self._descend(one, value, mode)
            elif one.row is None:
                self.kept.update(CANARY.findall(_joined(value)))
            else:
                self._judge_row(one, element is not None, value, mode)

    def _judge_row(self, one: Planted, is_there: bool, value: object, mode: str) -> None:
        if one.row is None:
            return
        wanted = expect(
            one.row, one.vr, self.options, one.types, is_place_named=one.is_place_named,
            times=self.times,
        )  # fmt: skip
        fault = self._check(wanted.outcome, wanted, one, is_there, value, mode)
        outcome = wanted.outcome
        if fault:
            for other, reason in wanted.instead:
                if not self._check(other, wanted, one, is_there, value, mode):
                    self.explained[(reason, one.keyword)] += 1
                    fault, outcome = "", other
                    break
        self.judged[outcome] += 1
        if fault:
            types = "/".join(sorted(one.types)) or "none"
            self.wrong.append(f"{'.'.join(one.where)} ({one.vr}, Type {types}): {fault}")
        if one.vr == "SQ":
            self._descend(one, value, _BELOW.get(outcome, mode))

    def _descend(self, one: Planted, value: object, mode: str) -> None:
        items = list(value) if isinstance(value, list) or hasattr(value, "__iter__") else []
        items = [item for item in items if isinstance(item, Dataset)]
        if mode not in {_COVERED, _DUMMY} and len(items) != len(one.items):
            self.wrong.append(f"{'.'.join(one.where)}: {len(items)} items of {len(one.items)}")
        for place, inner in enumerate(one.items):
            self.judge(inner, items[place] if place < len(items) else None, mode)

    def _judge_covered(self, one: Planted, is_there: bool, value: object, mode: str) -> None:
        """Nothing of what an action on a sequence covers may stay (PS3.15 E.1.1).

        Where the sequence itself has to have items, what they have to have is there as a dummy.
        """
        self.judged[Outcome.GONE if mode == _COVERED else Outcome.DUMMY] += 1
        if one.vr == "SQ":
            self._descend(one, value, mode if is_there else _COVERED)
        elif is_there and not (_is_empty(value) or _differs(one, value)):
            self.wrong.append(f"{'.'.join(one.where)} ({one.vr}): stays below a covered sequence")
        if mode == _DUMMY and "1" in one.types and (not is_there or _is_empty(value)):
            self.wrong.append(f"{'.'.join(one.where)} ({one.vr}): Type 1 and has no value")

    def _check(
        self, outcome: Outcome, wanted: Expected, one: Planted, is_there: bool, value: object,
        mode: str,
    ) -> str:  # fmt: skip
        """What is wrong with an outcome; empty if nothing."""
        if outcome is Outcome.GONE:
            return "is there" if is_there else ""
        if not is_there:
            return f"is gone instead of {outcome.value}"
        if one.vr == "SQ":
            return _check_items(outcome, wanted, value)
        match outcome:
            case Outcome.EMPTY_OR_DUMMY if _is_empty(value):
                return "is empty" if wanted.must_have_value else ""
            case Outcome.EMPTY_OR_DUMMY | Outcome.DUMMY:
                return _check_dummy(one, value)
            case Outcome.NEW_UID:
                return self._check_uid(one, value)
            case Outcome.KEPT:
                return self._check_kept(one, value, mode)
            case Outcome.CLEANED:
                return self._check_cleaned(one, value)

    def _check_uid(self, one: Planted, value: object) -> str:
        old, new = _joined(one.value), _joined(value)
        if not is_new_uid(new, self.uid_root):
            return "is no new UID"
        return "" if self.uids.setdefault(old, new) == new else "is another UID than elsewhere"

    def _check_kept(self, one: Planted, value: object, mode: str) -> str:
        if _same(one, value):
            self.kept.update(CANARY.findall(_joined(value)))
            return ""
        is_clean = mode == _CLEANED and _joined(value) == _cleaned(one)
        return "" if is_clean else "is changed"

    def _check_cleaned(self, one: Planted, value: object) -> str:
        if one.vr == "AS":
            good = _joined(value) == _joined(one.value).replace("093Y", "090Y")
            return "" if good else "is no capped age"
        if one.vr in {"DA", "DT", "TM"}:
            good = _joined(value) == moved(_joined(one.value), one.vr, self.shift_days, self.times)
            return "" if good else "is not the date moved by the shift"
        if one.vr == "AE":
            return _check_dummy(one, value)
        if one.keyword == "TimezoneOffsetFromUTC" and _joined(value) == _joined(one.value):
            return ""
        return "" if _joined(value) == _cleaned(one) else "is not the cleaned text"


_BELOW = {
    Outcome.GONE: _COVERED, Outcome.EMPTY_OR_DUMMY: _COVERED, Outcome.DUMMY: _DUMMY,
    Outcome.CLEANED: _CLEANED,
}  # fmt: skip


def _check_items(outcome: Outcome, wanted: Expected, value: object) -> str:
    items = list(value) if hasattr(value, "__iter__") else []
    needs = outcome is not Outcome.EMPTY_OR_DUMMY or wanted.must_have_value
    return "has no item" if needs and not items else ""


def _check_dummy(one: Planted, value: object) -> str:
    if _is_empty(value):
        return "has no value"
    if not _differs(one, value):
        return "has the value of the source"
    if isinstance(value, bytes):
        return "" if len(value) % NUMBER_BYTES.get(one.vr, 2) == 0 else "has half a word"
    if one.vr in NUMBER_BYTES:
        return ""
    if one.keyword == "TimezoneOffsetFromUTC" and not OFFSET.fullmatch(_joined(value)):
        return "is no offset from UTC"
    return "" if is_valid(_joined(value), one.vr) else "is not valid for its VR"


def _cleaned(one: Planted) -> str:
    text = _joined(one.value)
    if one.vr in _SINGLE:
        return fitted(clean(text), one.vr)
    return "\\".join(fitted(clean(part), one.vr) for part in text.split("\\"))


def _joined(value: object) -> str:
    """Text of a value as it is encoded."""
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return str(value)
    if hasattr(value, "original_string") or hasattr(value, "components"):
        return str(value)
    return "\\".join(str(part) for part in value)


def _is_empty(value: object) -> bool:
    return value is None or value in ("", b"") or (hasattr(value, "__len__") and len(value) == 0)


def _same(one: Planted, value: object) -> bool:
    if isinstance(one.value, str | list):
        return _joined(value) == _joined(one.value)
    return value == one.value


def _differs(one: Planted, value: object) -> bool:
    """No canary of the source, and not its value."""
    text = value.decode("latin-1") if isinstance(value, bytes) else _joined(value)
    return not CANARY.search(text) and not _same(one, value)
