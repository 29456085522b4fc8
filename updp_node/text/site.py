"""What a site adds to the lexicons: its staff, wards and identifier formats, and its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from updp_node.errors import ConfigError
from updp_node.text.packs import (
    REQUIRED,
    IdentifierPattern,
    compile_patterns,
    read_rules,
    read_terms,
)

WHITELIST = "WHITELIST"
CATEGORIES = frozenset(
    "NAME ID DATE TIME AGE PHONE EMAIL URL ADDRESS LOCATION INSTITUTION DEVICE MARK".split()
)
_KEYS = {*REQUIRED, "terms", "regexes"}


@dataclass(frozen=True, slots=True)
class SiteLexicons:
    """The files of a site, taken together.

    Attributes
    ----------
    terms : tuple of pairs
        Words of a term and its category; a person's name in both orders.
    names : frozenset of str
        Single words of its people's names.
    patterns : tuple of IdentifierPattern
    kept : tuple of tuple of str
        Terms that are no identifiers.
    kept_codes : tuple of re.Pattern
        Whole tokens that no format may take.
    """

    terms: tuple[tuple[tuple[str, ...], str], ...] = ()
    names: frozenset[str] = frozenset()
    patterns: tuple[IdentifierPattern, ...] = ()
    kept: tuple[tuple[str, ...], ...] = ()
    kept_codes: tuple[re.Pattern[str], ...] = ()


def read_site(paths: Iterable[Path]) -> SiteLexicons:
    """Read the files of a site.

    Raises
    ------
    ConfigError
        A file cannot be read, its head is incomplete, a key or category is not known, or a
        format is no regular expression. Names the file.
    """
    terms: list[tuple[tuple[str, ...], str]] = []
    patterns: list[IdentifierPattern] = []
    kept: list[tuple[str, ...]] = []
    codes: list[re.Pattern[str]] = []
    for path in sorted(paths):
        content = _checked(path)
        category = str(content["category"]).upper()
        words = [term for term in read_terms(content) if term]
        formats = _formats(content, category, path)
        if category == WHITELIST:
            kept += words
            codes += [each.regex for each in formats]
            continue
        patterns += formats
        terms += [(term, category) for term in words]
        if category == "NAME":
            terms += [(term[::-1], category) for term in words if len(term) > 1]
    names = frozenset(word for term, category in terms if category == "NAME"
                      for word in term if len(word) > 2)  # fmt: skip
    return SiteLexicons(tuple(terms), names, tuple(patterns), tuple(kept), tuple(codes))


def _checked(path: Path) -> dict[str, Any]:
    content = read_rules(path)
    if unknown := set(content) - _KEYS:
        raise ConfigError("unknown key", file=str(path), key=min(map(str, unknown)))
    if str(content["category"]).upper() not in {*CATEGORIES, WHITELIST}:
        raise ConfigError(
            f"one of {', '.join(sorted(CATEGORIES)).lower()} or whitelist",
            file=str(path), key="category",
        )  # fmt: skip
    return content


def _formats(content: dict[str, Any], category: str, path: Path) -> tuple[IdentifierPattern, ...]:
    """The ``regexes`` of a file: case ignored, not inside a longer word or number."""
    rows = [
        {"name": f"site-{path.stem}-{number}", "category": category,
         "regex": rf"(?<![^\W_])(?:{regex})(?![^\W_])"}
        for number, regex in enumerate(content.get("regexes") or (), start=1)
    ]  # fmt: skip
    return compile_patterns(rows, {}, path)
