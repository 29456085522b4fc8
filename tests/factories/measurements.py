"""Measurements as an evaluation of two hundred patients might yield them; all invented."""

from __future__ import annotations

import datetime
import json
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from updp_node.evaluation.figure import (
    Curve,
    Figure,
    Histogram,
    Matrix,
    Measurements,
    Section,
    not_measured,
)
from updp_node.evaluation.report import Pair, Report
from updp_node.evaluation.verdict import Outcome, Verdict

FINDINGS = ("atelectasis", "cardiomegaly", "consolidation", "edema", "pleural effusion",
            "pneumothorax")  # fmt: skip
_ARMS = {"real": 0.962, "counterparts": 0.548, "raw-report prompts": 0.631}


def make_report(pairs: int = 6) -> Report:
    """A report with everything in it: every kind of plot, every outcome, a missing figure."""
    measured = _identity() + _copies() + _utility() + _quality()
    texts = not_measured("text.clinical.bertscore", Section.TEXT, "BERTScore", "no local weights")
    rng = np.random.default_rng(3)
    images = rng.integers(0, 255, (pairs, 2, 128, 128), dtype=np.uint8)
    return Report(
        kind="evaluation",
        title="Do the counterparts of the autumn release protect, and serve?",
        measurements=measured + Measurements((texts,)),
        verdicts=_verdicts(),
        sections=(Section.IDENTITY, Section.COPIES, Section.UTILITY, Section.QUALITY, Section.TEXT),
        made_at=datetime.datetime(2026, 11, 23, 18, 0, tzinfo=datetime.UTC),
        facts=(
            ("Originals", "1,204 images of 612 patients"),
            ("Counterparts", "1,204 images, one for each original"),
            ("Training images", "3,000 images of 1,411 patients"), ("Held out", "600 images"),
            ("Attackers", "frozen and adaptive, 4,000 steps each, patient-disjoint"),
            ("Profile", "research-cxr 1"), ("Seed", "0"),
        ),
        notes=("1,204 images of 3 sizes were resized to 128 x 128",),
        pairs=tuple(
            Pair(one, other, f"pair {place + 1}: distance {0.2 + place / 50:.3f}")
            for place, (one, other) in enumerate(images)
        ),
    )  # fmt: skip


def _identity() -> Measurements:
    make = partial(Figure, section=Section.IDENTITY)
    figures, curves = [], []
    for arm, auc in _ARMS.items():
        for attacker, gain in (("frozen", 0.0), ("adaptive", 0.021)):
            reached = min(auc + gain, 0.985)
            name = f"{attacker} attacker"
            detail = {"negatives": 18244, "patients": 204}
            figures += [
                make(f"verification.auc.{attacker}.{arm}", name=f"Verification AUC, {name}",
                     value=reached, low=reached - 0.024, high=reached + 0.013, n=611, unit="pairs",
                     chance=0.5, arm=arm, detail=detail),
                make(f"verification.tpr-1.{attacker}.{arm}", value=(reached - 0.49) ** 2 * 3,
                     name=f"True-positive rate at 1 % false ones, {name}", low=0.0, high=0.93,
                     n=611, unit="pairs", chance=0.01, arm=arm, detail=detail),
            ]  # fmt: skip
            power = reached / (1 - reached)
            x = tuple(float(v) for v in np.linspace(0, 1, 200))
            y = tuple(1 - (1 - v) ** power if power > 1 else v for v in x)
            curves.append(Curve("roc", f"{name}, {arm}", x, y, "false-positive rate",
                                "true-positive rate"))  # fmt: skip
            if arm != "real":
                leak = (reached - 0.5) / 0.462
                figures.append(
                    make(f"verification.leakage.{attacker}.{arm}", value=leak, low=leak - 0.05,
                         name=f"Normalized leakage, {name}", high=leak + 0.06, n=611, unit="pairs",
                         chance=0.0, arm=arm, detail={"ceiling": 0.962, "patients": 204})
                )  # fmt: skip
    for arm in ("counterparts", "raw-report prompts"):
        for part, title, value, chance in (("rank1", "Rank-1", 0.0042, 1 / 1204),
                                           ("rank5", "Rank-5", 0.0091, 5 / 1204),
                                           ("mrr", "MRR", 0.0088, 0.00635)):  # fmt: skip
            figures.append(
                make(f"linkage.frozen.{part}.{arm}", name=f"Source linkage, {title}", value=value,
                     low=value / 3, high=value * 2.1, n=1204, unit="counterparts", chance=chance,
                     arm=arm, detail={"gallery": 1204, "hits": 5})
            )  # fmt: skip
    figures.append(
        make("linkage.frozen.lift.counterparts", name="Source linkage, lift of Rank-1 over chance",
             value=5.0, low=1.7, high=10.6, n=1204, unit="counterparts", chance=1.0,
             arm="counterparts")
    )  # fmt: skip
    for arm, value in (("real", 0.431), ("counterparts", 0.0082), ("raw-report prompts", 0.0301)):
        figures.append(
            make(f"identity.accuracy.{arm}", name="Closed-set identity classifier, accuracy",
                 value=value, low=value * 0.6, high=value * 1.5, n=204, unit="images",
                 chance=1 / 204, arm=arm, detail={"identities": 204})
        )  # fmt: skip
    figures.append(not_measured("report.recall1", Section.IDENTITY, "Report linkage, Recall@1",
                                "no reports were given (--reports)"))  # fmt: skip
    return Measurements(tuple(figures), tuple(curves))


