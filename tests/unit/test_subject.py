"""Pseudonyms, UIDs and shifts from the project's key."""

from __future__ import annotations

from pathlib import Path

import pytest

from updp_node.errors import ConfigError, InstanceError
from updp_node.subject import ProjectKey, UidMap, identify_subject, normalize_patient_id

KEY = ProjectKey(bytes(range(32)))
OTHER = ProjectKey(bytes(range(1, 33)))


def test_equal_patients_are_one_subject_whatever_the_spelling() -> None:
    one = identify_subject(KEY, project="P", issuer="A", patient_id="ab  12")
    two = identify_subject(KEY, project="P", issuer=" a ", patient_id=" AB 12 ")
    assert (one.pseudonym, one.shift_days, one.subject_id) == (
        two.pseudonym,
        two.shift_days,
        two.subject_id,
    )


@pytest.mark.parametrize(
    ("key", "project", "issuer", "patient_id"),
    [(OTHER, "P", "A", "12345"), (KEY, "Q", "A", "12345"), (KEY, "P", "B", "12345"),
     (KEY, "P", "A", "12346"), (KEY, "P", "", "A12345")],
)  # fmt: skip
def test_another_key_project_issuer_or_patient_is_another_subject(
    key: ProjectKey, project: str, issuer: str, patient_id: str
) -> None:
    one = identify_subject(KEY, project="P", issuer="A", patient_id="12345")
    two = identify_subject(key, project=project, issuer=issuer, patient_id=patient_id)
    assert one.subject_id != two.subject_id
    assert one.pseudonym.split("-")[-1] != two.pseudonym.split("-")[-1]


@pytest.mark.parametrize("patient_id", ["", " ", "0", "unknown", "Anonymous", "N/A"])
def test_a_missing_or_default_id_is_never_merged(patient_id: str) -> None:
    with pytest.raises(InstanceError, match="missing-patient-id"):
        identify_subject(KEY, project="P", issuer="", patient_id=patient_id)


def test_every_shift_lies_in_the_range_and_all_of_it_is_used() -> None:
    shifts = {
        identify_subject(
            KEY, project="P", issuer="", patient_id=f"N{n}", shift_days=(-5, -1)
        ).shift_days
        for n in range(300)
    }
    assert shifts == {-5, -4, -3, -2, -1}


def test_a_uid_depends_on_key_project_profile_and_generation() -> None:
    subject = identify_subject(KEY, project="P", issuer="", patient_id="N1")
    stranger = identify_subject(OTHER, project="P", issuer="", patient_id="N1")
    base = UidMap(subject, "digest")
    uids = {
        base.instance("1.2.3"),
        base.other("1.2.3"),
        UidMap(subject, "other").instance("1.2.3"),
        UidMap(subject, "digest", {"1.2.3": 2}).instance("1.2.3"),
        UidMap(stranger, "digest").instance("1.2.3"),
    }
    assert len(uids) == 5
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)
    assert UidMap(subject, "other").other("1.2.3") == base.other("1.2.3")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "project.key"
    made = ProjectKey.create(path)
    assert ProjectKey.load(path) == made
    with pytest.raises(ConfigError):
        ProjectKey.create(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        ProjectKey.load(path)


def test_a_key_is_never_printed() -> None:
    subject = identify_subject(KEY, project="P", issuer="", patient_id="N1")
    assert KEY.secret.hex() not in repr(KEY) + repr(subject)
    assert "secret" not in repr(KEY)


def test_a_patient_id_is_normalized() -> None:
    assert normalize_patient_id("  a\t b ") == "A B"
