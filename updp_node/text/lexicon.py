"""The lexicons: blacklist, whitelist and context words, read from `profiles/lexicons`.

One folder a language. Lists are ``.txt`` or ``.txt.gz`` with ``# key: value`` lines at the
top, rules are YAML; every file names its category, source, licence and version. A digest
over all files goes into provenance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from updp_node.errors import ConfigError
from updp_node.text.grammar import Grammar, make_grammar
from updp_node.text.packs import (
    IdentifierPattern,
    compile_patterns,
    digest_files,
    known_languages,
    lexicon_folder,
    normalize_term,
    read_list,
    read_rules,
    read_terms,
)
from updp_node.text.site import read_site

__all__ = [
    "Lexicons",
    "lexicon_folder",
    "load_grammar",
    "load_lexicons",
    "normalize_term",
    "read_rules",
]

Phrases: TypeAlias = Mapping[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class Lexicons:
    """Everything that the text stage knows of words, for one language.

    Attributes
    ----------
    surnames, given_female, given_male : frozenset of str
        Names that are no words of the language; lower case.
    ambiguous : frozenset of str
        Names that are words too: a name only where the context says so.
    words : frozenset of str
        Whitelisted single words: of the language, of medicine, eponyms.
    protocol : frozenset of str
        Words of protocols and series that are no part of a name beside one.
    eponyms : Phrases
        Whitelisted phrases by their first word.
    eponym_heads : frozenset of str
        Words such as *sign*: what stands before them is an eponym.
    patterns : tuple of IdentifierPattern
    exceptions, kept : tuple of re.Pattern
        Whole tokens that no pattern may take (case ignored; as written).
    hospitals, site_terms : Phrases
    site_categories : Mapping
    cities : frozenset of str
    towns : frozenset of str
        Towns that are words or names too: a place only where the context says so.
    names, places, surrogates : Mapping of str to tuple of str
        Context words by their role.
    grammar : Grammar
    sha256 : str
        Digest over all files of the language and of the site.
    clinical : frozenset of str
        The whitelisted words that are of medicine, of protocols or of the site.
    closed : Mapping of str to tuple of str
        What is harmless by itself (`context/closed.yaml`); empty where a pack has none and
        only what rules know is removed.
    voter : pathlib.Path or None
        Card of the statistical voter; None where a pack has none.
    graded : frozenset of str
        Eponyms that a grade alone shows to be one: ``Knosp 0``.
    organs : frozenset of tuple of str
        Two words before an eponym: *artery of* Heubner.
    abbreviations : frozenset of str
        Harmless where they are written so: ``MWF``, ``mTICI``.
    codes : frozenset of str
        Codes of letters and digits that are the same for everybody: ``mrT3c``, ``CI622``.
    second_ner : pathlib.Path or None
        Card of a site's own model, see `updp_node.text.second_ner`; None where it has none.
    """

    surnames: frozenset[str]
    given_female: frozenset[str]
    given_male: frozenset[str]
    ambiguous: frozenset[str]
    words: frozenset[str]
    protocol: frozenset[str]
    eponyms: Phrases
    eponym_heads: frozenset[str]
    patterns: tuple[IdentifierPattern, ...]
    exceptions: tuple[re.Pattern[str], ...]
    kept: tuple[re.Pattern[str], ...]
    hospitals: Phrases
    site_terms: Phrases
    site_categories: Mapping[tuple[str, ...], str]
    cities: frozenset[str]
    names: Mapping[str, tuple[str, ...]]
    places: Mapping[str, tuple[str, ...]]
    surrogates: Mapping[str, tuple[str, ...]]
    grammar: Grammar
    sha256: str
    language: str = "en"
    versions: Mapping[str, str] = field(default_factory=dict)
    clinical: frozenset[str] = frozenset()
    closed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    towns: frozenset[str] = frozenset()
    voter: Path | None = None
    graded: frozenset[str] = frozenset()
    organs: frozenset[tuple[str, str]] = frozenset()
    abbreviations: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    second_ner: Path | None = None

    @property
    def given(self) -> frozenset[str]:
        """Given names of either sex."""
        return self.given_female | self.given_male


def load_lexicons(
    folder: Path | None = None, language: str = "en", site: Path | None = None
) -> Lexicons:
    """Read and check all lexicons of a language.

    Parameters
    ----------
    folder : pathlib.Path or None
        Folder with one subfolder a language; None: the one of this installation.
    site : pathlib.Path or None
        Folder of YAML files that a site adds, see `updp_node.text.site`.

    Raises
    ------
    ConfigError
        There is no such language; a file is missing, cannot be read, or names no source, licence
        or version.
    """
    root = _pack(folder, language)
    names = {kind: _lists(root, f"blacklist/{kind}*.txt*") for kind in _NAME_LISTS}
    eponym_rules = read_rules(root / "whitelist" / "eponyms.yaml")
    phrases = _lists(root, "whitelist/*_phrases.txt*")
    eponyms = [*read_terms(eponym_rules),
               *(tuple(line.split()) for line in phrases)]  # fmt: skip
    protocol = frozenset(
        part
        for term in read_terms(read_rules(root / "whitelist" / "protocol.yaml"))
        for part in term
    )
    added = read_site(_site_files(root, site))
    kept = {term[0] for term in added.kept if len(term) == 1}
    words = _words(root) | (protocol - {name for each in names.values() for name in each}) | kept
    single = {term[0] for term in eponyms if len(term) == 1}
    words |= single
    rules, codes = (
        root / "blacklist" / "patterns.yaml",
        read_rules(root / "whitelist" / "codes.yaml"),
    )
    formats = read_rules(rules)
    digest, versions = digest_files([root, site] if site else [root])
    cities = frozenset(_lists(root, "blacklist/cities*.txt*"))
    hospitals = _lists(root, "blacklist/hospitals*.txt*")
    return Lexicons(
        surnames=(frozenset(names["surnames"]) | (added.names - words)) - kept - single,
        given_female=frozenset(names["given_names_female"]) - kept - single,
        given_male=frozenset(names["given_names_male"]) - kept - single,
        ambiguous=frozenset(_lists(root, "context/ambiguous_names*.txt*")),
        words=frozenset(words),
        protocol=protocol,
        eponyms=by_first([*eponyms, *added.kept]),
        eponym_heads=frozenset(eponym_rules["heads"]),
        organs=frozenset(
            (first, last) for first, last in map(str.split, eponym_rules.get("organs", ()))
        ),
        graded=frozenset(_optional(root, "context/graded_eponyms*.txt*")),
        abbreviations=frozenset(_optional(root, "context/abbreviations*.txt*")),
        patterns=(
            *compile_patterns(formats["patterns"], formats["macros"], rules),
            *added.patterns,
        ),
        exceptions=(
            *(re.compile(text, re.IGNORECASE) for text in codes["regexes"]),
            *added.kept_codes,
        ),
        kept=tuple(re.compile(text) for text in codes["keep"]),
        hospitals=by_first(tuple(term.split()) for term in hospitals),
        site_terms=by_first(term for term, _ in added.terms),
        site_categories=dict(added.terms),
        cities=cities - {" ".join(term) for term in added.kept},
        names=_context(root / "context" / "names.yaml"),
        places=_context(root / "context" / "places.yaml"),
        surrogates=_context(root / "context" / "surrogates.yaml"),
        grammar=load_grammar(folder, language),
        sha256=digest,
        language=language,
        versions=versions,
        clinical=_clinical(root) | protocol | kept,
        closed=_context(closed) if (closed := root / "context" / "closed.yaml").exists() else {},
        towns=frozenset(_optional(root, "context/ambiguous_towns*.txt*")),
        voter=card if (card := root / "voter" / "voter.yaml").exists() else None,
        codes=frozenset(_optional(root, "context/harmless_codes*.txt*")),
        second_ner=own if site and (own := site / _SECOND_NER).exists() else None,
    )


def load_grammar(folder: Path | None = None, language: str = "en") -> Grammar:
    """Read `language.yaml` of a pack.

    Raises
    ------
    ConfigError
        There is no such language, or the file is not as it must be.
    """
    path = _pack(folder, language) / "language.yaml"
    return make_grammar(read_rules(path), path)


def _pack(folder: Path | None, language: str) -> Path:
    if language not in known_languages(folder):
        known = ", ".join(known_languages(folder)) or "none"
        raise ConfigError(f"there is no pack of this language; known: {known}", key=language)
    return (folder or lexicon_folder()) / language


_SECOND_NER = "second_ner.yaml"
_NAME_LISTS = ("surnames", "given_names_female", "given_names_male")


def _lists(root: Path, pattern: str) -> list[str]:
    """Terms of all lists of a pattern; a pack has one at least."""
    found = sorted(root.glob(pattern))
    if not found:
        raise ConfigError("the pack has no such list", file=str(root / pattern))
    return [term for path in found for term in read_list(path)]


def _optional(root: Path, pattern: str) -> list[str]:
    """Terms of all lists of a pattern, of which a pack may have none."""
    return [term for path in sorted(root.glob(pattern)) for term in read_list(path)]


def _words(root: Path) -> frozenset[str]:
    """Whitelisted words: of the language, of medicine, of radiology."""
    radiology = read_terms(read_rules(root / "whitelist" / "radiology.yaml"))
    listed = _lists(root, "whitelist/*_words.txt*")
    return frozenset([*listed, *(part for term in radiology for part in term)])


def _clinical(root: Path) -> frozenset[str]:
    """Whitelisted words but for those of the common language."""
    radiology = read_terms(read_rules(root / "whitelist" / "radiology.yaml"))
    lists = ("medical_words", "clinical_words", "clinical_common_words", "terminology_words",
             "clinical_more_words", "product_words")  # fmt: skip
    listed = [word for name in lists for word in _optional(root, f"whitelist/{name}.txt*")]
    return frozenset([*listed, *(part for term in radiology for part in term)])


def _site_files(root: Path, site: Path | None) -> list[Path]:
    """YAML files of the site's folder, and those beside the pack's own blacklist."""
    if site is not None and not site.is_dir():
        raise ConfigError("there is no such folder of site lexicons", file=str(site))
    own = [path for path in (root / "blacklist").glob("*.yaml") if path.name != "patterns.yaml"]
    added = site.glob("*.yaml") if site else ()
    return [*own, *(path for path in added if path.name != _SECOND_NER)]


def _context(path: Path) -> dict[str, tuple[str, ...]]:
    content = read_rules(path)
    return {
        key: tuple(str(term) for term in value)
        for key, value in content.items()
        if isinstance(value, list)
    }


def by_first(terms: Iterable[tuple[str, ...]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Phrases by their first word, the longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for term in terms:
        if term:
            found.setdefault(term[0], []).append(term)
    return {first: tuple(sorted(rest, key=len, reverse=True)) for first, rest in found.items()}
