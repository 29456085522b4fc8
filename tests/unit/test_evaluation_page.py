"""report.json and report.html say the same, and the page stands alone."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import jsonschema_rs
import numpy as np
import pytest

from tests.factories.measurements import make_report, read_schema
from updp_node.evaluation.figure import Curve, Figure, Measurements, Section
from updp_node.evaluation.numerals import say
from updp_node.evaluation.page import MOST_PAIRS
from updp_node.evaluation.report import Pair, Report, write_report
from updp_node.evaluation.verdict import Outcome, Verdict, decide

_MIB = 1 << 20
_NUMBERS = {"value": "value", "low": "low", "high": "high", "chance": "chance", "rests": "n"}


def write(report: Report, folder: Path) -> tuple[dict[str, Any], str]:
    json_path, html_path = write_report(report, folder)
    return json.loads(json_path.read_text("utf-8")), html_path.read_text("utf-8")


def parse(page: str) -> Element:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def numbers_in(row: Element) -> dict[str, tuple[float, str]]:
    return {
        mark.get("class", ""): (json.loads(mark.get("data-value", "")), mark.text or "")
        for mark in row.iter("span")
        if mark.get("data-value")
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    return write(make_report(), tmp_path_factory.mktemp("report"))


def test_every_number_of_the_page_is_the_number_of_the_json(
    written: tuple[dict[str, Any], str],
) -> None:
    record, page = written
    rows = {row.get("data-key"): row for row in parse(page).iter("tr") if row.get("data-key")}
    measured = {each["key"]: each for each in record["figures"] if each["measured"]}
    assert set(rows) == set(measured)
    for key, figure in measured.items():
        shown = numbers_in(rows[key])
        stated = {
            mark: figure[name]
            for mark, name in _NUMBERS.items()
            if figure[name] is not None and not (mark == "rests" and not figure["n"])
        }
        assert {mark: exact for mark, (exact, _) in shown.items()} == stated, key
        assert all(text == say(exact) for exact, text in shown.values()), key


def test_every_limit_of_the_json_stands_in_the_verdict_with_its_numbers(
    written: tuple[dict[str, Any], str],
) -> None:
    record, page = written
    rows = {row.get("data-limit"): row for row in parse(page).iter("tr") if row.get("data-limit")}
    assert set(rows) == {each["key"] for each in record["gate"]["limits"]}
    for limit in record["gate"]["limits"]:
        shown = {mark: exact for mark, (exact, _) in numbers_in(rows[limit["key"]]).items()}
        stated = {
            name: limit[name] for name in ("value", "bound", "limit") if limit[name] is not None
        }
        assert shown == stated
        assert limit["why"] in "".join(rows[limit["key"]].itertext())


def test_the_json_is_what_the_documentation_says(written: tuple[dict[str, Any], str]) -> None:
    jsonschema_rs.validate(read_schema(), written[0])


def test_what_was_not_measured_is_named_with_its_reason(
    written: tuple[dict[str, Any], str],
) -> None:
    record, page = written
    items = {row.get("data-key"): "".join(row.itertext()) for row in parse(page).iter("li")}
    missing = [each for each in record["figures"] if not each["measured"]]
    assert missing
    assert all(each["why"] in items[each["key"]] for each in missing)


def test_the_page_is_valid_html(written: tuple[dict[str, Any], str], tmp_path: Path) -> None:
    _, page = written
    parse(page)
    if shutil.which("tidy") is None:
        pytest.skip("tidy is not installed: only html5lib looked at the page")
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    told = subprocess.run(["tidy", "-q", "-e", str(path)], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert told.stderr == ""


def test_the_page_needs_no_script_and_nothing_from_elsewhere(
    written: tuple[dict[str, Any], str],
) -> None:
    _, page = written
    tree = parse(page)
    assert not list(tree.iter("script"))
    assert not list(tree.iter("link"))
    for each in tree.iter():
        assert not [name for name in each.attrib if str(name).startswith("on")]
        assert each.get("src", "data:image/").startswith("data:image/")
        assert each.get("href", "#").startswith("#")
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_ids_are_unique_and_every_link_leads_somewhere(
    written: tuple[dict[str, Any], str],
) -> None:
    tree = parse(written[1])
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    assert {each.get("href", "")[1:] for each in tree.iter("a")} <= set(ids)


def test_every_plot_is_there_and_says_in_words_what_it_shows(
    written: tuple[dict[str, Any], str],
) -> None:
    namespace = "{http://www.w3.org/2000/svg}"
    tree = html5lib.HTMLParser(strict=True).parse(written[1])
    pictures = [each for each in tree.iter(f"{namespace}svg") if each.get("role") == "img"]
    titles = [each.findtext(f"{namespace}title") for each in pictures]
    assert titles == [
        "How well attackers tell whose image it is: frozen attacker",
        "How well attackers tell whose image it is: adaptive attacker",
        "Verification", "Normalized leakage", "Source linkage",
        "Identity classifier and retrieval", "How well attackers tell what was trained on",
        "Distance to the nearest", "Membership inference", "Cross-hospital, adults to children",
        "Findings of images and of their labels, counterparts",
        "Trained on each, tested on real images", "Difference to training on real images",
        "AUROC of each finding",
    ]  # fmt: skip
    assert all(len(each.findtext(f"{namespace}desc") or "") > 40 for each in pictures)


def test_the_ceiling_is_drawn_black_in_every_roc(written: tuple[dict[str, Any], str]) -> None:
    assert written[1].count('class="curve ceiling s0"') == 6  # two attackers: two panels, a legend


def test_a_report_with_many_pairs_stays_small_and_shows_no_more_than_its_most(
    tmp_path: Path,
) -> None:
    large = np.random.default_rng(1).integers(0, 255, (1024, 800), dtype=np.uint8)
    pairs = tuple(Pair(large, large, f"distance {number}") for number in range(MOST_PAIRS + 20))
    _, page = write(dataclasses.replace(make_report(), pairs=pairs), tmp_path)
    assert len(page.encode()) < 5 * _MIB
    assert len(list(parse(page).iter("img"))) == 2 * MOST_PAIRS


def test_a_page_with_pairs_says_that_it_shows_patients_and_one_without_does_not(
    tmp_path: Path,
) -> None:
    assert "This file shows patients" in write(make_report(), tmp_path)[1]
    assert "This file shows patients" not in write(make_report(0), tmp_path)[1]


def test_the_forbidden_words_stand_nowhere(written: tuple[dict[str, Any], str]) -> None:
    record, page = written
    for said in (page, json.dumps(record)):
        assert not re.search(r"\banonymous|HIPAA.safe", said, re.IGNORECASE)


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    name = '<script>alert(1)</script> & "more"'
    figure = Figure("x.y", Section.IDENTITY, name, 0.5, 0.4, 0.6, 10, "pairs", arm=name, why=name)
    curve = Curve("roc", name, (0.0, 1.0), (0.0, 1.0), "false-positive rate", name)
    report = dataclasses.replace(make_report(), title=name, notes=(name,), verdicts=(),
                                 measurements=Measurements((figure,), (curve,)),
                                 facts=((name, name),))  # fmt: skip
    _, page = write(report, tmp_path)
    assert not list(parse(page).iter("script"))
    assert "<script" not in page


def test_a_value_that_is_no_number_is_not_measured(tmp_path: Path) -> None:
    figure = Figure("x.y", Section.QUALITY, "FID", float("nan"), n=3)
    report = dataclasses.replace(make_report(), measurements=Measurements((figure,)), verdicts=())
    record, page = write(report, tmp_path)
    assert record["figures"][0]["value"] is None
    assert not record["figures"][0]["measured"]
    assert "no number came out" in page


def test_two_figures_of_one_key_are_refused(tmp_path: Path) -> None:
    figure = Figure("x.y", Section.QUALITY, "FID", 1.0)
    report = dataclasses.replace(make_report(), measurements=Measurements((figure, figure)))
    with pytest.raises(ValueError, match=r"x\.y"):
        write_report(report, tmp_path)


@pytest.mark.parametrize(
    ("outcomes", "headline"),
    [
        ((Outcome.PASS, Outcome.PASS), "The release gate holds: all 2 limits are kept."),
        ((Outcome.PASS, Outcome.INCONCLUSIVE),
         "The release gate is inconclusive, and so it fails: 1 of 2 limits is undecided."),
        ((Outcome.PASS, Outcome.NOT_MEASURED),
         "The release gate fails: 1 of 2 limits is not measured."),
        ((Outcome.FAIL, Outcome.INCONCLUSIVE),
         "The release gate fails: 1 of 2 limits is crossed."),
        ((), "No limits were asked, so nothing is decided."),
    ],
)  # fmt: skip
def test_the_headline_says_the_worst_of_all_limits(
    outcomes: tuple[Outcome, ...], headline: str, tmp_path: Path
) -> None:
    verdicts = tuple(
        Verdict(f"k{number}", outcome, "asked", 1.0, None, None, "why")
        for number, outcome in enumerate(outcomes)
    )
    _, page = write(dataclasses.replace(make_report(), verdicts=verdicts), tmp_path)
    assert "".join(next(parse(page).iter("h2")).itertext()) == headline


def test_rows_of_one_name_and_arm_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    figures = tuple(Figure(f"linkage.{attacker}.rank1.real", Section.IDENTITY, "Rank-1", 0.5,
                           arm="real") for attacker in ("frozen", "adaptive"))  # fmt: skip
    report = dataclasses.replace(make_report(), measurements=Measurements(figures), verdicts=())
    record, page = write(report, tmp_path)
    arms = [
        "".join(cell.itertext()) for cell in parse(page).iter("td") if cell.get("class") == "arm"
    ]
    assert arms == ["real, frozen", "real, adaptive"]
    assert [each["arm"] for each in record["figures"]] == ["real", "real"]


def test_no_limit_at_all_is_no_pass() -> None:
    assert decide(()) is Outcome.NOT_MEASURED


def test_the_same_report_is_written_the_same_twice(tmp_path: Path) -> None:
    one, other = (write_report(make_report(), tmp_path / name) for name in ("one", "other"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
