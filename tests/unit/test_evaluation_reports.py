"""Report linkage with known answers: the same texts, strangers, and everything between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import top_k_accuracy_score

from tests.factories.radiographs import write_counterparts, write_set, write_table
from updp_node.errors import ConfigError
from updp_node.evaluation.classifier import Lesson
from updp_node.evaluation.collection import load_collection
from updp_node.evaluation.figure import Figure, Measurements, Section
from updp_node.evaluation.image_linkage import link_images
from updp_node.evaluation.index import parse_index
from updp_node.evaluation.recall import Standing, recall, stand
from updp_node.evaluation.report_linkage import (
    READINGS,
    Reports,
    link_reports,
    link_texts,
    load_reports,
    match_findings,
    name_findings,
)
from updp_node.evaluation.study import Study, make_study
from updp_node.text.findings import load_finding_rules

WORDS = "".join(chr(ord("a") + number % 26) for number in range(400))


def make_texts(count: int, seed: int) -> list[str]:
    """Texts of words that are drawn from a large vocabulary: no two are alike."""
    rng = np.random.default_rng(seed)
    words = [f"{WORDS[n % 26 : n % 26 + 4]}{chr(97 + n // 26)}" for n in range(600)]
    return [" ".join(rng.choice(words, 30)) for _ in range(count)]


def link(queries: list[str], gallery: list[str]) -> dict[str, Figure]:
    places = np.arange(len(queries))
    return by_key(
        link_texts(queries, gallery, places, places.astype(str), seed=0, section=Section.TEXT,
                   key="text.linkage", name="Scrubbed text to its original")
    )  # fmt: skip


def by_key(measured: Measurements) -> dict[str, Figure]:
    return {figure.key: figure for figure in measured.figures}


def test_identical_texts_are_linked_always() -> None:
    texts = make_texts(120, 1)
    found = link(texts, texts)
    for reading in READINGS:
        for part in ("recall1.100", "recall1.all", "recall5.100", "recall5.all"):
            figure = found[f"text.linkage.{part}.{reading}"]
            assert (figure.value, figure.high, figure.n) == (1.0, 1.0, 120)
            assert figure.low is not None
            assert figure.low < 0.98  # 120 in 120 is not certainty
    assert found["text.linkage.recall1.all.words"].chance == pytest.approx(1 / 120)
    assert found["text.linkage.recall5.100.words"].chance == pytest.approx(0.05)


@pytest.mark.parametrize("reading", READINGS)
def test_unrelated_texts_are_linked_by_chance(reading: str) -> None:
    found = link(make_texts(400, 1), make_texts(400, 2))
    for part, chance in (("recall1.100", 0.01), ("recall5.100", 0.05), ("recall5.all", 0.0125)):
        figure = found[f"text.linkage.{part}.{reading}"]
        assert figure.chance == pytest.approx(chance)
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < chance < figure.high
        assert figure.value == pytest.approx(chance, abs=0.02)


def test_texts_that_are_all_the_same_are_linked_by_chance() -> None:
    found = link(["no acute findings"] * 200, ["no acute findings"] * 200)
    assert found["text.linkage.recall1.100.words"].value == pytest.approx(0.01)
    assert found["text.linkage.recall5.all.characters"].value == pytest.approx(0.025)


def test_a_text_that_kept_half_of_its_words_is_still_linked() -> None:
    texts = make_texts(150, 1)
    halved = [" ".join(text.split()[::2]) for text in texts]
    assert link(halved, texts)["text.linkage.recall1.100.words"].value == 1.0


@pytest.mark.parametrize("texts", [[], ["one text"]])
def test_fewer_than_two_texts_are_not_measured(texts: list[str]) -> None:
    found = link(texts, texts)
    assert all(figure.value is None and "two" in figure.why for figure in found.values())


def test_texts_without_words_are_not_measured() -> None:
    assert link(["", "?"], ["", "?"])["text.linkage.recall1.all.words"].value is None


def test_a_gallery_that_is_too_small_is_not_measured() -> None:
    figure = link(make_texts(50, 1), make_texts(50, 1))["text.linkage.recall1.100.words"]
    assert figure.value is None
    assert "50" in figure.why


def test_recall_in_the_whole_gallery_is_that_of_scikit_learn() -> None:
    similarity = np.random.default_rng(0).random((60, 60))
    own = np.random.default_rng(1).permutation(60)
    for rank in (1, 5):
        expected = top_k_accuracy_score(own, similarity, k=rank, labels=np.arange(60))
        assert recall(stand(similarity, own), rank, None).mean() == pytest.approx(expected)


def test_recall_in_a_part_of_the_gallery_is_that_of_many_draws() -> None:
    rng = np.random.default_rng(0)
    similarity = np.round(rng.random((1, 40)), 1)  # many ties
    standing = stand(similarity, np.array([3]))
    draws = []
    for _ in range(4000):
        others = rng.choice(np.delete(np.arange(40), 3), 9, replace=False)
        better = (similarity[0, others] > similarity[0, 3]).sum()
        tied = (similarity[0, others] == similarity[0, 3]).sum()
        draws.append(better + rng.integers(0, tied + 1) < 3)
    assert recall(standing, 3, 10)[0] == pytest.approx(np.mean(draws), abs=0.03)


def test_what_is_not_in_a_gallery_does_not_count() -> None:
    similarity = np.array([[0.5, 0.9, -np.inf, 0.4]])
    standing = stand(similarity, np.array([0]))
    assert standing == Standing(np.array([1]), np.array([0]), np.array([3]))


def test_labels_of_a_table_are_named_as_reports_name_findings() -> None:
    rules = load_finding_rules()
    named = name_findings(["Pleural_Thickening", "Effusion", "Bacteria"], rules)
    assert named == ["pleural thickening", "pleural effusion", None]


def test_the_report_that_says_what_is_seen_is_the_likeliest() -> None:
    reports = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)
    seen = np.array([[3.0, -3.0], [-3.0, -3.0]])
    likelihood = match_findings(seen, reports)
    assert likelihood.argmax(1).tolist() == [0, 3]
    probability = 1 / (1 + np.exp(-3.0))
    assert np.exp(likelihood[0, 0]) == pytest.approx(probability**2)


SAID = {True: "FINDINGS: There is a left lung opacity.", False: "FINDINGS: Clear lungs."}


def write_reports(folder: Path, *, shared: bool = True) -> Path:
    """Sixty reports; the shared ones say the same but for a word."""
    for number in range(60):
        text = f"{SAID[number % 2 == 0]} Note {make_texts(1, number)[0]}."
        for part in ("originals", "shared") if shared else ("originals",):
            path = folder / part / f"r{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("Note", "Seen") if part == "shared" else text)
    return folder


class Seeing:
    """Sees the bright spot that means an opacity."""

    def score(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        spots = images[:, 80:96, 32:48].mean((1, 2)) - images.mean((1, 2))
        logits: NDArray[np.float32] = ((spots[:, None] - 35) / 5).astype(np.float32)
        return logits


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Two images of sixty patients; every even image shows an opacity, and its report says so."""
    folder = write_set(tmp_path / "originals", range(60))
    rows = [line.split(",") for line in (folder / "index.csv").read_text().splitlines()]
    table = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    for row in table:
        patient, image = row["image_id"][1:].split("-")
        row["report"] = f"r{patient}.txt" if image == "0" else ""
    write_table(folder / "index.csv", table)
    made = write_counterparts(tmp_path / "counterparts", folder)
    return make_study(
        load_collection(folder, "originals"), load_collection(made, "counterparts"),
        reports=load_reports(write_reports(tmp_path / "reports")), seed=0,
    )  # fmt: skip


