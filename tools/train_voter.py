"""Train the statistical voter of the report scrubber, and say what it changes.

``python -m tools.train_voter`` writes ``profiles/lexicons/en/voter``: the model and its card. The
same tree gives the same model. ``--splits development --out /tmp/pack --measure opened`` trains
on one split alone and measures on another: how much is found and removed wrongly with the rules
alone and with the voter. ``--folds 4`` does so with templates left out: of four parts of the
skeletons and sentences of a split each is measured once, by a model that saw none of it.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pycrfsuite
import yaml

from tools.reports.fill import CATEGORIES, TUNED, Report, generate, load_split
from tools.reports.measure import Result, measure
from tools.voter_data import Fold, Maker, indiana
from tools.voter_real import make_examples
from updp_node.text.fold import fold_text
from updp_node.text.lexicon import Lexicons, lexicon_folder, load_lexicons
from updp_node.text.scrub import Scrubber
from updp_node.text.voter_features import features_of
from updp_node.text.voter_tokens import Reader

VERSION = "2026.11.1"
SPLITS = TUNED
REPORTS, INDIANA, TRANSCRIPTIONS, SEED = 7_000, 600, 1_000, 1
LEFT_OUT = (0.0, 0.3, 0.5)
"""Shares of the words whose own form a report does without, so that no word is needed."""
SETTINGS = {
    "c1": 2.0,
    "c2": 0.01,
    "max_iterations": 90,
    "feature.minfreq": 4,
}
USE: dict[str, Any] = {
    "add": 0.35,
    "add_clinical": 0.8,
    "categories": "NAME ID DATE TIME PHONE ADDRESS LOCATION INSTITUTION DEVICE".split(),
    "veto": 0.02,
    "veto_initials": 0.002,
    "rules": (
        "unknown town initialed lone-line headed field city-region name-caret drs-pair"
    ).split(),
    "given_back": "NAME INSTITUTION LOCATION".split(),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, write, and measure where that is asked for."""
    parser = argparse.ArgumentParser(prog="tools.train_voter", description=__doc__)
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=list(SPLITS))
    parser.add_argument("--reports", type=int, default=REPORTS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=lexicon_folder() / "en" / "voter")
    parser.add_argument("--measure", choices=SPLITS, help="a split that the model did not see")
    parser.add_argument("--folds", type=int, default=0, help="leave templates of a split out")
    chosen = parser.parse_args(arguments)
    lexicons = replace(load_lexicons(), voter=None)
    if chosen.folds:
        cross_validate(lexicons, chosen.splits, chosen.folds, chosen.reports, chosen.seed)
        return
    train(lexicons, chosen.out, chosen.splits, chosen.reports, chosen.seed)
    if chosen.measure:
        reports = list(generate(load_split(chosen.measure), 1_000, chosen.seed))
        compare(lexicons, chosen.out, reports, chosen.measure)


def train(  # noqa: PLR0917  # what is trained on, and where to
    lexicons: Lexicons, out: Path, splits: Sequence[str], count: int, seed: int,
    fold: Fold | None = None,
) -> None:  # fmt: skip
    """Make reports, train on them, and write the model and its card."""
    maker = Maker(lexicons, splits, fold or Fold())
    vocabulary = maker.vocabulary()
    real = indiana(splits, INDIANA, seed)
    if not real:
        print("NO INDIANA REPORTS on this machine (UPDP_SHARED): trained on templates alone")
    transcriptions = make_examples(lexicons, TRANSCRIPTIONS) if TRANSCRIPTIONS else []
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False, params=SETTINGS)
    reader = Reader(lexicons)
    tokens = 0
    for number, report in enumerate([*maker.make(count, seed), *real, *transcriptions]):
        rng = random.Random(f"forms {seed} {number}")
        features, labels = examples(reader, report, _some(vocabulary, rng))
        if labels:
            trainer.append(pycrfsuite.ItemSequence(features), labels)
            tokens += len(labels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "voter.crfsuite")
        trainer.train(str(path))
        model = path.read_bytes()
    trained = {"splits": list(splits), "reports": count, "indiana_reports": len(real),
               "transcriptions": len(transcriptions), "tokens": tokens, "seed": seed}  # fmt: skip
    write(out, model, trained)
    print(f"{tokens} tokens; model {len(model) // 1024} KiB; {out}")


