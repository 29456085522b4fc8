"""Identifiers out of free text: find, merge, replace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

from updp_node.errors import InstanceError
from updp_node.model import Span
from updp_node.subject import Subject
from updp_node.text.certain import find_certain, trim_names
from updp_node.text.edges import Edges
from updp_node.text.findings import load_finding_rules
from updp_node.text.fold import FoldedText, fold_text
from updp_node.text.identity import Identity
from updp_node.text.lexicon import Lexicons, load_lexicons
from updp_node.text.merge import merge_spans
from updp_node.text.recognizers import Recognizers
from updp_node.text.stretches import Stretches
from updp_node.text.surrogates import Surrogates
from updp_node.text.towns import TownRules
from updp_node.text.veto import Veto

MOST_CHARACTERS = 100_000
_CATEGORIES = (
    "NAME ID DATE TIME AGE PHONE EMAIL URL ADDRESS LOCATION INSTITUTION DEVICE MARK".split()
)
_TOKEN = re.compile(r"[^\W_]+")
_OVERRIDES = ("\u202d", "\u202e")
_CHUNK = 8_000


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
    issued : frozenset of str
        Words and numbers of all surrogates written, in lower case: see `Scrubber.scrub`.
    replacements : tuple of str
        What stands where each span stood.
    """

    text: str
    spans: tuple[Span, ...]
    issued: frozenset[str] = frozenset()
    replacements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text is scrubbed as it is. It points at identifiers: for the identified zone alone.

    Attributes
    ----------
    spans : tuple of Span
        What is replaced, its category, and the recognizer that decided.
    vetoes : tuple of Veto
        What was a candidate and stays.
    """

    spans: tuple[Span, ...]
    vetoes: tuple[Veto, ...]


class Scrubber:
    """Finds and replaces identifiers. Heavy: one a process, shared by all its reports.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self.lexicons = lexicons
        self._recognizers = Recognizers(lexicons)
        self._edges, self._towns = Edges(lexicons), TownRules(lexicons)
        self._stretches = Stretches(lexicons)
        self._surrogates = Surrogates(lexicons)
        own = {pattern.category for pattern in lexicons.patterns}
        tags = sorted({*_CATEGORIES, *own, *lexicons.site_categories.values()})
        self._tag = re.compile(rf"\[(?:{'|'.join(map(re.escape, tags))})\]")

    def find(
        self, text: str, identity: Identity | None = None, *, closed: bool = True
    ) -> tuple[Span, ...]:
        """Identifiers of a text: sorted, not overlapping, offsets into the text as given.

        Our own category tags, ``[NAME]``, are left alone.

        Parameters
        ----------
        identity : Identity or None
            What the source header says; certain hits.
        closed : bool
            Whether what no list knows as harmless goes too: right for reports; descriptions
            of protocols are made of words that no list knows.

        Raises
        ------
        InstanceError
            ``text-too-long``: more than a hundred thousand characters;
            ``text-direction-override``: characters that turn the order of letters round.
        """
        folded = _fold(text)
        return self._settle(folded, self._candidates(folded.text, closed=closed), identity)

    def explain(self, text: str, identity: Identity | None = None) -> Explanation:
        """What is replaced and why, and what the whitelist kept.

        Raises
        ------
        InstanceError
            As `find`.
        """
        folded = _fold(text)
        vetoes: list[Veto] = []
        spans = self._settle(folded, self._candidates(folded.text, vetoes), identity)
        kept = []
        for veto in vetoes:
            start, end = folded.original(veto.start, veto.end)
            if not any(s.start < end and start < s.end for s in spans):
                kept.append(Veto(start, end, veto.category, veto.recognizer, veto.reason))
        return Explanation(spans, tuple(sorted(set(kept))))

    def _candidates(
        self, text: str, vetoes: list[Veto] | None = None, *, closed: bool = True
    ) -> list[Span]:
        """What the recognizers find in folded text; adds to `vetoes` what was withdrawn."""
        spans: list[Span] = []
        for start, end in _chunks(text):
            found = self._recognizers.find(
                text[start:end], explain=vetoes is not None, closed=closed
            )
            spans += [
                Span(s.start + start, s.end + start, s.category, s.recognizer) for s in found.spans
            ]
            if vetoes is not None:
                vetoes += [
                    Veto(v.start + start, v.end + start, v.category, v.recognizer, v.reason)
                    for v in found.vetoes
                ]
        return spans

    def _settle(
        self, folded: FoldedText, spans: list[Span], identity: Identity | None
    ) -> tuple[Span, ...]:
        spans = [*self._edges.trim(spans, folded.text)]
        spans += [*self._towns.beside(spans, folded.text)]
        spans += [*self._stretches.fill(spans, folded.text)]
        if identity is not None:
            certain = find_certain(folded.text, identity, self.lexicons)
            spans = [*trim_names(spans, certain, folded.text, self.lexicons), *certain]
        tags = [tag.span() for tag in self._tag.finditer(folded.text)]
        merged = merge_spans(spans, folded.text, tags)
        return tuple(_unfold(span, folded) for span in merged)

    def names_somebody(self, text: str, identity: Identity) -> bool:
        """Whether a text holds an identifier of the header that is no plain word; asks no model."""
        folded = fold_text(text).text
        found = find_certain(folded, identity, self.lexicons)
        return any(folded[s.start : s.end].lower() not in self.lexicons.words for s in found)

    def _is_ours(self, found: set[str], ours: frozenset[str], theirs: set[str]) -> bool:
        """Whether a find is what an earlier run wrote, with plain words that it left beside."""
        if not found & ours or found & theirs:
            return False
        return all(token in ours or token in self.lexicons.words for token in found)

    def scrub(
        self, text: str, identity: Identity | None, subject: Subject | None,
        replacement: Replacement = Replacement.SURROGATE, issued: frozenset[str] = frozenset(),
        *, closed: bool = True,
    ) -> ScrubbedText:  # fmt: skip
        """Replace every identifier of a text.

        Tags are fixed points. A surrogate looks like what it replaces: nothing in it tells it
        from a real identifier, so a second run replaces it too, unless `issued` says that
        an earlier run wrote it.

        Parameters
        ----------
        identity : Identity or None
            Of the source header.
        subject : Subject or None
            Whose key makes surrogates and whose shift moves dates.
        replacement : Replacement
            ``[NAME]`` or an invented name.
        issued : frozenset of str
            `ScrubbedText.issued` of the run that made this text. A span of these words, and of
            plain ones that the run left beside them, none the header's, stays.
        closed : bool
            As `find`.

        Raises
        ------
        InstanceError
            ``text-too-long``; ``text-direction-override``; ``surrogate-without-subject``.
        """
        if replacement is Replacement.SURROGATE and subject is None:
            raise InstanceError("surrogate-without-subject")
        theirs = _identity_tokens(identity) if issued else set()
        spans = [
            s
            for s in self.find(text, identity, closed=closed)
            if not self._is_ours(_tokens(text[s.start : s.end]), issued, theirs)
        ]
        parts: list[str] = []
        wrote: set[str] = set()
        done = 0
        for span in spans:
            parts.append(text[done : span.start])
            original = fold_text(text[span.start : span.end]).text
            if replacement is Replacement.TAG or subject is None:
                parts.append(f"[{span.category}]")
            else:
                parts.append(self._surrogates.replace(original, span.category, subject))
                wrote.update(_tokens(parts[-1]))
            done = span.end
        parts.append(text[done:])
        text = _without_controls("".join(parts))
        return ScrubbedText(text, tuple(spans), frozenset(wrote), tuple(parts[1::2]))


