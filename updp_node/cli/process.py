"""Commands that take files or text down the line, without the network."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey

if TYPE_CHECKING:
    from updp_node.pixels.explanation import Explanation

ProfileName = Annotated[str, typer.Option(help="Name or path of a profile.")]
KeyFile = Annotated[Path | None, typer.Option(help="Project key; without one, a throw-away key.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(deidentify)
    app.command()(synthesize)


def deidentify(  # noqa: PLR0917  # typer passes them by name
    inputs: Annotated[list[Path], typer.Argument(metavar="IN...", help="Files and folders.")],
    out: Annotated[Path, typer.Option(help="Folder for the de-identified files.")],
    profile: ProfileName = "research-cxr",
    key: KeyFile = None,
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help="Write {original SOP Instance UID: output file}, mode 0600."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of every input as JSON, mode 0600.")
    ] = None,
    project: Annotated[
        str, typer.Option(help="Project that the pseudonyms belong to.")
    ] = "research",
    processes: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
) -> None:
    """De-identify files: the same line without the network. It never waits."""
    from updp_node.crew import Crew  # noqa: PLC0415
    from updp_node.line import make_line  # noqa: PLC0415  # tables, model and lexicons
    from updp_node.offline import deidentify_files, find_files  # noqa: PLC0415

    with project_key(key) as secret:
        line = make_line(profile, key=secret, project=project, pseudonym="{project}-{code}")
    files = find_files(inputs)
    crew = Crew(cpu_processes=processes)
    try:
        with progress(len(files), "de-identifying") as advance:
            outcomes = list(deidentify_files(files, line, crew, out, advance=advance))
    finally:
        crew.close()
    if map_file is not None:
        released = {each.source_uid: str(each.target) for each in outcomes if each.target}
        write_private(map_file, released)
    if report is not None:
        write_private(report, [asdict(each) for each in outcomes])
    counts = Counter(each.outcome for each in outcomes)
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    for code, count in Counter(each.code for each in outcomes if each.code).items():
        typer.echo(f"  quarantined: {count} x {code}")
    if counts["quarantined"]:
        raise typer.Exit(1)


def synthesize(  # noqa: PLR0917  # typer passes them by name
    image: Annotated[Path, typer.Argument(help="A frontal chest radiograph (DICOM).")],
    out: Annotated[Path, typer.Option(help="The counterpart: .dcm, or .png for a look.")],
    report: Annotated[
        Path | None, typer.Option(help="Its report: a DICOM SR or a text file.")
    ] = None,
    profile: ProfileName = "research-cxr",
    key: KeyFile = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for scores, candidates and a contact sheet. "
            "Shows the patient: identified zone only.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="Configuration that names the site's own generators and profiles."),
    ] = None,
) -> None:
    """Make the synthetic counterpart of one chest radiograph."""
    from updp_node.config import load_config  # noqa: PLC0415
    from updp_node.line import make_line  # noqa: PLC0415  # tables, model and lexicons
    from updp_node.single import make_counterpart  # noqa: PLC0415

    with project_key(key) as secret:
        own = load_config(config) if config is not None else None
        line = make_line(
            profile, key=secret, project="research", pseudonym="{project}-{code}",
            search=own.profile_folders if own else (),
            generators=own.generators if own else (),
        )  # fmt: skip
    with Console(stderr=True).status("synthesizing"):
        try:
            made = make_counterpart(image, report, line, out, explain_in=explain)
        except InstanceError as error:
            typer.echo(f"quarantined: {error}", err=True)
            raise typer.Exit(1) from error
    counterpart, prompt = made.counterpart, made.counterpart.prompt
    typer.echo(f"prompt: {prompt.text}")
    if prompt.unrendered:
        typer.echo(f"not rendered: {', '.join(prompt.unrendered)}")
    if prompt.withheld:
        typer.echo(f"withheld, too few share it: {', '.join(prompt.withheld)}")
    typer.echo(
        f"at most {counterpart.bits:.1f} bits of the patient, k-map {made.k_map}, "
        f"candidate {counterpart.candidates}, "
        f"model {counterpart.model_name} {counterpart.model_sha256[:12]}"
    )
    if explain is not None and made.explanation is not None:
        _tell_explanation(made.explanation, explain)


def _tell_explanation(explanation: Explanation, folder: Path) -> None:
    """Alignment, candidates, and where the rest lies."""
    from updp_node.pixels.explanation import NOTICE  # noqa: PLC0415

    found = explanation.optimized
    if found is not None:
        typer.echo(
            f"alignment with image and report, by {found.solver}: {found.before.total:.3f} before, "
            f"{found.after.total:.3f} after ({', '.join(found.prompt.terms)})"
        )
    for number, candidate in enumerate(explanation.candidates, start=1):
        typer.echo(f"candidate {number}: {candidate.verdict.fault or 'accepted'}")
    typer.echo(f"{folder}: {NOTICE}")


def text_subject(secret: ProjectKey):  # type: ignore[no-untyped-def]
    """A subject for text that belongs to no patient record."""
    from updp_node.subject import identify_subject  # noqa: PLC0415

    return identify_subject(secret, project="text", issuer="", patient_id="standard input")


@contextmanager
def project_key(path: Path | None) -> Iterator[ProjectKey]:
    """The project's key, or one that is thrown away afterwards."""
    if path is not None:
        yield ProjectKey.load(path)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield ProjectKey.create(Path(folder) / "project.key")


@contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error where a terminal is attached."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=console, disable=not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def write_private(path: Path, content: object) -> None:
    """Write JSON that only its owner may read: it links originals to outputs."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, default=str)
