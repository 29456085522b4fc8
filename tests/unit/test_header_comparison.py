"""Profiles compared, and warnings about combinations."""

import pytest
import typer

from updp_node.cli.prepare import diff_profiles
from updp_node.header.comparison import compare_profiles, warn_of
from updp_node.header.profile import Profile

FULL = "Retain Longitudinal Temporal Information With Full Dates"
MODIFIED = "Retain Longitudinal Temporal Information With Modified Dates"


def profile(*options: str, **keys: object) -> Profile:
    return Profile.model_validate({"name": "x", "version": "1", "options": options, **keys})


def test_a_profile_equals_itself() -> None:
    assert compare_profiles("basic", "basic") == []


def test_a_comparison_names_options_keys_and_attributes() -> None:
    rows = {row[0]: row[1:] for row in compare_profiles("basic", "research-longitudinal")}
    assert rows[MODIFIED] == ("no", "yes")
    assert any(name.startswith("(0008,0020) StudyDate") for name in rows)
    assert not any("(0010,0010)" in name for name in rows)  # the name goes in both


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((FULL, "Retain Institution Identity"), "institution"),
        ((FULL, "Retain Patient Characteristics"), "birth"),
        ((FULL, "Retain Device Identity"), "schedule"),
        (("Retain Device Identity", "Retain Institution Identity"), "room"),
        (("Retain UIDs",), "archive"),
        (("Retain Safe Private",), "Clean Descriptors"),
        (("Clean Structured Content",), "Clean Descriptors"),
    ],
)
def test_a_combination_that_identifies_is_told(options: tuple[str, ...], word: str) -> None:
    assert any(word in text for text in warn_of(profile(*options)))


def test_modified_dates_alone_are_no_matter_for_a_warning() -> None:
    assert warn_of(profile(MODIFIED)) == []


def test_kept_pixels_and_kept_times_are_told() -> None:
    said = warn_of(profile(MODIFIED, times="keep", pixels={"other_images": "keep"}))
    assert len(said) == 2


def test_the_command_says_what_differs_and_ends_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    diff_profiles("basic", "basic")
    with pytest.raises(typer.Exit) as ended:
        diff_profiles("basic", "research-longitudinal")
    assert ended.value.exit_code == 1
    assert "StudyDate" in capsys.readouterr().out