def load_scrubber(
    lexicons: Path | None = None, language: str = "en", site: Path | None = None
) -> Scrubber:
    """Build a scrubber and warm it up, so that no report pays for lazy loading.

    Raises
    ------
    ConfigError
        The lexicons cannot be used.
    """
    scrubber = Scrubber(load_lexicons(lexicons, language, site))
    identity = Identity(names=("DOE^JANE",), ids=("A-1234",), dates=("20210314",))
    scrubber.find(scrubber.lexicons.grammar.warm_up, identity)
    load_finding_rules(lexicons, language)
    return scrubber


def _fold(text: str) -> FoldedText:
    if len(text) > MOST_CHARACTERS:
        raise InstanceError("text-too-long", f"{len(text)} characters")
    if any(override in text for override in _OVERRIDES):
        raise InstanceError("text-direction-override")
    return fold_text(text)


def _tokens(text: str) -> set[str]:
    return {token.lower() for token in _TOKEN.findall(fold_text(text).text)}


def _identity_tokens(identity: Identity | None) -> set[str]:
    values = astuple(identity) if identity else ()
    return {token for group in values for value in group for token in _tokens(value)}


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


def _unfold(span: Span, folded: FoldedText) -> Span:
    start, end = folded.original(span.start, span.end)
    return Span(start, end, span.category, span.recognizer)


def _without_controls(text: str) -> str:
    """Text without control and format characters that a report never needs."""
    if text.isprintable():
        return text
    return "".join(c for c in text if c.isprintable() or c in "\n\r\t\f" or c.isspace())
