"""Known words at the edges of what was found: labels, roles, the sentence beside a name.

A rule that takes all that no list knows, or a run of capitals, takes its neighbours along:
``Rene Bergan, MRN``, ``Robert Moore`` and the next line's ``Cassette``. What is known to name
nobody is cut off again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from updp_node.model import Span
from updp_node.text.lexicon import Lexicons, by_first
from updp_node.text.words import find_phrases

_TOKEN = re.compile(r"[^\W_]+")
_BREAK = re.compile(r"[,;:|()\n\t=]|(?<=[a-z]{3})\. | {2}|(?<=\w)\^\. ")
_SHORTEST_WRITTEN = 4
_COUNT = re.compile(r"\d{1,2}")
_LOOSE = frozenset(
    "unknown headed field facility facility-apart facility-field hospital-of lone-line line order "
    "model voter city-list town repeated initialed spoken-of labelled performed acting suffix "
    "name-caret name-dated name-told initials-dated city-region drs-pair groups labelled-code "
    "dwelling institution-letters-listed".split()
)
"""Rules that take neighbours along."""
_SURE = frozenset({"suffix"})
"""Of these the ones whose finds stay where nothing but known words would remain."""


class Edges:
    """Cuts words that name nobody off what was found.

    Parameters
    ----------
    lexicons : Lexicons
        A pack without `beside` words in `context/closed.yaml` cuts nothing.
    """

    def __init__(self, lexicons: Lexicons) -> None:
        closed = lexicons.closed
        terms = [tuple(_TOKEN.findall(term)) for term in closed.get("beside", ())]
        self._beside = frozenset(term[0] for term in terms if len(term) == 1)
        self._phrases = by_first(term for term in terms if len(term) > 1)
        self._joints = frozenset(closed.get("beside_small", ()))
        self._house = frozenset(closed.get("beside_house", ()))
        self._people = people = lexicons.surnames | lexicons.given | lexicons.ambiguous
        towns = lexicons.towns | lexicons.cities
        functions = frozenset(closed.get("function", ()))
        self._heads = heads = frozenset(closed.get("heads", ()))
        written = (each for each in lexicons.abbreviations if len(each) >= _SHORTEST_WRITTEN)
        self._written = frozenset(each for each in written if each.lower() not in people | towns)
        known = lexicons.clinical | functions
        self._nobody = (known - people - towns - heads) | (self._beside - people)

    def trim(self, spans: Iterable[Span], text: str) -> Iterator[Span]:
        """Spans without the known words at their edges, and none where nothing else is left.

        Parameters
        ----------
        text : str
            What the offsets point into.
        """
        for span in spans:
            if not self._beside or span.recognizer not in _LOOSE:
                yield span
                continue
            parts = [*self._parts(text, span)]
            if parts or span.recognizer not in _SURE:
                yield from parts
            else:
                yield span

    def _parts(self, text: str, span: Span) -> Iterator[Span]:
        """What is left of a find; pieces that nothing was cut off between stay one."""
        pieces = _pieces(text, span)
        house = span.category == "INSTITUTION"
        open_at = -1
        for index, (start, end) in enumerate(pieces):
            apart = len(pieces) > 1 and not _is_listed(text, start, end)
            core = self._core(text, start, end, apart=apart, house=house)
            if core and span.category == "NAME" and _COUNT.fullmatch(text, *core):
                core = None  # "(PGY-4)"
            if core is None or (open_at >= 0 and core[0] > start):
                if open_at >= 0:
                    yield Span(open_at, pieces[index - 1][1], span.category, span.recognizer)
                open_at = -1
            if core is None:
                continue
            open_at = open_at if open_at >= 0 else core[0]
            if core[1] < end or index + 1 == len(pieces):
                yield Span(open_at, core[1], span.category, span.recognizer)
                open_at = -1

    def _core(
        self, text: str, start: int, end: int, *, apart: bool, house: bool
    ) -> tuple[int, int] | None:
        """What a piece of a find holds between known words."""
        tokens = [*_TOKEN.finditer(text, start, end)]
        lowered = [token[0].lower() for token in tokens]
        plain = [self._is_plain(token[0], house=house) for token in tokens]
        for at, length, _ in find_phrases(lowered, self._phrases):
            plain[at : at + length] = [True] * length
        if house or any(low in self._heads for low in lowered[:-1]):
            plain[-1] = plain[-1] or (len(tokens) > 1 and lowered[-1] in self._house)
        if all(plain):
            people = (
                token[0].lower() in self._people for token in tokens if not token[0].islower()
            )
            return (start, end) if any(people) else None
        if apart and all(low in self._nobody and len(low) > 1 for low in lowered):
            return None
        first, last = plain.index(False), len(plain) - 1 - plain[::-1].index(False)
        left = start if first == 0 else tokens[first].start()
        return left, end if last == len(plain) - 1 else tokens[last].end()

    def _is_plain(self, token: str, *, house: bool) -> bool:
        lower = token.lower()
        if lower == "the" and not house:
            return False
        if token in self._written and not house:
            return True  # "RN, CCTC"
        return lower in self._beside or (lower in self._joints and token.islower())


def _pieces(text: str, span: Span) -> Sequence[tuple[int, int]]:
    """A find between the marks that part one thing from the next."""
    edges = [span.start]
    for match in _BREAK.finditer(text, span.start, span.end):
        edges += [match.start(), match.end()]
    edges.append(span.end)
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end) for start, end in pairs if _TOKEN.search(text, start, end)]


def _is_listed(text: str, start: int, end: int) -> bool:
    """Whether a piece is one word beside a comma: ``Hand, Pamela`` is somebody."""
    beside = text[end : end + 1] == "," or text[max(0, start - 1) : start] == ","
    return beside and " " not in text[start:end].strip()
