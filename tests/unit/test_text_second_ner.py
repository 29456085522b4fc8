"""A site's own token classifier: what it adds, what it may not, and what refuses to start."""

import json
import subprocess
import sys

import numpy as np
import pytest
import yaml

from tests.factories.onnx_ner import write_card, write_ner
from updp_node.errors import ConfigError, InstanceError
from updp_node.model import Span
from updp_node.text.lexicon import load_lexicons
from updp_node.text.scrub import Scrubber
from updp_node.text.second_ner import SecondNer, load_second_ner, read_card
from updp_node.text.token_classifier import TokenClassifier

BIO = ("O", "B-PER", "I-PER", "B-HOSP", "I-HOSP", "B-DATE", "I-DATE")
MEANINGS = {"PER": "name", "HOSP": "institution", "DATE": "none"}
KNOWS = {
    "trillo": "B-PER",
    "zabarte": "I-PER",
    "vhess": "B-PER",
    "kestrel": "B-HOSP",
    "hoy": "B-DATE",
    "con": "B-PER",
    "hill": "B-PER",
    "neumonia": "B-PER",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_ner(
        tmp_path_factory.mktemp("models") / "ner", [*KNOWS, "avisa", "informa"], BIO,
        by_itself=KNOWS, after={"avisa": "B-PER"}, before={"informa": "I-HOSP"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def site(model, tmp_path_factory):
    return write_card(tmp_path_factory.mktemp("site"), model, MEANINGS).parent


@pytest.fixture(scope="module")
def lexicons(site):
    return load_lexicons(language="es", site=site)


@pytest.fixture(scope="module")
def ner(lexicons):
    return load_second_ner(lexicons)


@pytest.fixture(scope="module")
def scrubber(lexicons):
    return Scrubber(lexicons)


def added(ner, text, taken=()):
    return [(text[s.start : s.end], s.category) for s in ner.vote(text, taken).spans]


def load(tmp_path, labels, meanings, by_itself, **more):
    folder = write_ner(tmp_path / "m", list(by_itself), labels, by_itself=by_itself, after={})
    card = write_card(tmp_path / "s", folder, meanings, **more)
    return SecondNer(load_lexicons(language="es", site=card.parent), read_card(card))


def test_known_words_become_spans_with_their_kind(ner):
    text = "Ha visto el estudio trillo zabarte ayer en kestrel sin cambios"
    assert added(ner, text) == [("trillo zabarte", "NAME"), ("kestrel", "INSTITUTION")]


def test_what_stands_around_a_word_counts(ner):
    text = "se avisa qvoxil de los cambios, y qvoxil no contesta"
    found = ner.vote(text, []).spans
    assert [(s.start, text[s.start : s.end]) for s in found] == [(9, "qvoxil")]


def test_a_label_that_begins_a_name_parts_it_from_the_one_before(ner):
    assert added(ner, "informado por trillo zabarte trillo esta misma tarde") == [
        ("trillo zabarte", "NAME"), ("trillo", "NAME")]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "by_itself", "spans"),
    [
        (("O", "B-PER", "I-PER", "L-PER", "U-PER"),
         {"trillo": "B-PER", "zabarte": "L-PER", "vhess": "U-PER"},
         ["trillo zabarte", "vhess"]),
        (("O", "PER"), {"trillo": "PER", "zabarte": "PER", "vhess": "PER"},
         ["trillo zabarte vhess"]),
    ],
)  # fmt: skip
def test_bilou_and_plain_labels_are_read(tmp_path, labels, by_itself, spans):
    own = load(tmp_path, labels, {"PER": "name"}, by_itself)
    text = "informado ayer tarde por trillo zabarte vhess en esta sala"
    assert [word for word, _ in added(own, text)] == spans


def test_long_texts_are_read_in_windows_as_if_they_were_one(model, tmp_path):
    text = " ".join(f"avisa qvoxil{number} informa" for number in range(150))
    card = read_card(write_card(tmp_path, model, MEANINGS))
    files = [(card.folder / name).read_bytes() for name in ("model.onnx", "tokenizer.json")]
    small, large = (
        TokenClassifier(*files, labels=len(BIO), window=window, file="card").read(text)
        for window in (16, 1024)
    )
    assert len(small.offsets) == 450
    assert small.offsets == large.offsets
    assert np.allclose(small.shares, large.shares, atol=1e-6)


def test_every_name_of_a_text_of_many_windows_is_found(model, tmp_path):
    card = write_card(tmp_path, model, MEANINGS, window=16)
    own = load_second_ner(load_lexicons(language="es", site=card.parent))
    text = ". ".join(f"Sin cambios, se avisa qvoxil{number} y sigue" for number in range(120))
    assert [word for word, _ in added(own, text)] == [f"qvoxil{n}" for n in range(120)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("visto con el mismo aspecto de antes", "con"),
        ("lesion de Hill-Sachs en el hombro derecho", "Hill"),
        ("Hay una neumonia en la base derecha", "neumonia"),
    ],
)
def test_the_whitelist_keeps_what_it_keeps_from_the_statistical_voter(ner, text, kept):
    assert kept not in [word for word, _ in added(ner, text)]


