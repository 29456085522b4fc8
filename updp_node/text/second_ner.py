"""A second model that votes: a site's own token classifier, named in its lexicons.

``second_ner.yaml`` in the folder of the site's lexicons says where the model lies, what its files'
digests are, what its labels mean, and from which share on it is believed. It may only add to what
the rules found, and no more than the whitelist lets the statistical voter add.

References
----------
Johnson, Bulgarelli and Pollard, Deidentification of free-text medical records using pre-trained
bidirectional transformers, ACM CHIL 2020; Chambon et al., Automated deidentification of radiology
reports combining transformer and "hide in plain sight" rule-based methods, JAMIA 2023.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from updp_node.errors import ConfigError
from updp_node.model import Span
from updp_node.text.lexicon import Lexicons
from updp_node.text.packs import REQUIRED, read_rules
from updp_node.text.site import CATEGORIES
from updp_node.text.token_classifier import Pieces, TokenClassifier
from updp_node.text.veto import Found, Veto
from updp_node.text.voter_gate import Gate
from updp_node.text.voter_tokens import Reader, Token

RECOGNIZER = "second-ner"
CATEGORY = "second-ner"
_FILES = ("model.onnx", "config.json", "tokenizer.json")
_KEYS = {*REQUIRED, "language", "folder", "sha256", "labels", "threshold", "clinical_threshold",
         "window"}  # fmt: skip
_PREFIX = re.compile(r"(?P<place>[BILUSEM])[-_]")
_FIRST = frozenset("BUS")
_OUTSIDE, _NONE = "O", "NONE"
_CLINICAL = frozenset("mf")
_INITIALS = 3
_SHARE, _CLINICAL_SHARE, _WINDOW = 0.5, 0.9, 256


@dataclass(frozen=True, slots=True)
class Card:
    """What ``second_ner.yaml`` says.

    Attributes
    ----------
    file : pathlib.Path
        The card itself.
    language : str
        Of the texts that the model reads.
    folder : pathlib.Path
    sha256 : Mapping of str to str
        Digest of each file.
    labels : Mapping of str to str
        Our category by the model's label, without its B or I; ``NONE`` for what is none.
    threshold, clinical_threshold : float
        From which share on a token is an identifier, and from which on a word of medicine.
    window : int
    """

    file: Path
    language: str
    folder: Path
    sha256: Mapping[str, str]
    labels: Mapping[str, str]
    threshold: float
    clinical_threshold: float
    window: int


class SecondNer:
    """The model of a site; one a process.

    Parameters
    ----------
    lexicons : Lexicons
    card : Card

    Raises
    ------
    ConfigError
        A file differs from its digest, a label has no meaning, or the model cannot be loaded.
    """

    def __init__(self, lexicons: Lexicons, card: Card) -> None:
        files = {name: _read(card, name) for name in _FILES}
        named = _read_labels(files["config.json"], card)
        self._card = card
        self._meanings = [_meaning(label, card) for label in named]
        self._begins = np.array([_place(label) in _FIRST for label in named])
        self._categories = sorted({each for each in self._meanings if each})
        self._classifier = TokenClassifier(
            files["model.onnx"], files["tokenizer.json"], labels=len(named),
            window=card.window, file=str(card.file),
        )  # fmt: skip
        self._reader = Reader(lexicons)
        self._gate = Gate(lexicons)

    def vote(self, text: str, taken: Sequence[Span]) -> Found:
        """What the model adds to what was found, and what the whitelist keeps of it.

        Parameters
        ----------
        text : str
            Folded.
        taken : sequence of Span
            What was found in it before.

        Raises
        ------
        InstanceError
            ``second-ner-failed``.
        """
        tokens = self._reader.read(text)
        pieces = self._classifier.read(text) if tokens else Pieces.none()
        shares, categories, begins = self._weigh(tokens, pieces)
        covered = bytearray(len(text))
        for span in taken:
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
        chosen = [at for at, token in enumerate(tokens)
                  if not covered[token.start] and shares[at] >= self._bound(token)]  # fmt: skip
        passing = self._gate.passing(text, tokens, chosen)
        joined = self._gate.join(text, tokens, categories, passing, begins)
        kept = sorted(set(chosen) - set(passing))
        return Found(
            [Span(start, end, category, RECOGNIZER) for start, end, category in joined],
            [Veto(tokens[at].start, tokens[at].end, categories[at], RECOGNIZER, "whitelist")
             for at in kept],
        )  # fmt: skip

    def _bound(self, token: Token) -> float:
        seen = token.seen
        clinical = len(seen.form) > _INITIALS and not _CLINICAL.isdisjoint(seen.classes)
        return self._card.clinical_threshold if clinical else self._card.threshold

    def _weigh(
        self, tokens: Sequence[Token], pieces: Pieces
    ) -> tuple[list[float], list[str], frozenset[int]]:
        """Share and category of every token by its surest piece, and which begin a name anew."""
        shares, categories = [0.0] * len(tokens), [""] * len(tokens)
        begins: set[int] = set()
        ends = [token.end for token in tokens]
        for (start, end), row in zip(pieces.offsets, pieces.shares, strict=True):
            at = bisect_left(ends, start + 1)
            sums = {name: 0.0 for name in self._categories}
            for meaning, share in zip(self._meanings, row, strict=True):
                if meaning:
                    sums[meaning] += float(share)
            best = max(sums, key=sums.__getitem__, default="")
            while at < len(tokens) and tokens[at].start < end:
                if best and sums[best] > shares[at]:
                    shares[at], categories[at] = sums[best], best
                if start <= tokens[at].start and self._begins[int(row.argmax())]:
                    begins.add(at)
                at += 1
        return shares, categories, frozenset(begins)


def load_second_ner(lexicons: Lexicons) -> SecondNer | None:
    """The second model of a site; None where it names none for this language.

    Raises
    ------
    ConfigError
        As `SecondNer`, or the card is not as it must be.
    """
    if lexicons.second_ner is None:
        return None
    card = read_card(lexicons.second_ner)
    return SecondNer(lexicons, card) if card.language == lexicons.language else None


def read_card(file: Path) -> Card:
    """Read ``second_ner.yaml``.

    Raises
    ------
    ConfigError
        A key is missing or not known, a digest or a category is none, or a share is none. Names
        file and key.
    """
    content = read_rules(file)
    if unknown := set(content) - _KEYS:
        raise ConfigError("unknown key", file=str(file), key=min(map(str, unknown)))
    if content["category"] != CATEGORY:
        raise ConfigError(f"must be {CATEGORY}", file=str(file), key="category")
    for key, kind in (("language", str), ("folder", str), ("sha256", dict), ("labels", dict)):
        if not isinstance(content.get(key), kind) or not content[key]:
            raise ConfigError(f"missing, or no {kind.__name__}", file=str(file), key=key)
    window = content.get("window", _WINDOW)
    if not (isinstance(window, int) and 16 <= window <= 4096):
        raise ConfigError("a number of tokens from 16 to 4096", file=str(file), key="window")
    return Card(
        file=file,
        language=content["language"],
        folder=file.parent / content["folder"],
        sha256=dict(_digests(content["sha256"], file)),
        labels=dict(_labels(content["labels"], file)),
        threshold=_share(content, "threshold", _SHARE, file),
        clinical_threshold=_share(content, "clinical_threshold", _CLINICAL_SHARE, file),
        window=window,
    )


def _digests(stated: Mapping[Any, Any], file: Path) -> Iterator[tuple[str, str]]:
    if set(stated) != set(_FILES):
        raise ConfigError(f"one digest each of {', '.join(_FILES)}", file=str(file), key="sha256")
    for name, digest in stated.items():
        if not re.fullmatch("[0-9a-f]{64}", str(digest)):
            raise ConfigError("no SHA-256", file=str(file), key=f"sha256.{name}")
        yield name, str(digest)


def _labels(stated: Mapping[Any, Any], file: Path) -> Iterator[tuple[str, str]]:
    for label, category in stated.items():
        named = str(category).upper()
        if named not in CATEGORIES | {_NONE}:
            raise ConfigError(
                f"one of {', '.join(sorted(CATEGORIES)).lower()} or none",
                file=str(file), key=f"labels.{label}",
            )  # fmt: skip
        yield str(label), named


def _share(content: Mapping[str, Any], key: str, usual: float, file: Path) -> float:
    value = content.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ConfigError("a share above 0, 1 at most", file=str(file), key=key)
    return float(value)


def _read(card: Card, name: str) -> bytes:
    """A file of the model, as it was approved."""
    try:
        content = (card.folder / name).read_bytes()
    except OSError as error:
        raise ConfigError(f"{name} cannot be read", file=str(card.file), key="folder") from error
    if hashlib.sha256(content).hexdigest() != card.sha256[name]:
        raise ConfigError("the file is another", file=str(card.file), key=f"sha256.{name}")
    return content


def _read_labels(config: bytes, card: Card) -> list[str]:
    """The labels of ``config.json`` in the order of their numbers."""
    try:
        stated = json.loads(config)["id2label"]
        return [str(stated[str(number)]) for number in range(len(stated))]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "config.json has no id2label"
        raise ConfigError(message, file=str(card.file), key="folder") from error


def _place(label: str) -> str:
    found = _PREFIX.match(label)
    return found["place"] if found else ""


def _meaning(label: str, card: Card) -> str:
    """Our category for a label; empty for what is none."""
    plain = _PREFIX.sub("", label, count=1) if label not in card.labels else label
    if plain == _OUTSIDE and plain not in card.labels:
        return ""
    if plain not in card.labels:
        raise ConfigError("no category for this label", file=str(card.file), key=f"labels.{plain}")
    named = card.labels[plain]
    return "" if named == _NONE else named
