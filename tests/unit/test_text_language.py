"""Which pack reads a document: what it declares, what its words show, and what is refused."""

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, create_string_object

from tests.factories import clinical, patient
from tests.factories.documents import content_item
from tests.factories.modules import code
from tools.reports.indiana import find_indiana
from tools.reports.spanish import read_marked
from updp_node.documents import scrub_document, scrub_report, text_cleaner
from updp_node.errors import ConfigError, InstanceError
from updp_node.line import make_line
from updp_node.subject import ProjectKey, UidMap
from updp_node.text.declared import listen_to_cda, listen_to_report
from updp_node.text.items import ContentPolicy
from updp_node.text.language import LanguageJudge, choose_language, read_tag
from updp_node.text.lexicon import load_lexicons
from updp_node.text.pdf import read_pdf_language

POLICY = ContentPolicy(frozenset({"Clean Structured Content", "Clean Descriptors"}), "keep")
STAYS = "[Clean Structured Content, Clean Descriptors]"
ENGLISH = "The heart is not enlarged. There is no pleural effusion. The lungs are clear."
SPANISH = "El corazón no está aumentado. No hay derrame pleural. Los pulmones son normales."
FOREIGN = {
    "de": "Das Herz ist nicht vergrößert. Kein Pleuraerguss. Die Lungen sind beidseits frei.",
    "fr": "Le coeur est de taille normale. Pas d'épanchement pleural. Les poumons sont clairs.",
    "pt": "O coração não está aumentado. Não há derrame pleural. Os pulmões estão livres.",
    "it": "Il cuore non è ingrandito. Non si osserva versamento pleurico. I polmoni sono liberi.",
    "nl": "Het hart is niet vergroot. Er is geen pleuravocht. De longen zijn aan beide zijde vrij.",
    "other": "心影大小正常，双侧胸腔未见积液，双肺纹理清晰，未见明显实变影。",
}


@pytest.fixture(scope="module")
def english():
    return LanguageJudge(load_lexicons())


@pytest.fixture(scope="module")
def spanish():
    return LanguageJudge(load_lexicons(language="es"))


def report(text, *languages, sections=("Findings",)):
    made = Dataset()
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "SR"
    made.PatientID, made.ValueType = "N1", "CONTAINER"
    concept = code("121049", "DCM", "Language of Content Item and Descendants")
    made.ContentSequence = [
        *(content_item("CODE", concept, ConceptCodeSequence=[code(each, "RFC5646", "Language")])
          for each in languages),
        *(content_item("TEXT", code("121071", "DCM", title), TextValue=text)
          for title in sections),
    ]  # fmt: skip
    return made


def make(tmp_path, rules, documents="{}", options=STAYS):
    profile = tmp_path / "own.yaml"
    profile.write_text(
        f'name: own\nversion: "1"\noptions: {options}\nreport: {rules}\ndocuments: {documents}\n',
        encoding="utf-8",
    )
    return make_line("own", key=ProjectKey(b"k" * 32), project="p", pseudonym="{code}",
                     search=[tmp_path])  # fmt: skip


def run(source, line):
    subject = line.subject_of(source)
    return scrub_report(source, (), line, subject, UidMap(subject, "d"))


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("en-US", "en"), ("EN_us", "en"), ("eng", "en"), ("spa", "es"), ("ger", "de"),
     ("deu", "de"), ("haw", "haw"), ("und", ""), ("zxx", ""), (" ", "")],
)  # fmt: skip
def test_tags_of_every_kind_are_read(tag, language):
    assert read_tag(tag) == language


@pytest.mark.parametrize("language", FOREIGN)
def test_a_text_of_another_language_is_told_from_english_and_spanish(english, spanish, language):
    assert english.name_other(FOREIGN[language]) == language
    assert spanish.name_other(FOREIGN[language]) in {language, "other", ""}


def test_english_and_spanish_are_told_from_each_other(english, spanish):
    assert (english.name_other(ENGLISH), english.name_other(SPANISH)) == ("", "es")
    assert (spanish.name_other(SPANISH), spanish.name_other(ENGLISH)) == ("", "en")


@pytest.mark.parametrize(
    "text",
    ["", "Thorax ap/seitlich liegend", "T2 TSE SAG HWS", "Rx tórax PA y L", "胸部正位片", "N/A",
     "1.2.840.113619.2 7AD4-BEEF-C0DE 44/12", "LUNGS CLEAR.", "XXXX XXXX XXXX " * 9],
)  # fmt: skip
def test_short_texts_and_codes_tell_nothing(english, text):
    assert english.name_other(text) == ""


