"""Profiles and their compilation."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import yaml
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from updp_node.config import packaged_policy
from updp_node.errors import ConfigError
from updp_node.evaluation.gate import load_release
from updp_node.header import Profile, compile_profile, load_profile
from updp_node.header.comparison import compare_profiles
from updp_node.standard import confidentiality_rows

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ["basic", "research-cxr", "research-longitudinal", "pixel-passthrough"]


def _profile(**keys: object) -> Profile:
    return Profile.model_validate({"name": "test", "version": "1", **keys})


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_that_comes_with_the_node_compiles_to_a_rule_for_every_tag(name: str) -> None:
    compiled = compile_profile(load_profile(name))
    assert set(DicomDictionary) <= set(compiled.rules)
    assert {rule.action for rule in compiled.rules.values()} <= {
        "D", "Z", "X", "K", "C", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*",
    }  # fmt: skip
    for row in confidentiality_rows():
        if row.keyword and (tag := tag_for_keyword(row.keyword)) is not None:
            assert compiled.rule_for(tag).source != "unlisted"


def test_a_compiled_profile_travels_between_processes() -> None:
    compiled = compile_profile(load_profile("research-cxr"))
    again = pickle.loads(pickle.dumps(compiled))  # noqa: S301 - made on the line
    assert again == compiled
    assert again.digest == compile_profile(load_profile("research-cxr")).digest


def test_the_digest_follows_what_decides_and_nothing_else() -> None:
    base = compile_profile(_profile()).digest
    assert compile_profile(_profile(description="other words")).digest == base
    changes: list[dict[str, object]] = [
        {"options": ["Retain UIDs"]},
        {"times": "keep"},
        {"dates": {"shift_days": [-10, -1]}},
        {"pixels": {"max_candidates": 2}},
        {"overrides": [{"keyword": "StationName", "action": "K", "why": "wanted"}]},
        {"overrides": [{"creator": "A", "element": "0043,27", "action": "K", "why": "wanted"}]},
    ]
    assert len({base, *(compile_profile(_profile(**keys)).digest for keys in changes)}) == 7


def test_limits_of_a_release_are_read_and_change_nothing_that_leaves(tmp_path: Path) -> None:
    """The example of the page about evaluation, added to a whole profile."""
    page = (ROOT / "docs/how-to/evaluate.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(release:.*?)```", page, re.DOTALL)
    text = (packaged_policy() / "research-cxr.yaml").read_text(encoding="utf-8")
    path = tmp_path / "research-cxr.yaml"
    path.write_text(text + example, encoding="utf-8")
    profile, plain = load_profile(path), load_profile("research-cxr")
    assert profile.release == load_release(path) != load_release(None)
    assert plain.release is None
    assert compile_profile(profile).digest == compile_profile(plain).digest
    assert compare_profiles(path, "research-cxr") == []


def test_a_wrong_limit_of_a_release_refuses_to_start(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    limits = {"limits": {"copies.dcr": {"uper": 0.55}}}
    path.write_text(yaml.safe_dump({"name": "p", "version": "1", "release": limits}))
    with pytest.raises(ConfigError, match=r"release\.limits\.copies\.dcr\.uper"):
        load_profile(path)


def test_clean_wins_over_keep_where_two_options_differ() -> None:
    compiled = compile_profile(
        _profile(
            options=[
                "Retain Device Identity",
                "Retain Longitudinal Temporal Information With Modified Dates",
            ]
        )
    )
    tag = tag_for_keyword("DateOfLastDetectorCalibration")
    assert tag is not None
    assert compiled.rules[tag].action == "C"


def test_what_neither_table_names_is_removed_and_what_an_iod_names_is_kept() -> None:
    compiled = compile_profile(_profile())
    assert compiled.rule_for(0x00180060).action == "K"  # KVP
    assert compiled.rule_for(0x20100010).action == "X"  # Image Display Format: a film box's
    assert compiled.rule_for(0x00189999).action == "X"
    assert compiled.rule_for(0x00091001).action == "X"
    for tag in (0x60003000, 0x601E0010, 0x50040010, 0x50FE3000):
        assert compiled.rule_for(tag).action == "X"


def test_overrides_act_by_keyword_and_by_regex_and_the_later_wins() -> None:
    compiled = compile_profile(
        _profile(
            overrides=[
                {"regex": "Manufacturer.*", "action": "X", "why": "not wanted"},
                {"keyword": "Manufacturer", "action": "K", "why": "wanted after all"},
            ]
        )
    )
    assert compiled.rule_for(0x00080070).action == "K"
    assert compiled.rule_for(0x00081090).action == "X"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: a\nversion: '1'\nunknown: 1\n", "unknown"),
        ("name: a\nversion: '1'\npixels: {frontal: keep}\n", "pixels.frontal"),
        ("name: a\nversion: '1'\noptions: [Retain Everything]\n", "options"),
        ("name: a\nversion: '1'\noverrides: [{keyword: Rows, action: K}]\n", "overrides.0.why"),
        ("name: a\nversion: '1'\noverrides: [{keyword: Rowz, action: K, why: xyz}]\n", "overrides"),
        ("name: a\nversion: '1'\noverrides: [{regex: '(', action: K, why: xyz}]\n", "overrides"),
        ("name: a\nversion: '1'\ndates: {shift_days: [5, 1]}\n", "dates.shift_days"),
        ("name: a\nversion: '1'\nunlisted: K\n", "unlisted"),
        (
            "name: a\nversion: '1'\noptions: [Retain Longitudinal Temporal Information With Full "
            "Dates, Retain Longitudinal Temporal Information With Modified Dates]\n",
            "options",
        ),
    ],
)
def test_a_faulty_profile_is_refused_by_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"site\.yaml") as caught:
        load_profile(path)
    assert (caught.value.key or "").startswith(key)


def test_a_profile_is_found_by_name_in_the_folders_given_first(tmp_path: Path) -> None:
    (tmp_path / "basic.yaml").write_text("name: basic\nversion: site\n", encoding="utf-8")
    assert load_profile("basic", [tmp_path]).version == "site"
    assert load_profile("basic.yaml", [tmp_path]).version == "site"
    assert load_profile("basic").version != "site"
    with pytest.raises(ConfigError, match="no profile"):
        load_profile("absent", [tmp_path])


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- a\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="mapping"):
        load_profile(path)
