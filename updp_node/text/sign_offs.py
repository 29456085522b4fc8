"""Initials where somebody signs: after *verified by*, behind a date or time, last on a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from updp_node.text.lexicon import Lexicons
from updp_node.text.name_reader import NameFind
from updp_node.text.words import Kind, Vocabulary

_LETTERS = r"(?P<a>[A-Z]{2,4}|[A-Z][a-z]|[a-z]{2,3})(?![\w'/:^-]|\.\w)"
_CLOCK = r"(?:[01]?\d|2[0-3])[:.h]?[0-5]\d(?::\d\d)?(?: ?(?:[AaPp]\.?[Mm]\.?|[Hh](?:ou)?rs?|[Hh]))?"
_DAY = r"\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{2,4})?|\d{1,2}[- ]?[A-Za-z]{3}[- ,]{0,2}\d{2,4}"
_ENDS = r"(?=[ \t]*(?:[.,;)|]|$)"
_MOMENT = re.compile(
    rf"(?<![\w/.:-])(?:{_DAY}|{_CLOCK})\)?[.,;]?[ \t]{{1,3}}[-/~]{{0,2}}{_LETTERS}[ \t]*\.?[ \t]*$",
    re.MULTILINE,
)
_LINE = re.compile(
    r"^[ \t]*(?P<mark>[-/~*(]{0,2})[ \t]*(?P<a>[A-Z]{2,4})\)?\.?[ \t]*$", re.MULTILINE
)
_SENTENCE = re.compile(rf"[.!?)\"][ \t]{{1,3}}[-/~]{{0,2}}[ \t]?{_LETTERS}[ \t]*$", re.MULTILINE)
_DASHED = re.compile(
    r"(?<=\n)[ \t]*[-~]{1,2}[ \t]?(?P<a>[A-Za-z][A-Za-z'-]{2,20}(?: [A-Za-z][A-Za-z'-]{1,20}){0,2})"
    r"[ \t]*(?=\n[ \t]*\n|\s*\Z)"
)
_FIRST = re.compile(
    rf"^[ \t]*(?P<a>[A-Z]{{2,3}})"
    rf"(?=[ \t]{{1,4}}(?:{_CLOCK}|(?:{_DAY})[ \t,]{{1,3}}{_CLOCK})[ \t]*$)",
    re.MULTILINE,
)
_CODED = re.compile(
    r"^[ \t]*(?P<a>[A-Za-z]{2,4}[/:][A-Za-z]{2,4})(?=[ \t]{1,4}[A-Za-z]{1,2}[:.][ \t]?\d)",
    re.MULTILINE,
)


def _line(text: str, at: int) -> str:
    end = text.find("\n", at)
    return text[text.rfind("\n", 0, at) + 1 : end if end >= 0 else len(text)]


def _either(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered) or "(?!)"


class SignOffs:
    """Two to four letters that a place in the report shows to be somebody's.

    Parameters
    ----------
    lexicons : Lexicons
        Names of the language: `signers` and `signer_labels` lead initials, `letters` are none.
    vocabulary : Vocabulary
    """

    def __init__(self, lexicons: Lexicons, vocabulary: Vocabulary) -> None:
        names = lexicons.names
        self._small = frozenset(names["stop"]) | frozenset(lexicons.closed.get("function", ()))
        self._numbered = frozenset(lexicons.closed.get("number_labels", ()))
        self._letters = frozenset(names.get("letters", ()))
        self._unsigned = self._letters | frozenset(names.get("no_signers", ()))
        self._units = frozenset(names.get("units", ()))
        self._sites = self._letters | lexicons.protocol
        self._known = (lexicons.clinical | self._small | self._unsigned) - lexicons.ambiguous
        self._classify = vocabulary.classify
        days = _either(day[:3] for day in lexicons.grammar.weekdays)
        months = _either(month[:3] for month in lexicons.grammar.months)
        ends = rf"{_ENDS}|,?[ \t]+(?:\d|@|at\b|on\b|(?i:{days}|{months})))"
        ends_with = tuple(f" {word}" for word in names.get("performers", ()))
        acts = (term for term in (*names["verbs"], *names["labels"]) if term.endswith(ends_with))
        signers = {*names.get("signers", ()), *acts}
        self._labelled = re.compile(
            rf"(?<![\w-])(?i:{_either(names.get('signer_labels', ()))})\s?[:=-][ \t]{{0,3}}"
            rf"{_LETTERS}{ends}",
            re.MULTILINE,
        )
        self._signed = re.compile(
            rf"(?<![\w-])(?i:{_either(signers)})[ \t]+{_LETTERS}{ends}", re.MULTILINE
        )
        self._second = re.compile(
            rf"(?<![\w-])(?i:{_either(signers)}):?[ \t]+[A-Z]{{2,4}}(?: ?[/&,] ?| and )"
            rf"{_LETTERS}{ends}",
            re.MULTILINE,
        )
        self._case = re.compile(
            rf"(?<![\w-])(?i:{_either(names.get('case_labels', ()))})(?: \d{{1,3}})?:? "
            r"(?P<a>[A-Z]{2,3})(?=,? ?\(?(?:#|[A-Z]{0,3}-?\d{2}|(?i:aged?|dob|mrn)\b))"
        )

    def find(self, text: str) -> Iterator[NameFind]:
        """Every such place in folded text."""
        rules = (
            (self._labelled, self._letters), (self._signed, self._unsigned),
            (self._second, self._unsigned),
            (_MOMENT, self._letters),
            (_SENTENCE, self._unsigned),
        )  # fmt: skip
        for pattern, vetoed in rules:
            for match in pattern.finditer(text):
                if not self._is_plain(text, match, vetoed):
                    yield NameFind(*match.span("a"), "initials")
        yield from self._alone(text)
        for match in _DASHED.finditer(text):
            parts = match["a"].lower().split()
            listed = _line(text, match.start() - 1).lstrip()[:1] in {"-", "~", "*"}
            if not listed and not any(part in self._known for part in parts):
                yield NameFind(*match.span("a"), "signed")

    def _alone(self, text: str) -> Iterator[NameFind]:
        """Letters that stand alone on a line, or open one, or stand for a case."""
        for match in self._case.finditer(text):
            shouted = match["a"].lower() in self._small and _line(text, match.start()).isupper()
            lower = match["a"].lower()
            if lower not in (self._sites - self._small) | self._numbered and not shouted:
                yield NameFind(*match.span("a"), "initials")
        for match in _FIRST.finditer(text):
            if not self._is_title(match["a"]):
                yield NameFind(*match.span("a"), "initials")
        for match in _LINE.finditer(text):
            if match["mark"].strip("-(*") or not self._is_title(match["a"]):
                yield NameFind(*match.span("a"), "initials")
        for match in _CODED.finditer(text):
            yield NameFind(*match.span("a"), "initials")

    def _is_plain(self, text: str, match: re.Match[str], vetoed: frozenset[str]) -> bool:
        """Whether letters are no initials: a small word, or one of a line of capitals, is none."""
        letters, lower = match["a"], match["a"].lower()
        if letters.isupper() and not _line(text, match.start("a")).isupper():
            told = match.re is _SENTENCE and len(lower) > 2 and lower in self._known
            return told or lower in vetoed - self._small
        vetoed = vetoed | self._unsigned | self._units
        spoken = len(lower) > 2 and self._classify(lower) is Kind.WORD and match.re is not _SENTENCE
        return lower in vetoed or lower in self._small or spoken

    def _is_title(self, letters: str) -> bool:
        """Whether letters alone on a line head a section: ``CXR``, ``LUNG``."""
        lower = letters.lower()
        word = len(lower) > 2 and self._classify(lower) in {Kind.WORD, Kind.AMBIGUOUS}
        return lower in self._sites or lower in self._unsigned or word