def test_telegraphic_english_is_english(english):
    assert english.name_other("Cardiomegaly. Calcified granuloma, left apex. Osteophytes.") == ""


def test_words_that_the_pack_hardly_knows_are_of_another_language(english):
    text = "Cardiomégalie modérée, index cardio-thoracique augmenté, aorte déroulée, surcharge."
    assert english.name_other(text) == "other"


@pytest.mark.parametrize(
    "text",
    [
        "Copies: van den Berg, van der Heuvel, van het Hof. Cardiomediastinal silhouette normal.",
        "Qvoxil zarbet tlormik, gwendar fosh: der Qvist, der Blyx, der Zorn. The heart is not "
        "enlarged and there is no effusion in this chest.",
    ],
)
def test_particles_of_names_make_no_other_language(english, text):
    assert english.name_other(text) == ""


def test_look_alike_letters_make_no_other_language(english):
    assert english.name_other(ENGLISH.replace("a", "а").replace("e", "е")) == ""  # Cyrillic


def test_a_paragraph_in_another_language_is_found_in_an_english_report(english):
    assert english.name_other(f"{ENGLISH * 20}\n\n{FOREIGN['de']}") == "de"


def test_ten_thousand_words_take_well_under_a_second(english):
    text = f"{ENGLISH} {FOREIGN['de']}\n\n" * 400
    start = time.perf_counter()
    english.name_other(text)
    assert time.perf_counter() - start < 1


@pytest.mark.shared_data
def test_no_english_report_of_indiana_is_taken_for_another_language(english):
    archive = find_indiana()
    if archive is None:
        pytest.skip(f"NO SHARED DATA: {os.environ.get('UPDP_SHARED', '../shared')}")
    from tools.reports.indiana import _read  # noqa: PLC0415

    texts = [text for _, text in _read(archive)]
    start = time.perf_counter()
    told = [english.name_other(text) for text in texts]
    took = (time.perf_counter() - start) / len(texts)
    assert (len(texts), sum(map(bool, told))) == (3955, 0)
    assert took < 0.001


def test_no_report_of_the_spanish_sets_is_taken_for_another_language(spanish):
    for path in sorted(Path("tools/reports").glob("spanish*.txt")):
        assert [spanish.name_other(each.text) for each in read_marked(path)].count("") >= 30


def test_the_declared_language_chooses_the_pack_among_those_of_the_profile(english, spanish):
    both = [english, spanish]
    assert choose_language({"es"}, [SPANISH], both) == "es"
    assert choose_language({"es"}, ["Normal."], both) == "es"
    assert choose_language({"en"}, [ENGLISH], both) == "en"


def test_without_a_declaration_words_choose_among_them(english, spanish):
    both = [english, spanish]
    assert choose_language((), [ENGLISH], both) == "en"
    assert choose_language((), [SPANISH], both) == "es"
    assert choose_language((), ["Normal."], both) == "en"


@pytest.mark.parametrize(
    ("declared", "text", "reason"),
    [({"de"}, "Normal.", "declared"), ({"en", "de"}, ENGLISH, "declared"),
     ((), FOREIGN["de"], "by its words: de"), ({"en"}, FOREIGN["fr"], "by its words: fr"),
     ((), FOREIGN["other"], "by its words: other"), ({"es"}, ENGLISH, "by its words: en")],
)  # fmt: skip
def test_what_no_pack_of_the_profile_reads_is_quarantined(english, spanish, declared, text, reason):
    with pytest.raises(InstanceError, match=f"unread-language.*{reason}"):
        choose_language(declared, [text], [english, spanish])


def test_a_profile_may_have_it_read_with_its_own_pack_all_the_same(english, spanish):
    for declared, text in (({"de"}, ENGLISH), ((), FOREIGN["de"]), ({"en", "de"}, "Normal.")):
        assert choose_language(declared, [text], [english, spanish], strict=False) == "en"
    assert choose_language({"es"}, [ENGLISH], [english, spanish], strict=False) == "es"


def test_a_report_declares_its_language_for_all_or_a_part_of_it():
    speech = listen_to_report(report(ENGLISH, "en-US", "ger"), POLICY)
    assert speech.declared == {"en", "de"}
    assert speech.texts == (ENGLISH,)


