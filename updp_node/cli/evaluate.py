"""The command that measures privacy and utility of a release."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from updp_node.cli.process import progress
from updp_node.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(evaluate)


def evaluate(  # noqa: PLR0917  # typer passes them by name
    originals: Annotated[
        Path, typer.Argument(help="Folder or zip of DICOM, PNG or WebP files, or a table of one.")
    ],
    counterparts: Annotated[
        Path, typer.Argument(help="The same of their counterparts; the table names the sources.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")],
    index: Annotated[
        Path | None,
        typer.Option(
            help="Table of the originals: image_id, patient_id, labels, view, split, report."
        ),
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="The generator's training images: folder, zip or table.")
    ] = None,
    held_out: Annotated[
        Path | None, typer.Option(help="Real images that the generator never saw.")
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(
            help="Folder with originals and shared: reports as text or DICOM, by equal names."
        ),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Profile whose section release states the limits.")
    ] = None,
    budget: Annotated[
        int, typer.Option(min=1, help="Minutes on two CPU cores; sets how many steps are trained.")
    ] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 0,
    cache: Annotated[
        Path | None, typer.Option(help="Folder of trained networks; OUT/cache by default.")
    ] = None,
    other_generator: Annotated[
        bool, typer.Option("--other-generator", help="The counterparts are of a site's own model.")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=2, help="CPU threads.")] = 2,
) -> None:
    """Measure privacy and utility of counterparts; exit 1 where the release gate is not passed."""
    from updp_node.evaluation.collection import Collection, load_collection  # noqa: PLC0415
    from updp_node.evaluation.effort import choose_effort  # noqa: PLC0415
    from updp_node.evaluation.features import load_default_encoder  # noqa: PLC0415
    from updp_node.evaluation.gate import load_release  # noqa: PLC0415
    from updp_node.evaluation.laboratory import Laboratory, limit_threads  # noqa: PLC0415
    from updp_node.evaluation.report_linkage import load_reports  # noqa: PLC0415
    from updp_node.evaluation.run import evaluate as run  # noqa: PLC0415
    from updp_node.evaluation.study import make_study  # noqa: PLC0415
    from updp_node.evaluation.verdict import Outcome  # noqa: PLC0415

    if out.exists() and not out.is_dir():
        raise ConfigError("is no folder", file=str(out), key="--out")
    limit_threads(threads)
    release = load_release(profile)

    def load(path: Path, name: str, table: Path | None = None) -> Collection:
        with progress(0, f"reading {name}") as advance:
            return load_collection(path, name, index=table, advance=advance)

    study = make_study(
        load(originals, "originals", index),
        load(counterparts, "counterparts"),
        training=load(training, "training") if training else None,
        held_out=load(held_out, "held-out") if held_out else None,
        reports=load_reports(reports) if reports else None,
        seed=seed,
    )
    laboratory = Laboratory(
        load_default_encoder(), choose_effort(budget), seed, cache or out / "cache", progress
    )
    outcome = run(study, laboratory, release, out, is_shipped=not other_generator)
    typer.echo(f"release gate: {outcome.value}; {out / 'report.html'}")
    if outcome is not Outcome.PASS:
        raise typer.Exit(1)
