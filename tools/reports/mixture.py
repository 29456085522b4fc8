"""The set of a figure: reports of templates and Indiana reports with filled slots."""

from __future__ import annotations

from collections.abc import Callable

from tools.reports.fill import Report, generate, load_split
from tools.reports.indiana import find_indiana, generate_indiana

INDIANA_SHARE = 0.3


def make_reports(
    split: str, count: int, seed: int, *, indiana: bool = True, say: Callable[[str], None] = print
) -> list[Report]:
    """Reports of a split, three in ten of them of Indiana where those are on this machine.

    Parameters
    ----------
    say : callable
        Told loudly when the Indiana reports are absent; then all reports are of templates.
    """
    source = load_split(split)
    folder = find_indiana() if indiana else None
    if indiana and folder is None:
        say("NO INDIANA REPORTS on this machine (UPDP_SHARED): all reports are of templates")
    of_indiana = round(count * INDIANA_SHARE) if folder else 0
    reports = list(generate(source, count - of_indiana, seed))
    if folder:
        reports += generate_indiana(source, folder, of_indiana, seed)
    return reports
