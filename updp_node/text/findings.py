"""Findings of a report, by rules: sections, negation, doubt, side, place, severity."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from updp_node.errors import ConfigError, InstanceError
from updp_node.model import Certainty, Finding, Laterality
from updp_node.text.fold import fold_text
from updp_node.text.grammar import Grammar
from updp_node.text.lexicon import lexicon_folder, load_grammar, read_rules

_MARK = re.compile(
    r"\[(?:\*\*[^\]\[]{0,200}\*\*|[A-Z]{2,12})\]|X{4,}|(?<!\w)XXX(?!\w)|_{3,}|\*{3,}"
)
_STOP = re.compile(r"[;!?\n]|\.(?![\da-z])")
_HEADING = re.compile(r"(?m)^[ \t]*(?:\d+[.)][ \t]*)?(?P<title>[A-Za-z][A-Za-z /&-]{2,40}?)[ \t]*:")
_NUMBER = re.compile(r"(?<=[\s.])\d{1,2}\.(?=\s|[A-Z])")
_ORDER = {Certainty.PRESENT: 0, Certainty.UNCERTAIN: 1, Certainty.ABSENT: 2}
_REACH = 90
_MOST_CHARACTERS = 2_000_000


@dataclass(frozen=True, slots=True)
class FindingRules:
    """Compiled rules of one language.

    Attributes
    ----------
    terms : Mapping
        Group name of the mention pattern to canonical term.
    parents : Mapping of str to str
        Canonical term to the broader observation.
    """

    mention: re.Pattern[str]
    terms: Mapping[str, str]
    parents: Mapping[str, str]
    cues: Mapping[str, re.Pattern[str]]
    laterality: Mapping[str, re.Pattern[str]]
    location: Mapping[str, re.Pattern[str]]
    severity: Mapping[str, re.Pattern[str]]
    read: frozenset[str]
    skip: frozenset[str]
    grammar: Grammar


@lru_cache(maxsize=4)
def load_finding_rules(folder: Path | None = None, language: str = "en") -> FindingRules:
    """Read the finding rules of a language.

    Raises
    ------
    ConfigError
        A file is missing or a rule is not a regular expression.
    """
    grammar = load_grammar(folder, language)
    root = (folder or lexicon_folder()) / language / "findings"
    findings = read_rules(root / "findings.yaml")["findings"]
    context = read_rules(root / "context.yaml")
    try:
        return _compile(findings, context, grammar)
    except re.error as error:
        raise ConfigError("not a regular expression", file=str(root)) from error


def _compile(
    findings: Sequence[Mapping[str, Any]], context: Mapping[str, Any], grammar: Grammar
) -> FindingRules:
    groups = {f"g{index}": row for index, row in enumerate(findings)}
    phrases = [(name, phrase) for name, row in groups.items() for phrase in row["phrases"]]
    alternatives = "|".join(
        f"(?P<{name}>{'|'.join(p for n, p in phrases if n == name)})" for name in groups
    )
    cues = {key: _any_of(value) for key, value in context.items() if isinstance(value, list)}
    return FindingRules(
        mention=re.compile(rf"(?<![\w-])(?=\w)(?:{alternatives})(?![\w])"),
        terms={name: row["term"] for name, row in groups.items()},
        parents={row["term"]: row["parent"] for row in findings},
        cues=cues,
        laterality={key: _any_of(value) for key, value in context["laterality"].items()},
        location={key: _any_of(value) for key, value in context["location"].items()},
        severity={key: _any_of(value) for key, value in context["severity"].items()},
        read=frozenset(context["sections"]["read"]),
        skip=frozenset(context["sections"]["skip"]),
        grammar=grammar,
    )


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    ordered = sorted(patterns, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ordered)})(?![\w-])")


def extract_findings(text: str, rules: FindingRules | None = None) -> tuple[Finding, ...]:
    """Whitelisted findings of a report, sorted, each once.

    Indication, history and comparison are not read. Where a term is stated present, an
    unqualified denial of the same term is dropped; a doubt gives way to a statement. Marks of
    de-identification, ours and earlier ones, are read over, so that they change nothing.

    Raises
    ------
    InstanceError
        ``text-too-long``.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InstanceError("text-too-long", f"{len(text)} characters")
    known = rules or load_finding_rules()
    found: dict[Finding, None] = {}
    for sentence in _sentences(_MARK.sub("", fold_text(text).text), known):
        for finding in _read_sentence(sentence, known):
            found.setdefault(finding)
    return _settle(found)


