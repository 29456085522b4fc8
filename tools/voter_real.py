"""Real transcriptions to train the voter on, so that it leaves the words of medicine alone.

MTSamples (273 radiology transcriptions, CC0 as asserted by those who share them) had most
identifiers taken out before they were published. What rules that need no context find in them,
dates above all, is taken for identifying, and all else for harmless. Half of the texts, by their
digest, is left for measuring.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from tools.reports.fill import Gold, Report
from updp_node.text.identity import Identity
from updp_node.text.lexicon import Lexicons
from updp_node.text.scrub import Scrubber

_FILE = Path("data", "reports", "mtsamples", "mtsamples_radiology.csv")
_SURE = re.compile(r"date-(?:numeric|month|weekday)|time-(?:am-pm|clock)|title|mark|phone|address")
_LONGEST = 20_000


def find_transcriptions() -> Path | None:
    """The file of MTSamples; None where it is not on this machine."""
    beside = Path(__file__).parents[2] / "shared"
    path = Path(os.environ.get("UPDP_SHARED", beside)) / _FILE
    return path if path.is_file() else None


def read_transcriptions(*, held_out: bool) -> Iterator[str]:
    """The texts of one half; paragraphs, which the file joins by commas, on lines of their own."""
    path = find_transcriptions()
    if path is None:
        return
    with path.open(encoding="utf-8") as file:
        texts = sorted({row["transcription"] or "" for row in csv.DictReader(file)})
    for text in texts:
        if text and (hashlib.sha256(text.encode()).digest()[0] % 2 == 1) == held_out:
            apart = re.sub(r"([.:?)]) ?, ?(?=[A-Z0-9])", r"\1\n", text)
            yield apart[:_LONGEST]


def make_examples(lexicons: Lexicons, most: int) -> list[Report]:
    """Texts of the half for training, each as it is, in small letters and in capitals.

    Parameters
    ----------
    lexicons : Lexicons
        Without a voter: its rules alone say what identifies.
    most : int
        So many texts at most.
    """
    scrubber = Scrubber(lexicons)
    reports = []
    for text in islice(read_transcriptions(held_out=False), most):
        spans = [
            Gold(span.start, span.end, span.category, span.recognizer)
            for span in scrubber.find(text, closed=False)
            if _SURE.match(span.recognizer)
        ]
        reports += [_report(each, spans) for each in (text, text.lower(), text.upper())
                    if len(each) == len(text)]  # fmt: skip
    return reports


def _report(text: str, spans: Sequence[Gold]) -> Report:
    return Report(text, Identity(), tuple(spans), "mtsamples")
