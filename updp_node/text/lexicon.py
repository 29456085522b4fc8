"""The lexicons: blacklist, whitelist and context words, read from `profiles/lexicons`.

One folder a language. Lists are ``.txt`` or ``.txt.gz`` with ``# key: value`` lines at the
top, rules are YAML; every file names its category, source, licence and version. A digest
over all files goes into provenance.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

import updp_node
from updp_node.errors import ConfigError

_WORD = re.compile(r"[^\W\d_]+")
_REQUIRED = ("category", "source", "licence", "version")

Phrases: TypeAlias = Mapping[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class IdentifierPattern:
    """One format of an identifier; the group ``phi`` is the identifier itself."""

    name: str
    category: str
    regex: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class SiteTerm:
    """A blacklisted term of a site, with its category."""

    words: tuple[str, ...]
    category: str


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
    names, places, surrogates : Mapping of str to tuple of str
        Context words by their role.
    sha256 : str
        Digest over all files of the language.
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
    sha256: str
    language: str = "en"
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def given(self) -> frozenset[str]:
        """Given names of either sex."""
        return self.given_female | self.given_male


def normalize_term(term: str) -> tuple[str, ...]:
    """A term as compared: its words in lower case, a possessive *s* left out."""
    words = _WORD.findall(term.lower().replace("’", "'").replace("'s", ""))
    return tuple(words)


def lexicon_folder() -> Path:
    """Where the lexicons of this installation are: in the wheel, or beside the package."""
    package = Path(updp_node.__file__).parent
    inside = package / "profiles" / "lexicons"
    return inside if inside.is_dir() else package.parent / "profiles" / "lexicons"


def load_lexicons(folder: Path | None = None, language: str = "en") -> Lexicons:
    """Read and check all lexicons of a language.

    Parameters
    ----------
    folder : pathlib.Path or None
        Folder with one subfolder a language; None: the one of this installation.

    Raises
    ------
    ConfigError
        A file is missing, cannot be read, or names no source, licence or version.
    """
    root = (folder or lexicon_folder()) / language
    black = {path.name: path for path in sorted((root / "blacklist").glob("*.*"))}
    lists = {name: _read_list(root / name) for name in _LISTS}
    patterns = read_rules(root / "blacklist" / "patterns.yaml")
    codes = read_rules(root / "whitelist" / "codes.yaml")
    hand_written = read_rules(root / "whitelist" / "eponyms.yaml")
    eponyms = [
        *_terms(hand_written),
        *(tuple(line.split()) for line in lists["whitelist/eponym_phrases.txt"]),
    ]
    words = {*lists["whitelist/english_words.txt.gz"], *lists["whitelist/medical_words.txt.gz"]}
    words |= {
        part for term in _terms(read_rules(root / "whitelist" / "radiology.yaml")) for part in term
    }
    protocol = _terms(read_rules(root / "whitelist" / "protocol.yaml"))
    beside = frozenset(part for term in protocol for part in term)
    words |= beside - {name for path in _NAME_LISTS for name in lists[path]}
    words |= {term[0] for term in eponyms if len(term) == 1}
    site = [
        _site_terms(path)
        for name, path in black.items()
        if name.endswith(".yaml") and name != "patterns.yaml"
    ]
    site_terms = [term for terms in site for term in terms]
    digest, versions = _digest(root)
    return Lexicons(
        surnames=frozenset(lists["blacklist/surnames.txt.gz"]),
        given_female=frozenset(lists["blacklist/given_names_female.txt.gz"]),
        given_male=frozenset(lists["blacklist/given_names_male.txt.gz"]),
        ambiguous=frozenset(lists["context/ambiguous_names.txt.gz"]),
        words=frozenset(words),
        protocol=beside,
        eponyms=_by_first(eponyms),
        eponym_heads=frozenset(hand_written["heads"]),
        patterns=_compile_patterns(patterns, root / "blacklist" / "patterns.yaml"),
        exceptions=tuple(re.compile(text, re.IGNORECASE) for text in codes["regexes"]),
        kept=tuple(re.compile(text) for text in codes["keep"]),
        hospitals=_by_first(tuple(t.split()) for t in lists["blacklist/hospitals.txt.gz"]),
        site_terms=_by_first(term.words for term in site_terms),
        site_categories={term.words: term.category for term in site_terms},
        cities=frozenset(lists["blacklist/cities.txt.gz"]),
        names=_context(root / "context" / "names.yaml"),
        places=_context(root / "context" / "places.yaml"),
        surrogates=_context(root / "context" / "surrogates.yaml"),
        sha256=digest,
        language=language,
        versions=versions,
    )


_NAME_LISTS = (
    "blacklist/surnames.txt.gz",
    "blacklist/given_names_female.txt.gz",
    "blacklist/given_names_male.txt.gz",
)
_LISTS = (
    *_NAME_LISTS,
    "blacklist/hospitals.txt.gz",
    "blacklist/cities.txt.gz",
    "context/ambiguous_names.txt.gz",
    "whitelist/english_words.txt.gz",
    "whitelist/medical_words.txt.gz",
    "whitelist/eponym_phrases.txt",
)


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError("the lexicon cannot be read", file=str(path)) from error


def _read_list(path: Path) -> list[str]:
    """Terms of a list file, one a line."""
    lines = _read_text(path).splitlines()
    heads = {line[2:].partition(":")[0] for line in lines if line.startswith("# ")}
    _check_head(heads, path)
    return [line for line in lines if line and not line.startswith("#")]


def read_rules(path: Path) -> dict[str, Any]:
    """A YAML file of rules whose head names category, source, licence and version.

    Raises
    ------
    ConfigError
        It cannot be read, is no mapping, or its head is incomplete.
    """
    try:
        content = yaml.safe_load(_read_text(path))
    except yaml.YAMLError as error:
        raise ConfigError("the lexicon is not YAML", file=str(path)) from error
    if not isinstance(content, dict):
        raise ConfigError("the lexicon is not a mapping", file=str(path))
    _check_head(content, path)
    return content


def _check_head(keys: Iterable[str], path: Path) -> None:
    missing = [key for key in _REQUIRED if key not in set(keys)]
    if missing:
        raise ConfigError(f"missing {', '.join(missing)}", file=str(path))


def _terms(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    return [normalize_term(str(term)) for term in content.get("terms", ())]


def _site_terms(path: Path) -> list[SiteTerm]:
    content = read_rules(path)
    unknown = set(content) - {*_REQUIRED, "terms"}
    if unknown:
        raise ConfigError("unknown key", file=str(path), key=min(unknown))
    category = str(content["category"]).upper()
    return [SiteTerm(words, category) for words in _terms(content) if words]


def _context(path: Path) -> dict[str, tuple[str, ...]]:
    content = read_rules(path)
    return {
        key: tuple(str(term) for term in value)
        for key, value in content.items()
        if isinstance(value, list)
    }


def _by_first(terms: Iterable[tuple[str, ...]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Phrases by their first word, longest first."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for term in terms:
        if term:
            found.setdefault(term[0], []).append(term)
    return {first: tuple(sorted(rest, key=len, reverse=True)) for first, rest in found.items()}


def _compile_patterns(content: Mapping[str, Any], path: Path) -> tuple[IdentifierPattern, ...]:
    compiled = []
    for row in content["patterns"]:
        source = row["regex"]
        for name, text in content["macros"].items():
            source = source.replace("{" + name + "}", text)
        flags = re.NOFLAG if row.get("case", "ignore") == "keep" else re.IGNORECASE
        try:
            regex = re.compile(source, flags | re.MULTILINE)
        except re.error as error:
            raise ConfigError(
                "not a regular expression", file=str(path), key=row["name"]
            ) from error
        compiled.append(IdentifierPattern(row["name"], row["category"], regex))
    return tuple(compiled)


def _digest(root: Path) -> tuple[str, dict[str, str]]:
    """SHA-256 over names and contents of all files, and the version each one names."""
    digest = hashlib.sha256()
    versions = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        raw = path.read_bytes()
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{len(raw)}\0".encode())
        digest.update(raw)
        found = re.search(r"^(?:# )?version: (\S+)", _read_text(path), re.MULTILINE)
        versions[name] = found[1] if found else ""
    return digest.hexdigest(), versions
