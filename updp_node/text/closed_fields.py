"""Values beside a label on a line of its own: they go unless every word is one of medicine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from updp_node.text.closed import ClosedFind
from updp_node.text.lexicon import Lexicons
from updp_node.text.words import Kind, Word

_FIELD = re.compile(
    r"(?:^|(?<=[|\t])|(?<= {2}))[ \t]*(?:\d[a-z]{2} )?"
    r"(?P<label>[A-Za-z][A-Za-z0-9 .,/#&'()-]{0,34}?)[ \t]*"
    r"(?::|\||\t|=| {3,})[ \t]*(?P<value>[^\n|\t:]{1,60}?)[ \t]*(?=$|\||\t| {3,})",
    re.MULTILINE,
)
_INLINE = re.compile(
    r"(?<![\w.])(?P<label>[A-Z][A-Za-z]{1,20}(?: [A-Za-z]{1,15}){0,2})[:=] ?"
    r"(?P<value>[A-Z][A-Za-z'-]{1,24}(?:[,;/]? [A-Z&][A-Za-z'.-]{0,24}){0,5})(?![\w-])"
    r"|(?<!\w)(?P<small>[a-z]{2,15}): ?(?P<value2>[a-z'&.-]{2,25}(?:,? [a-z'&.-]{1,25}){0,4})"
    r"(?=\s*(?:[.,;\n]|$))"
)
_PARTS = re.compile(r"[a-z]+")
_CODE = re.compile(r"\d\D{0,2}\d")
_FIGURE = re.compile(r"[<>~]?\d{1,3}(?:\.\d{1,3})?|\d{1,4}\.\d{1,3}")


class FieldRules:
    """Values of labels that no list shows to be harmless.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        closed = lexicons.closed
        self._sections = frozenset(closed.get("sections", ()))
        self._plain = (
            lexicons.clinical
            | frozenset(lexicons.places["services"])
            | frozenset(closed.get("function", ()))
            | frozenset(closed.get("values", ()))
            | frozenset(closed.get("capital", ()))
            | frozenset(lexicons.names["stop"])
        )
        self._written = lexicons.abbreviations
        self._identity = frozenset(closed.get("identity_labels", ()))
        self._joints = frozenset(closed.get("function", ()))
        self._numbered = frozenset(closed.get("number_labels", ()))
        self._measures = [re.compile(each, re.I) for each in closed.get("measures", ())]

    def find(self, text: str, words: Sequence[Word]) -> Iterator[ClosedFind]:
        """Every such value: what has no digits, at most five words and is no sentence."""
        if not self._sections:
            return
        starts = {word.start: index for index, word in enumerate(words)}
        for match in _FIELD.finditer(text):
            label = _PARTS.findall(match["label"].lower())
            if not label or label[-1] in self._sections or len(label) > 4:
                continue
            if self._is_figure(match["value"], label) or self._is_measure(match):
                continue
            inside = [words[starts[at]] for at in range(*match.span("value")) if at in starts]
            if len(inside) > 8 or (match["value"].endswith(".") and len(inside) > 3):
                continue
            yield from self._values(match, inside, label[-1] in self._identity)
        for match in _INLINE.finditer(text):
            group = "value" if match["value"] else "value2"
            label = _PARTS.findall((match["label"] or match["small"]).lower())
            inside = [words[starts[at]] for at in range(*match.span(group)) if at in starts]
            if label and label[-1] not in self._sections and len(inside) < 8:
                yield from self._values(match, inside, label[-1] in self._identity, group)

    def _is_figure(self, value: str, label: Sequence[str]) -> bool:
        """Whether a value is a short number whose label is none of an identifier."""
        named = any(word in self._numbered or word in self._identity for word in label)
        return not named and _FIGURE.fullmatch(value) is not None

    def _is_measure(self, match: re.Match[str]) -> bool:
        """Whether a number of billing or of a laboratory reaches over the value's beginning."""
        if not re.search(r"\d", match["value"]):
            return False
        line = match[0].strip()
        at = line.find(match["value"])
        return any(found.start() <= at < found.end()
                   for each in self._measures for found in each.finditer(line))  # fmt: skip

    def _values(
        self, match: re.Match[str], words: Sequence[Word], identity: bool, group: str = "value"
    ) -> Iterator[ClosedFind]:
        """Stretches of a value that hold anything but words of grammar and of medicine."""
        start, stop = match.span(group)
        cuts = [word for word in words if word.text.islower() and word.lower in self._joints]
        edges = [start, *(edge for word in cuts for edge in (word.start, word.end)), stop]
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            text = match.string[left:right]
            inside = [word for word in words if left <= word.start < right]
            known = {Kind.WORD} if not identity else set()
            plain = all(
                word.lower in self._plain or word.protected or word.text in self._written
                or (word.kind in known and not word.derived) for word in inside
            )  # fmt: skip
            small = not identity and not any(word.is_capital for word in inside)
            number = _CODE.search(text) is not None and not inside
            coded = len(inside) < 3 and re.search(r"\d", text) is not None and not small
            if number or coded or (inside and not plain and not small):
                core = text.strip(" \t,;.()")
                at = match.string.find(core, left) if core else -1
                if at >= 0:
                    yield ClosedFind(at, at + len(core), "ID" if number else "NAME", "field")
