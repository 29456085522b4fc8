"""Commands that take files or text down the line, without the network."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey

ProfileName = Annotated[str, typer.Option(help="Name or path of a profile.")]
KeyFile = Annotated[Path | None, typer.Option(help="Project key; without one, a throw-away key.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(deidentify)
    app.command()(scrub)
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


def scrub(
    file: Annotated[
        Path | None, typer.Argument(help="Text file; standard input by default.")
    ] = None,
    spans: Annotated[bool, typer.Option("--spans", help="JSON spans instead of text.")] = False,
    findings: Annotated[bool, typer.Option("--findings", help="JSON findings instead.")] = False,
    surrogates: Annotated[
        bool, typer.Option(help="Invented values instead of [CATEGORY].")
    ] = False,
    key: KeyFile = None,
) -> None:
    """Remove identifiers from a text."""
    sys.modules["torch"] = None  # type: ignore[assignment]  # thinc would import it: 300 MB
    from updp_node.line import finding_to_record  # noqa: PLC0415
    from updp_node.text.findings import extract_findings  # noqa: PLC0415  # spaCy
    from updp_node.text.scrub import Replacement, load_scrubber  # noqa: PLC0415

    text = file.read_text(encoding="utf-8") if file else sys.stdin.read()
    scrubber = load_scrubber()
    if spans:
        found = scrubber.find(text)
        fields = ({"start": s.start, "end": s.end, "category": s.category} for s in found)
        typer.echo(json.dumps(list(fields), indent=2))
        return
    if surrogates:
        with project_key(key) as secret:
            result = scrubber.scrub(text, None, text_subject(secret), Replacement.SURROGATE)
    else:
        result = scrubber.scrub(text, None, None, Replacement.TAG)
    if findings:
        records = [finding_to_record(each) for each in extract_findings(result.text)]
        typer.echo(json.dumps(records, indent=2))
        return
    typer.echo(result.text, nl=False)


def synthesize(
    image: Annotated[Path, typer.Argument(help="A frontal chest radiograph (DICOM).")],
    out: Annotated[Path, typer.Option(help="The counterpart: .dcm, or .png for a look.")],
    report: Annotated[
        Path | None, typer.Option(help="Its report: a DICOM SR or a text file.")
    ] = None,
    profile: ProfileName = "research-cxr",
    key: KeyFile = None,
) -> None:
    """Make the synthetic counterpart of one chest radiograph."""
    from updp_node.line import make_line  # noqa: PLC0415  # tables, model and lexicons
    from updp_node.single import make_counterpart  # noqa: PLC0415

    with project_key(key) as secret:
        line = make_line(profile, key=secret, project="research", pseudonym="{project}-{code}")
    with Console(stderr=True).status("synthesizing"):
        try:
            counterpart = make_counterpart(image, report, line, out)
        except InstanceError as error:
            typer.echo(f"quarantined: {error}", err=True)
            raise typer.Exit(1) from error
    typer.echo(f"prompt: {counterpart.prompt.text}")
    if counterpart.prompt.unrendered:
        typer.echo(f"not rendered: {', '.join(counterpart.prompt.unrendered)}")
    typer.echo(
        f"at most {counterpart.bits:.1f} bits of the patient, candidate {counterpart.candidates}, "
        f"model {counterpart.model_name} {counterpart.model_sha256[:12]}"
    )


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
