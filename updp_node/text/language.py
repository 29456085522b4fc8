"""Which language pack reads a text: what its document declares, and what its words show.

A text without a declaration takes the profile's language. Its words cannot choose a language
that the profile does not name; they can only show that the lists at hand were made for another.

References
----------
Ingle, A Language Identification Table, 1976: short function words tell a language. RFC 5646
(language tags); ISO 639-2 (codes of three letters).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from updp_node.errors import InstanceError
from updp_node.text.fold import fold_text
from updp_node.text.lexicon import Lexicons
from updp_node.text.packs import read_rules
from updp_node.text.words import Kind, Vocabulary

OTHER = "other"
FEWEST_LETTERS = 40
_FEWEST_WORDS = 3
_LEAST_LEAD = 0.1
_MOST_KNOWN = 0.75
_DEMANDS = {True: (60, 0.4), False: (100, 0.3)}
"""Fewest letters, and the least share of them in known words, by whether a pack lists all that is
harmless; one that does not knows fewer words."""
_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"(?<!\w)[^\W\d_]+(?!\w)")  # no part of a code
_PARAGRAPHS = re.compile(r"\n\s*\n|\f")
_FIRST_IDEOGRAPH = "\u2e80"
_UNTOLD = frozenset({"", "und", "zxx"})


@dataclass(frozen=True, slots=True)
class Tongues:
    """What is known of languages without a pack.

    Attributes
    ----------
    words : Mapping of str to frozenset of str
        Function words by language.
    codes : Mapping of str to str
        Codes of two letters by those of three.
    """

    words: Mapping[str, frozenset[str]]
    codes: Mapping[str, str]


@lru_cache(maxsize=1)
def load_tongues() -> Tongues:
    """Read ``languages.yaml``.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    content = read_rules(Path(__file__).with_name("languages.yaml"))
    words = {
        language: frozenset(_WORD.findall(fold_text(text).text.lower()))
        for language, text in content["words"].items()
    }
    return Tongues(words, content["codes"])


def function_words(language: str) -> frozenset[str]:
    """Function words of a language, as far as they are known."""
    return load_tongues().words.get(language, frozenset())


def read_tag(tag: str) -> str:
    """The language of a tag or code, in two letters where it has such: ``en-US``, ``eng``.

    Empty where it says that there is none or that it is not known.
    """
    first = re.split(r"[-_]", tag.strip(" \0").lower(), maxsplit=1)[0]
    return "" if first in _UNTOLD else load_tongues().codes.get(first, first)


class LanguageJudge:
    """Tells texts that the lists of a pack were not made for.

    Parameters
    ----------
    lexicons : Lexicons
        Of the pack.
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self.language = lexicons.language
        words = dict(load_tongues().words)
        stated = words.pop(lexicons.language, frozenset())
        self._own = stated | frozenset(lexicons.closed.get("function", ()))
        self._others: dict[str, list[str]] = {}
        for language, others in words.items() if stated else ():
            for word in others - self._own:
                self._others.setdefault(word, []).append(language)
        self._demand = _DEMANDS[bool(lexicons.closed)]
        self._vocabulary = Vocabulary(lexicons)

    def name_other(self, text: str) -> str:
        """The language of a text that is clearly none of the pack's; empty for all others.

        The whole text is judged, and each of its paragraphs by its script and function words.
        Less than some forty letters (fifteen ideographs) tell nothing.

        Returns
        -------
        str
            A language by its code, ``other`` where only that much is clear, or nothing.
        """
        folded = fold_text(text).text
        if _weigh(folded) < FEWEST_LETTERS:
            return ""
        words = _words(folded)
        if told := self._told(folded, words) or self._unknown(words):
            return told
        parts = _PARAGRAPHS.split(folded)
        judged = parts if len(parts) > 1 else []
        long = (part for part in judged if _weigh(part) >= FEWEST_LETTERS)
        return next(filter(None, (self._told(part, _words(part)) for part in long)), "")

    def _told(self, folded: str, words: Sequence[str]) -> str:
        """Another script, or the function words of another language."""
        letters = sum(map(len, _LETTERS.findall(folded)))
        foreign = sum(not letter.isascii() and letter.isalpha() for letter in folded)
        if 2 * foreign > letters:
            return OTHER
        counted = [word for word in words if len(word) > 1]
        hits = Counter(name for word in counted for name in self._others.get(word, ()))
        (best, most), (_, second) = (*hits.most_common(2), ("", 0), ("", 0))[:2]
        if most < _FEWEST_WORDS:
            return ""
        lead = most - sum(word in self._own for word in counted)
        is_other = lead >= _LEAST_LEAD * len(counted) and self._share_known(words) < _MOST_KNOWN
        if not is_other:
            return ""
        return best if most > second else OTHER

    def _unknown(self, words: Sequence[str]) -> str:
        """Words of which the pack hardly knows any."""
        fewest, least = self._demand
        enough = sum(map(len, words)) >= fewest
        return OTHER if enough and self._share_known(words) < least else ""

    def _share_known(self, words: Sequence[str]) -> float:
        """Share of letters in words of the pack; names tell nothing."""
        known = total = 0
        for word in words:
            kind = self._vocabulary.classify(word)
            if kind in {Kind.GIVEN, Kind.SURNAME}:
                continue
            total += len(word)
            known += len(word) if kind in {Kind.WORD, Kind.AMBIGUOUS} else 0
        return known / total if total else 1.0


def choose_language(
    declared: Collection[str], texts: Iterable[str], judges: Sequence[LanguageJudge], *,
    strict: bool = True,
) -> str:  # fmt: skip
    """The language whose pack reads a document.

    Parameters
    ----------
    declared : collection of str
        What the document says of its language, see `read_tag`.
    texts : iterable of str
        Its free text, without coded titles.
    judges : sequence of LanguageJudge
        Of the profile's languages; the first is for what declares none.
    strict : bool
        Whether a language that none of them reads is refused; otherwise the first reads it.

    Raises
    ------
    InstanceError
        ``unread-language``: several languages are declared, or one that no pack of the profile
        is for; or the text is clearly in such a one, whatever is declared.
    """
    packs = {judge.language: judge for judge in judges}
    stated = set(declared) - {""}
    first = judges[0].language
    if len(stated) > 1 or not stated <= set(packs):
        if strict:
            raise InstanceError("unread-language", "declared")
        stated = set()
    if not strict:
        return stated.pop() if stated else first
    text = "\n\n".join(each for each in texts if not _is_term(each))
    chosen = stated.pop() if stated else first
    told = packs[chosen].name_other(text)
    if told and told in packs and not declared and not packs[told].name_other(text):
        return told
    if told:
        raise InstanceError("unread-language", f"by its words: {told}")
    return chosen


def _is_term(text: str) -> bool:
    """Whether a text is an identifier or one word; ideographs are written without spaces."""
    return text.isascii() and len(text.split()) < 2


def _weigh(text: str) -> int:
    """Letters of a text; an ideograph or a syllable says as much as three."""
    return sum(
        3 if letter >= _FIRST_IDEOGRAPH else 1 for part in _LETTERS.findall(text) for letter in part
    )


def _words(folded: str) -> list[str]:
    """Words in lower case, without the marks of what was removed before (``XXXX``)."""
    return [word for word in _WORD.findall(folded.lower()) if word.strip("x")]
