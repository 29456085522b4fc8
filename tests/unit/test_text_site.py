"""What a site adds to the lexicons, and packs that cannot be used."""

import shutil

import pytest

from updp_node.errors import ConfigError
from updp_node.header import load_profile
from updp_node.line import make_line
from updp_node.subject import ProjectKey
from updp_node.text.lexicon import lexicon_folder, load_grammar, load_lexicons
from updp_node.text.scrub import load_scrubber

HEAD = "source: us\nlicence: ours\nversion: 1.0.0\n"
STAFF = f"category: name\n{HEAD}terms: [Odalric Vhessen, Dr. Baker Chest]\n"
WARDS = f"category: location\n{HEAD}terms: [Ward Kestrel, Blue Team]\n"
NUMBERS = f'category: id\n{HEAD}regexes: ["QX\\\\d{{2}}", "K-[a-z]{{3}}"]\n'
WORDS = f'category: whitelist\n{HEAD}terms: [Smith protocol, kowalski]\nregexes: ["RM\\\\d{{6}}"]\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    for name, text in (("staff", STAFF), ("wards", WARDS), ("numbers", NUMBERS), ("words", WORDS)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def scrubber(site):
    return load_scrubber(site=site)


@pytest.fixture(scope="module")
def find(scrubber):
    def find(text):
        return {(text[s.start : s.end], s.category) for s in scrubber.find(text)}

    return find


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seen by vhessen odalric today", ("vhessen odalric", "NAME")),
        ("moved to ward kestrel", ("ward kestrel", "LOCATION")),
        ("label qx17 on the film", ("qx17", "ID")),
        ("label K-abc on the film", ("K-abc", "ID")),
    ],
)
def test_terms_and_formats_of_a_site_are_found(find, text, expected):
    assert expected in find(text)


@pytest.mark.parametrize(
    "text", ["Smith protocol was used.", "A Kowalski view was taken.", "Room code RM123456."],
)  # fmt: skip
def test_words_that_a_site_keeps_stay(find, text):
    assert find(text) == set()


def test_a_format_of_a_site_matches_whole_words_only(scrubber):
    found = scrubber.find("aqx17 and QX171 stay", closed=False)
    assert found == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Read by Dr. Kowalski.", "Kowalski"), ("Read by John Smith, MD.", "John Smith")],
)
def test_a_kept_word_is_a_name_where_the_context_says_so(find, text, expected):
    assert expected in {found for found, _ in find(text)}


def test_a_site_changes_the_digest(site):
    assert load_lexicons(site=site).sha256 != load_lexicons().sha256


@pytest.mark.parametrize(
    "text",
    [
        f"category: names\n{HEAD}terms: [x]\n",
        f"category: id\n{HEAD}patterns: [x]\n",
        f'category: id\n{HEAD}regexes: ["("]\n',
        f'category: id\n{HEAD}regexes: ["x*"]\n',
        "category: id\nterms: [x]\n",
    ],
)
def test_a_faulty_file_refuses_to_load(tmp_path, text):
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"own\.yaml"):
        load_lexicons(site=tmp_path)


@pytest.mark.parametrize(
    ("terms", "line"),
    [
        ("[Vhessen, NO]", 5),
        ("\n- Vhessen\n- 12", 7),
        ("\n- on", 6),
        ("\n- 2021-03-14", 6),
        ("\n- 1.5\n- x", 6),
        ("\n- Vhessen\n-", 7),
        ("Vhessen", 5),
        ("yes", 5),
    ],
)
def test_what_is_no_text_is_refused_with_its_line_and_without_its_value(tmp_path, terms, line):
    (tmp_path / "own.yaml").write_text(f"category: name\n{HEAD}terms: {terms}\n", "utf-8")
    with pytest.raises(ConfigError, match=rf"own\.yaml: terms: line {line}: not a") as error:
        load_lexicons(site=tmp_path)
    assert not {"Vhessen", "NO", "12"} & set(str(error.value).replace(":", " ").split())


def test_what_is_quoted_is_a_text_and_an_empty_list_holds_none(tmp_path):
    text = f'category: name\n{HEAD}terms: ["NO", "12"]\nregexes:\n'
    (tmp_path / "own.yaml").write_text(text, "utf-8")
    assert ("no",) in load_lexicons(site=tmp_path).site_categories


def test_a_folder_that_is_not_there_refuses_to_load(tmp_path):
    with pytest.raises(ConfigError, match="no such folder"):
        load_lexicons(site=tmp_path / "nowhere")


def test_a_language_without_a_pack_is_refused():
    with pytest.raises(ConfigError, match="en, es"):
        load_lexicons(language="tlh")


def test_a_pack_names_what_its_grammar_lacks(tmp_path):
    folder = tmp_path / "lexicons"
    shutil.copytree(lexicon_folder() / "es", folder / "es")
    file = folder / "es" / "language.yaml"
    file.write_text(file.read_text("utf-8").replace("weekdays:", "days:"), encoding="utf-8")
    with pytest.raises(ConfigError, match="weekdays"):
        load_grammar(folder, "es")


def test_a_model_that_is_not_installed_is_refused(tmp_path):
    folder = tmp_path / "lexicons"
    shutil.copytree(lexicon_folder() / "es", folder / "es")
    file = folder / "es" / "language.yaml"
    file.write_text(file.read_text("utf-8").replace('model: ""', "model: no_such_model"), "utf-8")
    with pytest.raises(ConfigError, match="no_such_model"):
        load_scrubber(folder, "es")


def make(tmp_path, report):
    profile = tmp_path / "own.yaml"
    profile.write_text(f'name: own\nversion: "1"\nreport: {report}\n', encoding="utf-8")
    return make_line(
        "own", key=ProjectKey(b"k" * 32), project="p", pseudonym="{project}-{code}",
        search=[tmp_path],
    )  # fmt: skip


def test_a_profile_names_the_language_and_the_folder_of_its_site(tmp_path, site):
    shutil.copytree(site, tmp_path / "own-lexicons")
    line = make(tmp_path, "{language: es, site_lexicons: own-lexicons}")
    assert line.text_pack == ("es", (tmp_path / "own-lexicons").resolve())
    plain = make(tmp_path, "{}")
    assert plain.text_pack == ("en", None)
    assert plain.lexicon_sha256 == load_lexicons().sha256
    assert line.lexicon_sha256 == load_lexicons(None, "es", tmp_path / "own-lexicons").sha256


@pytest.mark.parametrize(
    ("report", "message"),
    [("{language: tlh}", "no pack"), ("{language: ../en}", "report.language"),
     ("{site_lexicons: nowhere}", "report.site_lexicons")],
)  # fmt: skip
def test_a_profile_that_asks_for_what_there_is_not_is_refused(tmp_path, report, message):
    with pytest.raises(ConfigError, match=message):
        make(tmp_path, report)


def test_profiles_of_this_installation_are_english():
    assert load_profile("basic").report.language == "en"
