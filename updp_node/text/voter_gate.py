"""What a voter may not add, however sure it is: what the whitelist knows where it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence

from updp_node.text.lexicon import Lexicons
from updp_node.text.voter_tokens import Token
from updp_node.text.words import Vocabulary

_THE = re.compile(r" the \Z")
_LEAST_TOKENS = 4
_INITIALS = 3
_KNOWN = frozenset("emf")
_NUMBERED = frozenset({"TIME", "PHONE"})
_CODED = frozenset({"ID", "DEVICE", "PHONE"})
_JOINT = re.compile(r"(?:[ ,.'/:^-]|, )?")


class Gate:
    """Tells candidates of the voter that the whitelist keeps.

    Parameters
    ----------
    lexicons : Lexicons
    vocabulary : Vocabulary or None
        That of the recognizers, which has read the text already; None for one of its own.
    """

    def __init__(self, lexicons: Lexicons, vocabulary: Vocabulary | None = None) -> None:
        self._lexicons = lexicons
        self._vocabulary = vocabulary or Vocabulary(lexicons)
        heads = frozenset(lexicons.places["facility"]) | frozenset(lexicons.closed.get("heads", ()))
        services = frozenset(lexicons.places["services"])
        self._nations = frozenset(lexicons.closed.get("nations", ()))
        self._services = services | (lexicons.clinical - heads)
        self._measures = [re.compile(each) for each in lexicons.closed.get("harmless", ())]

    def passing(self, text: str, tokens: Sequence[Token], chosen: Sequence[int]) -> list[int]:
        """Which of some tokens of a text may be added, by their numbers.

        Of a text of a few words nothing is added: the voter has no context there.
        """
        if len(tokens) < _LEAST_TOKENS or not chosen:
            return []
        words = self._vocabulary.read(text)
        phrases = [(word.start, word.end) for word in words if word.protected]
        measures = self._find_measures(text)
        return [
            at
            for at in chosen
            if not _inside(phrases, tokens[at].start)
            and not _inside(measures, tokens[at].start)
            and not self._is_plain(text, tokens[at])
        ]

    def join(
        self, text: str, tokens: Sequence[Token], categories: Sequence[str],
        passing: Sequence[int], begins: Collection[int] = (),
    ) -> Iterator[tuple[int, int, str]]:  # fmt: skip
        """Stretches of neighbouring tokens of one category, and which, less what is kept whole.

        Parameters
        ----------
        categories : sequence of str
            Of every token.
        passing : sequence of int
            Which tokens may be added, in order.
        begins : collection of int
            Tokens that never go on what stands before them.
        """
        run: list[int] = []
        for at in [*passing, -1]:
            last = run[-1] if run else -1
            if run and not (
                at > last
                and at not in begins
                and categories[at] == categories[last]
                and _JOINT.fullmatch(text, tokens[last].end, tokens[at].start)
            ):
                start, end = tokens[run[0]].start, tokens[last].end
                classes = [tokens[each].seen.classes for each in run]
                if not self.keeps(text[start:end], categories[last], classes):
                    yield start, end, categories[last]
                run = []
            run.append(at)

    def keeps(self, found: str, category: str, classes: Sequence[str]) -> bool:
        """Whether a whole find is a kept code, a state alone, or a number without digits."""
        if category == "LOCATION" and all("z" in each for each in classes):
            return True
        words = re.findall(r"[^\W\d_]+", found.lower())
        if words and all(word in self._nations for word in words):
            return True
        if category == "DEVICE" and "_" in found and found.islower():
            return True  # "tfl3d1_ns": a sequence
        if category == "INSTITUTION" and all(
            word in self._services for word in re.findall("[a-z]+", found.lower())
        ):
            return True  # "Maternal Fetal Medicine": what is done there, not where
        if category in _NUMBERED and not re.search(r"\d", found):
            return True
        codes = self._lexicons.exceptions if category in _CODED else ()
        return any(kept.fullmatch(found) for kept in (*codes, *self._lexicons.kept))

    def _find_measures(self, text: str) -> list[tuple[int, int]]:
        """Stretches of a number with its unit or with the word that it counts."""
        return sorted(
            match.span()
            for measure in self._measures
            for match in measure.finditer(text)
            if len(re.findall("[A-Za-z]", match[0])) > 1
        )

    @staticmethod
    def _is_plain(text: str, token: Token) -> bool:
        """A word of the grammar, or a known word in small letters beside capitals."""
        seen = token.seen
        if "f" in seen.classes and (len(seen.form) > 1 or seen.shape.islower()):
            return True
        if seen.shape.islower() and _THE.search(text, max(0, token.start - 6), token.start):
            return True  # "in the er"
        if len(seen.form) <= _INITIALS or _KNOWN.isdisjoint(seen.classes):
            return False
        if not seen.shape.islower():
            return False
        first = text.rfind("\n", 0, token.start) + 1
        last = text.find("\n", token.end)
        line = text[max(first, token.start - 200) : last if last >= 0 else len(text)][:400]
        return not line.islower()


def _inside(stretches: Sequence[tuple[int, int]], start: int) -> bool:
    """Whether one of some sorted stretches holds an offset."""
    last = bisect_right(stretches, start, key=lambda each: each[0])
    return any(low <= start < high for low, high in stretches[max(0, last - 3) : last])
