"""Skeletons and sentences into reports: parts chosen, slots filled, gold spans remembered."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any, cast

import yaml

from tools.reports.people import Names
from tools.reports.values import Case
from updp_node.text.identity import Identity

TUNED = (
    "development", "opened", "extra", "reopened", "third", "mixed", "academic", "narrative",
    "blind",
)  # fmt: skip
SPLITS = (*TUNED, "figure")
"""Sets of templates, for the most part one author each; nothing is tuned on ``figure``."""
CATEGORIES = (
    "NAME", "ID", "DATE", "TIME", "AGE", "PHONE", "EMAIL", "URL", "ADDRESS", "LOCATION",
    "INSTITUTION", "DEVICE", "MARK",
)  # fmt: skip
TYPO_SHARE = 0.10
_PART = re.compile(r"<(?P<pool>[a-z_0-9]+)(?: (?P<count>\d))?(?P<lines> nl)?(?P<maybe> \?)?>")
_SLOT = re.compile(r"\{(?P<name>[a-z0-9_]+)(?::(?P<form>[^{}]*))?\}")
_LOWER, _UPPER = "lower", "upper"


@dataclass(frozen=True, slots=True)
class Gold:
    """An identifier of a report: where it stands, what it is, whether the header has it."""

    start: int
    end: int
    category: str
    slot: str
    in_header: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A report, the identity of its header and its gold spans.

    Attributes
    ----------
    source : str
        Skeleton of the split (``figure 17``) or Indiana report that it was made of.
    """

    text: str
    identity: Identity
    spans: tuple[Gold, ...]
    source: str


@dataclass(frozen=True)
class Split:
    """Templates and values of one split.

    Attributes
    ----------
    skeletons : tuple of str
        Whole reports; ``<pool>`` is one of the pool's sentences, ``<pool 3>`` three of them,
        ``<pool 3 nl>`` three on lines of their own, ``<pool ?>`` one or none, ``{slot:form}``
        an identifier. ``#lower`` or ``#upper`` as its first line sets the case of all.
    pools : mapping of str to tuple of str
    values : mapping
        Names, places, and formats of numbers.
    """

    name: str
    skeletons: tuple[str, ...]
    pools: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Any]
    names: Names


@lru_cache(maxsize=2)
def load_split(name: str) -> Split:
    """Read ``templates_<name>*.yaml`` and ``values_<name>*.yaml``, each kind merged into one."""
    read = [_read_merged(kind, name) for kind in ("templates", "values")]
    pools = {pool: tuple(sentences) for pool, sentences in read[0]["pools"].items()}
    return Split(name, tuple(read[0]["skeletons"]), pools, read[1], Names(read[1]["names"]))


def _read_merged(kind: str, name: str) -> dict[str, Any]:
    files = sorted(Path(__file__).parent.glob(f"{kind}_{name}*.yaml"), key=lambda path: path.stem)
    read = [yaml.safe_load(path.read_text("utf-8")) for path in files]
    return cast("dict[str, Any]", reduce(_merged, read))


def _merged(first: Any, second: Any) -> Any:
    """Two files' parts as one: mappings key by key, lists and words one after the other."""
    if isinstance(first, dict):
        both = {key: _merged(first[key], second[key]) for key in first.keys() & second.keys()}
        return {key: both[key] if key in both else (first | second)[key] for key in first | second}
    return [*first, *second] if isinstance(first, list) else f"{first} {second}"


def generate(split: Split, count: int, seed: int) -> Iterator[Report]:
    """Reports of a split: every skeleton in turn, each with parts and values of its own.

    The same seed gives the same reports.
    """
    for number in range(count):
        rng = random.Random(f"{split.name} {seed} {number}")
        yield make_report(split, number % len(split.skeletons), rng)


def make_report(split: Split, number: int, rng: random.Random) -> Report:
    """One report of a skeleton."""
    first, _, rest = split.skeletons[number].partition("\n")
    marked = first.startswith("#")
    options = first[1:].split() if marked else []
    template = rest if marked else split.skeletons[number]
    template = re.sub(r"\n{3,}", "\n\n", _expand(template, split, rng)).strip("\n") + "\n"
    locale = next((option for option in options if option not in {_LOWER, _UPPER}), "us")
    case = Case(split.values, split.names, locale, rng)
    style = next((option for option in options if option in {_LOWER, _UPPER}), "")
    typos = rng.random() < TYPO_SHARE
    text, spans = fill(template, case, style, typos=typos)
    return Report(text, case.identity(), spans, f"{split.name} {number + 1}")


def _expand(template: str, split: Split, rng: random.Random, depth: int = 0) -> str:
    """A template with its parts in place."""
    if depth > 4:
        raise ValueError("parts of templates go round in a circle")

    def choose(match: re.Match[str]) -> str:
        if match["maybe"] and rng.random() < 0.5:
            return ""
        pool = split.pools[match["pool"]]
        chosen = rng.sample(pool, min(int(match["count"] or 1), len(pool)))
        joined = ("\n" if match["lines"] else " ").join(part.strip() for part in chosen)
        return _expand(joined, split, rng, depth + 1)

    return _PART.sub(choose, template)


def fill(
    template: str, case: Case, style: str = "", *, typos: bool = False
) -> tuple[str, tuple[Gold, ...]]:
    """Fill every slot of an expanded template and remember where.

    A slot of no gold category (an age under 90, a side) leaves no span.
    """
    parts: list[str] = []
    spans = []
    done = length = 0
    for match in _SLOT.finditer(template):
        plain = _cased(template[done : match.start()], style)
        plain = _misspelt(plain, case.rng) if typos else plain
        value = case.value(match["name"], match["form"] or "")
        text = _cased(value.text, style)
        length += len(plain)
        if value.category:
            spans.append(
                Gold(length, length + len(text), value.category, match[0], value.in_header)
            )
        parts += [plain, text]
        length += len(text)
        done = match.end()
    parts.append(_cased(template[done:], style))
    return "".join(parts), tuple(spans)


def _cased(text: str, style: str) -> str:
    return text.lower() if style == _LOWER else text.upper() if style == _UPPER else text


def _misspelt(text: str, rng: random.Random) -> str:
    """A dictation's typing error: at times two letters of a long word change places."""
    words = [match for match in re.finditer(r"\b[a-z]{7,}\b", text)]
    if not words or rng.random() < 0.7:
        return text
    at = rng.choice(words).start() + rng.randint(1, 4)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
