"""Text as the gate compares it: folded words, ordinary words, dates in usual spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

_WORD = re.compile(r"[^\W_]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_SPELLED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>[01]\d)(?P<d>[0-3]\d)(?!\d)",
        r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s.-]+(?:of\s+)?{_MONTH},?[\s-]+(?P<y>(?:19|20)\d\d)",
        rf"{_MONTH}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d\d)",
    )
)
_NUMERIC = re.compile(
    r"(?<![\d./-])(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<y>(?:19|20)?\d\d)(?![\d/-]|\.\d)"
)
_PIVOT = 40

PLACEHOLDERS = frozenset(
    """anonymous anonymized anonymised anon unknown none null test patient physician doctor staff
    operator removed deidentified dummy name noname default user admin technologist radiologist
    referring not given available xxx xxxx na""".split()
)
"""Words that stand in a name's place and name nobody."""

ORDINARY = frozenset(
    """abdomen abdominal adult air airway ankle aorta apex apical april arm august axial back base
    basal bell berry best bilateral bishop black blood bone brain branch bright brook brown bush
    carotid case cath central chest child church clear close cole collar cook contrast cord cross
    date day days dean dense diffuse disk dose early east elbow english enhanced erect exam
    examination fair field fine fish flower foot forest fox free french frontal general gold good
    grant gray green grey grow hall hand hands hard hardy head heart heel hill hip holder hour
    house image imaging impression inferior joint joy june july just kidney king knee knight lake
    lamb lane lateral lead left liver lobe long love low lower lung lungs major male march mark
    marks marsh mass may mean medial midline mild mill miller minor moon moss neck nerve new nodes
    noble normal north nose note notes noted oblique old order page palm park parker part peak
    pelvis perfusion plain pleural pool poor portable power price prior reading red release
    reports research rest rib rice rich right ring river rock root rose round rowe rush sagittal
    sample samples scan screen search series sharp shoulder signs single skull slice small smart
    smooth snow soft south spear spine stable standard star steel stent stone stream strong stroke
    study summer superior supine swift table tall temple thorax tissue tree tube upper upright
    vein view views wall waters weeks west white wide wise winter with wood woods wrist young
    male female other chest-pa synthetic generated modality digital""".split()
)
"""Ordinary and radiological words that are surnames too: alone they prove nothing."""


def fold(text: str) -> str:
    """Lower case without diacritics, compatibility forms unified."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(each for each in decomposed if not unicodedata.combining(each)).casefold()


def split_words(text: str) -> list[str]:
    """The folded words of a text: letters and digits, everything else parts them."""
    return _WORD.findall(fold(text))


def join_code(text: str) -> str:
    """An identifying number as compared: separators do not count."""
    return "".join(split_words(text))


def find_dates(text: str) -> Iterator[date]:
    """Every full date in a text, in the usual spellings; ambiguous ones both ways."""
    for pattern in _SPELLED:
        for match in pattern.finditer(text):
            parts = match.groupdict()
            month = parts.get("m") or str(_MONTHS.index(parts["month"][:3].lower()) + 1)
            yield from _make(int(parts["y"]), int(month), int(parts["d"]))
    for match in _NUMERIC.finditer(text):
        year = int(match["y"])
        if year < 100:
            year += 1900 if year > _PIVOT else 2000
        yield from _make(year, int(match["a"]), int(match["b"]))
        if match["a"] != match["b"]:
            yield from _make(year, int(match["b"]), int(match["a"]))


def _make(year: int, month: int, day: int) -> Iterator[date]:
    try:
        yield date(year, month, day)
    except ValueError:
        return
