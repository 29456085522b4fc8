"""One subject over several studies, sources and days, down the whole line, reports included.

Every instance is taken down the line on its own, as different workers would after a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.figures import record
from tests.factories.linked import linked_objects
from tests.oracle.links import count_resolved, identifying_uids, pair_uids
from updp_node.line import make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.subject import ProjectKey

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def _release(
    folder: Path, key: bytes, project: str, profile: str = "pixel-passthrough",
    sources: Sequence[Dataset] = (),
) -> list[Dataset]:  # fmt: skip
    line = make_line(profile, key=ProjectKey(key), project=project, pseudonym="{project}-{code}")
    made = []
    for number, source in enumerate(sources or linked_objects()):
        path = factories.write(source, folder / f"{number}.dcm")
        action = examine(ExamineTask(path, line)).action
        task = ReleaseTask(
            path=path, line=line, action=action, generation=1, folder=folder / "released",
            created=CREATED,
        )  # fmt: skip
        made.append(dcmread(release_instance(task).path))
    return made


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    return _release(tmp_path_factory.mktemp("ours"), b"k" * 32, "TRIAL")


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    return _release(tmp_path_factory.mktemp("theirs"), b"o" * 32, "OTHER")


def test_one_pseudonym_and_one_shift(released: list[Dataset]) -> None:
    assert len({(str(out.PatientID), str(out.PatientName)) for out in released}) == 1
    shifts = {
        (_day(out.StudyDate) - _day(source.StudyDate)).days
        for source, out in zip(linked_objects(), released, strict=True)
    }
    assert len(shifts) == 1
    record("subject", "instances of one subject, two studies", len(released), "")


def test_every_reference_resolves_content_trees_included(released: list[Dataset]) -> None:
    assert {"CT", "RTSTRUCT", "RTPLAN", "RTDOSE", "SEG", "REG", "ECG", "PR", "KO", "SR"} == {
        out.Modality for out in released
    }
    resolved = count_resolved(released)
    record("subject", "references that resolve", resolved, "")
    trees = [out for out in released if out.Modality in {"KO", "SR"}]
    assert sum(len(_references(out)) for out in trees) == 7
    assert resolved > 50


def test_one_uid_of_the_source_is_one_uid_everywhere(released: list[Dataset]) -> None:
    pairs: dict[str, set[str]] = {}
    for source, out in zip(linked_objects(), released, strict=True):
        pair_uids(source, out, pairs)
    assert {old: new for old, new in pairs.items() if len(new) != 1} == {}


def test_another_project_shares_nothing(released: list[Dataset], others: list[Dataset]) -> None:
    assert identifying_uids(released).isdisjoint(identifying_uids(others) - _node_uids(released))
    assert {str(out.PatientID) for out in released}.isdisjoint(
        {str(out.PatientID) for out in others}
    )
    assert {out.StudyDate for out in released}.isdisjoint({out.StudyDate for out in others})


def _references(out: Dataset) -> list[Dataset]:
    return [item for item in out.ContentSequence if "ReferencedSOPSequence" in item]


def _node_uids(released: list[Dataset]) -> set[str]:
    """UIDs of the node itself, which every project shares."""
    return {uid for uid in identifying_uids(released) if not uid.startswith("2.25.")}


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def test_with_retained_uids_content_trees_name_what_the_header_keeps(tmp_path: Path) -> None:
    profile = tmp_path / "retained.yaml"
    profile.write_text(
        "name: retained\nversion: '1'\noptions: [Retain UIDs, Clean Structured Content]\n"
        "pixels: {other_images: keep}\nother_objects: keep\n"
    )
    image = factories.ct_series(1, rows=16)[0]
    made = _release(
        tmp_path, b"k" * 32, "TRIAL", str(profile), (image, factories.key_object([image]))
    )
    assert [out.SOPInstanceUID == image.SOPInstanceUID for out in made] == [True, False]
    (item,) = _references(made[1])
    assert item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
