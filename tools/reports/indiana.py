"""Indiana University chest reports with surrogates in their XXXX slots, in memory only.

The reports (openi.nlm.nih.gov, CC BY-NC-ND 4.0) had words replaced by ``XXXX``, identifiers and
ordinary words alike. What a slot was is guessed from the words beside it, by ``_RULES`` in their
order: an age, a date, a time, a name; a plain word for where one was plainly taken away
(``lymph XXXX``). Slots without a rule: by the seed, in half of the reports they stay as they are,
gold spans of category MARK, and in the other half they go without a gap. Reports are shared out
to the splits by a digest of their number, so that no report is in both. Filled reports are never
written to disk.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from tools.reports.fill import Report, Split, fill
from tools.reports.values import Case

_ARCHIVE = Path("data", "reports", "openi", "NLMCXR_reports.tgz")
_SECTIONS = ("COMPARISON", "INDICATION", "FINDINGS", "IMPRESSION")
_DATES = (
    "{prior:us}",
    "{prior2:us0}",
    "{prior:iso}",
    "{prior2:dMony}",
    "{prior3:us2}",
    "{prior:m/y}",
)
_LONG_DATES = ("{prior:mdy}", "{prior2:mdy}", "{prior:Mdy}", "{prior3:mdy}")
_RULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # what stands before, what stands after, and what may fill the slot
    (r"", r"[- ]*(?:(?:years?|yrs?)[- .]*(?:old|of age)|y/?o)\b", ("{age90}", "{age}")),
    (r"\bx-$", r"", ("ray",)),
    (r"", r" *(?:[ap]\.?m\.?\b|hours\b)", ("{time:bare}",)),
    (r"\b(?:Drs?|Mrs?|Ms)\.? $", r"", ("{doc:l}",)),
    (r"\b(?:nurse|physician|by) $", r"(?=[ ,.]|$)(?! (?:scan|and lateral))", ("{doc:f l}",)),
    (r"\b(?:dated|from|since|on|to|of) $", r" */ *XXXX", ("{prior:m/y}",)),
    (r"\b(?:dated|from|since) $", r"", _DATES),
    (r"COMPARISON: (?:[^.]*[ ,(])?$", r"(?=[,.;)]|$| and\b)", _DATES),
    (r"\bpulmonary $", r"", ("vasculature",)),
    (r"\blymph $", r"", ("nodes",)),
    (r"\bcostophrenic $", r"", ("angles", "sulci")),
    (r"\baortic $", r"", ("knob", "arch")),
    (r"\bsternotomy $", r"", ("wires",)),
    (r"\bgreat $", r"", ("vessels",)),
    (r"\bvena $", r"", ("cava",)),
    (r"(?:\.|^) ?$", r" (?:are|is) (?:no|a|mild|stable)\b", ("There",)),
    (r"(?:\bThe|\bthe|\.) $", r" are (?:clear|well)\b", ("lungs",)),
    (r"\b[Nn]o $", r" of\b", ("evidence",)),
    (r"-year-old $", r"", ("man", "woman", "patient")),
    (r"\bproductive $", r"", ("cough",)),
    (r"INDICATION: (?:[^.]*(?:with|and) )?$", r"(?=[,.]|$| and\b)", ("Cough", "dyspnea", "fever")),
)  # fmt: skip


def find_indiana() -> Path | None:
    """The archive of the reports; None where it is not on this machine."""
    beside = Path(__file__).parents[3] / "shared"
    archive = Path(os.environ.get("UPDP_SHARED", beside)) / _ARCHIVE
    return archive if archive.is_file() else None


def generate_indiana(split: Split, archive: Path, count: int, seed: int) -> Iterator[Report]:
    """Reports of one split with their slots filled; the same seed gives the same reports."""
    texts = [
        (name, text)
        for name, text in _read(archive)
        if _is_figure(name) == (split.name == "figure")
    ]
    rng = random.Random(f"indiana {split.name} {seed}")
    for name, text in rng.sample(texts, min(count, len(texts))):
        own = random.Random(f"{name} {seed}")
        template = _template(text, own)
        case = Case(split.values, split.names, "us", own)
        filled, spans = fill(template, case)
        yield Report(filled, case.identity(), spans, name)


def _is_figure(name: str) -> bool:
    """Whether a report is kept for the figure, in which case nothing is tuned on it."""
    return hashlib.sha256(name.encode()).digest()[0] % 2 == 1


@lru_cache(maxsize=1)
def _read(archive: Path) -> tuple[tuple[str, str], ...]:
    """Numbers and texts of all reports, in the order of their numbers."""
    found = []
    with tarfile.open(archive) as reports:
        for member in reports.getmembers():
            file = reports.extractfile(member) if member.name.endswith(".xml") else None
            if file is None:
                continue
            root = ET.fromstring(file.read())  # noqa: S314 - the archive is the project's own
            sections = {part.get("Label"): (part.text or "").strip()
                        for part in root.iter("AbstractText")}  # fmt: skip
            text = "\n\n".join(f"{name}: {sections.get(name, '')}" for name in _SECTIONS)
            found.append((Path(member.name).stem, text.replace("{", "(").replace("}", ")") + "\n"))
    return tuple(sorted(found))


def _template(text: str, rng: random.Random) -> str:
    """The report with a slot, a plain word, a mark or nothing for every XXXX."""
    marked = rng.random() < 0.5
    while (match := re.search(r"(?<![\w{])XXXX, XXXX(?!\w)|XXXX", text)) is not None:
        before, after = text[: match.start()], text[match.end() :]
        line = before.rpartition("\n")[2]
        if len(match[0]) > 4 and re.search(r"COMPARISON|(?:dated|from|on) $", line):
            filler = rng.choice(_LONG_DATES)
        else:
            after = text[match.start() + 4 :]
            filler = _filler(line, after, rng) or ("{xxxx}" if marked else "")
        if not filler:
            before = before.rstrip(" ")
        text = before + filler + after
    return text


def _filler(line: str, after: str, rng: random.Random) -> str:
    for left, right, fillers in _RULES:
        if re.search(left, line) and re.match(right, after):
            return rng.choice(fillers)
    return ""
