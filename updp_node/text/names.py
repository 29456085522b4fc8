"""Names of persons: what a title, a label, a signature, an order of words gives away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from updp_node.text.initials import InitialRules
from updp_node.text.lexicon import Lexicons
from updp_node.text.name_order import (
    lone_lines,
    modelled_names,
    ordered_names,
    repeated_names,
)
from updp_node.text.name_reader import NameFind, NameReader
from updp_node.text.sign_offs import SignOffs
from updp_node.text.words import Kind, Vocabulary, Word

_AFTER_TITLE = re.compile(r"\.?\s{0,3}|\.?\s*\n\s*")
_OPENING = re.compile(r"[\s,.(\[\"']{0,4}")
_MEASURED = re.compile(r"\d ?$")
"""Before a unit that looks like a title: ``330 ms.``"""
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_ENDS = re.compile(r"[ \t]*(?:[.,;)\n]|$|and\b|at\b|on\b)")


def _alternatives(terms: Iterable[str]) -> str:
    ordered = sorted(set(terms), key=len, reverse=True)
    return "|".join(re.escape(term).replace(r"\ ", r"\s+") for term in ordered) or "(?!)"


class NameRules:
    """All rules over names for one language.

    Parameters
    ----------
    lexicons : Lexicons
    vocabulary : Vocabulary
    """

    def __init__(self, lexicons: Lexicons, vocabulary: Vocabulary) -> None:
        words = lexicons.names
        self._grammar = lexicons.grammar
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
            r"(?:\s*[:#=]+[ \t]*\n?[ \t]*|\s?--?[ \t](?=(?-i:[A-Z])))",
            re.IGNORECASE,
        )
        self._verb = re.compile(
            rf"(?<![\w-])(?P<verb>{_alternatives(words['verbs'])})(?:,?\s+|\s*\()", re.IGNORECASE
        )
        self._acts = re.compile(
            rf"(?<![\w-])([A-Z][A-Za-z'-]{{2,24}})\s+(?:{_alternatives(words['acts'])})\b"
        )
        self._initials = InitialRules(lexicons, vocabulary)
        self._sign_offs = SignOffs(lexicons, vocabulary)
        self._services = frozenset(lexicons.places["services"]) | lexicons.protocol
        self._given_words = frozenset(words.get("given_words", ()))
        self._roles = frozenset(words.get("roles", ()))
        self._speech = frozenset(words.get("speech", ()))
        self._performers = frozenset(words.get("performers", ()))
        self._by = re.compile(rf"(?<![\w-])(?:{_alternatives(self._performers)})\s+", re.IGNORECASE)

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
        reader = NameReader(
            text,
            words,
            self._stop | self._suffix_words,
            self._particles,
            self._grammar,
            given_words=self._given_words,
        )
        found = [*self._titled(reader), *self._labelled(reader), *self._suffixed(reader),
                 *ordered_names(reader), *lone_lines(reader), *modelled_names(reader, persons),
                 *self._initials.find(text), *self._sign_offs.find(text),
                 *self._acting(reader)]  # fmt: skip
        found += repeated_names(reader, found)
        return found

    def _titled(self, reader: NameReader) -> Iterator[NameFind]:
        for index, word in enumerate(reader.words[:-1]):
            if word.lower in self._titles and self._is_titled(reader, word, index + 1):
                capital = reader.words[index + 1].is_capital
                names = [*reader.name_at(index + 1, "title", lower=True, first_word=capital)]
                yield from names
                joined = names and self._grammar.regexes["and"].match(reader.text, names[-1].end)
                if joined and joined[0].strip() and word.lower.endswith("s"):
                    second = reader.index(joined.end())
                    yield from reader.name_at(second, "title", lower=True, first_word=capital)

    def _is_titled(self, reader: NameReader, title: Word, index: int) -> bool:
        """Whether a name may begin at the word after a title."""
        following = reader.words[index]
        gap = reader.text[title.end : following.start]
        initial = following.kind is Kind.INITIAL and following.is_capital
        if _MEASURED.search(reader.text, max(0, title.start - 4), title.start):
            return False
        if "\n" in gap and reader.text[following.end : following.end + 1] == ":":
            return False
        if not _AFTER_TITLE.fullmatch(gap) or (following.lower in self._stop and not initial):
            return False
        if following.kind is Kind.WORD and not following.derived:
            written_out = title.lower in self._grammar.terms["spoken_titles"] or (
                title.is_upper and "." not in gap
            )
            small = title.text.islower() and not following.is_capital
            return not (small or len(gap) > 2 or written_out)
        if following.kind is Kind.AMBIGUOUS and title.lower in self._grammar.terms["spoken_titles"]:
            return following.is_capital
        return True

    def _labelled(self, reader: NameReader) -> Iterator[NameFind]:
        for match in self._label.finditer(reader.text):
            yield from self._listed(reader, match.end(), "labelled", lower=True)
        for match in self._verb.finditer(reader.text):
            if match["verb"].isupper() and len(match["verb"]) == 2 and "," in match[0]:
                continue  # "PT, PTT"
            speech = match["verb"].lower().split()[-1] in self._speech
            found = list(self._listed(reader, match.end(), "spoken-of", lower=False, speech=speech))
            yield from found or self._performer(reader, match)
        for match in self._by.finditer(reader.text):
            yield from self._performed(reader, match.end())

    def _performer(self, reader: NameReader, match: re.Match[str]) -> Iterator[NameFind]:
        """A word of the language, or letters, where a person must stand: *read by Trend*."""
        index = reader.index(match.end())
        role = match["verb"].lower() in self._roles
        performed = match["verb"].lower().split()[-1] in self._performers
        if index >= len(reader.words) or not (performed or role):
            return
        word = reader.words[index]
        if word.start != match.end() or not word.is_capital or (word.protected and not role):
            return
        if word.lower in self._services or word.lower in self._stop:
            return
        ends = _ENDS.match(reader.text, word.end)
        if ends and (len(word.text) > 2 or (word.is_upper and word.kind is Kind.UNKNOWN)):
            yield NameFind(word.start, word.end, "performer")

    def _performed(self, reader: NameReader, start: int) -> Iterator[NameFind]:
        """After a mere *by* somebody of whom a name list knows a part, or two capitalized words."""
        index = reader.index(start)
        if index >= len(reader.words) or reader.words[index].start != start:
            return
        if reader.words[index].protected:
            return
        first = reader.words[index]
        if first.kind is Kind.INITIAL and not first.is_capital and index + 1 < len(reader.words):
            second = reader.words[index + 1]
            if second.kind is not Kind.WORD and reader.gap(index + 1).strip() == ".":
                yield NameFind(first.start, second.end, "performed")
        for find in reader.name_at(index, "performed", lower=False, first_word=False, speech=True):
            words = reader.words[reader.index(find.start) : reader.index(find.end)]
            known = any(word.is_name and not word.is_upper for word in words)
            rare = not any(word.is_upper for word in words)
            ends = rare and bool(_ENDS.match(reader.text, find.end))
            if known or (rare and len(words) > 1) or ends:
                yield find

    def _listed(
        self, reader: NameReader, start: int, rule: str, *, lower: bool, speech: bool = False
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
            beyond = not lower or "\n" in reader.text[before : reader.words[index].start]
            told = speech and reader.is_told(index)
            if reader.words[index].protected and before == start and beyond and not told:
                return  # "history of Hodgkin lymphoma"
            names = list(reader.name_at(index, rule, lower=lower, first_word=False, speech=speech))
            if lower and not names:
                names = list(reader.lone_word(index, self._services))
            yield from names
            tail = reader.typist_after(names[-1]) if names else None
            if tail:
                yield tail
            joined = (
                self._grammar.regexes["and"].match(reader.text, names[-1].end) if names else None
            )
            if not joined or joined.end() == names[-1].end or _BLANK_LINE.search(joined[0]):
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
            small = last >= 0 and not reader.words[last].is_capital and token.islower()
            if small and "," in match[0]:
                first = reader.walk_back_small(last)
                if first <= last:
                    yield NameFind(reader.words[first].start, reader.words[last].end, "suffix")
                continue
            first = reader.walk_back(last)
            if all(word.protected for word in reader.words[first : last + 1]):
                continue  # "Fontaine III"
            sure = "," in match[0] or any(w.is_name for w in reader.words[first : last + 1])
            if first <= last and sure:
                yield NameFind(reader.words[first].start, reader.words[last].end, "suffix")
                joined = self._grammar.regexes["and"].match(reader.text, match.end())
                if joined and joined[0].strip(" ,"):
                    yield from self._performed(reader, joined.end())

    def _acting(self, reader: NameReader) -> Iterator[NameFind]:
        """A capitalized word before a verb that only a person governs."""
        for match in self._acts.finditer(reader.text):
            index = reader.index(match.start(1))
            word = reader.words[index] if index < len(reader.words) else None
            if word is None or word.protected or word.lower in reader.stop:
                continue
            if word.is_name or (word.kind is not Kind.WORD and not word.is_upper):
                yield NameFind(word.start, word.end, "acting")