def _copies() -> Measurements:
    make = partial(Figure, section=Section.COPIES)
    figures = [
        make("copies.dcr", name="Share of samples nearer to training than to held-out images",
             value=0.513, low=0.482, high=0.545, n=1204, unit="samples", chance=0.5,
             detail={"training": 3000, "held_out": 600, "compared": 600}),
        make("copies.n-copies", name="Samples of which the nearest is nearer than for 95 %",
             value=0.047, low=0.036, high=0.061, n=1204, unit="samples", chance=0.05,
             detail={"count": 57, "similarity limit": 0.9731}),
    ]  # fmt: skip
    curves = []
    for key, name, auc in (("loss", "loss threshold", 0.521), ("secmi", "SecMI", 0.534),
                           ("pia", "PIA", 0.509)):  # fmt: skip
        figures.append(make(f"membership.{key}.auc", name=f"Membership inference, {name}: AUC",
                            value=auc, low=auc - 0.03, high=auc + 0.029, n=1200, unit="images",
                            chance=0.5))  # fmt: skip
        x = tuple(float(v) for v in np.linspace(0, 1, 120))
        curves.append(Curve("membership", name, x, tuple(v ** (1 / auc - 1) for v in x),
                            "false-positive rate", "true-positive rate"))  # fmt: skip
    edges = tuple(float(v) for v in np.linspace(0, 1.2, 31))
    histograms = tuple(
        Histogram("nearest", label, edges,
                  tuple(int(size * math.exp(-((at - middle) ** 2) / 0.012)) for at in edges[:-1]),
                  "distance to the nearest")
        for label, middle, size in (("samples to training", 0.55, 200),
                                    ("samples to held-out", 0.57, 190),
                                    ("held-out to training", 0.46, 95))
    )  # fmt: skip
    return Measurements(tuple(figures), tuple(curves), histograms)


def _utility() -> Measurements:
    make = partial(Figure, section=Section.UTILITY)
    arms = (("real", 0.0), ("counterparts", -0.061), ("real and counterparts", 0.006))
    figures = []
    for arm, change in arms:
        for place, finding in enumerate((*FINDINGS, "macro")):
            value = 0.74 + place / 50 + change
            name = f"AUROC, {finding}" if finding != "macro" else "AUROC, macro mean"
            figures.append(make(f"utility.auroc.{finding}.{arm}", name=name, value=value, arm=arm,
                                low=value - 0.04, high=value + 0.035, n=402, unit="images",
                                chance=0.5))  # fmt: skip
            if arm != "real":
                figures.append(
                    make(
                        f"utility.difference.{finding}.{arm}",
                        value=change,
                        arm=arm,
                        name=f"AUROC less that of real training, {finding}",
                        chance=0.0,
                        low=change - 0.02,
                        high=change + 0.02,
                        n=402,
                        unit="images",
                    )
                )
    curves = [
        Curve("cross-hospital, adults to children", label, (60.0, 180.0, 600.0),
              (start, start + 0.05, start + 0.09), "|R_B|, images",
              "macro AUROC on real images of B")
        for label, start in (("R_B", 0.61), ("R_B + R_A", 0.69), ("R_B + S_A", 0.655),
                             ("S_A", 0.62), ("S_A then R_B", 0.668))
    ]  # fmt: skip
    columns = ("kappa, real", "kappa, counterparts", "prevalence, real", "prevalence, counterparts")
    values = tuple((0.42 - p / 20, 0.31 - p / 11, 0.2 - p / 40, 0.17 - p / 50) for p in range(6))
    return Measurements(tuple(figures), tuple(curves), (),
                        (Matrix("agreement.counterparts", FINDINGS, columns, values),))  # fmt: skip


def _quality() -> Measurements:
    make = partial(Figure, section=Section.QUALITY, n=600, unit="images")
    return Measurements((
        make("quality.fid.counterparts", name="FID", value=61.24, low=57.9, high=65.2,
             arm="counterparts"),
        make("quality.fid.floor", name="FID, real to real", value=12.81, low=12.2, high=13.9,
             arm="real"),
        make("quality.coverage.counterparts", name="Coverage (k = 5)", value=0.71, low=0.66,
             high=0.75, arm="counterparts"),
    ))  # fmt: skip


def _verdicts() -> tuple[Verdict, ...]:
    said = "the upper 95 % bound lies below {}, from at least 30"
    return (
        Verdict("verification.leakage.frozen.counterparts", Outcome.PASS, said.format(0.2), 0.2,
                0.104, 0.164, "the bound of the interval is within the limit"),
        Verdict("verification.leakage.adaptive.counterparts", Outcome.INCONCLUSIVE,
                said.format(0.2), 0.2, 0.149, 0.209, "the interval reaches beyond the limit"),
        Verdict("linkage.frozen.lift.counterparts", Outcome.FAIL, said.format(2), 2.0, 5.0, 10.6,
                "the value is not within the limit"),
        Verdict("copies.dcr", Outcome.PASS, said.format(0.6), 0.6, 0.513, 0.545,
                "the bound of the interval is within the limit"),
        Verdict("text.leaks", Outcome.NOT_MEASURED, said.format(0.01), 0.01, None, None,
                "no such figure was asked for"),
    )  # fmt: skip


def read_schema() -> dict[str, Any]:
    """The schema of ``report.json`` as the documentation states it."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "report-json.md"
    _, _, rest = page.read_text(encoding="utf-8").partition("```json\n")
    schema: dict[str, Any] = json.loads(rest.partition("\n```")[0])
    return schema
