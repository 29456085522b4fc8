"""Identifiers out of free text: find, merge, replace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from updp_node.errors import InstanceError
from updp_node.model import Span
from updp_node.subject import Subject
from updp_node.text.certain import find_certain, trim_names
from updp_node.text.fold import FoldedText, fold_text
from updp_node.text.identity import Identity
from updp_node.text.lexicon import Lexicons, load_lexicons
from updp_node.text.recognizers import Recognizers
from updp_node.text.surrogates import Surrogates

MOST_CHARACTERS = 100_000
_TAG = re.compile(r"\[[A-Z]{2,12}\]")
_CHUNK = 8_000
_PRIORITY = tuple(
    "MARK EMAIL URL ADDRESS DATE PHONE ID DEVICE INSTITUTION NAME LOCATION TIME AGE".split()
)
_WARM_UP = (
    "Patient: DOE, JANE\nDictated by Dr. Example on 3/14/2021.\nFINDINGS: The lungs are clear.\n"
)


class Replacement(StrEnum):
    """What stands where an identifier stood."""

    TAG = "tag"
    SURROGATE = "surrogate"


@dataclass(frozen=True, slots=True)
class ScrubbedText:
    """Text without its identifiers.

    Attributes
    ----------
    text : str
    spans : tuple of Span
        What was replaced; offsets into the original text.
    """

    text: str
    spans: tuple[Span, ...]


class Scrubber:
    """Finds and replaces identifiers. Heavy: one a process, shared by all its reports.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self.lexicons = lexicons
        self._recognizers = Recognizers(lexicons)
        self._surrogates = Surrogates(lexicons)

    def find(self, text: str, identity: Identity | None = None) -> tuple[Span, ...]:
        """Identifiers of a text: sorted, not overlapping, offsets into the text as given.

        Our own category tags, ``[NAME]``, are left alone.

        Parameters
        ----------
        identity : Identity or None
            What the source header says; certain hits.

        Raises
        ------
        InstanceError
            ``text-too-long``: more than a hundred thousand characters.
        """
        if len(text) > MOST_CHARACTERS:
            raise InstanceError("text-too-long", f"{len(text)} characters")
        folded = fold_text(text)
        spans: list[Span] = []
        for start, end in _chunks(folded.text):
            for span in self._recognizers.find(folded.text[start:end]):
                spans.append(
                    Span(span.start + start, span.end + start, span.category, span.recognizer)
                )
        if identity is not None:
            certain = find_certain(folded.text, identity, self.lexicons)
            spans = [*trim_names(spans, certain, folded.text, self.lexicons), *certain]
        tags = {at for tag in _TAG.finditer(folded.text) for at in range(*tag.span())}
        merged = _merge(
            [s for s in spans if s.start not in tags or s.end - 1 not in tags], folded.text
        )
        return tuple(_unfold(span, folded) for span in merged)

    def names_somebody(self, text: str, identity: Identity) -> bool:
        """Whether a text holds an identifier of the header that is no plain word; asks no model."""
        folded = fold_text(text).text
        found = find_certain(folded, identity, self.lexicons)
        return any(folded[s.start : s.end].lower() not in self.lexicons.words for s in found)

    def scrub(
        self, text: str, identity: Identity | None, subject: Subject | None,
        replacement: Replacement = Replacement.SURROGATE,
    ) -> ScrubbedText:  # fmt: skip
        """Replace every identifier of a text.

        Parameters
        ----------
        subject : Subject or None
            Whose key makes surrogates and whose shift moves dates.
        replacement : Replacement
            ``[NAME]`` or an invented name.

        Raises
        ------
        InstanceError
            ``text-too-long``; ``surrogate-without-subject``.
        """
        if replacement is Replacement.SURROGATE and subject is None:
            raise InstanceError("surrogate-without-subject")
        spans = self.find(text, identity)
        parts: list[str] = []
        done = 0
        for span in spans:
            parts.append(text[done : span.start])
            original = fold_text(text[span.start : span.end]).text
            if replacement is Replacement.TAG or subject is None:
                parts.append(f"[{span.category}]")
            else:
                parts.append(self._surrogates.replace(original, span.category, subject))
            done = span.end
        parts.append(text[done:])
        return ScrubbedText(_without_controls("".join(parts)), spans)


def load_scrubber(lexicons: Path | None = None, language: str = "en") -> Scrubber:
    """Build a scrubber and warm it up, so that no report pays for lazy loading.

    Raises
    ------
    ConfigError
        The lexicons cannot be used.
    """
    scrubber = Scrubber(load_lexicons(lexicons, language))
    identity = Identity(names=("DOE^JANE",), ids=("A-1234",), dates=("20210314",))
    scrubber.find(_WARM_UP, identity)
    return scrubber


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of bounded length, cut between paragraphs, lines, sentences or words."""
    start = 0
    while start < len(text):
        end = min(start + _CHUNK, len(text))
        if end < len(text):
            for cut in ("\n\n", "\n", ". ", " "):
                at = text.rfind(cut, start + _CHUNK // 2, end)
                if at > 0:
                    end = at + len(cut)
                    break
        yield start, end
        start = end


def _merge(spans: list[Span], text: str) -> list[Span]:
    """Join what overlaps, and names next to each other; the stronger category stays."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        if not merged:
            merged.append(span)
            continue
        last = merged[-1]
        between = text[last.end : span.start]
        near = span.category == last.category == "NAME" and re.fullmatch(r"[ ,.]{1,2}", between)
        if span.start < last.end or near:
            strong = min(last, span, key=lambda s: _rank(s.category))
            merged[-1] = Span(
                last.start, max(last.end, span.end), strong.category, strong.recognizer
            )
        else:
            merged.append(span)
    return merged


def _rank(category: str) -> int:
    return _PRIORITY.index(category) if category in _PRIORITY else 0


def _unfold(span: Span, folded: FoldedText) -> Span:
    start, end = folded.original(span.start, span.end)
    return Span(start, end, span.category, span.recognizer)


def _without_controls(text: str) -> str:
    """Text without control and format characters that a report never needs."""
    if text.isprintable():
        return text
    return "".join(c for c in text if c.isprintable() or c in "\n\r\t\f" or c.isspace())
