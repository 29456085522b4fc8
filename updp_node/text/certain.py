"""The header's own identifiers in a report, in every spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from updp_node.model import Span
from updp_node.text.fold import fold_text
from updp_node.text.grammar import Grammar
from updp_node.text.identity import Identity
from updp_node.text.lexicon import Lexicons

_WORD = re.compile(r"[^\W\d_]+")
_HUMPS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PLURAL = re.compile(r"[A-Z]{2,5}s")
_EXACT = frozenset({"initials", "two-names", "signed", "enclosed", "joined", "spaced"})
_SHORTEST_ID = 3
_FEW_CAPITALS = 100
_SHORTEST_BARE = 5
"""Digits of a number that is looked for without the zeros before it too."""
_COMMON_IDS = frozenset({"none", "unknown", "chest", "test"})


def find_certain(text: str, identity: Identity, lexicons: Lexicons) -> list[Span]:
    """Every spelling of the header's identifiers in folded text.

    A name that is also a word of the language is a hit by itself only where it is written
    with a capital; the parts of a name next to each other are a hit always.
    """
    squeezed = _squeeze(text)
    spans = [*_find_names(text, identity.names, lexicons, squeezed)]
    for category, values in (("ID", identity.ids), ("PHONE", identity.phones)):
        codes = (_spaced_code(value, squeezed, phone=category == "PHONE") for value in values)
        spans += _search(text, codes, category, "header")
    dates = (_date(value, lexicons.grammar) for value in identity.dates)
    spans += _search(text, dates, "DATE", "header")
    phrases = [
        *((v, "INSTITUTION") for v in identity.institutions),
        *((v, "ADDRESS") for v in identity.addresses),
    ]
    for value, category in phrases:
        telling = (_phrase(part) for part in _telling_parts(value, lexicons))
        spans += _search(text, telling, category, "header")
    return spans


def trim_names(
    spans: Iterable[Span], certain: Sequence[Span], text: str, lexicons: Lexicons
) -> Iterator[Span]:
    """Names that were guessed, without the plain words around a name that the header is sure of.

    ``CT HEAD - Laura Parker``: a model takes *HEAD* for a part of the name.
    """
    names = [span for span in certain if span.category == "NAME"]
    for span in spans:
        inside = [s for s in names if span.start <= s.start and s.end <= span.end]
        if span.category != "NAME" or not inside or span.recognizer in _EXACT:
            yield span
            continue
        first, last = min(s.start for s in inside), max(s.end for s in inside)
        before = [*_WORD.finditer(text, span.start, first)]
        after = [*_WORD.finditer(text, last, span.end)]
        kept, also = _foreign(before, lexicons), _foreign(after[::-1], lexicons)
        start = kept.start() if kept else first
        end = also.end() if also else last
        yield Span(start, end, span.category, span.recognizer)


def _foreign(words: Sequence[re.Match[str]], lexicons: Lexicons) -> re.Match[str] | None:
    """The first word from the outside that may belong to a name; single letters by what follows."""
    lone = None
    for word in words:
        letter = len(word[0]) == 1 and word[0].isupper()
        if (_is_plain(word[0], lexicons) and not letter) or _is_coded(word):
            lone = None
        elif len(word[0]) > 1:
            return lone or word
        else:
            lone = lone or word
    return lone


def _is_coded(word: re.Match[str]) -> bool:
    """Whether digits or underscores are glued to the letters: ``tfl3d1_ns`` is no name."""
    around = word.string[max(word.start() - 1, 0) : word.start()], word.string[word.end() :][:1]
    return any(each.isdigit() or each == "_" for each in around)


def _is_plain(word: str, lexicons: Lexicons) -> bool:
    """Whether a word is one of the language or of protocols, and no name where it stands."""
    if _PLURAL.fullmatch(word):
        return True
    parts = [part.lower() for part in _HUMPS.findall(word)] or [word.lower()]
    return all(
        part in lexicons.protocol or (part in lexicons.words and not _names(part, lexicons))
        for part in (parts if len(parts) > 1 else [word.lower()])
    )


def _names(word: str, lexicons: Lexicons) -> bool:
    return word in lexicons.ambiguous or word in lexicons.surnames or word in lexicons.given


def _telling_parts(value: str, lexicons: Lexicons) -> set[str]:
    """A phrase, its lines, and each word that is no word of the language: a town, a name.

    A service alone, *Nuclear Medicine*, names no institution.
    """
    named = {word.lower() for word in re.findall(r"[^\W_]+", fold_text(value).text)}
    if named <= set(lexicons.places["services"]):
        return set()
    parts = {value}
    for line in re.split(r"[,;^\r\n]+", value):
        words = re.findall(r"[^\W\d_]{4,}", fold_text(line).text)
        unusual = {word for word in words if word.lower() not in lexicons.words}
        if unusual:
            parts |= {line, *unusual}
    return parts


def _search(text: str, sources: Iterable[str], category: str, rule: str) -> list[Span]:
    parts = sorted({source for source in sources if source}, key=len, reverse=True)
    found = []
    for start in range(0, len(parts), 200):
        regex = re.compile("|".join(parts[start : start + 200]), re.IGNORECASE)
        found += [Span(*match.span(), category, rule) for match in regex.finditer(text)]
    return found


def _name_parts(name: str) -> list[str]:
    """Words of a person name, all groups and components; titles and initials left to others."""
    folded = fold_text(name).text
    return [part for part in re.split(r"[\^=\s,.\\;]+", folded) if part]


def _squeeze(text: str) -> str:
    """Letters and digits alone, small: what is not in here no spelling of it finds.

    Building an expression costs more than this look, and most are for nothing.
    """
    return "".join(filter(str.isalnum, text)).lower()


def _find_names(text: str, names: Iterable[str], lexicons: Lexicons, squeezed: str) -> list[Span]:
    single: set[str] = set()
    ordered: set[str] = set()
    polite = {*lexicons.names["titles"], *lexicons.names["suffixes"]}
    for name in names:
        whole = _name_parts(name)
        every = [part for part in whole if part.lower() not in polite]
        every = every if len(every) > 1 else whole  # CONSTABLE^REX
        parts = [part for part in every if len(part) > 1]
        if every and _squeeze(every[0]) in squeezed:
            ordered.update(_initialed(every))
        for part in parts:
            halves = [half for half in part.split("-") if len(half) > 3]
            single.update(half.lower() for half in halves)
            if len(part) > 2 or part.lower() not in lexicons.words:
                single.add(part.lower())
        letters = "".join(sorted({re.escape(part[0]) for part in every}))
        for first, second in _neighbours(parts):
            if _squeeze(first) not in squeezed or _squeeze(second) not in squeezed:
                continue
            ordered.add(
                rf"(?<!\w){re.escape(first)}[\s,._^-]{{1,3}}(?:\w\.?\s)?{re.escape(second)}(?!\w)"
                rf"(?:[ ,^]{{1,2}}[{letters}](?![\w']))?"
            )
    single = {part for part in single if _squeeze(part) in squeezed}
    spans = _search(text, ordered, "NAME", "header")
    sure = {part for part in single if part not in lexicons.words}
    spans += _search(text, (_spaced_word(part) for part in sure), "NAME", "header")
    small = sum(map(str.isupper, text)) * _FEW_CAPITALS < len(text)
    for part in sorted(single - sure):
        shapes = {part.upper(), part.capitalize()}
        if small and part not in lexicons.clinical:
            shapes.add(part)
        regex = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, shapes))})(?![\w-])")
        spans += [
            Span(*match.span(), "NAME", "header")
            for match in regex.finditer(text)
            if part not in _COMMON_IDS
        ]
    return spans


def _initialed(parts: Sequence[str]) -> Iterator[str]:
    """The first part of a name with another's initial: ``Holloway, M.``, ``mholloway``."""
    if not parts or len(parts[0]) < 4:
        return
    last = re.escape(parts[0])
    for initial in {part[0] for part in parts[1:]}:
        yield rf"(?<!\w){last},[ ]?{initial}\b\.?"
        yield rf"(?<![^\W_]){initial}\.[ ]?{last}(?![^\W_])"
        yield rf"(?<![^\W_])(?:{initial}[._-]?{last}|{last}[._-]?{initial})\d{{0,3}}(?![^\W_])"


