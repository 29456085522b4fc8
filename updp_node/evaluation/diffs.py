"""What was removed from a text, token by token, found by comparing it with its original."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from updp_node.model import Span
from updp_node.text.fold import fold_text

_TOKEN = re.compile(r"\w+")
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
_GENERIC = frozenset(
    "hospital hospitals medical center centre clinic clinics imaging health healthcare system "
    "general memorial regional community university royal infirmary practice care home nursing "
    "radiology diagnostic department district county veterans base saint street road rd avenue "
    "ave drive lane ln court ct boulevard blvd close place way apartment apt unit flat suite "
    "floor box http https www com org net edu gov example mail email ext extension tel phone fax "
    "pager a p m s".split()
)
"""Words that many identifiers of one kind share: alone they point at nobody."""
_ALONE = frozenset({"NAME", "ID"})
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


def compare(original: str, scrubbed: str) -> Removal:
    """Align both texts by their tokens; what has no partner in order was removed."""
    tokens = tuple(Token(m.start(), m.end(), _fold(m[0])) for m in _TOKEN.finditer(original))
    stands = _read_scrubbed(scrubbed)
    kept, tags = [False] * len(tokens), [""] * len(tokens)
    matcher = SequenceMatcher(None, [token.text for token in tokens], stands, autojunk=False)
    for kind, start, end, low, high in matcher.get_opcodes():
        put = {word.strip("[]") for word in stands[low:high] if word.startswith("[")}
        tag = put.pop() if len(put) == 1 else ""
        for place in range(start, end):
            kept[place], tags[place] = kind == "equal", tag
    written = tuple(word.strip("[]") for word in stands if word.startswith("["))
    return Removal(tokens, tuple(kept), tuple(tags), written)


def stays(span: Span, removal: Removal) -> bool:
    """Whether something identifying of a gold span still stands.

    A strong token (a word, a long number) must be gone. Weak ones (a short number, a month) may
    return in a surrogate by chance; where categories are written instead of surrogates they must
    be gone too, else not all of them may stay. Generic words (*Hospital*, *Street*) count only
    where nothing else is there.
    """
    strong, weak, generic = [], [], []
    for place in inside_of(span, removal):
        token, is_kept = removal.tokens[place], removal.is_kept[place]
        if token.is_nobody or (span.category == "AGE" and token.text.startswith(_OLDEST)):
            continue
        if token.text in _GENERIC and span.category not in _ALONE:
            generic.append(is_kept)
        elif token.is_weak:
            weak.append(is_kept)
        else:
            strong.append(is_kept)
    if any(strong):
        return True
    if removal.is_tagged:
        return any(weak or (generic if not strong else []))
    return not strong and all(weak or generic or [False])


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


def _read_scrubbed(text: str) -> list[str]:
    """Tokens of a scrubbed text; a category tag is one token in brackets."""
    words: list[str] = []
    done = 0
    for tag in _TAG.finditer(text):
        words += [_fold(m[0]) for m in _TOKEN.finditer(text[done : tag.start()])]
        words.append(f"[{tag[1]}]")
        done = tag.end()
    return words + [_fold(m[0]) for m in _TOKEN.finditer(text[done:])]


def _fold(word: str) -> str:
    return fold_text(word).text.casefold() or word
