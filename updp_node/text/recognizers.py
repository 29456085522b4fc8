"""Presidio with our own language model and recognizers; nothing is fetched at run time.

With `updp_node.text.nlp_engine` the only module that imports Presidio and spaCy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import tldextract
from presidio_analyzer import (
    AnalysisExplanation,
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts

from updp_node.model import Span
from updp_node.text.closed import ClosedRules
from updp_node.text.closed_codes import CodeRules
from updp_node.text.closed_fields import FieldRules
from updp_node.text.edges import Edges
from updp_node.text.lexicon import Lexicons
from updp_node.text.measures import Measures
from updp_node.text.names import NameRules
from updp_node.text.nlp_engine import PackagedEngine
from updp_node.text.places import PlaceRules
from updp_node.text.second_ner import RECOGNIZER as SECOND_NER
from updp_node.text.second_ner import load_second_ner
from updp_node.text.veto import Found, Veto, withdrawn
from updp_node.text.voter import RECOGNIZER as VOTER
from updp_node.text.voter import load_voter
from updp_node.text.words import Vocabulary

_MODELS = frozenset({VOTER, SECOND_NER})


class _NoEnhancer(ContextAwareEnhancer):
    """Our recognizers weigh context themselves."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """Leave the results as they are."""
        del text, nlp_artifacts, recognizers, context
        return raw_results


def _results(finds: Iterable[Span]) -> list[RecognizerResult]:
    """Finds without the known words at their edges, as Presidio has them.

    Presidio leaves out what lies inside another find of its category: a find that takes
    neighbours along must have lost them before, or the ones inside would be lost with them.
    """
    return [_result(s.start, s.end, s.category, s.recognizer) for s in finds]


def _result(start: int, end: int, category: str, rule: str) -> RecognizerResult:
    why = AnalysisExplanation(recognizer=rule, original_score=1.0)
    return RecognizerResult(category, start, end, 1.0, analysis_explanation=why)


class FormatRecognizer(EntityRecognizer):
    """Identifiers known by their format, less the codes that the whitelist keeps."""

    def __init__(self, lexicons: Lexicons, measures: Measures) -> None:
        self._lexicons = lexicons
        self._scales = [re.compile(each, re.I) for each in lexicons.closed.get("scales", ())]
        self._measures = measures
        self.vetoes: list[Veto] | None = None
        categories = sorted({pattern.category for pattern in lexicons.patterns})
        super().__init__(
            supported_entities=categories, name="format", supported_language=lexicons.language
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """All finds of all patterns."""
        del entities, nlp_artifacts
        found = []
        measures = [*self._measures.find(text)]
        scales = [match.span() for each in self._scales for match in each.finditer(text)]
        for pattern in self._lexicons.patterns:
            group: int | str = "phi" if "phi" in pattern.regex.groupindex else 0
            for match in pattern.regex.finditer(text):
                start, end = match.span(group)
                if start < 0:  # another alternative, without the group
                    start, end = match.span()
                timed = pattern.category in {"DATE", "TIME"}
                harmless = measures + scales if timed else measures
                if end <= start or any(a <= start and end <= b for a, b in harmless):
                    continue
                reason = self._keeps(text[start:end], pattern.category)
                if not reason:
                    found.append(_result(start, end, pattern.category, pattern.name))
                elif self.vetoes is not None:
                    self.vetoes.append(Veto(start, end, pattern.category, pattern.name, reason))
        return found

    def _keeps(self, found: str, category: str) -> str:
        """Which part of the whitelist keeps a find; empty: none does."""
        if category == "ADDRESS" and (
            doctor := self._lexicons.grammar.regexes["street_doctor"].fullmatch(found)
        ):
            plain = all(word.lower() in self._lexicons.protocol for word in doctor[1].split())
            return "words of protocols" if plain else ""
        digits = found.replace("-", "")
        if category == "PHONE" and digits.isdigit() and len(digits) > (3 if found.isdigit() else 4):
            return ""
        if category in {"ID", "DEVICE", "PHONE"} and any(
            exception.fullmatch(found) for exception in self._lexicons.exceptions
        ):
            return "codes"
        kept = any(kept.fullmatch(found) for kept in self._lexicons.kept)
        return "codes as written" if kept else ""


class NameRecognizer(EntityRecognizer):
    """Names and places: rules, lexicons, and the model's entities as votes."""

    def __init__(self, lexicons: Lexicons, edges: Edges, vocabulary: Vocabulary) -> None:
        self._edges = edges
        self.vetoes: list[Veto] | None = None
        self._vocabulary = vocabulary
        self._names = NameRules(lexicons, self._vocabulary)
        self._places = PlaceRules(lexicons)
        categories = ["NAME", "INSTITUTION", "LOCATION", *lexicons.site_categories.values()]
        super().__init__(
            supported_entities=sorted(set(categories)),
            name="name",
            supported_language=lexicons.language,
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """All names and places."""
        del entities
        votes = [
            (entity.start_char, entity.end_char, entity.label_)
            for entity in (nlp_artifacts.entities if nlp_artifacts else ())
        ]
        persons = [(start, end) for start, end, label in votes if label in {"PERSON", "PER"}]
        places = [(start, end) for start, end, label in votes if label in {"GPE", "LOC", "FAC"}]
        words = self._vocabulary.read(text)
        if self.vetoes is not None:
            self.vetoes += withdrawn(words, persons, places)
        names = self._names.find(text, words, persons)
        found = [
            *(Span(n.start, n.end, "NAME", n.rule) for n in names),
            *(
                Span(p.start, p.end, p.category, p.rule)
                for p in self._places.find(text, words, places)
            ),
        ]
        return _results(self._edges.trim(found, text))


class ClosedRecognizer(EntityRecognizer):
    """What is not known to be harmless, in languages whose pack says what is."""

    def __init__(
        self, lexicons: Lexicons, edges: Edges, vocabulary: Vocabulary, measures: Measures
    ) -> None:
        self._edges = edges
        self.is_on = True
        self.vetoes: list[Veto] | None = None
        self._vocabulary = vocabulary
        self._words = ClosedRules(lexicons)
        self._codes = CodeRules(lexicons, measures)
        self._fields = FieldRules(lexicons)
        categories = ["AGE", "DATE", "ID", "INSTITUTION", "LOCATION", "NAME", "PHONE", "TIME"]
        super().__init__(
            supported_entities=categories, name="closed", supported_language=lexicons.language
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        """All words, codes and values of fields that may identify somebody."""
        del entities, nlp_artifacts
        if not self.is_on:
            return []
        words = self._vocabulary.read(text)
        found = [
            *self._words.find(text, words),
            *self._codes.find(text),
            *self._fields.find(text, words),
        ]
        spans = (Span(each.start, each.end, each.category, each.rule) for each in found)
        return _results(self._edges.trim(spans, text))


class Recognizers:
    """The analyzer: text in, spans out. Built once; costs about two seconds.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        # Presidio's e-mail recognizer would fetch a list of public suffixes otherwise.
        offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        setattr(tldextract, "extract", offline)  # noqa: B010 - the type of the name differs
        language = lexicons.language
        self._measures = Measures(lexicons)
        self._report_rules = frozenset(lexicons.closed.get("report_rules", ()))
        self._described = lexicons.clinical | frozenset(lexicons.closed.get("described", ()))
        engine = PackagedEngine(language, lexicons.grammar.model)
        engine.load()
        edges, vocabulary = Edges(lexicons), Vocabulary(lexicons)
        self._closed = ClosedRecognizer(lexicons, edges, vocabulary, self._measures)
        self._own: list[FormatRecognizer | NameRecognizer | ClosedRecognizer] = [
            FormatRecognizer(lexicons, self._measures),
            NameRecognizer(lexicons, edges, vocabulary),
        ]
        if lexicons.closed:
            self._own.append(self._closed)
        registry = RecognizerRegistry(
            recognizers=list(self._own),
            supported_languages=[language],
        )
        self._analyzer = AnalyzerEngine(
            registry=registry,
            nlp_engine=engine,
            supported_languages=[language],
            context_aware_enhancer=_NoEnhancer(),
        )
        self._language = language
        self._voter = load_voter(lexicons, vocabulary)
        self._second = load_second_ner(lexicons)

    def find(self, text: str, *, explain: bool = False, closed: bool = True) -> Found:
        """Spans of one piece of folded text; vetoes only where they are asked for."""
        vetoes: list[Veto] = []
        self._closed.is_on = closed
        for recognizer in self._own:
            recognizer.vetoes = vetoes if explain else None
        results = self._analyzer.analyze(text, self._language, return_decision_process=True)
        spans = [
            Span(r.start, r.end, r.entity_type, r.analysis_explanation.recognizer) for r in results
        ]
        if not closed:
            spans = [span for span in spans if not self._describes(text, span)]
            return Found(spans, vetoes)
        if self._voter is not None:
            voted = self._voter.vote(text, spans)
            spans = [*self._unmeasured(text, voted.spans)]
            vetoes += voted.vetoes if explain else ()
        if self._second is not None:
            added = self._second.vote(text, spans)
            spans += self._unmeasured(text, added.spans)
            vetoes += added.vetoes if explain else ()
        return Found(spans, vetoes)

    def _unmeasured(self, text: str, spans: Iterable[Span]) -> Iterator[Span]:
        """Spans without those of models that lie in numbers with their own label or unit."""
        known = self._measures.find(text)
        for span in spans:
            inside = any(low <= span.start and span.end <= high for low, high in known)
            if span.recognizer not in _MODELS or not inside:
                yield span

    def _describes(self, text: str, span: Span) -> bool:
        """Whether a rule for reports took words of a protocol for an identifier."""
        if span.recognizer not in self._report_rules:
            return False
        found = re.findall(r"[a-z]+", text[span.start : span.end].lower())
        return all(word in self._described for word in found)
