"""Initials of who spoke and who typed, and names that letters or joints give away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from updp_node.text.lexicon import Lexicons
from updp_node.text.name_reader import NameFind
from updp_node.text.words import Kind, Vocabulary

_PAIR = re.compile(
    r"(?<![\w/.:-])(?P<a>[A-Z]{2,4})(?:/|:(?=[a-z]+\s*(?:$|\d)))(?P<b>[a-z]{2,3})(?![\w/:-])"
    r"|(?<![\w/.:-])(?P<c>[a-z]{2,3})[/:](?P<d>[a-z]{2,3})(?=\s*(?:$|\d{1,2}[/-]))",
    re.MULTILINE,
)
_SIGNED = re.compile(
    r"(?<![\w/.:-])(?P<a>[A-Za-z]{2,4})[/:](?P<b>[A-Za-z]{2,4})"
    r"(?=[ \t]{1,4}\d{1,4}[-/]\d{1,2}[-/]\d{1,4}|[ \t]{1,4}\d{1,2}:\d\d)"
    r"|^[ \t]*(?P<c>[A-Z]{2,4})[/:](?P<d>[A-Za-z]{2,4})[ \t]*$",
    re.MULTILINE,
)
_DATED = re.compile(
    r"(?<=[.\n)] )(?P<a>[A-Z]{2,4})"
    r"(?=[ \t]{1,3}\d{1,2}/\d{1,2}(?:/\d{2,4})?(?: \d\d:?\d\d)?[ \t]*$)",
    re.MULTILINE,
)
_LAST = re.compile(r"\n[ \t]*[-/~]{0,2}[ \t]*(?P<a>[A-Z]{2,4}|[a-z]{2,3})[ \t]*\s*$(?!\n)")
_NAMED = re.compile(
    r"(?<![\w/.:-])(?P<a>[^\W\d_]{3,24})[/:](?P<b>[a-z]{2,3})(?=[ \t]*$)", re.MULTILINE
)
_MARKED = re.compile(
    r"(?<![\w/:.-])(?:[DTRSdtrs]|DD|TD|rp|RP|dict|trans|[Rr]ad|[Ii]nitials|[Ii]nit)[ ]?[:=][ ]?"
    r"(?P<a>[A-Z]{2,4}|[a-z]{2,4})(?![\w/-])"
)
_AFTER_TIME = re.compile(
    r"(?:\d:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?)[ \t]{1,3}(?P<a>[A-Z]{2,4}|[a-z]{2,3})[ \t]*$",
    re.MULTILINE,
)
_APART = re.compile(
    r"(?<!\d)(?:\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"|\d{4}-\d\d-\d\d|\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d\d))"
    r"[ \t]{0,2}[/;|~][ \t]{1,2}(?P<a>[A-Z]{2,4}|[a-z]{2,3})(?=[ \t]*(?:$|[;|]))",
    re.MULTILINE,
)
_TWO = re.compile(
    r"(?<![\w/.:-])(?P<a>[A-Z][A-Za-z'-]{2,24})/(?P<b>[A-Z][A-Za-z'-]{2,24})(?![\w/-])"
    r"(?P<date>(?=[ \t]+\d{1,2}[/-]\d))?"
)
_LOWER_DATED = re.compile(
    r"(?:[.;]|^)[ \t]+(?P<a>[a-z][a-z'-]{1,24})(?=[ \t]+\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?[ \t]*$)",
    re.MULTILINE,
)
_ENCLOSED = re.compile(
    r"(?P<number>\d\s?)?\((?P<a>[A-Za-z][a-z'A-Z-]{1,24}(?: [A-Z][\w'.-]{0,24}){0,3})"
    r"(?=\)|, ?(?:tel|phone|ext|pager|cell|ph)\b)"
)
_SPACED = re.compile(r"(?<![\w'])[A-Z](?:([ .-])[A-Z])(?:\1[A-Z]){2,30}(?![\w'])")
_JOINED = re.compile(r"(?<![^\W_])[A-Z][a-z]{2,20}(?:[A-Z][a-z]{2,20}){1,2}(?![^\W\d_])")
_PART = re.compile(r"[A-Z][a-z]+")


_HALVES = frozenset({"am", "pm"})
_NAMES = frozenset({Kind.GIVEN, Kind.SURNAME})


class InitialRules:
    """Rules over letters: ``LMT/jb``, ``H O L L O W A Y``, ``AliceWalker``.

    Parameters
    ----------
    lexicons : Lexicons
    vocabulary : Vocabulary
    """

    def __init__(self, lexicons: Lexicons, vocabulary: Vocabulary) -> None:
        self._veto = frozenset(lexicons.names["initials_veto"]) | lexicons.protocol
        self._letters = frozenset(lexicons.names.get("letters", ()))
        self._protocol = lexicons.protocol
        self._stop = frozenset(lexicons.names["stop"])
        self._classify: Callable[[str], Kind] = vocabulary.classify
        self._written, self._graded = lexicons.abbreviations, lexicons.graded
        self._given, self._words = lexicons.given, lexicons.words

    def find(self, text: str) -> Iterator[NameFind]:
        """Every such name in folded text."""
        for match in _PAIR.finditer(text):
            if not any(self._is_vetoed(part) for part in _parts(match)):
                yield NameFind(*match.span(), "initials")
        for match in _SIGNED.finditer(text):
            parts = _parts(match)
            mixed = parts[0].isupper() and parts[1].islower()
            alone = match["c"] is not None
            plain = [self._is_plain(p) if mixed or alone else self._is_vetoed(p) for p in parts]
            if not all(plain):
                yield NameFind(match.end() - len("".join(parts)) - 1, match.end(), "initials")
        yield from self._alone(text)
        yield from self._typed(text)
        yield from self._beside(text)
        yield from self._spaced(text)
        yield from self._joined(text)

    def _alone(self, text: str) -> Iterator[NameFind]:
        """Letters that a place in the report gives away: its end, a date, a time, a label."""
        for match in _LAST.finditer(text):
            if not self._is_vetoed(match["a"]):
                yield NameFind(*match.span("a"), "initials")
        for pattern, vetoed in (
            (_DATED, self._letters | self._protocol),
            (_MARKED, _HALVES),
            (_AFTER_TIME, self._letters),
            (_APART, self._letters | self._stop),
        ):
            for match in pattern.finditer(text):
                if match["a"].lower() not in vetoed:
                    yield NameFind(*match.span("a"), "initials")

    def _typed(self, text: str) -> Iterator[NameFind]:
        """A name and who typed: ``yamamoto/ls``."""
        for match in _NAMED.finditer(text):
            kind = self._classify(match["a"].lower())
            begins = text[max(match.start() - 2, 0) : match.start()].strip() in {".", ""}
            vetoed = self._is_vetoed(match["b"])
            rare = kind in {Kind.UNKNOWN, Kind.AMBIGUOUS}
            if (
                kind in _NAMES
                or (not vetoed and (begins or rare))
                or (rare and begins and match["b"] not in self._letters)
            ):
                yield NameFind(*match.span(), "initials")

    def _beside(self, text: str) -> Iterator[NameFind]:
        """Names that a slash, a date or brackets set apart."""
        for match in _TWO.finditer(text):
            kinds = {self._classify(match["a"].lower()), self._classify(match["b"].lower())}
            dated = match["date"] is not None and kinds != {Kind.WORD}
            alike = match["a"].isupper() == match["b"].isupper()
            if alike and (dated or (kinds & _NAMES and Kind.WORD not in kinds)):
                yield NameFind(*match.span(), "two-names")
        for match in _LOWER_DATED.finditer(text):
            letters = len(match["a"]) < 4 and match["a"] not in self._letters
            if letters or self._classify(match["a"]) is not Kind.WORD:
                yield NameFind(*match.span("a"), "signed")
        for match in _ENCLOSED.finditer(text):
            if match["a"] in self._written or match["a"].lower() in self._graded:
                continue  # "(ASiR)", "(Hadlock)"
            kinds = {self._classify(word) for word in match["a"].lower().replace(".", "").split()}
            alone = len(kinds) == 1 and " " not in match["a"]
            small = match["a"].islower() and not match["number"]
            named = bool(kinds & _NAMES) and Kind.WORD not in kinds and not small
            rare = kinds <= {Kind.UNKNOWN, Kind.AMBIGUOUS} and match["number"]
            several = (
                kinds <= {Kind.UNKNOWN, Kind.AMBIGUOUS} and Kind.UNKNOWN in kinds and not alone
            )
            small = match["number"] and kinds == {Kind.UNKNOWN}
            unknown = (rare or several) and (match["a"][0].isupper() or small)
            if (named or unknown) and not match["a"].isupper():
                yield NameFind(*match.span("a"), "enclosed")

    def _is_plain(self, part: str) -> bool:
        lower = part.lower()
        return lower in self._protocol or (len(lower) > 2 and self._classify(lower) is Kind.WORD)

    def _is_vetoed(self, part: str) -> bool:
        lower = part.lower()
        plain = self._classify(lower) in {Kind.WORD, Kind.AMBIGUOUS} and len(lower) > 2
        return lower in self._veto or lower in self._stop or plain

    def _spaced(self, text: str) -> Iterator[NameFind]:
        """Letters with a space between each, where they make no word."""
        for match in _SPACED.finditer(text):
            word = re.sub(r"[^A-Z]", "", match[0]).lower()
            if self._classify(word) not in {Kind.WORD, Kind.AMBIGUOUS}:
                yield NameFind(*match.span(), "spaced")

    def _joined(self, text: str) -> Iterator[NameFind]:
        """Two names without a space."""
        for match in _JOINED.finditer(text):
            if match[0].lower() in self._words:
                continue  # "ProMax"
            parts = [part.lower() for part in _PART.findall(match[0])]
            kinds = [self._classify(part) for part in parts]
            given = parts[0] in self._given or parts[-1] in self._given
            named = [kind in {Kind.GIVEN, Kind.SURNAME} for kind in kinds]
            if all(named) or (given and Kind.AMBIGUOUS in kinds and Kind.WORD not in kinds):
                yield NameFind(*match.span(), "joined")


def _parts(match: re.Match[str]) -> list[str]:
    return [part for part in match.groups() if part]
