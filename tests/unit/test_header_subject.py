"""One subject over several studies, sources and days: the header stage keeps him together.

Acceptance: same pseudonym, UIDs and shift; with another project's key none the same; references
resolve within the whole subject (PS3.15 E.1.1, action U; E.3.6; E.3.9).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import pytest
from pydicom.dataset import Dataset

from tests.factories.linked import linked_objects
from tests.oracle.links import POINTERS, count_resolved, identifying_uids, pair_uids, uids_in
from updp_node.header import CompiledProfile, Profile, compile_profile, deidentify, load_profile
from updp_node.subject import ProjectKey, Subject, UidMap, identify_subject

KEY, OTHER_KEY = ProjectKey(b"k" * 32), ProjectKey(b"o" * 32)


@lru_cache(maxsize=4)
def _rules(name: str) -> CompiledProfile:
    if name != "basic-alone":
        return compile_profile(load_profile(name))
    return compile_profile(Profile.model_validate({"name": "t", "version": "1"}))


def _subject(source: Dataset, key: ProjectKey, project: str) -> Subject:
    return identify_subject(
        key, project=project, issuer=source.IssuerOfPatientID, patient_id=source.PatientID
    )


@lru_cache(maxsize=8)
def _released(
    name: str, key: ProjectKey = KEY, project: str = "TRIAL"
) -> tuple[tuple[Dataset, Dataset, Subject], ...]:
    """Source, output and subject; each instance on its own, as different workers would."""
    made = []
    for source in linked_objects():
        subject = _subject(source, key, project)
        uids = UidMap(subject, "digest")
        out = deidentify(source, _rules(name), subject, uids, clean_text=lambda text: "Chest")
        made.append((source, out, subject))
    return tuple(made)


def _outputs(name: str, key: ProjectKey = KEY, project: str = "TRIAL") -> list[Dataset]:
    return [out for _, out, _ in _released(name, key, project)]


def test_every_instance_has_the_same_pseudonym_shift_and_opaque_id() -> None:
    released = _released("pixel-passthrough")
    assert len(released) == 15
    assert {str(out.PatientID) for _, out, _ in released} == {released[0][2].pseudonym}
    assert {str(out.PatientName) for _, out, _ in released} == {released[0][2].pseudonym}
    assert len({(subject.shift_days, subject.subject_id) for _, _, subject in released}) == 1


@pytest.mark.parametrize("name", ["pixel-passthrough", "research-longitudinal"])
def test_all_dates_of_all_studies_move_by_the_same_days(name: str) -> None:
    shifts = set()
    for source, out, _ in _released(name):
        for element in source:
            if element.VR == "DA" and element.value and out.get(element.keyword):
                shifts.add((_day(out[element.tag].value) - _day(element.value)).days)
    assert shifts == {_released(name)[0][2].shift_days}


def test_dates_at_every_depth_move_by_the_same_days() -> None:
    shift = _released("pixel-passthrough")[0][2].shift_days
    for source, out, _ in _released("pixel-passthrough"):
        old = [str(each.value) for each in source.iterall() if each.keyword.startswith("FrameRef")]
        new = [str(each.value) for each in out.iterall() if each.keyword.startswith("FrameRef")]
        old = [text for text in old if len(text) == 14 and text.isdigit()]
        new = [text for text in new if len(text) == 14 and text.isdigit()]
        assert [(_day(b) - _day(a)).days for a, b in zip(old, new, strict=True)] == [shift] * len(
            old
        )


@pytest.mark.parametrize("name", ["pixel-passthrough", "research-longitudinal", "basic-alone"])
def test_one_uid_of_the_source_is_one_uid_everywhere(name: str) -> None:
    pairs: dict[str, set[str]] = {}
    for source, out, _ in _released(name):
        pair_uids(source, out, pairs)
    assert len(pairs) > 30
    assert {old: new for old, new in pairs.items() if len(new) != 1} == {}
    new_uids = [uid for (uid,) in pairs.values()]
    assert len(set(new_uids)) == len(new_uids)
    assert all(uid.startswith("2.25.") for uid in new_uids)


@pytest.mark.parametrize("name", ["pixel-passthrough", "research-longitudinal", "basic-alone"])
def test_references_resolve_within_the_whole_subject(name: str) -> None:
    assert count_resolved(_outputs(name)) > (45 if name == "pixel-passthrough" else 30)


def test_no_reference_is_lost_where_the_profile_links_objects() -> None:
    wanted = {*POINTERS, "TrackingUID", "ConcatenationUID", "DimensionOrganizationUID"}
    for source, out, _ in _released("pixel-passthrough"):
        bare = Dataset({tag: source[tag] for tag in source.keys() if tag != 0x0040A730})  # noqa: SIM118
        before = [keyword for keyword, _ in uids_in(bare, wanted)]
        assert [keyword for keyword, _ in uids_in(out, wanted)] == before, source.Modality


@pytest.mark.parametrize("project", ["TRIAL", "OTHER"])
def test_with_another_key_nothing_is_the_same(project: str) -> None:
    ours = _outputs("pixel-passthrough")
    theirs = _outputs("pixel-passthrough", OTHER_KEY, project)
    assert _names(ours).isdisjoint(_names(theirs))
    assert identifying_uids(ours)
    assert identifying_uids(ours).isdisjoint(identifying_uids(theirs))
    assert {out.StudyDate for out in ours}.isdisjoint({out.StudyDate for out in theirs})


def test_two_projects_with_one_key_share_nothing_either() -> None:
    ours = _outputs("pixel-passthrough")
    theirs = _outputs("pixel-passthrough", KEY, "SECOND")
    assert _names(ours).isdisjoint(_names(theirs))
    assert identifying_uids(ours).isdisjoint(identifying_uids(theirs))


def _names(outputs: list[Dataset]) -> set[str]:
    keywords = ("PatientID", "PatientName", "AccessionNumber", "StudyID")
    return {str(out.get(keyword)) for out in outputs for keyword in keywords if out.get(keyword)}


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
