"""The header stage as the trials run it; the only module of the oracle that knows `updp_node`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pydicom.dataset import Dataset

from tests.oracle.trial import Findings, Setting, gather, make_judges, try_class
from tests.oracle.values import clean
from updp_node.header import Profile, compile_profile, deidentify
from updp_node.subject import ProjectKey, Subject, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")


def run_trials(
    sop_classes: Iterable[str], settings: Collection[Setting], *, subject: Subject = SUBJECT
) -> Findings:
    """Judge the header stage on one instance of each SOP Class under each setting."""
    compiled = {
        each: compile_profile(
            Profile(name="oracle", version="1", options=each.options, times=each.times)  # type: ignore[arg-type]
        )
        for each in settings
    }

    def run(source: Dataset, setting: Setting) -> Dataset:
        return deidentify(
            source, compiled[setting], subject, UidMap(subject, "d"), clean_text=clean
        )

    judges = make_judges(settings, subject.shift_days, subject.uid_root)
    findings = Findings()
    for sop_class in sop_classes:
        try_class(sop_class, judges, run, findings, subject.pseudonym)
    return gather(findings, judges.values())