def test_shared_reports_are_linked_to_their_originals_by_patient(study: Study) -> None:
    found = by_key(link_reports(study.reports, study.originals, seed=0))
    figure = found["report-linkage.recall1.all.words"]
    assert (figure.value, figure.n, figure.section) == (1.0, 60, Section.IDENTITY)
    assert figure.detail["patients"] == 60
    assert found["report-linkage.recall1.1000.words"].value is None


def test_an_image_leads_to_reports_that_say_what_it_shows(study: Study) -> None:
    lesson = Lesson(study.taught.images, np.full((len(study.taught), 1), 0.5, np.float32))
    found = by_key(link_images(Seeing(), lesson, ("Opacity",), study, seed=0))  # type: ignore[arg-type]
    for arm in ("real", "counterparts"):
        figure = found[f"report-linkage.image.recall1.all.{arm}"]
        assert figure.n == 20  # of the test patients, the one image whose report is named
        assert figure.chance == pytest.approx(1 / 20)
        assert figure.value == pytest.approx(0.1, abs=0.02)  # one finding halves the gallery


def test_without_reports_and_without_names_the_reason_is_told(study: Study) -> None:
    lesson = Lesson(study.taught.images, np.full((len(study.taught), 1), 0.5, np.float32))
    lone = Study(study.originals, study.counterparts, study.sources, study.is_test, None, None, ())
    for measured in (
        link_reports(None, study.originals, seed=0),
        link_images(Seeing(), lesson, ("Opacity",), lone, seed=0),  # type: ignore[arg-type]
    ):
        assert all("--reports" in figure.why for figure in measured.figures)
    strange = link_images(Seeing(), lesson, ("Bacteria",), study, seed=0)  # type: ignore[arg-type]
    assert all("no label" in figure.why for figure in strange.figures)
    unshared = Reports(study.reports.originals, {}) if study.reports else None
    assert "no shared" in link_reports(unshared, study.originals, seed=0).figures[0].why


def test_a_table_that_names_no_report_that_is_there_is_refused(study: Study) -> None:
    with pytest.raises(ConfigError, match="holds none of them"):
        make_study(study.originals, study.counterparts, reports=Reports({"x": "y"}, {}), seed=0)
    fewer = {name: text for name, text in study.reports.originals.items() if name != "r0"}  # type: ignore[union-attr]
    noted = make_study(study.originals, study.counterparts, reports=Reports(fewer, {}), seed=0)
    assert "originals: 1 name a report that is not there" in noted.notes


def test_a_folder_without_originals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        load_reports(tmp_path)
    assert load_reports(write_reports(tmp_path / "r", shared=False)).shared == {}


def test_a_report_is_named_with_or_without_its_ending() -> None:
    reports = Reports({"a/1.2.3": "text"}, {})
    assert [reports.name_of(each) for each in ("a/1.2.3.dcm", "a/1.2.3", "a/1.2", "")] == [
        "a/1.2.3", "a/1.2.3", None, None,
    ]  # fmt: skip
    (entry,) = parse_index(b"image_id,report\ni,a.txt\n", "t", of_counterparts=False)
    assert entry.report == "a.txt"