def examples(
    reader: Reader, report: Report, knows: Callable[[str], bool] | None = None
) -> tuple[list[list[str]], list[str]]:
    """Features and labels of the tokens of a report."""
    folded = fold_text(report.text)
    tokens = reader.read(folded.text)
    kinds = [""] * len(report.text)
    for span in report.spans:
        kinds[span.start : span.end] = [span.category] * (span.end - span.start)
    labels = []
    for token in tokens:
        start, end = folded.original(token.start, token.end)
        labels.append(next(filter(None, kinds[start:end]), "O"))
    return features_of(folded.text, tokens, knows), labels


def _some(vocabulary: frozenset[str], rng: random.Random) -> Callable[[str], bool]:
    """Whether a word's form may be used: of a template, and not left out in this report."""
    share = rng.choice(LEFT_OUT)
    left = {word for word in sorted(vocabulary) if rng.random() < share}
    return lambda word: word in vocabulary and word not in left


def write(out: Path, model: bytes, trained: dict[str, Any]) -> None:
    """The model as a list file, and its card; bounds that a card has are kept."""
    out.mkdir(parents=True, exist_ok=True)
    head = {
        "category": "voter",
        "source": "trained by tools/train_voter.py on generated reports, on the half of the "
        "Indiana University chest reports that is free for tuning and on half of the radiology "
        "transcriptions of MTSamples",
        "licence": "Apache-2.0",
        "version": VERSION,
    }
    text = "".join(f"# {key}: {value}\n" for key, value in head.items())
    coded = base64.b64encode(model).decode()
    text += "".join(coded[at : at + 100] + "\n" for at in range(0, len(coded), 100))
    (out / "model.txt.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    card = {
        **head,
        "kind": "linear-chain conditional random field (CRFsuite, L-BFGS, L1 and L2)",
        "trained_on": trained,
        "settings": SETTINGS,
        "model": "model.txt.gz",
        "model_sha256": hashlib.sha256(model).hexdigest(),
        **USE,
    }
    (out / "voter.yaml").write_text(
        "# The statistical voter: what it is, what made it, and from which share on it decides.\n"
        + yaml.safe_dump(card, sort_keys=False, width=100),
        encoding="utf-8",
    )


def compare(lexicons: Lexicons, out: Path, reports: Sequence[Report], name: str) -> None:
    """Print what rules alone and rules with voter find of reports."""
    for title, voter in (("rules", None), ("rules and voter", out / "voter.yaml")):
        result = measure(reports, Scrubber(replace(lexicons, voter=voter)).find)
        show(f"{name}: {title}", result)


def show(title: str, result: Result) -> None:
    """One line of figures."""
    kinds = " ".join(
        f"{kind} {result.recall(kind):.2%}" for kind in CATEGORIES if result.gold[kind]
    )
    print(f"{title}: recall {result.recall():.2%}, header {result.recall_in_header():.2%}, "
          f"token precision {result.precision():.2%}; {kinds}", flush=True)  # fmt: skip


def cross_validate(
    lexicons: Lexicons, splits: Sequence[str], folds: int, count: int, seed: int
) -> None:
    """Train without a part of all templates and measure on it, for every part."""
    for part in range(folds):
        held = [Fold(folds, part, inside=True).cut(load_split(name)) for name in splits]
        reports = [report for split in held for report in generate(split, 400, seed)]
        with tempfile.TemporaryDirectory() as folder:
            train(lexicons, Path(folder), splits, count, seed, Fold(folds, part))
            compare(lexicons, Path(folder), reports, f"part {part + 1} of {folds}")


if __name__ == "__main__":
    main()
