"""Commands that set a node up, explain it and start it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from updp_node.cli.options import DEFAULT_CONFIG, ConfigFile
from updp_node.config import load_config, load_research
from updp_node.errors import ConfigError, NodeError
from updp_node.log import tell_crashes_without_values

profile_app = typer.Typer(no_args_is_help=True, help="De-identification profiles.")
_MARKS = {
    "ok": "[green]ok[/green]", "note": "[cyan]--[/cyan]", "warning": "[yellow]!![/yellow]"
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(init)
    app.command()(check)
    app.command()(serve)
    app.command()(echo)
    app.command()(certs)
    profile_app.command("list")(list_profiles)
    profile_app.command("show")(show_profile)
    profile_app.command("diff")(diff_profiles)
    app.add_typer(profile_app, name="profile")


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new node; made if absent.")],
    project: Annotated[str, typer.Option(help="Name of the research project.")] = "research",
) -> None:
    """Make a node: commented configuration, project key, development certificates."""
    from updp_node.initialize import initialize  # noqa: PLC0415  # cryptography is slow to import

    paths = initialize(folder, project=project, now=datetime.now(UTC))
    console = Console()
    for path in paths:
        console.print(f"wrote {path}", soft_wrap=True)
    console.print(f"\nNext: updp-node check --config {paths[0]}", soft_wrap=True)


def check(
    config: ConfigFile = DEFAULT_CONFIG,
    offline: Annotated[bool, typer.Option(help="Do not ask the destinations.")] = False,
) -> None:
    """Explain the effective plan and prove that everything it names can be used."""
    from updp_node.checkup import examine_plan  # noqa: PLC0415  # loads profiles and model

    console = Console()
    findings = 0
    for group, lines in examine_plan(load_config(config), ask_destinations=not offline).items():
        console.print(f"[bold]{group}[/bold]")
        for line in lines:
            mark = _MARKS.get(line.verdict, f"[red]{line.verdict}[/red]")
            findings += line.verdict == "fault"
            console.print(f"  {mark}  {line.text}", soft_wrap=True, highlight=False)
    if findings:
        console.print(f"\n{findings} fault(s)")
        raise typer.Exit(1)


def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    role: Annotated[
        str,
        typer.Option(help="all, or research alone: as another user, who reads the released zone."),
    ] = "all",
) -> None:
    """Run the node until SIGTERM."""
    from updp_node import node  # noqa: PLC0415  # the roles differ in what they import

    tell_crashes_without_values()
    if role == "all":
        node.supervise(config.resolve())
    elif role == "receiver":
        node.run_receiver(load_config(config))
    elif role == "worker":
        node.run_worker(load_config(config))
    elif role == "research":
        node.run_research(load_research(config))
    else:
        raise ConfigError(f"no role {role}", key="--role")


def echo(
    destination: Annotated[str, typer.Argument(help="Name of a destination.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Ask a destination whether it is there (C-ECHO, or a trial file in a folder)."""
    from updp_node.forward import make_destination, settings_of  # noqa: PLC0415  # pynetdicom

    target = load_config(config).target(destination)
    seconds = make_destination(settings_of(target)).echo()
    typer.echo(f"{destination} answered in {seconds * 1000:.0f} ms")


def certs(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """List the certificates that the configuration names, with what is left of their time."""
    from updp_node.certificates import describe_certificate  # noqa: PLC0415  # cryptography

    loaded = load_config(config)
    sections = [loaded.receiver.tls, *(getattr(each, "tls", None) for each in loaded.destinations)]
    named = (path for section in sections if section for path in (section.certificate, section.ca))
    files = dict.fromkeys(path for path in named if path is not None)
    if not files:
        folder = config.resolve().parent / "certs"
        files = dict.fromkeys(sorted(folder.glob("*.pem")))
        typer.echo("TLS is not configured; the development certificates are:")
    table = Table("file", "subject", "expires", "days left", "SHA-256")
    expired = False
    for path in files:
        for each in describe_certificate(path, now=datetime.now(UTC)):
            expired |= each.days_left < 0
            table.add_row(path.name, each.subject, f"{each.not_after:%Y-%m-%d}",
                          str(each.days_left), each.sha256[:16])  # fmt: skip
    Console().print(table)
    if expired:
        raise typer.Exit(1)


def list_profiles(
    folder: Annotated[list[Path] | None, typer.Option(help="Also look here.")] = None,
) -> None:
    """List the profiles that come with the node and those of further folders."""
    from updp_node.header.profile import load_profile, packaged_folders  # noqa: PLC0415

    table = Table("profile", "version", "frontal chest", "other images", "description")
    names = {
        path for each in [*(folder or []), *packaged_folders()] for path in each.glob("*.yaml")
    }
    for path in sorted(names, key=lambda path: path.stem):
        loaded = load_profile(path)
        pixels = loaded.pixels
        table.add_row(loaded.name, loaded.version, pixels.chest_frontal, pixels.other_images,
                      loaded.description)  # fmt: skip
    Console().print(table)


def diff_profiles(
    first: Annotated[str, typer.Argument(help="Name or path of a profile.")],
    second: Annotated[str, typer.Argument(help="Name or path of another.")],
) -> None:
    """Compare two profiles: keys, options, and every attribute they treat differently.

    Exit code 1 if they differ.
    """
    from updp_node.header.comparison import compare_profiles  # noqa: PLC0415  # tables

    rows = compare_profiles(first, second)
    if not rows:
        typer.echo("they do the same to every attribute")
        return
    table = Table("what", first, second)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    raise typer.Exit(1)


def show_profile(
    name: Annotated[str, typer.Argument(help="Name or path of a profile.")],
    every: Annotated[bool, typer.Option("--all", help="Every rule, not only the table's.")] = False,
) -> None:
    """Print a compiled profile: its options and what it does to every attribute."""
    from updp_node.header import compile_profile, load_profile  # noqa: PLC0415  # tables

    loaded = load_profile(name)
    compiled = compile_profile(loaded)
    console = Console()
    console.print(f"[bold]{loaded.name}[/bold] version {loaded.version}: {loaded.description}")
    console.print(f"options: {', '.join(loaded.options) or 'none'}")
    console.print(f"digest:  {compiled.digest}")
    table = Table("tag", "keyword", "action", "decided by")
    for tag, rule in sorted(compiled.rules.items()):
        if every or rule.source not in {"iod", "unlisted"}:
            where = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
            table.add_row(where, rule.keyword, rule.action, rule.source)
    if not table.row_count:
        raise NodeError("the profile has no rule")
    console.print(table)
