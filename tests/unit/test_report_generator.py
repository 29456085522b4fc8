"""The generated reports: gold spans are right, the splits share nothing, seeds are kept."""

import datetime
import random
import re
from collections import Counter

import pytest

from tests.integration.text_templates import TEMPLATES, TEST_NAMES, TUNING_NAMES
from tools.reports.dates import write_date
from tools.reports.fill import CATEGORIES, SPLITS, TUNED, Gold, Report, generate, load_split
from tools.reports.indiana import _template
from tools.reports.measure import bounds, identifying_tokens, measure
from tools.reports.people import Person
from updp_node.text.identity import Identity

SHARED_WORDS = 5
WRITTEN_OUT = re.compile(
    r"(?i)\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|midday"
    r"|ninet(?:y|ies)|hundred|nonagenarian|centenarian)\b"
)


def normalized(template):
    """A template without its slots and parts, in lower case."""
    return re.sub(r"\s+", " ", re.sub(r"[<{].*?[>}]", " ", template)).strip().lower()


def lines(templates):
    """Lines long enough to be of somebody's making: not mere labels."""
    every = {normalized(line) for template in templates for line in template.split("\n")}
    return {line for line in every if len(re.findall(r"\w+", line)) >= SHARED_WORDS}


def templates(name):
    split = load_split(name)
    return [*split.skeletons, *(part for pool in split.pools.values() for part in pool)]


def test_the_figure_split_shares_no_template_with_what_was_tuned_on():
    tuned = lines([*(part for name in TUNED for part in templates(name)), *TEMPLATES])
    assert len(load_split("figure").skeletons) >= 40
    assert len(load_split("development").skeletons) >= 40
    assert lines(templates("figure")) & tuned == set()


@pytest.mark.parametrize("tuned", TUNED)
def test_the_figure_split_shares_no_name_with_what_was_tuned_on(tuned):
    given, surnames = load_split("figure").names.everything()
    tuned_given, tuned_surnames = load_split(tuned).names.everything()
    people = TUNING_NAMES + TEST_NAMES
    assert given & (tuned_given | {name.lower() for name, _ in people}) == set()
    assert surnames & (tuned_surnames | {name.lower() for _, name in people}) == set()


@pytest.mark.parametrize("tuned", TUNED)
def test_the_splits_share_no_place_or_street(tuned):
    def words(name):
        lists = load_split(name).values["lists"]
        kinds = ("street", "city", "saint", "place", "house", "lady")
        groups = [lists[key] for key in kinds if key in lists]
        by_place = [group.values() if isinstance(group, dict) else [group] for group in groups]
        return {str(word).lower() for places in by_place for words in places for word in words}

    assert words("figure") & words(tuned) == set()


@pytest.mark.parametrize("name", SPLITS)
def test_gold_spans_point_at_what_they_say(name):
    split = load_split(name)
    seen = Counter()
    for report in generate(split, 2 * len(split.skeletons), seed=5):
        assert not re.search(r"\{|<[a-z_]+( \d)?( nl)?( \?)?>", report.text.replace("<name>", ""))
        end = 0
        for span in report.spans:
            assert end <= span.start < span.end <= len(report.text)
            end = span.end
            seen[span.category] += 1
            text = report.text[span.start : span.end]
            assert text == text.strip()
            assert re.search(r"\w", text)
            if span.category in {"TIME", "AGE", "PHONE"}:
                assert any(character.isdigit() for character in text) or WRITTEN_OUT.search(text)
            if span.category == "NAME":
                assert not any(character.isdigit() for character in text)
    assert set(seen) == set(CATEGORIES)


def test_the_same_seed_gives_the_same_reports_and_another_does_not():
    split = load_split("development")
    first, again, other = (list(generate(split, 50, seed)) for seed in (1, 1, 2))
    assert first == again
    assert all(a.text != b.text for a, b in zip(first, other, strict=True))


