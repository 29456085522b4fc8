"""A statistical voter: a linear-chain conditional random field beside the rules.

It reads where a token stands (its neighbours, its line, what marks surround it, which lists hold
it) and says how likely the token is a part of an identifier. Above one bound it takes what no
rule took; below another it gives back words of the language that only fail-closed rules took.
What the header says, labelled fields and formats are never given back. A language pack has a
voter where there is ``voter/voter.yaml``, made by ``tools/train_voter.py``.

References
----------
Lafferty, McCallum and Pereira, Conditional Random Fields, ICML 2001; Uzuner, Luo and Szolovits,
Evaluating the state of the art in automatic de-identification, JAMIA 2007.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from updp_node.errors import ConfigError
from updp_node.model import Span
from updp_node.text.lexicon import Lexicons
from updp_node.text.packs import read_list, read_rules
from updp_node.text.veto import Found, Veto
from updp_node.text.voter_features import features_of
from updp_node.text.voter_gate import Gate
from updp_node.text.voter_tokens import Reader, Token
from updp_node.text.words import Vocabulary

RECOGNIZER = "voter"
_OTHER = "O"
_ANY_WORD = frozenset("emfb")
_CLINICAL = frozenset("mfb")
_LIKE_INITIALS = frozenset({"XX", "XXX"})
_INITIALS = 3


@dataclass(frozen=True, slots=True)
class Ballot:
    """What the voter says of one text.

    Attributes
    ----------
    tokens : sequence of Token
    shares : list of float
        How likely each is a part of an identifier, 0 to 1.
    categories : list of str
        Of which kind it is then; empty where it is hardly one.
    """

    tokens: Sequence[Token]
    shares: list[float]
    categories: list[str]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a pack's ``voter.yaml`` says of the use of votes.

    Attributes
    ----------
    add, add_clinical : float
        From which share on a token is an identifier, and from which on a word of medicine.
    categories : frozenset of str
        Which identifiers the voter may add.
    veto, veto_initials : float
        Under which share a word of the language is none, and under which capitals are none that
        may be initials.
    rules, given_back : frozenset of str
        Rules whose finds of these kinds the voter may give back.
    """

    add: float
    add_clinical: float
    categories: frozenset[str]
    veto: float
    veto_initials: float
    rules: frozenset[str]
    given_back: frozenset[str]


