"""The command that measures what scrubbing removed from texts, and what it left."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("evaluate-text")(evaluate_text)


def evaluate_text(
    originals: Annotated[Path, typer.Argument(help="Folder of .txt or structured reports.")],
    scrubbed: Annotated[Path, typer.Argument(help="The same texts scrubbed, by equal names.")],
    *,
    gold: Annotated[
        Path | None, typer.Option(help="Identifiers of the originals, a line of JSON for each.")
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Profile file whose limits on text are asked too.")
    ] = None,
    bertscore: Annotated[
        Path | None, typer.Option(help="Folder of a local encoder for BERTScore.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind the intervals.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("text-evaluation"),
) -> None:
    """Measure identifiers removed, findings kept and likeness of scrubbed texts.

    Exit code 1 where an identifier or a flip was found, or where too little was there to tell.
    """
    from updp_node.evaluation.gate import load_release  # noqa: PLC0415  # numpy, scikit-learn
    from updp_node.evaluation.report import write_report  # noqa: PLC0415
    from updp_node.evaluation.text_run import TextQuestion, evaluate_texts  # noqa: PLC0415
    from updp_node.evaluation.verdict import Outcome, decide  # noqa: PLC0415

    limits = load_release(profile) if profile is not None else None
    question = TextQuestion(originals, scrubbed, gold, bertscore, limits, seed)
    report = evaluate_texts(question, now=datetime.now(UTC))
    for path in write_report(report, out):
        typer.echo(f"wrote {path}")
    for verdict in report.verdicts:
        typer.echo(f"{verdict.outcome.value}: {verdict.key}: {verdict.asked}; {verdict.why}")
    if decide(report.verdicts) is not Outcome.PASS:
        raise typer.Exit(1)
