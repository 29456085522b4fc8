"""Commands for the operator of a running node: jobs and quarantine. They show no PHI."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from updp_node.cli.options import DEFAULT_CONFIG, ConfigFile
from updp_node.config import Config, load_config
from updp_node.errors import ConfigError, NodeError
from updp_node.storage.delivery_index import DeliveryIndex
from updp_node.storage.review_index import Job, ReviewIndex
from updp_node.zones import Zones

jobs_app = typer.Typer(no_args_is_help=True, help="Studies on their way.")
quarantine_app = typer.Typer(no_args_is_help=True, help="Instances that were held back.")
EntryId = Annotated[int, typer.Argument(metavar="ID", help="Number in quarantine list.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Run, or the beginning of it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    jobs_app.command("list")(list_jobs)
    jobs_app.command("show")(show_job)
    jobs_app.command("retry")(retry_job)
    quarantine_app.command("list")(list_held)
    quarantine_app.command("show")(show_held)
    quarantine_app.command("release")(release_held)
    quarantine_app.command("reject")(reject_held)
    app.add_typer(jobs_app, name="jobs")
    app.add_typer(quarantine_app, name="quarantine")


def list_jobs(
    config: ConfigFile = DEFAULT_CONFIG,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
) -> None:
    """List the newest runs, what became of their instances, and what waits or failed."""
    review = _review(load_config(config))
    table = Table("run", "started", "route", "state", "instances", "deliveries")
    for job in review.jobs(limit=limit):
        table.add_row(_short(job.run_id), _when(job.started_at), job.route, job.state,
                      _counts(job.outcomes), _deliveries(job))  # fmt: skip
    console = Console()
    console.print(table)
    backlog = ", ".join(f"{name}: {count}" for name, count in sorted(review.backlog().items()))
    console.print(backlog, highlight=False)


def show_job(run: RunId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Show one run."""
    review = _review(load_config(config))
    job = _find_job(review, run)
    table = Table(show_header=False)
    rows = {
        "run": job.run_id, "route": job.route, "profile": job.profile, "state": job.state,
        "started": _when(job.started_at),
        "ended": _when(job.ended_at) if job.ended_at else "",
        "instances": _counts(job.outcomes), "deliveries": _deliveries(job),
    }  # fmt: skip
    for name, value in rows.items():
        table.add_row(name, value)
    Console().print(table)


def retry_job(run: RunId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Make every unfinished delivery of a run due at once."""
    loaded = load_config(config)
    job = _find_job(_review(loaded), run)
    engine = Zones.of(loaded).open_identified()
    count = DeliveryIndex(engine).retry(job.run_id, now=time.time())
    typer.echo(f"{count} deliveries due now")


def list_held(
    config: ConfigFile = DEFAULT_CONFIG,
    every: Annotated[bool, typer.Option("--all", help="Released and rejected ones too.")] = False,
) -> None:
    """List quarantined instances with their reasons; exit code 1 if there are open ones."""
    held = _review(load_config(config)).held(state=None if every else "open")
    table = Table("id", "since", "reason", "detail", "modality", "state")
    for each in held:
        table.add_row(str(each.id), _when(each.created_at), each.code, each.detail,
                      each.modality or "", each.state)  # fmt: skip
    Console().print(table)
    if any(each.state == "open" for each in held):
        raise typer.Exit(1)


def show_held(entry: EntryId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Show one quarantined instance: reason, tags and codes, never a value."""
    held = _review(load_config(config)).held(id_=entry)
    if not held:
        raise NodeError(f"quarantine has no entry {entry}")
    table = Table(show_header=False)
    for name, value in asdict(held[0]).items():
        table.add_row(name, _when(value) if name == "created_at" else str(value))
    Console().print(table)


def release_held(entry: EntryId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Send a quarantined instance through the line again; the gate has the last word."""
    _review(load_config(config)).release_held(entry, now=time.time())
    typer.echo(f"{entry} goes through the line again")


def reject_held(entry: EntryId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Give a quarantined instance up and delete its original from the node."""
    loaded = load_config(config)
    file = _review(loaded).reject_held(entry, now=time.time())
    if file is not None:
        (loaded.identified / file).unlink(missing_ok=True)
    typer.echo(f"{entry} rejected")


def _review(config: Config) -> ReviewIndex:
    zones = Zones.of(config)
    if not zones.identified.is_dir():
        raise ConfigError("the node has not been started yet", file=str(zones.identified))
    zones.prepare()
    return ReviewIndex(zones.open_identified())


def _find_job(review: ReviewIndex, run: str) -> Job:
    found = [
        job
        for job in review.jobs(limit=100_000)
        if run == _short(job.run_id) or job.run_id.startswith(run)
    ]
    if len(found) != 1:
        raise NodeError(f"{len(found)} runs begin like that")
    return found[0]


def _short(run_id: str) -> str:
    """The beginning of a run's id and its generation: enough to name it."""
    study, generation = run_id.rsplit("-", 1)
    return f"{study[:8]}-{generation}"


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def _deliveries(job: Job) -> str:
    lines = []
    for destination, states in sorted(job.deliveries.items()):
        code = f" ({job.codes[destination]})" if destination in job.codes else ""
        lines.append(f"{destination}: {_counts(states)}{code}")
    return "\n".join(lines)
