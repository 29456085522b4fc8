"""Names known by the order of their words, by a model's vote, or because they come again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from updp_node.text.name_reader import NameFind, NameReader
from updp_node.text.words import Kind, Word

_FOREIGN = frozenset({Kind.UNKNOWN, Kind.SURNAME})
_SURE = frozenset({"title", "labelled", "suffix"})
_INSIDE = re.compile(r"[a-z,] $")
"""Before a word inside a sentence: a capital there is no sentence's."""
_LINE = re.compile(
    r"^[ \t]*(?P<name>[A-Z][A-Za-z'-]{1,24}(?: [A-Z]\.?)?(?: [A-Z][A-Za-z'-]{1,24}){1,2})"
    r"[ \t]*(?:$|\|)",
    re.MULTILINE,
)
_NAME_ENDS = re.compile(
    r"\s*(?:[,.;()\n]|$)| (?:at|was|is|has|had|who|from|on|to|by|assisted|called|answered)\b"
)
_LINE_START = re.compile(r"|.?\n|: ?|[^\w]\t")


def ordered_names(reader: NameReader) -> Iterator[NameFind]:
    """``LAST, FIRST M.``, ``First M. Last`` and both in lower case."""
    words = reader.words
    for index in range(len(words) - 1):
        first, second = words[index], words[index + 1]
        if not _alike(reader, first, second) or _is_eponym(reader, index):
            continue
        if second.lower in reader.stop and second.kind is not Kind.INITIAL:
            continue
        gap = reader.gap(index + 1)
        last = None
        if re.fullmatch(r",[ \t]{0,2}(?:\r?\n[ \t]*)?", gap):
            last = _inverted(reader, index)
        elif re.fullmatch(r"[ \t]{1,3}|[ \t]*\r?\n[ \t]*", gap):
            last = _straight(reader, index)
        elif gap.strip() == "." and first.kind is Kind.INITIAL and second.kind is Kind.SURNAME:
            last = index + 1
        if last is not None:
            yield NameFind(first.start, words[last].end, "order")


def _is_given_before(reader: NameReader, given: Word, last: Word) -> bool:
    """Whether a given name makes a word somebody's: ``Gary Root.``, ``Sean Needle at``."""
    titled = given.text.istitle() and last.text.istitle() and len(last.text) > 2
    joined = reader.text[given.end : last.start] == " "
    if given.kind is not Kind.GIVEN or not (titled and joined):
        return False
    return _NAME_ENDS.match(reader.text, last.end) is not None


def _is_eponym(reader: NameReader, index: int) -> bool:
    """Whether one of two words is an eponym, unless a given name beside it makes it somebody's.

    ``Potts, Coleen`` and ``Roman Caton`` are names, ``Caton Deschamps ratio`` is none.
    """
    first, second = reader.words[index], reader.words[index + 1]
    if not (first.protected or second.protected):
        return False
    if (first.protected and second.protected) or not (first.is_capital and second.is_capital):
        return True
    if first.protected:
        return second.kind is not Kind.GIVEN or not reader.gap(index + 1).startswith(",")
    after = reader.words[index + 2] if index + 2 < len(reader.words) else None
    alone = after is None or reader.gap(index + 2) != " " or after.lower in reader.stop
    titled = first.text.istitle() and second.text.istitle()
    return first.kind is not Kind.GIVEN or not (alone and titled and reader.gap(index + 1) == " ")


def lone_lines(reader: NameReader) -> Iterator[NameFind]:
    """Two or three words alone on a line, none of which the language knows."""
    for match in _LINE.finditer(reader.text):
        words = reader.words[reader.index(match.start("name")) : reader.index(match.end("name"))]
        named = [word for word in words if word.kind is not Kind.INITIAL]
        strange = all(w.kind is not Kind.WORD or w.derived for w in named)
        known = any(word.is_name for word in named) or "-" in match["name"]
        titled = all(word.text.istitle() for word in named)
        if len(named) > 1 and strange and (known or titled) and not any(w.protected for w in words):
            yield NameFind(*match.span("name"), "line")


def _alike(reader: NameReader, first: Word, second: Word) -> bool:
    particles = reader.grammar.terms["order_particles"]
    particle = first.is_capital and second.lower in particles
    return first.is_capital == second.is_capital or particle


def _with_initial(reader: NameReader, index: int) -> int:
    """Index of the last word, a following initial included."""
    after = index + 1
    if after < len(reader.words) and reader.words[after].kind is Kind.INITIAL:
        word = reader.words[after]
        if word.is_capital and re.fullmatch(r"[ \t]{1,2}|\.\s?", reader.gap(after)):
            return after
    return index


def _inverted(reader: NameReader, index: int) -> int | None:
    """Index of the last word of a name such as ``LAST, FIRST M``."""
    last, given = reader.words[index], reader.words[index + 1]
    starts = _LINE_START.fullmatch(reader.text[max(0, last.start - 2) : last.start])
    plain = last.kind is Kind.WORD and not (starts and given.kind is Kind.GIVEN)
    if not last.is_capital or plain or last.kind is Kind.INITIAL:
        return None
    end = _with_initial(reader, index + 1)
    if given.kind is Kind.GIVEN:
        return end
    if last.kind is Kind.SURNAME and given.kind is Kind.INITIAL:
        after = reader.text[given.end : given.end + 1]
        acts = given.text != "A" and re.match(r" [a-z]{3}", reader.text[given.end : given.end + 4])
        degree = reader.grammar.regexes["degree"].match(reader.text, given.start)
        ends = after in {".", "\n", ";", ""} or acts
        return index + 1 if ends and not degree else None
    long = min(len(given.text), len(last.text)) > (3 if given.is_upper and not starts else 2)
    foreign = given.kind in _FOREIGN and long
    if last.kind is Kind.AMBIGUOUS:
        return end if foreign and starts else None
    if given.lower in reader.given_words and given.text.istitle() and last.kind in _FOREIGN:
        return end
    both = given.kind is Kind.SURNAME and last.is_name
    likely = given.kind in {Kind.AMBIGUOUS, Kind.UNKNOWN} and end > index + 1
    return end if foreign or both or likely else None