def test_a_language_without_a_code_is_none_that_a_pack_is_for():
    source = report(ENGLISH, "en")
    del source.ContentSequence[0].ConceptCodeSequence[0].CodeValue
    assert listen_to_report(source, POLICY).declared == {"mis"}


def test_a_report_without_text_may_be_in_any_language():
    assert listen_to_report(report(ENGLISH, "de", sections=()), POLICY).declared == set()


def test_identifiers_are_no_words_and_ideographs_need_no_spaces(english):
    texts = [f"kvhzt{letter * 9}" for letter in "bcdfghj"]
    assert choose_language((), texts, [english]) == "en"
    with pytest.raises(InstanceError, match="unread-language"):
        choose_language((), [FOREIGN["other"][:8], FOREIGN["other"][8:]], [english])


def test_a_clinical_document_declares_its_own_language_and_not_the_patients():
    content = clinical.clinical_document(patient())
    spoken = b"<languageCommunication><languageCode code='vi'/></languageCommunication></patient>"
    speech = listen_to_cda(content.replace(b"</patient>", spoken))
    assert speech.declared == {"en"}
    assert "effusion" in " ".join(speech.texts)


def test_a_pdf_declares_its_language_in_its_catalogue():
    content = clinical.report_pdf(patient())
    assert read_pdf_language(content) == ""
    assert read_pdf_language(_tagged(content, "de-DE")) == "de-DE"
    assert read_pdf_language(b"no pdf") == ""


def _tagged(content, tag):
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.root_object[NameObject("/Lang")] = create_string_object(tag)
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_reports_on_the_line_are_refused_or_read_as_the_profile_says(tmp_path):
    line = make(tmp_path, "{language: es}")
    assert "derrame pleural" in run(report(SPANISH, "es-MX"), line).text
    assert run(report("Normal."), line).text
    for source in (report(SPANISH, "en"), report(ENGLISH), report(FOREIGN["de"])):
        with pytest.raises(InstanceError, match="unread-language"):
            run(source, line)
    line = make(tmp_path, "{language: es, unread_language: read}")
    assert run(report(ENGLISH, "en"), line).text


@pytest.mark.parametrize("options", ["[]", "[Clean Structured Content]"])
def test_a_report_whose_text_goes_altogether_may_be_in_any_language(tmp_path, options):
    line = make(tmp_path, "{language: es}", options=options)
    assert "REMOVED" in run(report(FOREIGN["de"], "de"), line).text


def test_the_language_that_a_report_declares_stays_in_it(tmp_path):
    made = run(report(SPANISH, "es-MX"), make(tmp_path, "{language: es}"))
    (told,) = made.content[0].ConceptCodeSequence
    assert (told.CodeValue, told.CodingSchemeDesignator) == ("es-MX", "RFC5646")


@pytest.mark.parametrize("kind", ["cda", "pdf"])
def test_documents_on_the_line_are_refused_by_what_they_declare(tmp_path, kind):
    line = make(tmp_path, "{language: es}", "{cda: clean, pdf: text}")
    content = (clinical.clinical_document(patient()) if kind == "cda"
               else _tagged(clinical.report_pdf(patient()), "en-US"))  # fmt: skip
    source = clinical.encapsulated(content, kind=kind)
    subject = line.subject_of(source)
    with pytest.raises(InstanceError, match=r"unread-language.*declared"):
        scrub_document(source, (), line, subject, UidMap(subject, "d"))


def test_long_attributes_in_a_language_that_is_not_read_are_emptied(tmp_path):
    line = make(tmp_path, "{language: es}", options="[Clean Descriptors]")
    source = report(SPANISH)
    clean = text_cleaner(source, (), line, line.subject_of(source))
    assert clean(FOREIGN["de"]) == ""
    assert clean("Thorax seitlich") == "Thorax seitlich"


def test_other_languages_of_a_profile_are_part_of_its_digest(tmp_path):
    alone, both = make(tmp_path, "{}"), make(tmp_path, "{other_languages: [es]}")
    assert alone.lexicon_sha256 == load_lexicons().sha256
    assert both.lexicon_sha256 not in {alone.lexicon_sha256, load_lexicons(None, "es").sha256}
    assert [language for language, _ in both.text_packs] == ["en", "es"]
    with pytest.raises(ConfigError, match="no pack"):
        make(tmp_path, "{other_languages: [de]}")
