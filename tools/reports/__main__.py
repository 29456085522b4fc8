"""Generate reports, run the text engine over them, say what it found.

``python -m tools.reports --split development --reports 500 --seed 1``

The texts of misses and of false removals are printed for the development splits only, unless
``--show`` asks: the other splits are not for tuning.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.reports.fill import SPLITS
from tools.reports.measure import Missed, Result, measure
from tools.reports.mixture import make_reports
from tools.reports.spanish import SPANISH, read_marked
from updp_node.text.scrub import load_scrubber

_UNSEEN = frozenset({"figure", "spanish"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="tools.reports", description=__doc__)
    parser.add_argument("--split", choices=[*SPLITS, *SPANISH], default="development")
    parser.add_argument("--reports", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-indiana", action="store_true", help="templates only")
    parser.add_argument("--site-lexicons", type=Path, help="folder of lists that a site adds")
    parser.add_argument("--json", type=Path, help="write the figures to a file")
    parser.add_argument("--show", action="store_true", help="print what is missed of any split")
    parser.add_argument("--print", type=int, default=0, help="print so many reports, no engine")
    chosen = parser.parse_args(arguments)
    console = Console(soft_wrap=True, highlight=False)
    language = "es" if chosen.split in SPANISH else "en"
    reports = read_marked(SPANISH[chosen.split]) if language == "es" else make_reports(
        chosen.split, chosen.reports, chosen.seed,
        indiana=not chosen.no_indiana, say=console.print,
    )  # fmt: skip
    if chosen.print:
        for report in reports[: chosen.print]:
            console.print(report.text, markup=False)
            console.rule(report.source)
        return
    scrubber = load_scrubber(language=language, site=chosen.site_lexicons)
    shown = track(reports, "Reports", console=console)
    result = measure(shown, scrubber.find, language)
    _show_figures(result, console)
    if chosen.show or chosen.split not in _UNSEEN:
        _show_texts("missed", result.misses, console)
        _show_texts("removed though no identifier", result.false_removals, console)
    if chosen.json:
        chosen.json.write_text(json.dumps(result.figures(), indent=1) + "\n", encoding="utf-8")


def _show_figures(result: Result, console: Console) -> None:
    table = Table("what", "right", "of", "share", "95 % bounds")
    for name, row in result.figures().items():
        if isinstance(row, dict) and row["of"]:
            low, high = row["bounds_95"]
            table.add_row(name, str(row["right"]), str(row["of"]), f"{row['share']:.2%}",
                          f"{low:.2%} to {high:.2%}")  # fmt: skip
    console.print(table)


def _show_texts(title: str, texts: Sequence[Missed], console: Console) -> None:
    """Texts, the commonest contexts of templates first."""
    console.rule(f"{title}: {len(texts)}")
    often = Counter((each.category, each.slot) for each in texts)
    for each in sorted(texts, key=lambda each: (-often[each.category, each.slot], each.slot)):
        console.print(
            f"{each.category or '-':12}{each.slot:16} {each.text!r:36} … {each.context} …"
            f"  ({each.source})",
            markup=False,
        )


if __name__ == "__main__":
    main()