def _straight(reader: NameReader, index: int) -> int | None:  # noqa: PLR0911  # one a reason
    """Index of the last word of a name such as ``First M. Last``."""
    words, given = reader.words, reader.words[index]
    at, dotted = _skip_initial(reader, index)
    last = words[at]
    if at > index + 1 and given.kind is Kind.GIVEN and _alike(reader, given, last):
        return at  # HAZEL M PAGET
    on_two_lines = "\n" in reader.gap(index + 1)
    plain = last.kind is Kind.WORD and not (last.derived and last.text.istitle())
    if plain and _is_given_before(reader, given, last):
        return at
    eponym = last.protected and given.kind is not Kind.GIVEN
    if plain or eponym or (on_two_lines and not _both_names(given, last)):
        return None
    if given.kind is Kind.GIVEN:
        long = min(len(last.lower), len(given.lower)) > 3 and last.kind is not Kind.INITIAL
        capital = given.is_capital and last.is_capital
        return at if capital or (not given.is_capital and long) else None
    titled = given.text.istitle() and last.text.istitle() and len(last.text) > 1
    if given.lower in reader.given_words and titled:
        rare = last.kind in _FOREIGN or last.derived
        ends = reader.text[last.end : last.end + 2].strip(" ")[:1] in {",", ".", "(", "", "\n"}
        if rare or (last.kind is Kind.AMBIGUOUS and ends):
            return at
    doubtful = given.kind is Kind.AMBIGUOUS or given.derived
    if doubtful and last.kind is Kind.SURNAME and titled:
        return at
    if given.kind not in _FOREIGN or not (given.is_capital and last.is_capital):
        return None
    return at if dotted or _is_foreign_pair(given, last) else None


def _skip_initial(reader: NameReader, index: int) -> tuple[int, bool]:
    """Index of the word after a middle initial, and whether the initial has its full stop."""
    words, at = reader.words, index + 1
    given = words[index].kind in {Kind.GIVEN, *_FOREIGN} or words[index].lower in reader.given_words
    named = given and len(words[index].text) > 2
    if not named or words[at].kind is not Kind.INITIAL or at + 1 >= len(words):
        return at, False
    alike = words[at + 1].is_capital or words[at].text.islower()
    if re.fullmatch(r"\.?[ \t]{1,2}", reader.gap(at + 1)) and alike:
        return at + 1, "." in reader.gap(at + 1)
    return at, False


def _both_names(given: Word, last: Word) -> bool:
    return given.is_name and last.is_name and last.is_capital


def _is_foreign_pair(given: Word, last: Word) -> bool:
    """Two capitalized words of which a name list holds at least one, or ``Young-Ho Baek``."""
    if last.kind in {Kind.AMBIGUOUS, Kind.INITIAL} or min(len(given.text), len(last.text)) < 3:
        return False
    plain = not given.is_upper and not last.is_upper
    titled = plain and (given.is_name or last.is_name)
    hyphened = "-" in given.text and not given.is_upper
    return (given.is_name and last.is_name) or titled or hyphened


def modelled_names(reader: NameReader, persons: Iterable[tuple[int, int]]) -> Iterator[NameFind]:
    """Persons of a general model, less the words that the whitelist knows."""
    for start, end in persons:
        inside = [word for word in reader.words[reader.index(start) : reader.index(end)]
                  if not word.protected and word.lower not in reader.stop]  # fmt: skip
        while inside and inside[0].kind is Kind.WORD:
            inside = inside[1:]
        while inside and inside[-1].kind is Kind.WORD:
            inside = inside[:-1]
        if not inside:
            continue
        sure = any(word.is_name and word.is_capital and len(word.text) > 2 for word in inside)
        unknown = all(
            word.kind in {Kind.UNKNOWN, Kind.INITIAL} and word.is_capital for word in inside
        )
        several = sum(word.kind is Kind.UNKNOWN for word in inside) > 1
        if sure or (unknown and several and not any(word.is_upper for word in inside)):
            yield NameFind(inside[0].start, inside[-1].end, "model")


def repeated_names(reader: NameReader, found: Sequence[NameFind]) -> Iterator[NameFind]:
    """The same names standing alone elsewhere in the text."""
    known: set[str] = set()
    wordlike: set[str] = set()
    for find in found:
        if find.rule in {"initials", "labelled-initials"}:
            continue
        for word in reader.words[reader.index(find.start) : reader.index(find.end)]:
            named = word.kind in {Kind.GIVEN, Kind.SURNAME, Kind.UNKNOWN}
            if named and len(word.text) > 2 and not word.protected:
                known.add(word.lower)
            elif word.is_capital and len(word.text) > 2 and find.rule in _SURE:
                wordlike.add(word.lower)
    for word in reader.words:
        if word.protected or word.lower in reader.stop:
            continue
        if (word.lower in known and (word.is_capital or word.is_name)) or (
            word.lower in wordlike
            and word.text.istitle()
            and _INSIDE.search(reader.text, max(0, word.start - 3), word.start)
        ):
            yield NameFind(word.start, word.end, "repeated")
