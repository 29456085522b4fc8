"""Tokens with digits that are no known harmless shape: identifiers, moments, telephones."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from updp_node.text.closed import ClosedFind
from updp_node.text.lexicon import Lexicons
from updp_node.text.measures import Measures

_TOKEN = re.compile(r"[#+]?(?<![\w])\w+(?:[./:,_\\@-]{1,2}\w+){0,12}")
_DIGIT = re.compile(r"\d")
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-]\d{2,4})?")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d")
_PHONE = re.compile(r"[+(]?\d{2,4}(?:[ .)/-]{1,2}\d{2,5}){1,5}")
_GROUPS = re.compile(
    r"(?<![\w.,/+-])(?:[A-Z]{1,3}[ -])?\d{2,6}(?:[ ]\d{2,6}){1,6}(?: ?[A-Z])?(?![\w%]|[.,/-]\d)"
)
_NUMBER = re.compile(
    r"(?<![\w.,])[+(]{0,2}\d(?:(?:[ ()/-]{0,2}|\.)\d){6,24}(?![\w%]|[.,]\d)(?! ?[mc]m\b)"
)
_DATED = re.compile(r"\d{1,4}([/.-])\d{1,2}\1\d{2,4}(?!\d)")
_LONG = re.compile(r"\d{6,}[A-Za-z]?|\d{4,}[xX]\d{4,}")
_AGED = re.compile(r"(\d{1,3})(?:-[a-z]+){1,3}")
_LEADING = re.compile(r"[A-Za-z]+(?=[,:.]\d)|[\d.]+(?=[.,:][A-Za-z]{3})")
_MOST_DIGITS = 3
_MOST_IN_GROUPS = 6
_OLDEST = range(90, 120)


class CodeRules:
    """Everything with a digit that is not known to be harmless.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons, measures: Measures) -> None:
        closed = lexicons.closed
        self._lexicons = lexicons
        self._harmless = tuple(
            re.compile(source, re.IGNORECASE | re.MULTILINE)
            for source in closed.get("harmless", ())
        )
        self._measures = measures
        self._written = lexicons.codes
        self._small = frozenset(code.lower() for code in lexicons.codes)
        shapes = "|".join(f"(?:{shape})" for shape in closed.get("shapes", ())) or "(?!)"
        self._shapes = re.compile(shapes)
        self._labelled = re.compile(
            rf"(?<![\w-])(?:{_either(closed.get('number_labels', ()))})\b\.?"
            r"(?:\s?(?:number|no|num|id|code|ref))?"
            r"\b\.?[ \t]{0,3}(?:(?:is|was|ending(?: in)?)[ \t]|[:#=-]){0,2}[ \t]{0,3}#?"
            r"(?P<phi>(?=[A-Z/-]{0,6}\d)[A-Z0-9]+(?:[-/.]?[A-Z0-9]+){0,6})(?![\w%]|\.\d)",
            re.IGNORECASE,
        )
        self._phones = re.compile(
            rf"(?<![\w-])(?:{_either(closed.get('phone_labels', ()))})\b\.?[ \t]{{0,3}}"
            r"(?:(?:is|at|on|to|back|number|no\.?)[ \t]){0,2}[:#=]?[ \t]{0,3}"
            r"(?P<phi>[x#*]?\(?\d(?:[\d() .-]{0,18}\d)?)(?![\w%:]|[./]\d)",
            re.IGNORECASE,
        )
        self._signed = re.compile(r"(?:#|(?<!\w)(?i:no\.|nr\.))\s?(?P<phi>[A-Z0-9]*\d[\w-]*)")

    def find(self, text: str) -> Iterator[ClosedFind]:
        """Every token with a digit that may identify somebody."""
        if not _DIGIT.search(text):
            return
        measures = self._measures.find(text)
        harmless = (match.span() for regex in self._harmless for match in regex.finditer(text))
        safe = _united(iter([*harmless, *measures]))
        starts = [start for start, _ in safe]
        measured = _united(iter(measures))
        yield from self._labels(text, safe, starts, measured)
        yield from self._rows(text, safe, starts)
        for match in _TOKEN.finditer(text):
            if not _DIGIT.search(match[0]):
                continue
            start = match.start() + self._glued(match[0])
            token = text[start : match.end()]
            if _DIGIT.search(token) and not _within((start, match.end()), safe, starts):
                category = self._judge(text, token, start)
                if category:
                    yield ClosedFind(start, match.end(), category, "unknown-code")

    def _labels(
        self,
        text: str,
        safe: Sequence[tuple[int, int]],
        starts: Sequence[int],
        measured: Sequence[tuple[int, int]],
    ) -> Iterator[ClosedFind]:
        """What stands beside a label or a number sign."""
        opens = [start for start, _ in measured]
        rules = (self._signed, "ID"), (self._labelled, "ID"), (self._phones, "PHONE")
        for rule, category in rules:
            for match in rule.finditer(text):
                found = match.span("phi")
                if rule is not self._signed and _within(found, safe, starts):
                    continue
                if _within(found, measured, opens):
                    continue
                if not self._is_listed(match) and not self._is_kept(match["phi"]):
                    yield ClosedFind(*found, category, "labelled-code")

    @staticmethod
    def _rows(
        text: str, safe: Sequence[tuple[int, int]], starts: Sequence[int]
    ) -> Iterator[ClosedFind]:
        """Rows of digits or of groups of digits."""
        for match in _NUMBER.finditer(text):
            span = match.span()
            if _DATED.match(match[0]) or text[span[1] : span[1] + 1] == ":":
                continue
            if _digits(match[0]) > _MOST_IN_GROUPS and not _within(span, safe, starts):
                yield ClosedFind(*span, "ID", "digits")
        for match in _GROUPS.finditer(text):
            if _digits(match[0]) > _MOST_DIGITS + 1 and not _within(match.span(), safe, starts):
                yield ClosedFind(*match.span(), "ID", "groups")

    def _is_kept(self, token: str) -> bool:
        """Whether the whitelist holds a token with digits, as no measure of its own."""
        exceptions = (*self._lexicons.exceptions, *self._lexicons.kept)
        return len(token) > 5 and any(each.fullmatch(token) for each in exceptions)

    @staticmethod
    def _is_listed(match: re.Match[str]) -> bool:
        """Whether a short number after a label is a count or opens a list: ``Case 2``, ``#1``."""
        found = match["phi"]
        return len(found) < 2 and found.isdigit() and match[0].lstrip()[:1] == "#"

    @staticmethod
    def _glued(token: str) -> int:
        """Characters of a word that lacks its space: ``lungs.2``, ``findings:12``."""
        glued = _LEADING.match(token)
        return glued.end() + 1 if glued and len(glued[0]) > 3 and glued[0].isalpha() else 0

    def _judge(self, text: str, token: str, start: int) -> str:  # noqa: PLR0911  # one return a kind
        """The category of a token with a digit; empty: it is harmless."""
        end = start + len(token)
        if token in self._written or (token.islower() and token in self._small):
            return ""
        day = _DAY.fullmatch(token)
        if day and "/" in token:
            return "DATE" if _is_day(day) else ("ID" if token.count("/") > 1 else "")
        if len(token) < 4 and token.isdigit() and int(token) in _OLDEST:
            return self._judge_age(text, start, end)
        if self._shapes.fullmatch(token) or _AGED.fullmatch(token):
            return ""
        exceptions = (*self._lexicons.exceptions, *self._lexicons.kept)
        if not _LONG.fullmatch(token) and any(each.fullmatch(token) for each in exceptions):
            return ""
        if _CLOCK.fullmatch(token) or (":" in token and token.replace(":", "").isdigit()):
            return "TIME"
        parts = [part for part in re.split(r"[^A-Za-z0-9]+", token) if part]
        if len(parts) > 1 and all(self._is_plain(part) for part in parts):
            return ""
        return "PHONE" if _PHONE.fullmatch(token) and _digits(token) > 6 else "ID"

    def _is_plain(self, part: str) -> bool:
        """Whether a part of a joined token is a word, or one or two digits: ``T2-weighted``."""
        letters = re.sub(r"\d", "", part).lower()
        digits = len(part) - len(letters)
        word = letters in self._lexicons.words or letters in self._lexicons.clinical
        return (word and digits < 2) or (not letters and digits < 3) or (
            len(letters) == 1 and digits == 1
        )  # fmt: skip

    @staticmethod
    def _judge_age(text: str, start: int, end: int) -> str:
        """A number from 90 on without a unit may be an age."""
        before, after = text[max(0, start - 12) : start], text[end : end + 12]
        if re.match(r"\s?[-/%x]|\.\d|\s?(?:to|of)\s\d", after) or re.search(r"[-/.x]\s?\Z", before):
            return ""
        return "AGE"


def _either(terms: Sequence[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s") for term in ordered) or "(?!)"


def _digits(text: str) -> int:
    return sum(character.isdigit() for character in text)


def _is_day(match: re.Match[str]) -> bool:
    first, second = int(match[1]), int(match[2])
    return 0 < first < 32 and 0 < second < 32 and min(first, second) < 13


def _united(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if united and start < united[-1][1]:
            united[-1] = (united[-1][0], max(end, united[-1][1]))
        else:
            united.append((start, end))
    return united


def _within(span: tuple[int, int], safe: Sequence[tuple[int, int]], starts: Sequence[int]) -> bool:
    at = bisect_right(starts, span[0]) - 1
    return at >= 0 and safe[at][1] >= span[1]