def _neighbours(parts: Sequence[str]) -> list[tuple[str, str]]:
    """Two parts of a name as they may stand side by side: ``Tan Hui Min``, ``Hui Min Tan``."""
    ends = [(parts[-1], parts[0])] if len(parts) > 1 else []
    return [*pairwise(parts), *pairwise(parts[::-1]), *ends]


def _spaced_word(part: str) -> str:
    """A name, also with single spaces or hyphens between its letters."""
    if len(part) < 5:
        return rf"(?<![^\W_]){re.escape(part)}(?![^\W_])"
    spaced = r"[ \t.'-]?".join(re.escape(c) for c in part if c.isalnum())
    return rf"(?<![^\W_]){spaced}(?![^\W_])"


def _spaced_code(value: str, squeezed: str, *, phone: bool) -> str:
    """A number or code, with and without separators; nothing where `squeezed` lacks it."""
    folded = fold_text(value).text
    characters = [c for c in folded if c.isalnum()]
    if len(characters) < (5 if phone else _SHORTEST_ID) or folded.lower() in _COMMON_IDS:
        return ""
    if not phone and not any(c.isdigit() for c in characters):
        return rf"(?<![^\W_]){re.escape(folded)}(?![^\W_])" if len(characters) > 3 else ""
    if phone:
        characters = [c for c in characters if c.isdigit()][-10:]
    body = r"[ ./()_-]{0,2}".join(re.escape(c) for c in characters)
    zeros = "0*" if characters and characters[0].isdigit() else ""
    if "".join(characters).isdigit() and len("".join(characters).lstrip("0")) >= _SHORTEST_BARE:
        characters = list("".join(characters).lstrip("0"))
        body = r"[ ./()_-]{0,2}".join(characters)
    if "".join(characters).lower() not in squeezed:
        return ""
    return rf"(?<![^\W_]){zeros}{body}(?![^\W_])" if characters else ""