def test_what_the_whitelist_kept_is_recorded(ner):
    text = "Visto con trillo esta misma tarde"
    found = ner.vote(text, [])
    assert [(text[v.start : v.end], v.recognizer, v.reason) for v in found.vetoes] == [
        ("con", "second-ner", "whitelist")]  # fmt: skip


def test_what_was_found_before_is_not_found_again_and_nothing_is_taken_away(ner):
    text = "visto por trillo zabarte esta misma tarde"
    taken = [Span(10, 24, "NAME", "labelled")]
    assert ner.vote(text, taken).spans == []
    assert taken == [Span(10, 24, "NAME", "labelled")]


def test_a_label_that_means_none_adds_nothing(ner):
    assert added(ner, "se revisa hoy con los estudios previos") == []


def test_spans_point_into_the_text_as_given_and_name_their_recognizer(scrubber):
    text = "Revisión, opinión: se revisó «a\u0301 la\u200b» vhess y sin más cambios.\n"
    own = [s for s in scrubber.explain(text).spans if s.recognizer == "second-ner"]
    assert [(text[s.start : s.end], s.category) for s in own] == [("vhess", "NAME")]


def test_it_only_adds(scrubber, lexicons):
    plain = Scrubber(load_lexicons(language="es"))
    text = "Paciente: Rosalía Echegaray\nNHC: 4471902\nSe comenta en sesión vhess sin cambios.\n"
    before, after = plain.find(text), scrubber.find(text)
    assert set(before) < set(after)
    assert {text[s.start : s.end] for s in set(after) - set(before)} == {"vhess"}


def test_descriptions_are_not_voted_on(scrubber):
    assert scrubber.find("serie de vhess sin contraste", closed=False) == ()


def test_the_card_and_so_the_digest_of_its_files_is_part_of_the_lexicons_digest(
    lexicons, model, tmp_path
):
    card = write_card(tmp_path, model, MEANINGS)
    one = load_lexicons(language="es", site=tmp_path).sha256
    content = yaml.safe_load(card.read_text("utf-8"))
    content["sha256"]["model.onnx"] = "0" * 64
    card.write_text(yaml.safe_dump(content), "utf-8")
    assert one == lexicons.sha256 != load_lexicons(language="es", site=tmp_path).sha256


def test_a_pack_of_another_language_than_the_models_goes_without(site):
    english = load_lexicons(site=site)
    assert english.second_ner is not None
    assert load_second_ner(english) is None


@pytest.mark.parametrize("name", ["model.onnx", "config.json", "tokenizer.json"])
def test_a_file_that_is_another_is_refused(tmp_path, lexicons, name):
    folder = write_ner(tmp_path / "m", ["a"], ("O", "B-PER"), by_itself={}, after={})
    card = write_card(tmp_path / "s", folder, {"PER": "name"})
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ConfigError, match=rf"sha256\.{name}: the file is another"):
        SecondNer(lexicons, read_card(card))


