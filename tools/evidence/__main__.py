"""Run the study and write its page: ``python -m tools.evidence``.

Counterparts are drawn once and kept; everything else is trained and measured anew, so that a
repetition tests whether the same figures come out. Minutes on two CPU cores: docs/evidence.md.
"""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tools.evidence.crew import Crew
from tools.evidence.plan import PLANS

ROOT = Path(__file__).parents[2]
_THREADS = 1


def run(
    out: Annotated[Path, typer.Option(help="Folder for evidence.md, .json, pictures.")] = ROOT
    / "docs",
    cache: Annotated[Path, typer.Option(help="Folder of drawn counterparts.")] = ROOT
    / "build/evidence",
    effort: Annotated[str, typer.Option(help="full, or tiny: to try the script.")] = "full",
    workers: Annotated[int, typer.Option(help="Processes, of one thread each.")] = 2,
    seed: int = 0,
    *,
    keep_networks: Annotated[
        bool, typer.Option(help="Take trained networks from the cache: quicker, proves less.")
    ] = False,
    page_only: Annotated[
        bool, typer.Option(help="Write the page and plots again from evidence.json.")
    ] = False,
) -> None:
    """Measure the shipped models on open data and write docs/evidence.md."""
    from tools.evidence.page import write_page  # noqa: PLC0415
    from tools.evidence.pictures import write_plots  # noqa: PLC0415

    if effort not in PLANS:
        raise typer.BadParameter(f"effort is one of {', '.join(PLANS)}")
    out.mkdir(parents=True, exist_ok=True)
    if not page_only:
        from tools.evidence.run import Job, measure_all  # noqa: PLC0415 - torch
        from tools.evidence.sources import find_data  # noqa: PLC0415 - torch

        networks = cache / "networks" if keep_networks else None
        job = Job(PLANS[effort], find_data(), cache, networks, seed, _THREADS)
        with _show_progress() as progress, Crew(workers, _THREADS, progress) as crew:
            measure_all(job, out, crew, datetime.now(UTC))
    write_plots(out)
    write_page(out)
    for path in sorted(
        [out / "evidence.md", out / "evidence.json", *out.glob("images/evidence-*")]
    ):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        print(f"written: {path} ({path.stat().st_size / 1024:.0f} KiB, {digest})")


def _show_progress() -> Progress:
    """A bar for every long task."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    return Progress(*columns, console=Console(file=sys.stderr))


if __name__ == "__main__":
    typer.run(run)
