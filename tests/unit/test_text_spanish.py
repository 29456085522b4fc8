"""The Spanish pack: rules and lexicons without a model."""

import re

import pytest

from tools.reports.measure import measure
from tools.reports.spanish import read_marked
from updp_node.model import Certainty, Finding, Laterality
from updp_node.subject import ProjectKey, identify_subject
from updp_node.text.dates import shift_date
from updp_node.text.findings import extract_findings, load_finding_rules
from updp_node.text.fold import fold_text
from updp_node.text.identity import Identity
from updp_node.text.lexicon import lexicon_folder, load_grammar, load_lexicons
from updp_node.text.scrub import load_scrubber

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="123")
P, A, U = Certainty.PRESENT, Certainty.ABSENT, Certainty.UNCERTAIN
L, R, B = Laterality.LEFT, Laterality.RIGHT, Laterality.BILATERAL


@pytest.fixture(scope="module")
def scrubber():
    return load_scrubber(language="es")


@pytest.fixture(scope="module")
def lexicons():
    return load_lexicons(language="es")


def test_recall_on_the_spanish_reports_is_95_percent_or_more(scrubber):
    reports = read_marked()
    assert len(reports) >= 40
    result = measure(reports, scrubber.find, "es")
    assert len(result.gold) == 13
    assert result.recall() >= 0.95
    assert result.precision() >= 0.97


def test_the_reports_of_the_figure_share_no_line_with_those_of_tuning():
    def lines(path):
        text = (lexicon_folder().parents[1] / "tools" / "reports" / path).read_text("utf-8")
        return {line for line in text.splitlines() if len(line) > 20 and not line.startswith("#")}

    assert not lines("spanish.txt") & lines("spanish_development.txt")


def test_lists_are_written_as_they_are_compared():
    for path in sorted((lexicon_folder() / "es").rglob("*")):
        if not path.is_file():
            continue
        body = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
        assert all(line.isascii() for line in body), path.name
        if path.suffix == ".txt":
            assert all(line == fold_text(line).text.lower() for line in body), path.name


def test_names_and_words_are_disjoint(lexicons):
    people = lexicons.surnames | lexicons.given
    assert not people & lexicons.words
    assert not people & lexicons.ambiguous
    assert not lexicons.cities & lexicons.words
    for kind in ("given_female", "given_male", "surnames"):
        invented = {name.lower() for name in lexicons.surrogates[kind]}
        assert not invented & (people | lexicons.ambiguous | lexicons.words)


@pytest.mark.parametrize(
    "text",
    [
        "Catéter de Swan-Ganz con extremo en la arteria pulmonar derecha.",
        "Líneas B de Kerley. Signo de la silueta. Joroba de Hampton.",
        "Cambios Modic tipo II en L4-L5. Ángulo de Cobb de 32 grados.",
        "Se recomienda control en Consultas Externas de Neumología.",
        "Nódulo de 5 mm en el segmento 6. BI-RADS 2. 120 kVp.",
        "Enfermedad de Crohn. Linfoma de Hodgkin. Quiste de Baker.",
        "RX TÓRAX PA Y LATERAL\nHALLAZGOS: Sin alteraciones significativas.",
    ],
)
def test_words_of_radiology_stay(scrubber, text):
    assert [text[s.start : s.end] for s in scrubber.find(text)] == []


def test_the_header_is_found_in_spanish_spelling(scrubber):
    identity = Identity(names=("PEÑA^ÍÑIGO",), ids=("ZZ81",), dates=("20210303",))
    text = "peña, íñigo; zz81; 3 de marzo de 2021; 3-mar-21; 03/03"
    found = [text[s.start : s.end] for s in scrubber.find(text, identity)]
    assert found == ["peña, íñigo", "zz81", "3 de marzo de 2021", "3-mar-21", "03/03"]


def test_surrogates_are_in_spanish(scrubber):
    text = "Paciente: María Peñalver. 3 de marzo de 2021. C/ Mayor 3. Hospital Reina Sofía."
    made = scrubber.scrub(text, None, SUBJECT).text
    assert "Peñalver" not in made
    assert "Mayor 3" not in made
    assert "Sofía" not in made
    assert re.search(r"\d{1,2} de (?:[a-z]{4,10}) de 20[12]\d", made)
    assert "Hospital" in made
    assert "Street" not in made


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3/4/2021", "4/4/2021"), ("3 de marzo de 2021", "4 de marzo de 2021"),
     ("31/12/2020", "01/01/2021"), ("31 dic 2020", "1 ene 2021"),
     ("lunes 8 de octubre de 2018", "martes 9 de octubre de 2018"),
     ("julio de 2018", "julio de 2018"), ("sin fecha", "una fecha anterior")],
)  # fmt: skip
def test_dates_are_moved_day_first(text, expected):
    assert shift_date(text, 1, load_grammar(language="es")) == expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Pequeño derrame pleural izquierdo.", Finding("pleural effusion", P, L, None, "mild")),
        ("No se observa derrame pleural.", Finding("pleural effusion", A)),
        ("Sin derrame ni neumotórax.", Finding("pneumothorax", A)),
        ("No hay consolidaciones.", Finding("consolidation", A)),
        ("Posible neumonía en LID.", Finding("pneumonia", U, R, "lower lobe")),
        ("No se puede descartar neumonía.", Finding("pneumonia", U)),
        ("Silueta cardíaca aumentada de tamaño.", Finding("cardiomegaly", P)),
        ("Sin cambios en el derrame derecho.", Finding("pleural effusion", P, R)),
        ("Atelectasias laminares bibasales.", Finding("atelectasis", P, B, "base")),
        ("Se ha resuelto el neumotórax.", Finding("pneumothorax", A)),
        ("Marcapasos bicameral.", Finding("pacemaker", P)),
    ],
)
def test_a_sentence_yields_its_finding(sentence, expected):
    rules = load_finding_rules(None, "es")
    assert expected in extract_findings(f"HALLAZGOS: {sentence}", rules)


def test_findings_have_the_terms_of_the_first_language():
    assert load_finding_rules(None, "es").parents.items() <= load_finding_rules().parents.items()


def test_history_is_not_read():
    text = "MOTIVO: neumonía\nANTECEDENTES: neumotórax\nHALLAZGOS: pulmones normales"
    assert extract_findings(text, load_finding_rules(None, "es")) == ()
