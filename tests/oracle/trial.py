"""One trial: an instance of a SOP Class, every set of options, the judgement of each output."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pydicom.dataset import Dataset

from tests.oracle.extras import (
    PrivateElement,
    judge_group_lengths,
    judge_leftovers,
    judge_private,
    judge_statement,
    kept_private_canaries,
    plant_group_lengths,
    plant_private,
    plant_repeating,
)
from tests.oracle.instances import Factory, Planted, read_back, to_dataset, write
from tests.oracle.judge import Judge
from tests.oracle.reading import Outcome, Reason
from tests.oracle.tables import COLUMNS, FULL, MODIFIED


class Setting(NamedTuple):
    """Options of a profile, and what becomes of times where dates are modified."""

    options: tuple[str, ...] = ()
    times: str = "keep"


Deidentify = Callable[[Dataset, Setting], Dataset]

SINGLE = (Setting(), *(Setting((name,)) for name in COLUMNS))
COMBINED = (
    Setting(("Retain UIDs", "Retain Device Identity")),
    Setting((MODIFIED, "Clean Descriptors", "Retain Patient Characteristics")),
    Setting((FULL, "Retain Institution Identity", "Clean Structured Content", "Clean Graphics")),
    Setting((MODIFIED, "Clean Pixel Data", "Retain Safe Private"), "coarsen"),
    Setting((MODIFIED, "Clean Recognizable Visual Features"), "remove"),
    Setting(tuple(name for name in COLUMNS if name != FULL)),
)


@dataclass
class Findings:
    """What all trials found.

    Attributes
    ----------
    judgements : int
    depths : collections.Counter
        Attributes planted, by the number of sequences around them.
    explained : collections.Counter
        By reason, keyword and options.
    wrong : collections.Counter
        By text, SOP Class apart.
    """

    instances: int = 0
    judgements: int = 0
    depths: Counter[int] = field(default_factory=Counter)
    rows: set[str] = field(default_factory=set)
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    explained: Counter[tuple[Reason, str]] = field(default_factory=Counter)
    wrong: Counter[tuple[Setting, str]] = field(default_factory=Counter)


def try_class(
    sop_class: str, judges: Mapping[Setting, Judge], deidentify: Deidentify, findings: Findings,
    pseudonym: str,
) -> None:  # fmt: skip
    """Judge what `deidentify` makes of one instance under every setting."""
    source, planted, private = make_source(sop_class)
    count_planted(planted, findings)
    before = write(source)
    for setting, judge in judges.items():
        out = deidentify(source, setting)
        for fault in judge_group_lengths(out):
            findings.wrong[(setting, fault)] += 1
        encoded = write(out)
        for fault in judge_output(read_back(encoded), encoded, planted, private, judge, pseudonym):
            findings.wrong[(setting, fault)] += 1
        findings.instances += 1
    if write(source) != before:
        findings.wrong[(Setting(), "the source was changed")] += 1


def make_source(sop_class: str) -> tuple[Dataset, list[Planted], list[PrivateElement]]:
    """An instance with public, private, repeating and trailing attributes, as read from bytes."""
    factory = Factory(sop_class)
    planted = factory.make()
    source = to_dataset(planted)
    source.SpecificCharacterSet = "ISO_IR 192"
    source.SOPClassUID = sop_class
    source.PatientIdentityRemoved = "NO"
    source.LongitudinalTemporalInformationModified = "UNMODIFIED"
    private = plant_private(source)
    plant_private(source.VOILUTSequence[0])
    plant_repeating(source)
    plant_repeating(source.VOILUTSequence[0].ModalityLUTSequence[0])
    made = read_back(write(source))
    plant_group_lengths(made)
    plant_group_lengths(made.VOILUTSequence[0])
    return made, planted, private


def judge_output(
    out: Dataset, encoded: bytes, planted: list[Planted], private: list[PrivateElement],
    judge: Judge, pseudonym: str,
) -> list[str]:  # fmt: skip
    """Everything that is wrong with one output."""
    options = judge.options
    seen = len(judge.wrong)
    judge.kept.clear()
    judge.judge(planted, out)
    faults = judge.wrong[seen:]
    kept = judge.kept | kept_private_canaries(private, options)
    faults += judge_leftovers(out, kept, encoded)
    for level in (out, out.VOILUTSequence[0]):
        faults += judge_private(private, level, options)
    creators = blocks_of(out) if "Retain Safe Private" in options else set()
    faults += judge_statement(out, options, pseudonym, creators)
    return faults


def blocks_of(out: Dataset) -> set[tuple[int, str]]:
    """Group and creator of the private blocks of an output."""
    owners = (tag for tag in out.keys() if tag.is_private_creator)  # noqa: SIM118
    return {(tag.group, str(out[tag].value)) for tag in owners}


def count_planted(planted: list[Planted], findings: Findings) -> None:
    """Count attributes by depth, and the rows that they are of."""
    for one in planted:
        if one.row is not None:
            findings.depths[len(one.where) - 1] += 1
            findings.rows.add(one.keyword)
        for item in one.items:
            count_planted(item, findings)


def make_judges(
    settings: Collection[Setting], shift_days: int, uid_root: str
) -> dict[Setting, Judge]:
    """A judge for each setting."""
    return {each: Judge(each.options, shift_days, each.times, uid_root) for each in settings}


def gather(findings: Findings, judges: Collection[Judge]) -> Findings:
    """Add what the judges counted."""
    for judge in judges:
        findings.judgements += sum(judge.judged.values())
        findings.outcomes.update(judge.judged)
        findings.explained.update(judge.explained)
    return findings
