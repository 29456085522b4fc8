"""Everything together: from sets of images to measurements, verdicts and a written report.

Figures are the same for the same images, seed and budget. Trained networks are kept by the hash
of everything that they depend on, so that a second run only measures.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from updp_node.config.limits import Release
from updp_node.evaluation.attacks import measure_attacks
from updp_node.evaluation.figure import Measurements, Section, not_measured
from updp_node.evaluation.gate import judge_release
from updp_node.evaluation.generation import measure_generation, measure_likeness
from updp_node.evaluation.laboratory import Laboratory
from updp_node.evaluation.lessons import measure_lessons
from updp_node.evaluation.report import Pair, Report, write_report
from updp_node.evaluation.report_linkage import link_reports
from updp_node.evaluation.study import Study
from updp_node.evaluation.verdict import Outcome, decide

_SECTIONS = (Section.IDENTITY, Section.COPIES, Section.UTILITY, Section.QUALITY, Section.TEXT)
_LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch")


def measure(
    study: Study, laboratory: Laboratory, *, is_shipped: bool = True
) -> tuple[Measurements, tuple[Pair, ...]]:
    """Every figure of an evaluation of images, and the closest pairs.

    Parameters
    ----------
    study : Study
    laboratory : Laboratory
    is_shipped : bool
        Whether the counterparts come from the generator that ships with the node.
    """
    measured = measure_attacks(study, laboratory)
    measured += link_reports(study.reports, study.originals, seed=laboratory.seed)
    generated, pairs = measure_generation(study, laboratory, is_shipped=is_shipped)
    measured += generated
    measured += measure_lessons(study, laboratory)
    measured += measure_likeness(study, laboratory)
    why = "texts are measured by evaluate-text"
    text = not_measured("text", Section.TEXT, "Figures of texts", why)
    return measured + Measurements((text,)), pairs


def evaluate(
    study: Study,
    laboratory: Laboratory,
    release: Release,
    folder: Path,
    *,
    is_shipped: bool = True,
    made_at: datetime | None = None,
) -> Outcome:
    """Measure, hold against the limits, write ``report.json`` and ``report.html``.

    Returns
    -------
    Outcome
        Of the gate: everything but `Outcome.PASS` fails.
    """
    measured, pairs = measure(study, laboratory, is_shipped=is_shipped)
    verdicts = judge_release(measured.figures, release.select(texts=False))
    report = Report(
        kind="evaluation",
        title="Originals and their counterparts",
        measurements=measured,
        verdicts=verdicts,
        sections=_SECTIONS,
        made_at=made_at or datetime.now(UTC),
        facts=describe_study(study, laboratory),
        notes=study.notes,
        pairs=pairs,
    )
    write_report(report, folder)
    return decide(verdicts)


def describe_study(study: Study, laboratory: Laboratory) -> tuple[tuple[str, str], ...]:
    """What was compared and how, for the report."""
    sets = [study.originals, study.counterparts, study.training, study.held_out]
    sizes = [
        (each.name, f"{len(each)} images of {len(set(each.patients.tolist()))} patients, "
                    f"SHA-256 {each.digest[:16]}")
        for each in sets if each is not None and each.name != "counterparts"
    ]  # fmt: skip
    effort, reports = laboratory.effort, study.reports
    if reports is not None:
        sizes.append(
            ("reports", f"{len(reports.originals)} originals, {len(reports.shared)} shared")
        )
    return (
        *sizes,
        ("counterparts", f"{len(study.counterparts)} images, "
                         f"SHA-256 {study.counterparts.digest[:16]}"),
        ("tested on", f"{len(study.test)} originals of "
                      f"{len(set(study.test.patients.tolist()))} patients"),
        ("encoder", f"{laboratory.encoder.name}, {laboratory.encoder.digest[:16]}"),
        ("attackers", f"{effort.frozen} steps frozen, {effort.adaptive} more adaptive, 64 pairs "
                      "of 64 x 64 pixels each"),
        ("classifiers", f"{effort.classifier} steps of 64 images of 64 x 64 pixels"),
        ("seed", str(laboratory.seed)),
        ("libraries", ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)),
    )  # fmt: skip
