"""A worker that plans and releases studies on a shared index, without bytes: to be killed.

``python -m tests.acceptance.prompt_worker INDEX PROFILE KEY STREAM NAME``. It claims settled
studies, lets the real plan reserve prompts in the transaction that records it, and records the
release, as `updp_node.runs` does between its steps. Runs of its own name are taken up again.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from updp_node.crew import Crew
from updp_node.line import Line, finding_from_record, make_line
from updp_node.model import PixelAction
from updp_node.plan import Examined, History
from updp_node.run_mapping import make_plan, to_prompt
from updp_node.storage.database import open_engine, sqlite_url
from updp_node.storage.run_index import RunIndex
from updp_node.storage.run_records import Release, Work
from updp_node.storage.study_index import Claim, StudyIndex
from updp_node.subject import ProjectKey

IDLE_S = 3.0


class PromptWorker:
    """One of several workers on one index."""

    def __init__(self, index: Path, line: Line, stream: dict[str, Any], name: str) -> None:
        engine = open_engine(sqlite_url(index))
        self._runs, self._studies = RunIndex(engine), StudyIndex(engine)
        self._line, self._stream, self._name = line, stream, name
        self._dice = random.Random()

    def work(self) -> None:
        """Until nothing has settled for a while."""
        for run_id in self._runs.running():
            if self._runs.run(run_id).route == self._name:
                self._run(run_id)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            settled = self._studies.settled(time.time(), 0.0)
            for study_id in self._dice.sample(settled, len(settled)):
                claimed = self._claim(study_id)
                if claimed is not None:
                    self._run(claimed)
                    quiet_since = time.monotonic()
            time.sleep(0.02)

    def _claim(self, study_id: str) -> str | None:
        if study_id not in self._studies.settled(time.time(), 0.0):
            return None
        claim = Claim(self._name, "profile", "digest")
        return self._studies.claim(
            study_id, claim, now=time.time(), quiet_s=0.0, is_report=lambda _: False
        )

    def _run(self, run_id: str) -> None:
        works = self._runs.works(run_id, open_only=True)
        if any(work.action is None for work in works):
            pairs = [(work, self._examine(work)) for work in works]
            plan = make_plan(
                self._line, Crew(), pairs, History(), may_wait=False, threads=1
            )  # the rules alone make the prompts: no process is started
            self._runs.decide(run_id, plan, report_deadline=0.0, now=time.time())
        time.sleep(self._dice.uniform(0, 0.02))  # the line, where most of a run's time goes
        works = self._runs.works(run_id, open_only=True)
        releases = [self._release(work) for work in works]
        self._runs.release(run_id, releases, destinations=(), now=time.time())
        self._runs.end(run_id, state="done", now=time.time())

    def _examine(self, work: Work) -> Examined:
        told = self._stream[work.sop_instance_uid]
        subject = self._line.subject_of(_header(told["patient"]))
        return Examined(
            source_uid=work.sop_instance_uid, sop_class_uid="1.2", series_uid="1.3",
            subject=subject, action=PixelAction.SYNTHESIZE,
            findings=tuple(finding_from_record(each) for each in told["findings"]),
            age_years=told["age"], view=told["view"], display=_NOTHING,
        )  # fmt: skip

    def _release(self, work: Work) -> Release:
        uid = f"2.25.{int(hashlib.sha256(work.sop_instance_uid.encode()).hexdigest()[:24], 16)}"
        prompt: Sequence[str] = to_prompt(work).terms
        return Release(
            instance_id=work.instance_id, source_uid=work.sop_instance_uid,
            generation=work.generation or 1, action=work.action or "", prompt=list(prompt),
            references=[], sop_instance_uid=uid, sop_class_uid="1.2", study_uid="1.2",
            series_uid="1.2", transfer_syntax_uid="1.2", file=uid, sha256="",
        )  # fmt: skip


def _header(patient_id: str) -> Any:
    from pydicom import Dataset  # noqa: PLC0415

    header = Dataset()
    header.PatientID = patient_id
    return header


def _nothing() -> Any:
    import numpy as np  # noqa: PLC0415

    return np.zeros((8, 8), np.uint8)


_NOTHING = _nothing()


def main() -> None:
    """Work until nothing is left."""
    index, profile, key, stream, name = sys.argv[1:]
    line = make_line(
        profile, key=ProjectKey.load(Path(key)), project="stream", pseudonym="{project}-{code}"
    )
    PromptWorker(Path(index), line, json.loads(Path(stream).read_text()), name).work()


if __name__ == "__main__":
    main()
