"""The text figures, checked against answers that are known beforehand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from tests.factories.canary import encode
from tests.factories.documents import text_sr
from tests.factories.measurements import read_schema
from updp_node.cli import app
from updp_node.config.limits import Limit, Release
from updp_node.errors import ConfigError
from updp_node.evaluation.diffs import compare, stays
from updp_node.evaluation.figure import Figure, Measurements
from updp_node.evaluation.text_figures import compare_texts, judge_zeros, measure_removal
from updp_node.evaluation.text_likeness import measure_likeness
from updp_node.evaluation.text_retention import measure_retention
from updp_node.evaluation.text_run import TextQuestion, evaluate_texts
from updp_node.evaluation.texts import TextPair, load_texts
from updp_node.evaluation.verdict import Outcome
from updp_node.model import Span

NOW = datetime(2026, 11, 23, tzinfo=UTC)
REPORT = (
    "Patient: Ada Quill, seen 03/14/2021.\nFINDINGS: Small left pleural effusion. No pneumothorax."
)
GOLD = (Span(9, 18, "NAME"), Span(25, 35, "DATE"))
TAGGED = REPORT.replace("Ada Quill", "[NAME]").replace("03/14/2021", "[DATE]")


def figures(measured: Measurements) -> Mapping[str, Figure]:
    return {figure.key: figure for figure in measured.figures}


def removal_of(*pairs: TextPair) -> Mapping[str, Figure]:
    return figures(measure_removal(compare_texts(pairs), seed=0))


def retention_of(*pairs: TextPair) -> Mapping[str, Figure]:
    return figures(measure_retention(pairs, seed=0))


def write(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_texts_without_leaks_have_recall_one_and_the_bound_of_three_in_n() -> None:
    found = removal_of(*[TextPair(REPORT, TAGGED, GOLD)] * 50)
    leaks = found["text.leaks"]
    assert (leaks.value, leaks.n, leaks.detail["count"]) == (0.0, 100, 0)
    assert leaks.detail["rule of three"] == 0.03
    assert leaks.high == pytest.approx(0.0362, abs=1e-4)  # Clopper-Pearson of 0 in 100
    assert found["text.recall.all"].value == found["text.recall.NAME"].value == 1.0
    assert found["text.precision.all"].value == found["text.f1.NAME"].value == 1.0
    assert found["text.over-redaction"].value == 0.0


def test_planted_leaks_are_counted_one_by_one() -> None:
    leaking = TAGGED.replace("[NAME]", "[NAME] Quill")
    pairs = [TextPair(REPORT, leaking, GOLD)] * 3 + [TextPair(REPORT, TAGGED, GOLD)] * 7
    found = removal_of(*pairs)
    assert found["text.leaks"].detail["count"] == 3
    assert found["text.recall.NAME"].value == 0.7
    assert found["text.recall.DATE"].value == 1.0
    low, high = found["text.recall.NAME"].low, found["text.recall.NAME"].high
    assert low is not None
    assert high is not None
    assert low <= 0.3476  # the exact interval of 7 in 10, or wider
    assert high >= 0.9332


def test_text_that_was_left_alone_has_recall_zero() -> None:
    found = removal_of(TextPair(REPORT, REPORT, GOLD))
    assert found["text.recall.all"].value == 0.0
    assert found["text.removed"].value == 0.0


def test_text_that_was_deleted_whole_is_all_over_redaction() -> None:
    found = removal_of(TextPair(REPORT, "", GOLD))
    assert found["text.recall.all"].value == 1.0
    assert found["text.over-redaction"].value == 1.0
    assert found["text.precision.all"].value == pytest.approx(5 / 14)
    kept = retention_of(TextPair(REPORT, "", GOLD))
    assert kept["text.retention.findings"].value == 0.0
    assert kept["text.retention.whitelist"].value == 0.0


def test_a_surrogate_that_shares_the_year_is_no_leak_and_one_that_shares_the_surname_is() -> None:
    moved = REPORT.replace("Ada Quill", "Ben Ode").replace("03/14/2021", "01/02/2021")
    assert not any(stays(span, compare(REPORT, moved)) for span in GOLD)
    sister = REPORT.replace("Ada Quill", "Ben Quill").replace("03/14/2021", "01/02/2021")
    assert [stays(span, compare(REPORT, sister)) for span in GOLD] == [True, False]


def test_the_same_date_again_is_a_leak_even_among_surrogates() -> None:
    same = REPORT.replace("Ada Quill", "Ben Ode")
    assert [stays(span, compare(REPORT, same)) for span in GOLD] == [False, True]


def test_a_year_that_stays_beside_a_category_is_a_leak() -> None:
    partly = REPORT.replace("Ada Quill", "[NAME]").replace("03/14/2021", "[DATE]/2021")
    assert [stays(span, compare(REPORT, partly)) for span in GOLD] == [False, True]


def test_words_that_many_institutions_share_are_no_leak_and_the_name_of_one_is() -> None:
    original, span = "Sent by Quill General Hospital.", Span(8, 30, "INSTITUTION")
    assert not stays(span, compare(original, "Sent by Orne General Hospital."))
    assert not stays(span, compare(original, "Sent by [INSTITUTION] Hospital."))
    assert stays(span, compare(original, "Sent by Quill Infirmary."))
    assert stays(Span(14, 30, "INSTITUTION"), compare(original, original))
    assert stays(span, compare("Sent by Quill Suite Hospital.", "Sent by [INSTITUTION] Suite."))


@pytest.mark.parametrize(
    ("original", "scrubbed", "stands"),
    [
        ("File: Quill_Ada_chest.dcm", "File: Quill_[NAME]_chest.dcm", True),
        ("File: Quill_Ada_chest.dcm", "File: [NAME]_Ada_chest.dcm", True),
        ("File: Quill_Ada_chest.dcm", "File: [NAME]_chest.dcm", False),
        ("File: Quill_Ada_chest.dcm", "File: Ode_Ben_chest.dcm", False),
        ("File: QuillAda_chest.dcm", "File: Quill[NAME]_chest.dcm", True),
        ("File: QuillAda_chest.dcm", "File: [NAME]Ada_chest.dcm", True),
        ("File: QuillAda_chest.dcm", "File: [NAME]_chest.dcm", False),
        ("File: QuillMaeAda_chest.dcm", "File: Quill[NAME]Ada_chest.dcm", True),
    ],
)
def test_a_name_that_was_removed_in_part_stands(original: str, scrubbed: str, stands: bool) -> None:
    start, end = original.index("Quill"), original.index("_chest")
    assert stays(Span(start, end, "NAME"), compare(original, scrubbed)) is stands


def test_of_a_token_in_part_only_the_part_in_the_gold_span_is_judged() -> None:
    removal = compare("MRN4711 seen", "MRN[ID] seen")
    assert not stays(Span(3, 7, "ID"), removal)
    assert stays(Span(0, 7, "ID"), removal)
    assert [(token.text, kept) for token, kept in
            zip(removal.tokens, removal.is_kept, strict=True)] == [
        ("mrn", True), ("4711", False), ("seen", True)]  # fmt: skip


def test_both_ends_of_a_token_can_stand() -> None:
    removal = compare("File QuillMaeAda", "File Quill[NAME]Ada")
    parts = [token.text for token in removal.tokens]
    assert (parts, removal.is_kept) == (["file", "quill", "mae", "ada"], (True, True, False, True))


def test_a_part_whose_letters_cannot_be_counted_stands_whole() -> None:
    original = "Seen by \ufb03nnegan."  # a ligature of three letters
    assert stays(Span(8, 15, "NAME"), compare(original, "Seen by ffinn[NAME]."))


def test_a_title_that_is_all_of_an_identifier_counts() -> None:
    original, span = "Verified by: MR/WO", Span(13, 15, "NAME")  # initials
    assert stays(span, compare(original, "Verified by: MR/[NAME]"))
    assert stays(span, compare(original, "Verified by: MR/AB"))
    assert not stays(span, compare(original, "Verified by: [NAME]/[NAME]"))
    assert not stays(Span(0, 8, "NAME"), compare("Mr Quill", "Mr [NAME]"))


def test_words_that_join_others_are_no_leak() -> None:
    original = "Sent by West and Partners."
    assert not stays(Span(8, 25, "INSTITUTION"), compare(original, "Sent by [NAME] and [NAME]."))


def test_an_age_that_is_written_as_ninety_may_stay() -> None:
    assert not stays(Span(0, 4, "AGE"), compare("90yo man", "90yo man"))
    assert stays(Span(0, 2, "AGE"), compare("93 yo man", "93 yo man"))


def test_accents_and_case_hide_no_leak() -> None:
    original = "Reported by Élodie."
    assert stays(Span(12, 18, "NAME"), compare(original, "Reported by ELODIE."))


def test_surrogates_leave_the_precision_of_a_category_unmeasured() -> None:
    moved = REPORT.replace("Ada Quill", "Ben Ode").replace("03/14/2021", "01/02/2021")
    found = removal_of(TextPair(REPORT, moved, GOLD))
    assert found["text.f1.by-category"].value is None
    assert found["text.precision.all"].value == 1.0


def test_a_name_in_brackets_does_not_become_the_name_of_a_figure() -> None:
    found = removal_of(TextPair(REPORT, TAGGED.replace("[NAME]", "[QUILL] [NAME] [WARD]")))
    assert found["text.written.NAME"].value == 1
    assert found["text.written.other"].value == 2
    assert not any("QUILL" in key for key in found)


def test_without_gold_only_what_was_removed_is_told() -> None:
    found = removal_of(TextPair(REPORT, TAGGED))
    assert found["text.recall.all"].value is None
    assert "--gold" in found["text.leaks"].why
    assert found["text.removed"].value == pytest.approx(5 / 14)
    assert found["text.written.NAME"].value == 1


def test_findings_that_stay_have_f1_one_and_no_flips() -> None:
    found = retention_of(*[TextPair(REPORT, TAGGED)] * 20)
    assert found["text.retention.findings"].value == 1.0
    assert found["text.retention.unchanged"].value == 1.0
    assert found["text.flips.negation"].value == found["text.flips.laterality"].value == 0.0


def test_a_planted_negation_flip_and_a_planted_side_flip_are_each_found() -> None:
    denied = TAGGED.replace("No pneumothorax", "Pneumothorax")
    other = TAGGED.replace("left pleural", "right pleural")
    pairs = [TextPair(REPORT, text) for text in (denied, other, TAGGED, TAGGED)]
    found = retention_of(*pairs)
    assert found["text.flips.negation"].detail["count"] == 1
    assert found["text.flips.laterality"].detail["count"] == 1
    assert found["text.flips.laterality"].n == 4
    assert found["text.retention.unchanged"].value == 0.5


def test_groups_count_texts_that_share_their_present_findings() -> None:
    rare = "FINDINGS: Large right pneumothorax."
    found = retention_of(*[TextPair(REPORT, TAGGED)] * 6, TextPair(rare, rare))
    assert found["text.groups.smallest"].value == 1
    assert found["text.groups.single"].value == pytest.approx(1 / 7)
    assert found["text.groups.few"].value == pytest.approx(1 / 7)


def test_the_likeness_of_a_text_to_itself_is_one_and_to_another_is_nearly_nothing() -> None:
    same = figures(measure_likeness([TextPair(REPORT, REPORT)] * 3, seed=0))
    assert same["text.likeness.bleu"].value == pytest.approx(1.0)
    assert same["text.likeness.rouge-l"].value == 1.0
    other = figures(measure_likeness([TextPair(REPORT, "quite something else")] * 3, seed=0))
    assert other["text.likeness.bleu"].value == 0.0
    assert other["text.likeness.rouge-l"].value == 0.0


def test_models_without_local_weights_are_not_measured_and_say_so() -> None:
    found = figures(measure_likeness([TextPair(REPORT, TAGGED)], seed=0))
    assert "no local weights" in found["text.likeness.bertscore"].why
    assert found["text.likeness.radgraph"].value is None


@pytest.mark.skipif(find_spec("transformers") is not None, reason="transformers is installed")
def test_weights_without_the_package_that_reads_them_are_not_measured(tmp_path: Path) -> None:
    found = figures(measure_likeness([TextPair(REPORT, TAGGED)], seed=0, bertscore=tmp_path))
    assert found["text.likeness.bertscore"].why == "the package transformers is not installed"


def test_zero_among_few_is_inconclusive_and_one_leak_fails() -> None:
    few = measure_removal(compare_texts([TextPair(REPORT, TAGGED, GOLD)] * 14), seed=0)
    assert [verdict.outcome for verdict in judge_zeros(few)] == [Outcome.INCONCLUSIVE]
    leaking = [TextPair(REPORT, REPORT, GOLD)] + [TextPair(REPORT, TAGGED, GOLD)] * 100
    found = measure_removal(compare_texts(leaking), seed=0)
    assert [verdict.outcome for verdict in judge_zeros(found)] == [Outcome.FAIL]
    enough = measure_removal(compare_texts([TextPair(REPORT, TAGGED, GOLD)] * 15), seed=0)
    assert [verdict.outcome for verdict in judge_zeros(enough)] == [Outcome.PASS]


def test_folders_pair_by_name_and_say_what_was_left_out(tmp_path: Path) -> None:
    ours = write(tmp_path / "o", {"a.txt": REPORT, "b/c.txt": REPORT, "d.txt": REPORT})
    theirs = write(tmp_path / "s", {"a.txt": TAGGED, "b/c.txt": TAGGED, "e.txt": TAGGED})
    line = json.dumps({"text": "a.txt", "spans": [[9, 18, "NAME"], [25, 35, "DATE"]]})
    gold = write(tmp_path, {"gold.jsonl": line + "\n"}) / "gold.jsonl"
    pairs, notes = load_texts(ours, theirs, gold)
    assert [pair.gold for pair in pairs] == [GOLD, None]
    assert [note.split()[0] for note in notes] == ["1", "1", "1"]


def test_structured_reports_are_read_as_their_narrative(tmp_path: Path) -> None:
    for side in ("o", "s"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "sr.dcm").write_bytes(encode(text_sr()))
        (tmp_path / side / "notes.csv").write_text("no report", encoding="utf-8")
    pairs, _ = load_texts(tmp_path / "o", tmp_path / "s")
    assert len(pairs) == 1
    assert "effusion" in pairs[0].original.lower()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "a.txt", "spans": [[0, 9999, "NAME"]]}', "does not lie within"),
        ('{"text": "a.txt", "spans": [[3, 3, "NAME"]]}', "does not lie within"),
        ('{"text": "a.txt", "spans": [[0, 3, "name"]]}', "capitals"),
        ('{"text": "zz.txt", "spans": []}', "no original"),
        ('{"text": "a.txt"}', "not of the form"),
        ("Ada Quill", "not of the form"),
        ('{"text": "a.txt", "spans": []}\n{"text": "a", "spans": []}', "had a line before"),
    ],
)
def test_a_wrong_gold_file_names_its_line_and_no_text(line: str, said: str, tmp_path: Path) -> None:
    ours = write(tmp_path / "o", {"a.txt": REPORT})
    gold = write(tmp_path, {"gold.jsonl": line}) / "gold.jsonl"
    with pytest.raises(ConfigError, match=said) as caught:
        load_texts(ours, ours, gold)
    assert "line " in str(caught.value)
    assert "Quill" not in str(caught.value)


def test_folders_that_are_absent_empty_or_strange_to_each_other_are_refused(
    tmp_path: Path,
) -> None:
    ours = write(tmp_path / "o", {"a.txt": REPORT})
    theirs = write(tmp_path / "s", {"b.txt": REPORT})
    (tmp_path / "empty").mkdir()
    for other, said in ((tmp_path / "none", "no such folder"), (tmp_path / "empty", "holds no"),
                        (theirs, "bears the name")):  # fmt: skip
        with pytest.raises(ConfigError, match=said):
            load_texts(ours, other)


def test_limits_of_a_profile_are_asked_beside_the_zeros(tmp_path: Path) -> None:
    ours = write(tmp_path / "o", {f"{n}.txt": REPORT for n in range(40)})
    theirs = write(tmp_path / "s", {f"{n}.txt": TAGGED for n in range(40)})
    limits = Release(limits={"text.retention.findings": Limit(lower=0.9),
                             "copies.dcr": Limit(upper=0.6)})  # fmt: skip
    report = evaluate_texts(TextQuestion(ours, theirs, limits=limits), now=NOW)
    assert [(each.key, each.outcome) for each in report.verdicts] == [
        ("text.leaks", Outcome.NOT_MEASURED),
        ("text.flips.negation", Outcome.PASS),
        ("text.flips.laterality", Outcome.PASS),
        ("text.retention.findings", Outcome.PASS),
    ]


def test_the_command_writes_both_reports_without_a_word_of_the_texts(tmp_path: Path) -> None:
    ours = write(tmp_path / "o", {f"{n}.txt": REPORT for n in range(40)})
    theirs = write(tmp_path / "s", {f"{n}.txt": TAGGED for n in range(40)})
    lines = [json.dumps({"text": f"{n}.txt", "spans": [[9, 18, "NAME"], [25, 35, "DATE"]]})
             for n in range(40)]  # fmt: skip
    gold = write(tmp_path, {"gold.jsonl": "\n".join(lines)}) / "gold.jsonl"
    out = tmp_path / "out"
    told = CliRunner().invoke(
        app, ["evaluate-text", str(ours), str(theirs), "--gold", str(gold), "--out", str(out)]
    )
    assert told.exit_code == 0, told.output
    jsonschema_rs.validate(read_schema(), json.loads((out / "report.json").read_text("utf-8")))
    for name in ("report.json", "report.html"):
        content = (out / name).read_text("utf-8")
        assert "Quill" not in content
        assert "2021" not in content
        assert not any(folder in content for folder in (str(ours), str(theirs)))


def test_the_command_fails_where_an_identifier_stands(tmp_path: Path) -> None:
    ours = write(tmp_path / "o", {"a.txt": REPORT})
    gold = write(tmp_path, {"g.jsonl": '{"text": "a", "spans": [[9, 18, "NAME"]]}'}) / "g.jsonl"
    out = ["--gold", str(gold), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, ["evaluate-text", str(ours), str(ours), *out])
    assert told.exit_code == 1
    assert "fail: text.leaks" in told.output
