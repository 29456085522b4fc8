"""A packaged spaCy model as Presidio's NLP engine; nothing is fetched at run time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import spacy
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from updp_node.errors import ConfigError


class PackagedEngine(NlpEngine):
    """A spaCy model from its package: entities only, no parser, no tagger.

    Parameters
    ----------
    language : str
    package : str
        Name of the model's package; without one there are tokens and no entities.
    """

    def __init__(self, language: str, package: str) -> None:
        self._language = language
        self._package = package
        self._model: Any = None

    def load(self) -> None:
        """Load the packaged model.

        Raises
        ------
        ConfigError
            The package that the language pack names is not installed.
        """
        try:
            self._model = (
                import_module(self._package).load(
                    exclude=["tagger", "parser", "lemmatizer", "attribute_ruler", "senter"]
                )
                if self._package
                else spacy.blank("xx")
            )
        except ImportError as error:
            raise ConfigError(
                "the model of the language pack is not installed", key=self._package
            ) from error
        self._model.max_length = 4_000_000

    def is_loaded(self) -> bool:
        """Whether the model is in memory."""
        return self._model is not None

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """Entities of one text."""
        document = self._model(text)
        return NlpArtifacts(
            entities=list(document.ents),
            tokens=document,
            tokens_indices=[],
            lemmas=[],
            nlp_engine=self,
            language=language,
        )

    def process_batch(
        self,
        texts: Iterable[str],
        language: str,
        batch_size: int = 1,
        n_process: int = 1,
        **kwargs: Any,
    ) -> Iterator[tuple[str, NlpArtifacts]]:
        """Entities of several texts."""
        del batch_size, n_process, kwargs
        for text in texts:
            yield text, self.process_text(text, language)

    def is_stopword(self, word: str, language: str) -> bool:
        """Whether a word is a stop word; no recognizer of ours asks."""
        del language
        return bool(self._model.vocab[word].is_stop)

    def is_punct(self, word: str, language: str) -> bool:
        """Whether a word is punctuation; no recognizer of ours asks."""
        del language
        return bool(self._model.vocab[word].is_punct)

    def get_supported_entities(self) -> list[str]:
        """None by itself: entities are votes that our recognizers weigh."""
        return []

    def get_supported_languages(self) -> list[str]:
        """Language codes."""
        return [self._language]
