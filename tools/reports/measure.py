"""How much of the gold spans an engine covers, and how much else it removes.

The rules, the same for both splits:

* A span is found only if every one of its identifying tokens (runs of letters, digits and ``_``)
  lies wholly in removed text, whatever category the engine gave. What identifies nobody by
  itself does not count: of names titles and degrees; of dates weekdays, ``the`` and ``of``; of
  times ``am``, ``pm`` and ``hours``; of phones ``ext``; of places a state's name or letters
  beside a city; of addresses the street's kind (``Street``, ``Apt``); of institutions words that
  any has (``Hospital``, ``Medical``), unless nothing else is there.
* Token precision: removed tokens that lie in a gold span, of all removed tokens. Titles,
  degrees, weekdays, ``am``/``pm`` and ruled lines (``_____``) outside gold spans are neutral:
  they count on neither side.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tools.reports.fill import CATEGORIES, Gold, Report
from updp_node.text.identity import Identity

_TOKEN = re.compile(r"\w+")
_TITLES = frozenset(
    "dr drs doctor prof professor mr mrs ms miss sir md m d do phd ph mbbs frcr franzcr rn np pa c "
    "rt r rdms jr sr ii iii".split()
)
_IN_DATES = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday the of th st nd rd".split()
)
_IN_TIMES = frozenset("am pm a p m h hrs hours hour hr utc est".split())
_STREETS = frozenset(
    "street st road rd avenue ave drive dr lane ln court ct boulevard blvd close crescent parade "
    "terrace place pl way apt apartment unit flat suite floor n s e w p o box level highway hwy "
    "parkway pkwy circle grove gardens mews".split()
)
_HOUSES = frozenset(
    "hospital hospitals medical center centre clinic clinics imaging health healthcare system "
    "general memorial regional community university royal infirmary practice care home nursing "
    "radiology diagnostic the of and for at in s".split()
)
_STATES = frozenset(
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm "
    "ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc nsw vic qld tas act nt "
    "idaho utah ohio texas oregon nevada county".split()
)
_SPANISH_TITLES = frozenset(
    "dr dra drs sr sra srta d don dona doña dña prof doctor doctora mir col enfermera a".split()
)
_SPANISH_FILLERS = frozenset("de del la las los el y i e".split())
_NEUTRAL = {
    "en": _TITLES | _IN_TIMES | _IN_DATES - {"the", "of", "st"},
    "es": _SPANISH_TITLES | {"y", "e", "h", "horas"},
}
_NOT_IDENTIFYING: dict[str, dict[str, frozenset[str]]] = {"en": {
    "NAME": _TITLES,
    "DATE": _IN_DATES,
    "TIME": _IN_TIMES,
    "PHONE": frozenset({"ext"}),
    "ADDRESS": _STREETS,
    "INSTITUTION": _HOUSES,
    "LOCATION": _STATES,
}, "es": {
    "NAME": _SPANISH_TITLES | _SPANISH_FILLERS,
    "DATE": _SPANISH_FILLERS
    | frozenset("lunes martes miércoles jueves viernes sábado domingo".split()),
    "TIME": frozenset("h hs horas a p m am pm".split()),
    "PHONE": frozenset({"ext"}),
    "ADDRESS": _SPANISH_FILLERS
    | frozenset("c calle avda avenida plaza paseo camino izq dcha s n piso".split()),
    "INSTITUTION": _SPANISH_FILLERS
    | frozenset("hospital clínica centro salud general complejo hospitalario instituto".split()),
    "LOCATION": _SPANISH_FILLERS,
}}  # fmt: skip


class Found(Protocol):
    """A span that an engine removes."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102


