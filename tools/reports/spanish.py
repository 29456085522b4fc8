"""A small set of Spanish reports with gold spans, marked by hand."""

from __future__ import annotations

import re
from pathlib import Path

from tools.reports.fill import Gold, Report
from updp_node.text.identity import Identity

_FOLDER = Path(__file__).parent
SPANISH = {
    "spanish": _FOLDER / "spanish.txt",
    "spanish-development": _FOLDER / "spanish_development.txt",
}
_MARKED = re.compile(r"\{\{(?P<category>[A-Z]+)\|(?P<text>[^{}]*)\}\}")


def read_marked(path: Path = SPANISH["spanish"]) -> list[Report]:
    """Reports of a file where ``{{NAME|Ada Poe}}`` marks an identifier.

    A mark of an earlier de-identification counts as MARK, whatever it replaced.
    """
    text = re.sub(r"\A(?:#[^\n]*\n)+", "", path.read_text(encoding="utf-8"))
    parts = re.split(r"(?m)^-----\n", text)
    return [_read(part, f"{path.stem} {number}") for number, part in enumerate(parts, start=1)]


def _read(marked: str, source: str) -> Report:
    parts: list[str] = []
    spans = []
    done = length = 0
    for match in _MARKED.finditer(marked):
        plain, found = marked[done : match.start()], match["text"]
        length += len(plain)
        category = "MARK" if re.search(r"_{3}|X{3}|\[\*\*", found) else match["category"]
        spans.append(Gold(length, length + len(found), category, match["category"]))
        parts += [plain, found]
        length += len(found)
        done = match.end()
    return Report("".join([*parts, marked[done:]]), Identity(), tuple(spans), source)