def _settle(found: Mapping[Finding, None]) -> tuple[Finding, ...]:
    """One statement a term, side and place; what is stated beats what is doubted or denied."""
    kept: dict[tuple[str, Laterality | None, str | None], Finding] = {}
    for finding in sorted(found, key=lambda f: (_ORDER[f.certainty], f.severity is None)):
        kept.setdefault((finding.term, finding.laterality, finding.location), finding)
    stated = {f.term for f in kept.values() if f.certainty is not Certainty.ABSENT}
    settled = [
        f
        for f in kept.values()
        if f.certainty is not Certainty.ABSENT or f.term not in stated or f.laterality or f.location
    ]
    return tuple(
        sorted(settled, key=lambda f: (f.term, f.certainty, f.laterality or "", f.location or ""))
    )


def _sentences(text: str, rules: FindingRules) -> Iterator[str]:
    """Lower case sentences of the sections that state findings."""
    for title, body in _sections(text):
        if title in rules.skip or any(title.startswith(f"{name} ") for name in rules.skip):
            continue
        marked = _NUMBER.sub(";", " " + body)
        joined = re.sub(r"(?<![.:;])[ \t]*\n(?=[ \t]*[a-z])", " ", marked)
        for sentence in _cut(joined, rules):
            yield " ".join(sentence.lower().split())


def _cut(text: str, rules: FindingRules) -> Iterator[str]:
    """Sentences: a full stop ends none within a number, an address, or after *Dr*."""
    abbreviated = rules.grammar.regexes["abbreviated"]
    start = 0
    for stop in _STOP.finditer(text):
        if stop[0] == "." and abbreviated.search(text, max(start, stop.start() - 6), stop.start()):
            continue
        yield text[start : stop.start()]
        start = stop.end()
    yield text[start:]


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Title in lower case and text of each section."""
    headings = list(_HEADING.finditer(text))
    if not headings or headings[0].start() > 0:
        yield "", text[: headings[0].start() if headings else len(text)]
    for index, match in enumerate(headings):
        end = headings[index + 1].start() if index + 1 < len(headings) else len(text)
        yield " ".join(match["title"].lower().split()), text[match.end() : end]


def _read_sentence(sentence: str, rules: FindingRules) -> Iterator[Finding]:
    mentions = [
        (m.start(), m.end(), rules.terms[m.lastgroup or ""])
        for m in rules.mention.finditer(sentence)
    ]
    for index, (start, end, term) in enumerate(mentions):
        before = sentence[max(0, start - 250) : start]
        after = sentence[end : end + 120]
        if _is_ignored(before, rules):
            continue
        certainty = _certainty(before, after, rules)
        left = mentions[index - 1][1] if index else 0
        right = mentions[index + 1][0] if index + 1 < len(mentions) else len(sentence)
        yield _qualify(term, certainty, sentence, (left, start, end, right), rules)


def _is_ignored(before: str, rules: FindingRules) -> bool:
    last = _last(rules.cues["ignore_before"], before)
    return last is not None and len(before) - last.end() < 30 and "," not in before[last.end() :]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = None
    for match in pattern.finditer(text):
        found = match
    return found


def _certainty(before: str, after: str, rules: FindingRules) -> Certainty:
    cues = rules.cues
    masked = cues["pseudo_negation"].sub(lambda m: "~" * len(m[0]), before)
    scope = _scope(masked, cues["terminators"])
    negated = _last(cues["pre_negation"], scope)
    if negated and len(scope) - negated.end() < _REACH + 90:
        return Certainty.ABSENT
    clause = rules.grammar.regexes["clause_end"].split(after)[0]
    if cues["post_uncertainty"].search(clause):
        return Certainty.UNCERTAIN
    if cues["post_negation"].search(clause):
        return Certainty.ABSENT
    if cues["pre_uncertainty"].search(_scope(before, cues["doubt_terminators"])[-_REACH:]):
        return Certainty.UNCERTAIN
    return Certainty.PRESENT


def _scope(before: str, terminators: re.Pattern[str]) -> str:
    """What stands between the last word that ends a scope and the finding."""
    last = _last(terminators, before)
    return before[last.end() :] if last else before


def _qualify(
    term: str,
    certainty: Certainty,
    sentence: str,
    bounds: tuple[int, int, int, int],
    rules: FindingRules,
) -> Finding:
    left, start, end, right = bounds
    before, inside, after = (
        sentence[left:start][-60:],
        sentence[start:end],
        sentence[end:right][:60],
    )
    near = f"{before} {inside} {rules.grammar.regexes['phrase_end'].split(after)[0]}"
    side = next(
        (Laterality(key) for key, cue in rules.laterality.items() if cue.search(near)), None
    )
    if side is None or side is not Laterality.BILATERAL:
        both = all(rules.laterality[key].search(near) for key in ("left", "right"))
        side = Laterality.BILATERAL if both else side
    place = next((key for key, cue in rules.location.items() if cue.search(near)), None)
    severity = next(
        (
            key
            for key, cue in reversed(list(rules.severity.items()))
            if cue.search(f"{before[-30:]} {inside}")
        ),
        None,
    )
    return Finding(term, certainty, side, place, severity)