Finder = Callable[[str, Identity], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Missed:
    """A gold span of which something stays, or text removed that is in none."""

    source: str
    category: str
    slot: str
    text: str
    context: str


@dataclass
class Result:
    """Counts over reports, and what went wrong."""

    reports: int = 0
    gold: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    gold_in_header: int = 0
    found_in_header: int = 0
    removed: int = 0
    removed_rightly: int = 0
    misses: list[Missed] = field(default_factory=list)
    header_misses: list[Missed] = field(default_factory=list)
    false_removals: list[Missed] = field(default_factory=list)

    def recall(self, category: str | None = None) -> float:
        """Span recall of a category, or of all."""
        gold = self.gold.total() if category is None else self.gold[category]
        found = self.found.total() if category is None else self.found[category]
        return found / gold if gold else 1.0

    def recall_in_header(self) -> float:
        """Span recall of what the header holds too."""
        return self.found_in_header / self.gold_in_header if self.gold_in_header else 1.0

    def precision(self) -> float:
        """Token precision."""
        return self.removed_rightly / self.removed if self.removed else 1.0

    def figures(self) -> dict[str, Any]:
        """Everything but the texts, with 95 % bounds (Clopper-Pearson)."""
        rows = {category: (self.found[category], self.gold[category]) for category in CATEGORIES}
        rows["all"] = (self.found.total(), self.gold.total())
        rows["all but MARK"] = (
            self.found.total() - self.found["MARK"],
            self.gold.total() - self.gold["MARK"],
        )
        rows["in header"] = (self.found_in_header, self.gold_in_header)
        rows["token precision"] = (self.removed_rightly, self.removed)
        return {
            "reports": self.reports,
            **{
                name: {"of": of, "right": right, "share": right / of if of else None,
                       "bounds_95": bounds(right, of)}
                for name, (right, of) in rows.items()
            },
        }  # fmt: skip


def measure(reports: Iterable[Report], find: Finder, language: str = "en") -> Result:
    """Run an engine over reports and count."""
    result = Result()
    for report in reports:
        _count(report, find(report.text, report.identity), result, language)
    return result


def _count(report: Report, spans: Iterable[Found], result: Result, language: str) -> None:
    covered = bytearray(len(report.text))
    for span in spans:
        covered[span.start : span.end] = b"\1" * (span.end - span.start)
    gold = bytearray(len(report.text))
    result.reports += 1
    for span in report.spans:
        gold[span.start : span.end] = b"\1" * (span.end - span.start)
        hit = all(all(covered[a:b]) for a, b in identifying_tokens(report.text, span, language))
        result.gold[span.category] += 1
        result.found[span.category] += hit
        result.gold_in_header += span.in_header
        result.found_in_header += hit and span.in_header
        if not hit:
            missed = _missed(report, span.start, span.end, span.category, span.slot)
            result.misses.append(missed)
            if span.in_header:
                result.header_misses.append(missed)
    for match in _TOKEN.finditer(report.text):
        start, end = match.span()
        if not any(covered[start:end]):
            continue
        right = any(gold[start:end])
        if right or (match[0].strip("_") and match[0].lower() not in _NEUTRAL[language]):
            result.removed += 1
            result.removed_rightly += right
            if not right:
                result.false_removals.append(_missed(report, start, end, "", ""))


def identifying_tokens(text: str, span: Gold, language: str = "en") -> Sequence[tuple[int, int]]:
    """Offsets of the tokens of a gold span that identify somebody."""
    plain = _NOT_IDENTIFYING[language].get(span.category, frozenset())
    every = [match for match in _TOKEN.finditer(text, span.start, span.end)]
    chosen = [match for match in every if match[0].lower() not in plain]
    return [match.span() for match in chosen or every]


def _missed(report: Report, start: int, end: int, category: str, slot: str) -> Missed:
    context = report.text[max(0, start - 40) : end + 40].replace("\n", "⏎")
    return Missed(report.source, category, slot, report.text[start:end], context)


def bounds(right: int, of: int, risk: float = 0.05) -> tuple[float, float]:
    """Exact (Clopper-Pearson) bounds of a share."""
    if of == 0:
        return 0.0, 1.0
    lower = 0.0 if right == 0 else _solve(lambda p: _tail(right, of, p), risk / 2)
    upper = 1.0 if right == of else _solve(lambda p: 1 - _tail(right + 1, of, p), risk / 2, -1)
    return lower, upper


def _solve(share: Callable[[float], float], wanted: float, direction: int = 1) -> float:
    """Where a monotonous function has a value."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (share(middle) < wanted) == (direction > 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _tail(least: int, of: int, p: float) -> float:
    """Probability of at least so many of so many."""
    if p <= 0 or p >= 1:
        return float(p >= 1 or least <= 0)
    total = math.lgamma(of + 1)
    return min(1.0, math.fsum(
        math.exp(total - math.lgamma(k + 1) - math.lgamma(of - k + 1)
                 + k * math.log(p) + (of - k) * math.log1p(-p))
        for k in range(least, of + 1)
    ))  # fmt: skip
