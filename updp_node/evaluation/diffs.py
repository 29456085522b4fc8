"""What was removed from a text, token by token, found by comparing it with its original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from updp_node.model import Span
from updp_node.text.fold import fold_text

_TOKEN = re.compile(r"[^\W_]+")
_TAG = re.compile(r"\[([A-Z][A-Z_]{1,23})\]")
_STRONG_DIGITS = 5
_MONTHS = frozenset(
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july "
    "august september october november december".split()
)
_NOBODY = frozenset(
    "dr mr mrs ms miss prof sir md do phd np pa rn jr sr ii iii am pm hrs hours hour the of at on "
    "monday tuesday wednesday thursday friday saturday sunday st nd rd th".split()
)
"""Words beside identifiers that identify nobody: titles, degrees, weekdays, parts of times."""
_JOINING = frozenset("a s and or for in de la del los las el y le les du".split())
_HOUSES = frozenset(
    "hospital hospitals medical center centre clinic clinics imaging health healthcare system "
    "general memorial regional community university royal infirmary practice care home nursing "
    "radiology diagnostic department".split()
)
_STREETS = frozenset(
    "street road rd avenue ave drive lane ln court ct boulevard blvd close place way apartment "
    "apt unit flat suite floor level box p terrace crescent parade highway parkway circle grove "
    "gardens mews".split()
)
_NETS = frozenset("http https www com org net edu gov example mail email".split())
_GENERIC = {
    "INSTITUTION": _HOUSES | _JOINING,
    "ADDRESS": _STREETS | _JOINING,
    "LOCATION": _JOINING | frozenset("district county".split()),
    "PHONE": frozenset("ext extension tel phone fax pager".split()),
    "TIME": frozenset("a p m".split()),
    "URL": _NETS,
    "EMAIL": _NETS,
    "NAME": frozenset[str](),
    "ID": frozenset[str](),
}
"""Words that identifiers of one kind share, or that join others: alone they name nobody."""
_OF_ANY = frozenset[str]().union(*_GENERIC.values())
"""The same for a category that is not known here."""
_OLDEST = "90"
"""What any greater age is written as, as in ``90yo``."""


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters and digits of an original.

    Attributes
    ----------
    start, end : int
        Offsets into the original.
    text : str
        Folded, lower case.
    """

    start: int
    end: int
    text: str

    @property
    def is_nobody(self) -> bool:
        """Whether it identifies nobody, wherever it stands."""
        return self.text in _NOBODY

    @property
    def is_weak(self) -> bool:
        """Whether another date or number may hold it by chance: a short number or a month."""
        return self.text in _MONTHS or (self.text.isdigit() and len(self.text) < _STRONG_DIGITS)


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of the tokens of one text.

    Attributes
    ----------
    tokens : tuple of Token
    is_kept : tuple of bool
        Of each token: whether it still stands at its place.
    tags : tuple of str
        Of each removed token the category that stands in its place, ``NAME`` for ``[NAME]``;
        empty where several stand there, or none.
    written : tuple of str
        Every category that stands in the scrubbed text, in order.
    """

    tokens: tuple[Token, ...]
    is_kept: tuple[bool, ...]
    tags: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def is_tagged(self) -> bool:
        """Whether categories stand in place of identifiers, not surrogates."""
        return bool(self.written)


@dataclass(frozen=True, slots=True)
class _Word:
    """A token or a tag of a scrubbed text; whether it touches a tag before or behind it."""

    text: str
    follows: bool = False
    leads: bool = False

    @property
    def tag(self) -> str:
        """The category, of a tag."""
        return self.text.strip("[]") if self.text.startswith("[") else ""


def compare(original: str, scrubbed: str) -> Removal:
    """Align both texts by their tokens; what has no partner in order was removed.

    Of a token that was removed in part (``Sing[NAME]``) the part that stands is a token of its
    own, which was kept.
    """
    tokens = [Token(m.start(), m.end(), _fold(m[0])) for m in _TOKEN.finditer(original)]
    stands = _read_scrubbed(scrubbed)
    rows: list[tuple[Token, bool, str]] = []
    matcher = SequenceMatcher(
        None, [token.text for token in tokens], [word.text for word in stands], autojunk=False
    )
    for kind, start, end, low, high in matcher.get_opcodes():
        put = {word.tag for word in stands[low:high] if word.tag}
        tag = put.pop() if len(put) == 1 else ""
        pieces = [word for word in stands[low:high] if word.follows or word.leads]
        for token in tokens[start:end]:
            if kind == "equal":
                rows.append((token, True, tag))
            else:
                rows += [(part, is_kept, tag) for part, is_kept in _split(token, pieces)]
    written = tuple(word.tag for word in stands if word.tag)
    parts, kept, tags = zip(*rows, strict=True) if rows else ((), (), ())
    return Removal(parts, kept, tags, written)


def _split(token: Token, pieces: list[_Word]) -> list[tuple[Token, bool]]:
    """A token that has no partner: in parts where a piece of it stands beside a tag."""
    for piece in pieces:
        size = len(piece.text)
        if size >= len(token.text):
            continue
        if piece.leads and token.text.startswith(piece.text):
            middle, is_first = size, True
        elif piece.follows and token.text.endswith(piece.text):
            middle, is_first = len(token.text) - size, False
        else:
            continue
        pieces.remove(piece)
        if len(token.text) != token.end - token.start:  # folding changed the number of letters
            return [(token, True)]
        place = token.start + middle
        first = Token(token.start, place, token.text[:middle])
        last = Token(place, token.end, token.text[middle:])
        if is_first:
            return [(first, True), *_split(last, pieces)]
        return [*_split(first, pieces), (last, True)]
    return [(token, False)]


def stays(span: Span, removal: Removal) -> bool:
    """Whether something identifying of a gold span still stands.

    A strong token (a word, a long number) must be gone. Weak ones (a short number, a month) may
    return in a surrogate by chance; where categories are written instead of surrogates they must
    be gone too, else not all of them may stay. Generic words (*Hospital*, *Street*) count only
    where nothing else is there, and what identifies nobody only where not even they are: ``MR``
    can be somebody's initials.
    """
    strong: list[bool] = []
    weak: list[bool] = []
    generic: list[bool] = []
    nobody: list[bool] = []
    for place in inside_of(span, removal):
        token, is_kept = removal.tokens[place], removal.is_kept[place]
        if span.category == "AGE" and token.text.startswith(_OLDEST):
            continue
        if token.is_nobody:
            nobody.append(is_kept)
        elif token.text in _GENERIC.get(span.category, _OF_ANY):
            generic.append(is_kept)
        elif token.is_weak:
            weak.append(is_kept)
        else:
            strong.append(is_kept)
    if any(strong):
        return True
    if removal.is_tagged:
        return any(weak or (generic or nobody if not strong else []))
    return not strong and all(weak or generic or nobody or [False])


def inside_of(span: Span, removal: Removal) -> list[int]:
    """Places of the tokens that a span touches."""
    return [
        place for place, token in enumerate(removal.tokens)
        if token.start < span.end and span.start < token.end
    ]  # fmt: skip


def mark_gold(spans: Sequence[Span], removal: Removal) -> list[str]:
    """Of each token the category of the gold span that it lies in; else empty."""
    marks = [""] * len(removal.tokens)
    for span in spans:
        for place in inside_of(span, removal):
            marks[place] = marks[place] or span.category
    return marks


def _read_scrubbed(text: str) -> list[_Word]:
    """Tokens of a scrubbed text; a category tag is one token in brackets."""
    words: list[_Word] = []
    done = 0
    tags = list(_TAG.finditer(text))
    for tag in (*tags, None):
        end = len(text) if tag is None else tag.start()
        words += [
            _Word(_fold(m[0]), follows=done > 0 and m.start() == done,
                  leads=tag is not None and m.end() == end)
            for m in _TOKEN.finditer(text, done, end)
        ]  # fmt: skip
        if tag is not None:
            words.append(_Word(f"[{tag[1]}]"))
            done = tag.end()
    return words


def _fold(word: str) -> str:
    return fold_text(word).text.casefold() or word
