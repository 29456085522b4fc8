"""One hostile file of each kind of damage down the line, in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests import factories
from tests.hostile import MUTATIONS, make_bomb, make_cases, make_sample
from tests.hostile.layout import find_elements
from tests.hostile.run import PROFILE, find_faults
from updp_node.errors import InstanceError
from updp_node.facts import FactsTask, read_facts
from updp_node.line import Line, make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.reading import read_source
from updp_node.subject import ProjectKey

_ODD_ONES = {"unexpected-error", "worker-died", "worker-hung"}


@cache
def line() -> Line:
    return make_line(PROFILE, key=ProjectKey(b"h" * 32), project="H", pseudonym="H-{code}")


def release(path: Path, folder: Path) -> Path:
    read_facts(FactsTask(path, (), line().key))
    action = examine(ExamineTask(path, line())).action
    task = ReleaseTask(path, line(), action, 1, folder, datetime(2024, 1, 1, tzinfo=UTC))
    return release_instance(task).path


def test_the_same_seed_makes_the_same_files() -> None:
    assert list(make_cases(6, seed=3)) == list(make_cases(6, seed=3))
    assert next(make_cases(1, seed=3)) != next(make_cases(1, seed=4))


@pytest.mark.filterwarnings("ignore")
def test_each_kind_of_damage_is_released_clean_or_refused_with_a_code(tmp_path: Path) -> None:
    fates = {}
    for case in make_cases(len(MUTATIONS), seed=11):
        path = tmp_path / f"{case.number}.dcm"
        path.write_bytes(case.content)
        try:
            released = release(path, tmp_path / "released")
        except InstanceError as error:
            fates[case.mutation] = error.code
        else:
            assert find_faults(released) == [], case.mutation
            fates[case.mutation] = "released"
    assert not _ODD_ONES & set(fates.values())
    assert "released" in fates.values()


def test_a_small_deflated_file_that_grows_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.dcm"
    path.write_bytes(make_bomb(make_sample(0, 0, 1), 192 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(InstanceError, match="oversized-object"):
        read_source(path)


def test_an_attribute_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    raw = make_sample(0, 0, 1)
    name = next(spot for spot in find_elements(raw) if spot.tag == 0x00100010)
    path = tmp_path / "twice.dcm"
    path.write_bytes(raw[: name.end] + raw[name.start : name.end] + raw[name.end :])
    with pytest.raises(InstanceError, match="repeated-attribute"):
        read_source(path)


def test_a_name_that_its_character_set_does_not_explain_is_found_in_text(tmp_path: Path) -> None:
    source = factories.ct_series(1, rows=16)[0]
    surname = factories.patient().name.partition("^")[0]
    assert source.PatientComments.startswith(f"Call {surname}")
    whole = str(source.PatientName).encode()
    raw = factories.encode(source).replace(whole, whole.replace(b"o", b"\xf6"))
    path = tmp_path / "1.dcm"
    path.write_bytes(raw)
    released = dcmread(release(path, tmp_path / "released"))
    assert surname.lower() not in str(released).lower()


def test_ten_thousands_of_empty_items_are_refused(tmp_path: Path) -> None:
    made = factories.secondary_capture()
    made.ReferencedImageSequence = [Dataset() for _ in range(10_001)]
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        path = tmp_path / f"{syntax}.dcm"
        path.write_bytes(factories.encode(made, transfer_syntax_uid=syntax))
        with pytest.raises(InstanceError, match="oversized-object"):
            read_source(path)
