"""Names of persons: what a title, a label, a signature, an order of words gives away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from updp_node.text.lexicon import Lexicons
from updp_node.text.name_order import modelled_names, ordered_names, repeated_names
from updp_node.text.name_reader import NameFind, NameReader
from updp_node.text.words import Kind, Word

_SPOKEN_TITLES = frozenset({"nurse", "sister", "judge", "miss", "attorney"})
_AFTER_TITLE = re.compile(r"\.?\s{0,3}|\.?\s*\n\s*")
_OPENING = re.compile(r"[\s,.(\[\"']{0,4}")
_AND = re.compile(r"\s*(?:,|;|/|&|\band\b|\bor\b)\s*(?:and\s+)?")


def _alternatives(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered)


class NameRules:
    """All rules over names for one language.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        words = lexicons.names
        self._titles = frozenset(words["titles"])
        self._particles = frozenset(words["particles"])
        self._stop = frozenset(words["stop"])
        suffixes = "|".join(
            r"\.?\s?".join(re.escape(letter) for letter in suffix.replace(".", ""))
            if len(suffix) < 4 else re.escape(suffix) for suffix in words["suffixes"])  # fmt: skip
        self._suffix = re.compile(rf"(?:,\s*|\s+)(?:{suffixes})\b\.?(?![\w'-])", re.IGNORECASE)
        self._suffix_words = frozenset(s.replace(".", "") for s in words["suffixes"])
        self._label = re.compile(
            rf"(?<![\w-])(?:{_alternatives(words['labels'])})(?:\s*\([^()\n]{{0,24}}\))?"
            r"\s*[:#=]+[ \t]*\n?[ \t]*",
            re.IGNORECASE,
        )
        self._verb = re.compile(rf"(?<![\w-])(?:{_alternatives(words['verbs'])})\s+", re.IGNORECASE)
        self._acts = re.compile(
            rf"(?<![\w-])([A-Z][A-Za-z'-]{{2,24}})\s+(?:{_alternatives(words['acts'])})\b"
        )
        self._veto = frozenset(words["initials_veto"])
        self._initials = re.compile(
            r"(?<![\w/.-])(?P<a>[A-Z]{2,4})(?:/|:(?=[a-z]+\s*(?:$|\d)))(?P<b>[a-z]{2,3})(?![\w/-])"
            r"|(?<![\w/.-])(?P<c>[a-z]{2,3})[/:](?P<d>[a-z]{2,3})(?=\s*(?:$|\d))",
            re.MULTILINE,
        )

    def find(
        self, text: str, words: Sequence[Word], persons: Iterable[tuple[int, int]]
    ) -> list[NameFind]:
        """Every name in folded text.

        Parameters
        ----------
        words : sequence of Word
            Of the same text, in order.
        persons : iterable of tuple of int
            What a general model takes for persons.
        """
        reader = NameReader(text, words, self._stop | self._suffix_words, self._particles)
        found = [*self._titled(reader), *self._labelled(reader), *self._suffixed(reader),
                 *ordered_names(reader), *modelled_names(reader, persons), *self._signed(text),
                 *self._acting(reader)]  # fmt: skip
        found += repeated_names(reader, found)
        return found

    def _titled(self, reader: NameReader) -> Iterator[NameFind]:
        for index, word in enumerate(reader.words[:-1]):
            if word.lower in self._titles and self._is_titled(reader, word, index + 1):
                capital = reader.words[index + 1].is_capital
                yield from reader.name_at(index + 1, "title", lower=True, first_word=capital)

    def _is_titled(self, reader: NameReader, title: Word, index: int) -> bool:
        """Whether a name may begin at the word after a title."""
        following = reader.words[index]
        gap = reader.text[title.end : following.start]
        initial = following.kind is Kind.INITIAL and following.is_capital
        if not _AFTER_TITLE.fullmatch(gap) or (following.lower in self._stop and not initial):
            return False
        if following.kind is Kind.WORD:
            written_out = title.lower in _SPOKEN_TITLES or (title.is_upper and "." not in gap)
            return not (title.text.islower() or len(gap) > 2 or written_out)
        if following.kind is Kind.AMBIGUOUS and title.lower in _SPOKEN_TITLES:
            return following.is_capital
        return True

    def _labelled(self, reader: NameReader) -> Iterator[NameFind]:
        for match in self._label.finditer(reader.text):
            yield from self._listed(reader, match.end(), "labelled", lower=True)
        for match in self._verb.finditer(reader.text):
            yield from self._listed(reader, match.end(), "spoken-of", lower=False)

    def _listed(
        self, reader: NameReader, start: int, rule: str, *, lower: bool
    ) -> Iterator[NameFind]:
        """Names after a label, one after the other while joined by *and* or a comma."""
        if not lower:
            start = self._skip_roles(reader, start)
        for _ in range(8):
            before, start = start, self._skip_titles(reader, start)
            index = reader.index(start)
            if index >= len(reader.words) or not _OPENING.fullmatch(
                reader.text[start : reader.words[index].start]
            ):
                return
            if reader.words[index].protected and not lower and before == start:
                return  # "history of Hodgkin lymphoma"
            names = list(reader.name_at(index, rule, lower=lower, first_word=False))
            if lower and not names:
                names = list(reader.lone_initials(index))
            yield from names
            joined = _AND.match(reader.text, names[-1].end) if names else None
            if not joined or joined.end() == names[-1].end:
                return
            start, lower = joined.end(), False

    def _skip_roles(self, reader: NameReader, start: int) -> int:
        """Past words such as *the ordering physician,*."""
        for index in range(reader.index(start), min(reader.index(start) + 4, len(reader.words))):
            word = reader.words[index]
            plain = word.lower in self._stop and word.lower not in self._titles
            if not plain or word.is_upper:
                break
            if not re.fullmatch(r"[\s,]{0,3}", reader.text[start : word.start]):
                break
            start = word.end
        return start

    def _skip_titles(self, reader: NameReader, start: int) -> int:
        index = reader.index(start)
        if index >= len(reader.words) or reader.words[index].lower not in self._titles:
            return start
        near = _OPENING.fullmatch(reader.text[start : reader.words[index].start])
        return reader.words[index].end if near else start

    def _suffixed(self, reader: NameReader) -> Iterator[NameFind]:
        for match in self._suffix.finditer(reader.text):
            token = match[0].strip(" ,.\n\t")
            if token.islower() and len(token) < 4 and "." not in token and "," not in match[0]:
                continue
            last = reader.index(match.start()) - 1
            first = reader.walk_back(last)
            sure = "," in match[0] or any(w.is_name for w in reader.words[first : last + 1])
            if first <= last and sure:
                yield NameFind(reader.words[first].start, reader.words[last].end, "suffix")

    def _acting(self, reader: NameReader) -> Iterator[NameFind]:
        """A capitalized word before a verb that only a person governs."""
        for match in self._acts.finditer(reader.text):
            index = reader.index(match.start(1))
            word = reader.words[index] if index < len(reader.words) else None
            if word is None or word.protected or word.lower in reader.stop:
                continue
            if word.is_name or (word.kind is not Kind.WORD and not word.is_upper):
                yield NameFind(word.start, word.end, "acting")

    def _signed(self, text: str) -> Iterator[NameFind]:
        """Initials of who spoke and who typed, e.g. ``LMT/jb``."""
        for match in self._initials.finditer(text):
            parts = [part.lower() for part in match.groups() if part]
            if not any(part in self._veto for part in parts):
                yield NameFind(match.start(), match.end(), "initials")