def test_a_label_without_a_category_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"labels\.AGE: no category for this label"):
        load(tmp_path, ("O", "B-PER", "B-AGE"), {"PER": "name"}, {"a": "B-PER"})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("category", "name", "must be second-ner"),
        ("labels", {"PER": "person"}, r"labels\.PER: one of address"),
        ("sha256", {"model.onnx": "0" * 64}, "one digest each"),
        ("sha256", dict.fromkeys(("model.onnx", "config.json", "tokenizer.json"), "x"), "SHA-256"),
        ("folder", None, "folder: missing"),
        ("threshold", 1.5, "threshold: a share"),
        ("threshold", True, "threshold: a share"),
        ("window", 5, "window: a number"),
        ("treshold", 0.5, "treshold: unknown key"),
    ],
)
def test_a_card_with_a_fault_is_refused(tmp_path, model, key, value, message):
    card = write_card(tmp_path, model, MEANINGS)
    card.write_text(yaml.safe_dump(yaml.safe_load(card.read_text("utf-8")) | {key: value}), "utf-8")
    with pytest.raises(ConfigError, match=message):
        read_card(card)


def test_a_folder_that_is_not_there_is_refused(tmp_path, model, lexicons):
    card = write_card(tmp_path, model, MEANINGS, folder="nowhere")
    with pytest.raises(ConfigError, match=r"model\.onnx cannot be read"):
        SecondNer(lexicons, read_card(card))


def test_what_is_no_model_or_no_model_of_tokens_is_refused(tmp_path, lexicons):
    folder = write_ner(
        tmp_path / "m", ["a"], ("O", "B-PER"), by_itself={}, after={}, inputs=("pixels",)
    )
    with pytest.raises(ConfigError, match="other inputs than tokens"):
        SecondNer(lexicons, read_card(write_card(tmp_path / "s", folder, {"PER": "name"})))
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        SecondNer(lexicons, read_card(write_card(tmp_path / "s", folder, {"PER": "name"})))


def test_a_model_with_another_number_of_labels_than_its_configuration_is_refused(
    tmp_path, lexicons
):
    folder = write_ner(tmp_path / "m", ["a"], ("O", "B-PER"), by_itself={}, after={})
    config = folder / "config.json"
    config.write_text(json.dumps({"id2label": {"0": "O", "1": "B-PER", "2": "I-PER"}}), "utf-8")
    with pytest.raises(ConfigError, match="256 tokens as 3 labels"):
        SecondNer(lexicons, read_card(write_card(tmp_path / "s", folder, {"PER": "name"})))


@pytest.mark.parametrize("package", ["onnxruntime", "tokenizers"])
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    monkeypatch, lexicons, site, package
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"{package}.*updp-node\[ner\]"):
        SecondNer(lexicons, read_card(site / "second_ner.yaml"))


def test_an_answer_that_is_no_number_quarantines(tmp_path, lexicons):
    folder = write_ner(
        tmp_path / "m", ["trillo"], ("O", "B-PER"), by_itself={"trillo": "B-PER"},
        after={"trillo": "B-PER"}, sure=3e38,
    )  # fmt: skip
    own = SecondNer(lexicons, read_card(write_card(tmp_path / "s", folder, {"PER": "name"})))
    assert added(own, "visto por trillo esta misma tarde")
    with pytest.raises(InstanceError, match="second-ner-failed"):
        own.vote("visto por trillo trillo esta misma tarde", [])


def test_without_a_card_nothing_of_it_is_imported():
    check = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from updp_node.text.scrub import load_scrubber\n"
        "load_scrubber(language='es').find('Visto por el Dr. Trillo.')\n"
        "print(sorted({'onnxruntime', 'tokenizers'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