def test_spans_of_the_header_stand_in_the_header():
    for report in generate(load_split("development"), 80, seed=3):
        identity = report.identity
        words = {word for name in identity.names for word in re.findall(r"\w+", name.lower())}
        for span in report.spans:
            text = report.text[span.start : span.end]
            if span.in_header and span.category == "NAME":
                assert set(re.findall(r"\w\w+", text.lower())) <= words
            if span.in_header and span.category == "ID":
                assert text.upper() in {value.upper() for value in identity.ids}


@pytest.mark.parametrize(
    ("form", "written"),
    [("f m l", "Ada B. Poe"), ("l, f n", "Poe, Ada B"), ("L, F", "POE, ADA"), ("_f l", "ada poe"),
     ("jnk", "ABP"), ("_jk", "ap"), ("f/l", "Ada\nPoe"), ("i l", "A. Poe"), ("L^F^N", "POE^ADA^B")],
)  # fmt: skip
def test_a_name_is_written_in_every_order(form, written):
    assert Person("Ada", "B", "Poe", "F").write(form) == written


def test_a_missing_middle_initial_leaves_no_gap():
    assert Person("Ada", "", "Poe", "F").write("f m l") == "Ada Poe"
    assert Person("Ada", "", "Poe", "F").write("L^F^N") == "POE^ADA"


def test_an_unknown_form_of_a_date_is_refused():
    with pytest.raises(KeyError):
        write_date(datetime.date(2020, 1, 2), "nonsense", "us", random.Random(1))


def test_slots_of_indiana_reports_are_filled_by_their_context():
    text = (
        "COMPARISON: XXXX, XXXX.\n\nINDICATION: XXXX-year-old with XXXX years of cough\n\n"
        "FINDINGS: Lymph nodes and lymph XXXX. Chest x-XXXX.\n\nIMPRESSION: Dr. XXXX was told."
    )
    filled = _template(text, random.Random(1))
    assert re.search(r"COMPARISON: \{prior\d?:Mdy\}|COMPARISON: \{prior\d?:mdy\}", filled)
    assert "{age" in filled
    assert "lymph nodes. Chest x-ray." in filled
    assert "Dr. {doc:l} was told." in filled
    assert filled.count("{age") == 1


def report_of(text, *golds):
    spans = tuple(
        Gold(text.index(part), text.index(part) + len(part), category, "", header)
        for part, category, header in golds
    )
    return Report(text, Identity(), spans, "made")


def test_a_span_is_found_only_if_all_its_identifying_tokens_are_covered():
    report = report_of(
        "Seen by Dr. Ada Poe at Mercy Hospital.", ("Ada Poe", "NAME", True),
        ("Mercy Hospital", "INSTITUTION", False),
    )  # fmt: skip
    ada, mercy = report.text.index("Ada"), report.text.index("Mercy")

    def found(*pairs):
        return measure([report], lambda text, identity: [Gold(a, b, "", "") for a, b in pairs])

    half = found((ada, ada + 3), (mercy, mercy + 5))
    assert (half.found["NAME"], half.found["INSTITUTION"]) == (0, 1)
    assert half.recall_in_header() == 0
    assert half.precision() == 1
    whole = found((ada, ada + 7), (0, 7))
    assert whole.recall_in_header() == 1
    assert whole.precision() == pytest.approx(2 / 4)
    assert [each.text for each in whole.false_removals] == ["Seen", "by"]


def test_an_institution_of_general_words_only_counts_them_all():
    text = "General Hospital"
    assert len(identifying_tokens(text, Gold(0, len(text), "INSTITUTION", ""))) == 2


def test_bounds_are_those_of_clopper_and_pearson():
    assert bounds(0, 10) == pytest.approx((0, 0.3085), abs=1e-4)
    assert bounds(9, 10) == pytest.approx((0.5550, 0.9975), abs=1e-4)
    assert bounds(995, 1000) == pytest.approx((0.98837, 0.99838), abs=1e-5)