class Voter:
    """The model of a language pack; one a process.

    Parameters
    ----------
    lexicons : Lexicons
    card : pathlib.Path
        ``voter.yaml`` of the pack.
    vocabulary : Vocabulary or None
        That of the recognizers.

    Raises
    ------
    ConfigError
        The files of the voter cannot be used, or do not belong together.
    """

    def __init__(
        self, lexicons: Lexicons, card: Path, vocabulary: Vocabulary | None = None
    ) -> None:
        content = read_rules(card)
        self.bounds = _bounds(content, card)
        model = read_model(card.with_name(str(content.get("model", "model.txt.gz"))))
        if hashlib.sha256(model).hexdigest() != content.get("model_sha256"):
            raise ConfigError("the voter's model is not the one of its card", file=str(card))
        self._model = model
        self._tagger = _open(model, card)
        self._labels = [label for label in self._tagger.labels() if label != _OTHER]
        self._reader = Reader(lexicons, vocabulary)
        self._gate = Gate(lexicons, vocabulary)

    def read(self, text: str) -> Ballot:
        """What is thought of every token of a folded text."""
        tokens = self._reader.read(text)
        if not tokens:
            return Ballot(tokens, [], [])
        self._tagger.set(features_of(text, tokens))
        marginal = self._tagger.marginal
        shares = [1.0 - marginal(_OTHER, at) for at in range(len(tokens))]
        least = min(self.bounds.add, 0.5)
        categories = [
            max(self._labels, key=lambda label, at=at: marginal(label, at)) if share > least else ""  # type: ignore[misc]
            for at, share in enumerate(shares)
        ]
        return Ballot(tokens, shares, categories)

    def vote(self, text: str, spans: Sequence[Span]) -> Found:
        """The spans of the rules without what is given back, with what is added.

        Parameters
        ----------
        text : str
            Folded.
        spans : sequence of Span
            What the rules found in it, not merged.
        """
        ballot = self.read(text)
        bounds = self.bounds
        starts = [token.start for token in ballot.tokens]
        kept: list[Span] = []
        vetoes: list[Veto] = []
        for span in spans:
            if span.recognizer not in bounds.rules or span.category not in bounds.given_back:
                kept.append(span)
                continue
            inside = range(bisect_left(starts, span.start), bisect_left(starts, span.end))
            plain = [at for at in inside if self._is_plain(ballot, at)]
            kept += _without(span, inside, frozenset(plain), ballot.tokens)
            vetoes += [
                Veto(token.start, token.end, span.category, span.recognizer, RECOGNIZER)
                for token in (ballot.tokens[at] for at in plain)
            ]
        kept += self._added(text, ballot, kept)
        return Found(kept, vetoes)

    def _is_plain(self, ballot: Ballot, at: int) -> bool:
        """Whether a token is a known word that hardly identifies anybody where it stands."""
        classes = ballot.tokens[at].seen.classes
        short = ballot.tokens[at].seen.shape in _LIKE_INITIALS
        return (
            ballot.shares[at] < (self.bounds.veto_initials if short else self.bounds.veto)
            and classes[0] != "i"
            and not _ANY_WORD.isdisjoint(classes)
        )

    def _added(self, text: str, ballot: Ballot, taken: Sequence[Span]) -> Iterator[Span]:
        """Runs of tokens, outside what is taken, that are identifiers of one kind."""
        tokens = ballot.tokens
        covered = bytearray(len(text))
        for span in taken:
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
        chosen = [
            at for at in range(len(tokens))
            if self._is_likely(ballot, at) and not covered[tokens[at].start]
        ]  # fmt: skip
        passing = self._gate.passing(text, tokens, chosen)
        for start, end, category in self._gate.join(text, tokens, ballot.categories, passing):
            yield Span(start, end, category, RECOGNIZER)

    def _is_likely(self, ballot: Ballot, at: int) -> bool:
        """Whether a token is a part of an identifier of the kinds that may be added."""
        seen = ballot.tokens[at].seen
        long = len(seen.form) > _INITIALS or (len(seen.form) == _INITIALS and "m" in seen.classes)
        clinical = long and not _CLINICAL.isdisjoint(seen.classes)
        bound = self.bounds.add_clinical if clinical else self.bounds.add
        return ballot.shares[at] >= bound and ballot.categories[at] in self.bounds.categories


def load_voter(lexicons: Lexicons, vocabulary: Vocabulary | None = None) -> Voter | None:
    """The voter of a pack; None where it has none.

    Raises
    ------
    ConfigError
        As `Voter`.
    """
    return Voter(lexicons, lexicons.voter, vocabulary) if lexicons.voter else None


def read_model(path: Path) -> bytes:
    """The model out of its file: a list file with the model in base64.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    try:
        return base64.b64decode("".join(read_list(path)), validate=True)
    except binascii.Error as error:
        raise ConfigError("the voter's model cannot be read", file=str(path)) from error


def _open(model: bytes, card: Path) -> Any:
    tagger = import_module("pycrfsuite").Tagger()
    try:
        tagger.open_inmemory(model)
    except (ValueError, RuntimeError) as error:
        raise ConfigError("the voter's model cannot be read", file=str(card)) from error
    return tagger


def _bounds(content: dict[str, Any], card: Path) -> Bounds:
    try:
        bounds = Bounds(
            add=float(content["add"]),
            add_clinical=float(content["add_clinical"]),
            categories=frozenset(map(str, content["categories"])),
            veto=float(content["veto"]),
            veto_initials=float(content["veto_initials"]),
            rules=frozenset(map(str, content["rules"])),
            given_back=frozenset(map(str, content["given_back"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError("the voter's card is not as it must be", file=str(card)) from error
    row = (0.0, bounds.veto_initials, bounds.veto, bounds.add, bounds.add_clinical, 1.0)
    if list(row) != sorted(row):
        raise ConfigError(
            "veto_initials, veto, add and add_clinical grow from 0 to 1", file=str(card)
        )
    return bounds


def _without(
    span: Span, inside: Sequence[int], plain: frozenset[int], tokens: Sequence[Token]
) -> Iterator[Span]:
    """A span, or what is left of it without some of its tokens."""
    if not plain:
        yield span
        return
    first: int | None = None
    for at in inside:
        if at in plain:
            continue
        first = at if first is None else first
        if at + 1 in plain or at == inside[-1]:
            yield Span(tokens[first].start, tokens[at].end, span.category, span.recognizer)
            first = None
