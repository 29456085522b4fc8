"""Identifiers found, and words kept, on reports of our own making."""

import random
import re

import pytest

from tests.integration.text_templates import (
    TEMPLATES,
    TEST_NAMES,
    TUNING_NAMES,
    fill,
    shared_scrubber,
)

_NOT_THE_NAME = {"dr", "doctor", "md", "m", "d"}


def identifying_tokens(filled, start, end, category):
    """Offsets of the tokens of a gold span that identify somebody."""
    for match in re.finditer(r"\w+", filled.text[start:end]):
        token = match[0]
        if category == "NAME" and token.lower() in _NOT_THE_NAME:
            continue
        if (category == "TIME" and token.isalpha()) or (
            category == "DATE" and token in {"the", "of"}
        ):
            continue
        if category == "LOCATION" and token.isupper():
            continue  # a state alone identifies nobody
        yield start + match.start()


def measure(names, seed, count):
    rng = random.Random(seed)
    missed, total, right, removed = [], {}, 0, 0
    for number in range(count):
        filled = fill(TEMPLATES[number % len(TEMPLATES)], rng, names)
        covered = {i for s in shared_scrubber().find(filled.text) for i in range(s.start, s.end)}
        gold = {i for start, end, *_ in filled.spans for i in range(start, end)}
        for start, end, category, form in filled.spans:
            total[category] = total.get(category, 0) + 1
            if not all(at in covered for at in identifying_tokens(filled, start, end, category)):
                missed.append((category, form))
        for match in re.finditer(r"\w+", filled.text):
            if match.start() in covered:
                removed += 1
                right += match.start() in gold or "_" in match[0] or match[0] in {"Hospital", "42"}
    return missed, total, right / removed


@pytest.mark.parametrize(("names", "seed"), [(TUNING_NAMES, 1), (TEST_NAMES, 7)])
def test_planted_identifiers_of_every_category_are_found(names, seed):
    missed, total, precision = measure(names, seed, 120)
    assert set(total) >= {
        "NAME", "ID", "DATE", "TIME", "AGE", "PHONE", "EMAIL", "URL", "ADDRESS", "LOCATION",
        "INSTITUTION", "DEVICE",
    }  # fmt: skip
    assert 1 - len(missed) / sum(total.values()) >= 0.99
    for category, count in total.items():
        assert 1 - sum(m[0] == category for m in missed) / count >= 0.98, category
    assert precision >= 0.97


def test_reports_without_identifiers_lose_nothing():
    for template in TEMPLATES:
        plain = re.sub(r"\{[^}]*\}|\[\*\*.*?\*\*\]|_{3,}", "", template)
        text = plain.replace("[**  **]", "")
        kept = shared_scrubber().find(text)
        assert [text[s.start : s.end] for s in kept] == []
