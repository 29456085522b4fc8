"""Run the demonstration: ``python -m updp_node.demo [FOLDER] [--out DIR]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pydicom
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from updp_node.demo import scene, show
from updp_node.demo.account import Account, await_end, draw_up, open_review
from updp_node.demo.residue import find_residue, identifiers_of
from updp_node.demo.scene import Source
from updp_node.demo.study import PLANTED, write_study
from updp_node.errors import InstanceError, NodeError
from updp_node.log import tame_libraries

_LIMIT_S = 240
_TABLES = 4  # of each kind; the rest is in the folder


def main() -> int:
    """Run the demonstration; 0 if everything came through and nothing identifying with it."""
    arguments = _parse(sys.argv[1:])
    tame_libraries()
    console = Console()
    output: Path = arguments.out / datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    output.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory(prefix="updp-demo-") as scratch:
            return _run(console, arguments.folder, Path(scratch), output)
    except NodeError as error:
        console.print(f"[bold red]The demonstration failed:[/bold red] {error}")
        return 1


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Send a study through a scratch node and show what arrives.",
    )
    whose = "DICOM files of yours; by default a study made for this"
    where = "where pictures and arrived files go (default: %(default)s)"
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help=whose)
    parser.add_argument("--out", type=Path, default="demo-output", metavar="DIR", help=where)
    arguments = parser.parse_args(words)
    if arguments.folder is not None and not arguments.folder.is_dir():
        parser.error("FOLDER is not a folder")
    return arguments


def _run(console: Console, folder: Path | None, scratch: Path, output: Path) -> int:
    started = time.monotonic()
    sources = _gather(console, folder, scratch)
    port, research_port = scene.free_port(), scene.free_port()
    arrived = output / "arrived"
    console.print("Making a scratch node, starting it and a receiver on the research side ...")
    config = scene.make_node(scratch / "node", port=port, research_port=research_port)
    with (
        scene.running_receiver(arrived, port=research_port, log=output / "receiver.log"),
        scene.running_node(config, port=port, log=output / "node.log"),
    ):
        scene.send(sources, port=port, scratch=scratch / "pacs")
        review = open_review(config)
        with _progress(console) as progress:
            task = progress.add_task("Through the node", total=len(sources))
            in_time = await_end(
                review, len(sources), limit_s=_LIMIT_S,
                on_progress=lambda done: progress.update(task, completed=done),
            )  # fmt: skip
        account = draw_up(review, sources, arrived)
    pictures = _show(console, sources, account, output)
    leaks = _search(sources, account, arrived, planted=PLANTED if folder is None else ())
    faults = _faults(account, leaks, pictures, in_time=in_time, is_own_study=folder is None)
    _conclude(console, account, pictures, output, time.monotonic() - started)
    show.list_lines(console, "[red]Failed[/red]" if faults else "[green]Good[/green]",
                    faults or ["everything is accounted for, no identifier arrived"])  # fmt: skip
    return 1 if faults else 0


def _gather(console: Console, folder: Path | None, scratch: Path) -> list[Source]:
    if folder is None:
        console.print("Drawing a chest radiograph of nobody, writing its report ...")
        return scene.find_sources(write_study(scratch / "study"))
    sources = scene.find_sources(sorted(path for path in folder.rglob("*") if path.is_file()))
    if not sources:
        raise scene.SceneError("FOLDER holds no DICOM file")
    console.print(f"{len(sources)} DICOM instances found")
    return sources


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console,
    )  # fmt: skip


def _show(
    console: Console, sources: Sequence[Source], account: Account, output: Path
) -> list[Path]:
    """Show attributes, reports and pictures of what arrived; returns the pictures."""
    pictures: list[Path] = []
    tables = 0
    for source in sources:
        path = account.pairs.get(source.uid)
        if path is None:
            continue
        after = pydicom.dcmread(path, stop_before_pixels=True)
        if tables < _TABLES:
            show.show_attributes(console, source.header, after)
            show.show_report(console, source.header, after)
            tables += 1
        if show.has_picture(source.header) and show.has_picture(after):
            picture = output / f"side-by-side-{len(pictures) + 1}.png"
            try:
                show.save_picture(source.path, path, picture)
            except InstanceError as error:
                console.print(f"no picture: {error.code}")
                continue
            pictures.append(picture)
    if account.held:
        show.show_held(console, account.held)
    return pictures


def _search(
    sources: Sequence[Source], account: Account, arrived: Path, *, planted: Sequence[str]
) -> Mapping[Path, set[str]]:
    """Arrived files in which identifiers of their source (or planted ones) stand, and which."""
    found: dict[Path, set[str]] = {}
    by_path = {path: source for source in sources
               if (path := account.pairs.get(source.uid)) is not None}  # fmt: skip
    every = {identifier for source in sources for identifier in identifiers_of(source.header)}
    for path in sorted(arrived.iterdir()):
        source = by_path.get(path)
        own = identifiers_of(source.header) if source is not None else every
        residue = find_residue(path, own | set(planted))
        if residue:
            found[path] = residue
    return found


def _faults(
    account: Account, leaks: Mapping[Path, set[str]], pictures: Sequence[Path], *,
    in_time: bool, is_own_study: bool,
) -> list[str]:  # fmt: skip
    faults = [f"{path} holds {', '.join(sorted(found))}" for path, found in leaks.items()]
    if not in_time:
        faults.append(f"the node had not finished after {_LIMIT_S} s; see node.log")
    if account.missing:
        faults.append(f"{account.missing} instances are missing")
    if is_own_study and (account.held or account.dropped or not pictures):
        faults.append("the demonstration study did not come through whole")
    return faults


def _conclude(
    console: Console, account: Account, pictures: Sequence[Path], output: Path, duration_s: float
) -> None:
    show.list_lines(console, "Summary", [
        f"arrived: {len(account.pairs)}",
        f"left out by the profile: {account.dropped}",
        f"in quarantine: {sum(account.held.values())}",
        *(f"picture: {picture}" for picture in pictures),
        f"everything else: {output} (arrived files, logs); {duration_s:.0f} s",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
