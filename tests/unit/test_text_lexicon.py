import re
import shutil

import pytest

from updp_node.errors import ConfigError
from updp_node.text.findings import load_finding_rules
from updp_node.text.lexicon import lexicon_folder, load_lexicons, normalize_term


@pytest.fixture(scope="module")
def lexicons():
    return load_lexicons()


def test_blacklist_and_whitelist_share_no_term(lexicons):
    black = {(name,) for name in lexicons.surnames | lexicons.given}
    black |= {tuple(city.split()) for city in lexicons.cities}
    black |= {phrase for phrases in lexicons.hospitals.values() for phrase in phrases}
    white = {(word,) for word in lexicons.words}
    white |= {phrase for phrases in lexicons.eponyms.values() for phrase in phrases}
    assert not black & white


def test_every_finding_term_is_free_of_blacklisted_words(lexicons):
    names = lexicons.surnames | lexicons.given
    for term in load_finding_rules().parents:
        assert not set(normalize_term(term)) & names, term


def test_no_surrogate_is_a_name_that_people_have(lexicons):
    people = lexicons.surnames | lexicons.given | lexicons.ambiguous
    for kind in ("given_female", "given_male", "surnames"):
        invented = {name.lower() for name in lexicons.surrogates[kind]}
        assert not invented & people
        assert not invented & lexicons.words


def test_every_file_names_source_licence_and_version(lexicons):
    assert lexicons.versions
    assert all(re.fullmatch(r"\d{4}\.\d+\.\d+", version) for version in lexicons.versions.values())


def test_the_digest_changes_with_any_file(lexicons, tmp_path):
    folder = tmp_path / "lexicons"
    shutil.copytree(lexicon_folder(), folder)
    assert load_lexicons(folder).sha256 == lexicons.sha256
    file = folder / "en" / "context" / "names.yaml"
    file.write_text(file.read_text() + "# changed\n")
    assert load_lexicons(folder).sha256 != lexicons.sha256


def test_a_site_adds_terms_of_its_own(tmp_path):
    folder = tmp_path / "lexicons"
    shutil.copytree(lexicon_folder(), folder)
    (folder / "en" / "blacklist" / "site.yaml").write_text(
        "category: institution\nsource: us\nlicence: ours\nversion: 1.0.0\nterms: [Ward Kestrel]\n"
    )
    found = load_lexicons(folder)
    assert found.site_categories == {("ward", "kestrel"): "INSTITUTION"}


@pytest.mark.parametrize(
    "content",
    ["terms: [a]\n", "category: x\nsource: x\nlicence: x\nversion: 1\nwords: [a]\n", "- a\n", "{"],
)
def test_a_site_file_with_a_fault_refuses_to_load(tmp_path, content):
    folder = tmp_path / "lexicons"
    shutil.copytree(lexicon_folder(), folder)
    (folder / "en" / "blacklist" / "site.yaml").write_text(content)
    with pytest.raises(ConfigError, match=r"site\.yaml"):
        load_lexicons(folder)


def test_a_missing_lexicon_refuses_to_load(tmp_path):
    with pytest.raises(ConfigError):
        load_lexicons(tmp_path)
