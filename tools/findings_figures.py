"""Figures of finding extraction and of what scrubbing does to findings, on real reports.

``python tools/findings_figures.py FOLDER`` with the folder of the Indiana reports
(`NLMCXR_reports.tgz`, `openi_gld_std14.csv`). The rules may be tuned on one half of the
reports; the figure is the other half. The halves come from a seed.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import typer
from rich.console import Console
from rich.table import Table

from updp_node.model import Certainty, Finding
from updp_node.subject import ProjectKey, identify_subject
from updp_node.text.findings import extract_findings
from updp_node.text.scrub import Replacement, ScrubbedText, Scrubber, load_scrubber

LABELS: Mapping[str, str] = {
    "Atelectasis": "atelectasis", "Cardiomegaly": "cardiomegaly", "Effusion": "pleural effusion",
    "Infiltration": "infiltrate", "Mass": "mass", "Nodule": "nodule", "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax", "Consolidation": "consolidation", "Edema": "edema",
    "Emphysema": "emphysema", "Fibrosis": "fibrosis", "Pleural_Thickening": "pleural thickening",
    "Hernia": "hernia",
}  # fmt: skip
SEED = 5
COMMONEST = 10
Reports = Mapping[str, Mapping[str, str]]
Gold = Mapping[str, Mapping[str, bool]]


@dataclass
class Counts:
    """Right, invented and missed statements of one finding."""

    true: int = 0
    false: int = 0
    missed: int = 0

    @property
    def gold(self) -> int:
        """How often the public labels state the finding."""
        return self.true + self.missed

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where nothing is right."""
        return 2 * self.true / (2 * self.true + self.false + self.missed) if self.true else 0.0


@dataclass
class Survival:
    """What scrubbing did to the findings of reports.

    Attributes
    ----------
    findings, labelled : int
        Statements before, of all terms and of the fourteen.
    lost, labelled_lost : int
        Terms with a certainty that are gone afterwards.
    certainty_flips, laterality_flips : int
        The same term afterwards with another certainty, or with other sides.
    other : int
        Changes of place or severity alone, and findings that were not there before.
    removed : list
        Report, offsets and rule of each removed span outside the XXXX slots.
    changed : list of str
        Reports in which anything changed.
    """

    reports: int = 0
    findings: int = 0
    labelled: int = 0
    lost: int = 0
    labelled_lost: int = 0
    certainty_flips: int = 0
    laterality_flips: int = 0
    other: int = 0
    removed: list[tuple[str, int, int, str]] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def false_removal(self) -> float:
        """Share of reports with a removed span outside their slots."""
        return len({uid for uid, *_ in self.removed}) / max(1, self.reports)


