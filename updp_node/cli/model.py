"""Commands for a site's own generators: look at one, approve one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from updp_node.errors import ConfigError

if TYPE_CHECKING:
    from updp_node.pixels.site.inspection import Inspection

app = typer.Typer(no_args_is_help=True, help="A site's own generators.")
_MIB = 1 << 20

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="A diffusers folder, or files of a program.")
]


def register(parent: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("inspect")(inspect)
    app.command("approve")(approve)
    parent.add_typer(app, name="model")


def inspect(
    paths: Paths,
    write_manifest: Annotated[
        Path | None, typer.Option(help="Write a manifest to complete; must not exist.")
    ] = None,
    name: Annotated[str, typer.Option(help="What profiles will call the generator.")] = "site",
) -> None:
    """Say what would be loaded, what is refused and why; loads nothing.

    Exit code 1 if anything is refused.
    """
    from updp_node.pixels.site.draft import draft_manifest, draft_program  # noqa: PLC0415
    from updp_node.pixels.site.inspection import inspect_folder  # noqa: PLC0415

    console = Console()
    if paths[0].is_dir():
        if len(paths) > 1:
            raise ConfigError("give one folder, or the files of a program", key="PATH")
        inspection = inspect_folder(paths[0])
        show_inspection(console, inspection)
        if inspection.refusals:
            raise typer.Exit(1)
        text = draft_manifest(inspection, name=name)
    else:
        text = draft_program([path.absolute() for path in paths], name=name)
    if write_manifest is None:
        return
    try:
        with write_manifest.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {type(error).__name__}", file=str(write_manifest)
        ) from None
    _say(console, f"wrote {write_manifest}: complete it, then updp-node model approve")


def approve(
    paths: Paths,
    manifest: Annotated[Path, typer.Option(help="The completed manifest.")],
) -> None:
    """Compare a folder or program with its manifest; print the section of the configuration."""
    from updp_node.pixels.site.approval import check_folder  # noqa: PLC0415
    from updp_node.pixels.site.manifest import read_manifest  # noqa: PLC0415
    from updp_node.pixels.site.programs import check_program  # noqa: PLC0415

    approved, sha256 = read_manifest(manifest)
    if approved.kind == "diffusers":
        check_folder(paths[0], approved)
        where = f"    folder: {paths[0].resolve()}"
    else:
        command = [str(path.absolute()) for path in paths]
        check_program(command, approved)
        where = f"    command: [{', '.join(shlex.quote(each) for each in command)}]"
    bound = approved.read_vocabulary().count_bits()
    typer.echo(f"# approved by {approved.approved_by} on {approved.approved_on}; "
               f"licence: {approved.licence}")  # fmt: skip
    typer.echo(f"# {len(approved.vocabulary.terms)} terms, prompts of at most {bound:.2f} bits; "
               "near copies of training images are not looked for")  # fmt: skip
    typer.echo(
        f"generators:\n  - name: {approved.name}\n    type: {approved.kind}\n{where}\n"
        f"    manifest: {manifest.resolve()}\n    sha256: {sha256}"
    )


def show_inspection(console: Console, inspection: Inspection) -> None:
    """Print what was found, refusals last."""
    if inspection.pipeline:
        _say(console, f"pipeline {inspection.pipeline}")
    for component in inspection.components:
        _say(console, f"  {component.name}: {component.library}.{component.class_name}")
        for file in component.files:
            _say(console, f"    {file.path}, {_size(file.size_bytes)}, {file.sha256[:12]}")
            if file.tensors is not None:
                types = ", ".join(f"{count} {dtype}" for dtype, count in file.tensors.dtypes)
                _say(console, f"      {file.tensors.parameters:,} parameters: {types}")
        for key, value in sorted(component.config.items()):
            if isinstance(value, str | int | float) and len(str(value)) <= 60:
                _say(console, f"      {_safe(key)}: {_safe(str(value))}")
    for file in inspection.lora:
        _say(console, f"  LoRA: {file.path}, {_size(file.size_bytes)}, {file.sha256[:12]}")
    for file in inspection.unused:
        _say(console, f"  not loaded: {file.path}, {_size(file.size_bytes)}")
    for place, reason in inspection.refusals:
        _say(console, f"  REFUSED {_safe(place)}: {reason}")
    _say(console, f"refused for {len(inspection.refusals)} reason(s)" if inspection.refusals
         else "nothing is refused")  # fmt: skip


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:.1f} MiB" if size_bytes >= _MIB else f"{size_bytes} bytes"


def _safe(text: str) -> str:
    """Text of a stranger, without what a terminal would obey."""
    return text if text.isprintable() else ascii(text)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
