"""What stands between a found name and the end of what it belongs to.

A name of an institution goes with the words that make it one (``Kingsport Pain and Spine``,
``the Chen NICU``, ``Night Rad of Kansas``), an address with the numbers and small words between
its parts (``3 The Maltings``, ``Main, Jayanagar 4th Block``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from updp_node.model import Span
from updp_node.text.lexicon import Lexicons

_PLACES = frozenset({"INSTITUTION", "LOCATION", "ADDRESS"})
_NAMED = frozenset(
    {"unknown", "model", "voter", "lone-line", "headed", "spoken-of", "field", "line", "order"}
)
"""Rules that call a name what may as well be a place."""
_PEOPLE = frozenset({"model", "spoken-of", "line", "order", "lone-line", "field", "voter"})
_NUMBER_BEFORE = re.compile(
    r"(?:\b(?:at|to|on|from|of|lives|near|outside|is)|,|:|/|\n)[ \t]+"
    r"(?P<phi>(?:\d{1,5}[A-Za-z]?,? )?(?:The (?:Old |New |Upper |Lower |Little |Great )?)|"
    r"\d{1,5}[A-Za-z]?,? )\Z"
)
_BETWEEN = re.compile(
    r"(?:(?:,|\n)? ?(?:\d{1,4}(?:st|nd|rd|th)?[A-Z]?|No\.?|[A-Z]|of|the|on|at|near|Phase|Wing|"
    r"Sector|Cross|Main|Block|Stage|Site|Lot|Box|Level|Floor|Tower|Bldg|Building|Residency|room|"
    r"space|Rd|St)(?:,? |,?\n|, ?)?){1,4}"
)
_OWNER = re.compile(
    r" (?:of|for) (?:the )?[A-Z][a-z'-]+(?: [A-Z][a-z'-]+){0,2}| OF (?:THE )?[A-Z'-]+(?: [A-Z'-]+)?"
)
_NUMBER_AFTER = re.compile(
    r" (?:\d{1,2}[A-Z]?|(?!19|20)\d{3,4})(?=[.,;)](?:\s|$)|[ \t]*$| (?:at|on|by|[A-Z][a-z]+day)\b)",
    re.MULTILINE,
)
"""Of a ward, a lodge: ``Simms Pavilion 1``, ``American Legion Post 951``."""
_WORD_NAMES = re.compile(
    r" (?:Her|Do|So|An|My|No|On|In|Can|Will|May|Be|To|Or|Is|As|Am|Way|Long|Day)"
    r"(?=[,;)\n]|\.(?:\s|$)|$| (?:MD|DO|RN|NP|PA|RT|RDMS)\b)"
)
"""Surnames that are words of the grammar: ``Manuel Her, MD``."""
_ROW = re.compile(
    r"(?:^|, |\b(?:at|to|from|of|At|From)(?: the)? |: |\()"
    r"(?P<phi>(?:(?!(?:Dr|Mr|Mrs|Ms|Prof|The|Our|Seen|Sent|Images|Study|Station|Ward|Location|"
    r"Facility|Department|Hospital|Site)\b)[A-Z][a-z][\w'-]* ?){1,3})\Z",
    re.MULTILINE,
)
"""Capitalized words right before the name of an institution: ``, Nail Translational``."""
_EPONYM_AFTER = re.compile(r" (?P<phi>[A-Z][a-z]{2,20})(?=[.,;)]|[ \t]*$)", re.MULTILINE)
_INITIAL_BEFORE = re.compile(r"(?:^|[,;:(] ?)(?P<phi>(?:[A-Z]\. ?){1,2})\Z", re.MULTILINE)
_UNIT = re.compile(r"(?:Tesla|French|Gauge|Hounsfield|Fr|Gray)\b")
_JOINT = re.compile(r"[ ,\n/-]{0,3}")
_HEAD_END = 60


class Stretches:
    """Extends what was found to the end of the name or address that it is a part of.

    Parameters
    ----------
    lexicons : Lexicons
        A pack without `tails` in `context/places.yaml` extends nothing.
    """

    def __init__(self, lexicons: Lexicons) -> None:
        places = lexicons.places
        strong, weak = places.get("tails", ()), places.get("tail_words", ())
        self._is_on = bool(strong)
        self._graded, self._eponyms = lexicons.graded, lexicons.eponyms
        ends, words = _either(strong), _either([*strong, *weak])
        joint = r"(?: and| &| of| for| of the|/)?"
        pair = _either(places.get("tail_pairs", ()))
        self._tail = re.compile(
            rf"(?:'s|'S)?(?:{joint}[ -](?:{words})\b){{0,4}}?{joint}[ -](?:{ends})(?![\w'])"
            rf"|(?:'s)? (?:{pair})(?: {ends})?(?!\w)"
            r"|(?<=\b[A-Z]{3}) (?-i:E[DR])(?!\w)|(?<=\b[A-Z]{4}) (?-i:E[DR])(?!\w)"
            r"| \d{1,2} (?:East|West|North|South|EAST|WEST|NORTH|SOUTH|[NSEW])\b",
            re.IGNORECASE,
        )
        nations = _either(lexicons.closed.get("nations", ()))
        self._nation = re.compile(rf",? (?:{nations})(?!\w)", re.IGNORECASE)
        firms = _either(lexicons.closed.get("firms", ()))
        self._firm = re.compile(
            rf"(?:\.?, ?(?:M\.?D|D\.?O|D\.?D\.?S|D\.?C)\b\.?)?\.?,? ?(?:{firms})(?![\w])\.?(?!\w)",
            re.IGNORECASE,
        )
        heads = _either(places.get("head_words", ()))
        self._headed = re.compile(rf"(?:^|.* )(?i:{heads})\.?")
        self._head = re.compile(
            rf"(?<![\w'-])(?:(?!(?:The|In|At|From|On)\b)[A-Z][\w.'-]* ){{0,2}}(?i:{heads})\.? "
            r"(?:of|for|OF|FOR)(?: the| THE)? \Z"
        )

    def fill(self, spans: Iterable[Span], text: str) -> Iterator[Span]:
        """Further stretches that belong to what was found.

        Parameters
        ----------
        spans : iterable of Span
            Found by other rules.
        text : str
            What the offsets point into.
        """
        if not self._is_on:
            return
        placed = sorted(
            (s for s in spans if s.category in _PLACES or s.recognizer in _NAMED),
            key=lambda s: s.start,
        )
        for span in placed:
            yield from self._around(span, text)
        yield from _between(placed, text)

    def _around(self, span: Span, text: str) -> Iterator[Span]:
        """The end and the beginning of a name of an institution, the number before an address."""
        found = text[span.start : span.end]
        before = text[max(0, span.start - _HEAD_END) : span.start]
        tail = self._tail.match(text, span.end)
        if tail and _is_alike(found, tail[0]):
            yield Span(span.start, tail.end(), "INSTITUTION", "tail")
        letter = _INITIAL_BEFORE.search(before) if span.category == "NAME" else None
        if letter and found[:1].isupper():
            yield Span(span.start - len(letter["phi"]), span.end, "NAME", "initial-before")
        nation = self._nation.match(text, span.end) if span.category != "INSTITUTION" else None
        if nation and text[span.end] == "," and found[:1].isupper():
            yield Span(span.start, nation.end(), "LOCATION", "nation")
        firm = self._firm.match(text, tail.end() if tail else span.end)
        if firm and (tail or "&" in found or span.category == "INSTITUTION"):
            yield Span(span.start, firm.end(), "INSTITUTION", "firm")
        yield from self._after(span, text, found)
        owner = _OWNER.match(text, span.end)
        if owner and self._headed.fullmatch(found):
            yield Span(span.start, owner.end(), "INSTITUTION", "head")
        owned = found.startswith("s ") and before.endswith("'")  # "Women's Health Group"
        row = _ROW.search(before.removesuffix("'")) if found[:1].isupper() or owned else None
        if row and span.category == "INSTITUTION":
            start = span.start - len(row["phi"]) - owned
            yield Span(start, span.end, "INSTITUTION", "row")
        head = self._head.search(before) if found[:1].isupper() else None
        if head:
            yield Span(span.start - len(before) + head.start(), span.end, "INSTITUTION", "head")
        number = _NUMBER_BEFORE.search(before) if found[:1].isupper() else None
        if number and not _UNIT.match(found):
            yield Span(span.start - len(number["phi"]), span.end, "ADDRESS", "house-number")

    def _after(self, span: Span, text: str, found: str) -> Iterator[Span]:
        """The number behind the name of a ward, the surname that is a word behind a given name."""
        graded = found.lower() in self._graded or found.lower() in self._eponyms
        number = _NUMBER_AFTER.match(text, span.end) if found.istitle() and not graded else None
        if number and (span.category == "INSTITUTION" or " " not in found):
            yield Span(span.start, number.end(), "INSTITUTION", "tail")
        word = _WORD_NAMES.match(text, span.end)
        if word and span.category == "NAME" and found.isalpha() and found.istitle():
            yield Span(span.start, word.end(), "NAME", "word-name")
        eponym = _EPONYM_AFTER.match(text, span.end) if span.category == "NAME" else None
        if eponym and found.istitle() and eponym["phi"].lower() in self._eponyms:
            yield Span(span.start, eponym.end(), "NAME", "word-name")


def _between(spans: Sequence[Span], text: str) -> Iterator[Span]:
    """Numbers and small words between parts of which one is an address."""
    for left, right in pairwise(spans):
        gap = text[left.end : right.start]
        addressed = (
            left.recognizer not in _PEOPLE
            and "ADDRESS" in {left.category, right.category}
            and all(re.search("[A-Z]", text[each.start : each.end]) for each in (left, right))
        )
        if (
            0 < len(gap) < 24
            and addressed
            and not _JOINT.fullmatch(gap)
            and _BETWEEN.fullmatch(gap)
        ):
            yield Span(left.start, right.end, "ADDRESS", "between-address")


def _is_alike(found: str, tail: str) -> bool:
    """Whether a tail is written as the name before it: capitals behind capitals."""
    words = [word for word in re.findall(r"[A-Za-z]+", tail) if word.lower() not in _LINKS]
    if not found[:1].isupper():
        return found.islower() and tail.islower()
    return all(word[0].isupper() for word in words) and (
        not found.isupper() or tail.isupper() or len(found) < 6
    )


_LINKS = frozenset({"and", "of", "for", "the", "s", "estate", "freestanding"})


def _either(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", " ") for term in ordered) or "(?!)"