def read_reports(folder: Path) -> Reports:
    """Sections of each report by its identifier."""
    reports = {}
    with tarfile.open(folder / "NLMCXR_reports.tgz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".xml") else None
            if file is None:
                continue
            root = ElementTree.parse(file).getroot()  # noqa: S314 - published data, offline tool
            uid = root.find("uId")
            texts = {str(t.get("Label")): t.text or "" for t in root.iter("AbstractText")}
            reports[str(uid.get("id") if uid is not None else member.name)] = texts
    return reports


def read_gold(folder: Path) -> Gold:
    """The public labels of each report."""
    with (folder / "openi_gld_std14.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["filename"]: {label: row[label] == "1" for label in LABELS}
            for row in csv.DictReader(file)
        }


def whole(report: Mapping[str, str]) -> str:
    """A report as one text with its section titles."""
    return "\n".join(f"{title}: {text}" for title, text in report.items())


def split(uids: Iterable[str], seed: int = SEED) -> tuple[list[str], list[str]]:
    """Half of the reports for tuning and half for the figure."""
    ordered = sorted(uids)
    random.Random(seed).shuffle(ordered)
    return ordered[: len(ordered) // 2], ordered[len(ordered) // 2 :]


def score(reports: Reports, gold: Gold, uids: Iterable[str]) -> dict[str, Counts]:
    """Counts of each labelled finding; what is doubted counts as not stated, as in the labels."""
    counts = {label: Counts() for label in LABELS}
    for uid in uids:
        stated = state(reports[uid])
        for label, term in LABELS.items():
            found, wanted = term in stated, gold[uid][label]
            counts[label].true += found and wanted
            counts[label].false += found and not wanted
            counts[label].missed += wanted and not found
    return counts


def state(report: Mapping[str, str]) -> set[str]:
    """Terms that findings and impression state; a doubt is no statement."""
    titles = ("FINDINGS", "IMPRESSION")
    text = "".join(f"{title}: {report.get(title, '')}\n" for title in titles)
    return {f.term for f in extract_findings(text) if f.certainty is Certainty.PRESENT}


def micro(counts: Mapping[str, Counts]) -> Counts:
    """All findings together."""
    rows = counts.values()
    return Counts(sum(c.true for c in rows), sum(c.false for c in rows),
                  sum(c.missed for c in rows))  # fmt: skip


def commonest(counts: Mapping[str, Counts]) -> list[str]:
    """The ten findings that the labels state most often."""
    return sorted(counts, key=lambda label: -counts[label].gold)[:COMMONEST]


def survive(reports: Reports, scrubber: Scrubber, replacement: Replacement) -> Survival:
    """Compare the findings of each report before and after scrubbing."""
    subject = identify_subject(ProjectKey(b"f" * 32), project="F", issuer="", patient_id="1")
    survival = Survival()
    for uid in sorted(reports):
        text = whole(reports[uid])
        scrubbed = scrubber.scrub(text, None, subject, replacement)
        survival.reports += 1
        survival.removed += [
            (uid, span.start, span.end, span.recognizer)
            for span in scrubbed.spans
            if "XX" not in text[span.start : span.end].upper()
        ]
        _compare(uid, text, scrubbed, survival)
    return survival


def _compare(uid: str, text: str, scrubbed: ScrubbedText, survival: Survival) -> None:
    before, after = extract_findings(text), extract_findings(scrubbed.text)
    survival.findings += len(before)
    survival.labelled += sum(finding.term in LABELS.values() for finding in before)
    if before == after:
        return
    survival.changed.append(uid)
    kept, old, new = {(f.term, f.certainty) for f in after}, _by_term(before), _by_term(after)
    for finding in before:
        if (finding.term, finding.certainty) not in kept:
            survival.lost += 1
            survival.labelled_lost += finding.term in LABELS.values()
    for term in old.keys() & new.keys():
        certainties = {f.certainty for f in old[term]}, {f.certainty for f in new[term]}
        sides = {f.laterality for f in old[term]}, {f.laterality for f in new[term]}
        survival.certainty_flips += certainties[0] != certainties[1]
        survival.laterality_flips += sides[0] != sides[1]
    survival.other += len(set(before) ^ set(after))


def _by_term(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.term, []).append(finding)
    return found


def _table(title: str, counts: Mapping[str, Counts]) -> Table:
    table = Table("finding", "gold", "right", "invented", "missed", "F1", title=title)
    rows = sorted(counts.items(), key=lambda row: -row[1].gold)
    for name, count in [*rows, ("all (micro)", micro(counts))]:
        cells = (count.gold, count.true, count.false, count.missed)
        table.add_row(name, *map(str, cells), f"{count.f1:.3f}")
    return table


def _show_sample(reports: Reports, survival: Survival, count: int, seed: int) -> None:
    """Removed spans in their context, for reading by a person."""
    drawn = random.Random(seed).sample(survival.removed, min(count, len(survival.removed)))
    for uid, start, end, rule in drawn:
        text = whole(reports[uid]).replace("\n", " ")
        around = f"{text[max(0, start - 40) : start]}<<{text[start:end]}>>{text[end : end + 40]}"
        typer.echo(f"{uid}\t{rule}\t{around}")


def main(
    folder: Path,
    seed: int = SEED,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    sample: Annotated[int, typer.Option(help="Removed spans to print.")] = 0,
    scrubbing: Annotated[bool, typer.Option(help="Scrub too; takes minutes.")] = True,
) -> None:
    """Print the figures."""
    sys.modules["torch"] = None  # type: ignore[assignment]  # thinc would import it
    reports, gold = read_reports(folder), read_gold(folder)
    known = sorted(gold.keys() & reports.keys())
    tuned, unseen = split(known, seed)
    parts = {"whole": known, "tuning half": tuned, "figure half": unseen}
    scores = {name: score(reports, gold, uids) for name, uids in parts.items()}
    scrubber = load_scrubber() if scrubbing or sample else None
    survivals = {r.value: survive(reports, scrubber, r) for r in Replacement} if scrubber else {}
    if as_json:
        typer.echo(json.dumps({
            "findings": {name: {label: asdict(c) | {"gold": c.gold, "f1": c.f1}
                                for label, c in counts.items()} | {"micro": micro(counts).f1}
                         for name, counts in scores.items()},
            "scrubbing": {k: asdict(s) | {"false_removal": s.false_removal}
                          for k, s in survivals.items()},
        }, indent=2))  # fmt: skip
        return
    console = Console(width=100)
    for name, counts in scores.items():
        console.print(_table(f"{name}: {len(parts[name])} reports", counts))
    for name, survival in survivals.items():
        plain = {k: v for k, v in asdict(survival).items() if not isinstance(v, list)}
        console.print(name, plain, f"false removal {survival.false_removal:.4%}", survival.changed)
    if survivals:
        _show_sample(reports, survivals[Replacement.TAG.value], sample, seed)


if __name__ == "__main__":
    typer.run(main)
