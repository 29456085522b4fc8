"""Text as the gate compares it: folded words, spellings of names, dates in usual spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

from updp_node.verify.romanization import romanize

_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
_UNDECOMPOSED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_MONTHS = {
    stem: number
    for number, stems in enumerate(
        (
            "jan ene gen oca sty янв ιαν", "feb fev sub lut фев φεβ", "mar mrz mrt мар μαρ",
            "apr avr abr nis kwi апр απρ", "may mai mag mei maj май мая μαι",
            "jun juin giu haz cze июн ιουν", "jul juil lug tem lip июл ιουλ",
            "aug aou ago agu sie авг αυγ", "sep set eyl wrz сен σεπ",
            "oct okt ott eki paz окт οκτ", "nov kas lis ноя νοε", "dec dez dic ara gru дек δεκ",
        ),
        start=1,
    )
    for stem in stems.split()
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})[^\W\d_]*\.?"
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_SPELLED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\d){_YEAR}(?P<m>[01]\d)(?P<d>[0-3]\d)(?!\d)",
        rf"(?<!\d)(?P<d>[0-3]\d)(?P<m>[01]\d){_YEAR}(?!\d)",
        rf"(?<!\d)(?P<m>[01]\d)(?P<d>[0-3]\d){_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}(?P<m>[01]\d)(?P<d>[0-3]\d)[0-2]\d[0-5]\d(?:[0-5]\d)?(?!\d)",
        rf"(?<!\d){_YEAR}\s?[-/.:_年년]\s?(?P<m>\d{{1,2}})\s?[-/.:_月월]\s?(?P<d>\d{{1,2}})(?!\d)",
        rf"(?<![\d.]){_YEAR} (?P<m>[01]\d) (?P<d>[0-3]\d)(?![\d.])",
        rf"(?<![\d.])(?P<d>[0-3]\d) (?P<m>[01]\d) {_YEAR}(?![\d.])",
        rf"(?<![\d.])(?P<m>[01]\d) (?P<d>[0-3]\d) {_YEAR}(?![\d.])",
    )
)
_WORDED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|er)?[\s.,_-]*(?:of\s+|de\s+)?{_MONTH}[\s.,_-]*(?:de\s+)?{_YEAR}",
        rf"(?<![a-z]){_MONTH}[\s_-]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s.,_-]+{_YEAR}",
        rf"(?<!\d){_YEAR}[\s.,_-]*{_MONTH}[\s.,_-]*(?P<d>\d{{1,2}})(?!\d)",
    )
)
_NUMERIC = re.compile(
    r"(?<![\d./-])(?P<a>\d{1,2})\s?[-/._]\s?(?P<b>\d{1,2})\s?[-/._]\s?(?P<y>(?:19|20)?\d\d)(?![\d/-]|\.\d)"
)
_YEAR_FIRST = re.compile(
    r"(?<![\w./-])(?P<y>\d\d)(?P<s>[-/])(?P<m>[01]\d)(?P=s)(?P<d>[0-3]\d)(?![\w/-]|\.\d)"
)
_PIVOT = 40
_MIN_COLLAPSED = 5
_COLLAPSED = re.compile("(?<=[aou])e")
_MISREAD = str.maketrans("0158", "olsb")


def fold(text: str) -> str:
    """Lower case without diacritics, compatibility forms unified."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", bare).casefold().translate(_UNDECOMPOSED)


def spell(word: str) -> frozenset[str]:
    """The folded spellings of a word of a name.

    Bare letters, digraphs for umlauts and umlauts for digraphs (Müller, Mueller, Muller), and
    Latin letters for Cyrillic, Greek and kana.
    """
    lowered = unicodedata.normalize("NFKC", word).casefold()
    found = {fold(word), fold(lowered.translate(_DIGRAPHS)), *map(fold, romanize(lowered))}
    found |= {bare for each in found if len(bare := _COLLAPSED.sub("", each)) >= _MIN_COLLAPSED}
    return frozenset(found)


def fold_both(text: str) -> list[str]:
    """A text folded to bare letters and, where that differs, to digraphs for umlauts."""
    bare = fold(text)
    if text.isascii():
        return [bare]
    spelled = fold(unicodedata.normalize("NFC", text).casefold().translate(_DIGRAPHS))
    return [bare] if spelled == bare else [bare, spelled]


def blur(folded: str) -> str:
    """A folded word with the characters made equal that a reader of pixels takes for another."""
    return folded.translate(_MISREAD).replace("i", "l").replace("rn", "m").replace("vv", "w")


def split_words(folded: str) -> list[str]:
    """The words of a folded text: letters and digits, everything else parts them."""
    return _WORD.findall(folded)


def split_letters(folded: str) -> list[str]:
    """The words of a folded text, digits parting them too."""
    return _LETTERS.findall(folded)


def join_code(text: str) -> str:
    """An identifying number as compared: case and separators do not count."""
    return "".join(_WORD.findall(fold(text)))


def is_ideographic(word: str) -> bool:
    """Whether a word is of a script that puts no space between words."""
    return any(ord(each) >= 0x2E80 for each in word)


def find_dates(folded: str) -> Iterator[date]:
    """Every full date in a folded text, in the usual spellings; ambiguous ones both ways."""
    if not any(each.isdigit() for each in folded):
        return
    for pattern in _SPELLED:
        for match in pattern.finditer(folded):
            yield from _make(int(match["y"]), int(match["m"]), int(match["d"]))
    for pattern in _WORDED:
        for match in pattern.finditer(folded):
            yield from _make(int(match["y"]), _MONTHS[match["month"]], int(match["d"]))
    for match in _NUMERIC.finditer(folded):
        year = int(match["y"])
        if year < 100:
            year += 1900 if year > _PIVOT else 2000
        yield from _make(year, int(match["a"]), int(match["b"]))
        yield from _make(year, int(match["b"]), int(match["a"]))
    for match in _YEAR_FIRST.finditer(folded):
        year = int(match["y"])
        yield from _make(year + (1900 if year > _PIVOT else 2000), int(match["m"]), int(match["d"]))


def _make(year: int, month: int, day: int) -> Iterator[date]:
    try:
        yield date(year, month, day)
    except ValueError:
        return