def _phrase(value: str) -> str:
    """A name of an institution or an address: its words with any separators."""
    words = re.findall(r"\w+", fold_text(value).text)
    if sum(map(len, words)) < 4:
        return ""
    return r"(?<!\w)" + r"[\W_]{1,4}".join(re.escape(word) for word in words) + r"(?!\w)"


def _date(value: str, grammar: Grammar) -> str:
    """A date in every usual spelling with a year, and month with day."""
    match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", value)
    if not match:
        return ""
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return ""
    year = rf"(?:{day.year}|'?{day.year % 100:02d})"
    number, of_day = rf"0?{day.month}", rf"0?{day.day}"
    name = grammar.months[day.month - 1]
    month = rf"(?:{name}|{name[:3]}t?\.?)"
    ordinal = rf"{of_day}(?:{'|'.join(sorted(set(grammar.ordinals.values())))})?"
    between = grammar.regexes["ordinal_between"].pattern
    sep = r"\s?[-/. ]\s?"
    forms = [
        rf"{day.year}{sep}{number}{sep}{of_day}",
        rf"{number}{sep}{of_day}{sep}{year}",
        rf"{of_day}{sep}{number}{sep}{year}",
        value,
        f"{day:%m%d%Y}",
        f"{day:%d%m%Y}",
        rf"{of_day}/{number}" if grammar.day_first else rf"{number}/{of_day}",
        rf"{month}\s*{ordinal}(?:\s*,?\s*{year})?",
        rf"{ordinal}{between}{month}(?:{between},?\s*{year})?",
    ]
    return rf"(?<![\w/.])(?:{'|'.join(forms)})(?![\w/])"
