"""Files of a language pack: lists and rules, each with its head, and the digest over all."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import updp_node
from updp_node.errors import ConfigError

REQUIRED = ("category", "source", "licence", "version")
_LISTS = ("terms", "regexes")
_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class IdentifierPattern:
    """One format of an identifier; the group ``phi`` is the identifier itself."""

    name: str
    category: str
    regex: re.Pattern[str]


def normalize_term(term: str) -> tuple[str, ...]:
    """A term as compared: its words in lower case, a possessive *s* left out."""
    words = _WORD.findall(term.lower().replace("’", "'").replace("'s", ""))
    return tuple(words)


def lexicon_folder() -> Path:
    """Where the lexicons of this installation are: in the wheel, or beside the package."""
    package = Path(updp_node.__file__).parent
    inside = package / "profiles" / "lexicons"
    return inside if inside.is_dir() else package.parent / "profiles" / "lexicons"


def known_languages(folder: Path | None = None) -> tuple[str, ...]:
    """Languages that there is a pack of."""
    packs = (folder or lexicon_folder()).glob("*/language.yaml")
    return tuple(sorted(path.parent.name for path in packs))


def read_text(path: Path) -> str:
    """Text of a lexicon file, unpacked.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError("the lexicon cannot be read", file=str(path)) from error


def read_list(path: Path) -> list[str]:
    """Terms of a list file, one a line.

    Raises
    ------
    ConfigError
        It cannot be read, or its head is incomplete.
    """
    lines = read_text(path).splitlines()
    heads = {line[2:].partition(":")[0] for line in lines if line.startswith("# ")}
    _check_head(heads, path)
    return [line for line in lines if line and not line.startswith("#")]


def read_rules(path: Path) -> dict[str, Any]:
    """A YAML file of rules whose head names category, source, licence and version.

    Raises
    ------
    ConfigError
        It cannot be read, is no mapping, its head is incomplete, or something in a list is no
        text: ``NO`` and ``12`` without quotes are none. Names file, key and line.
    """
    loader = yaml.SafeLoader(read_text(path))
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError("the lexicon is not a mapping", file=str(path))
        _require_texts(node, path)
        content: dict[str, Any] = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ConfigError("the lexicon is not YAML", file=str(path)) from error
    finally:
        loader.dispose()
    _check_head(content, path)
    return content


def _require_texts(node: yaml.Node, path: Path, key: str = "") -> None:
    """Refuse what YAML reads as a truth value, a number or nothing where a list holds texts."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            is_terms = not key and name.value in _LISTS
            if is_terms and isinstance(value, yaml.ScalarNode) and value.tag != _NULL:
                raise ConfigError(_tell(value, "not a list"), file=str(path), key=name.value)
            _require_texts(value, path, ".".join(filter(None, (key, str(name.value)))))
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            if isinstance(each, yaml.ScalarNode) and each.tag != _TEXT:
                message = _tell(each, "not a text as it stands: put it in quotes")
                raise ConfigError(message, file=str(path), key=key)
            _require_texts(each, path, key)


def _tell(node: yaml.Node, message: str) -> str:
    return f"line {node.start_mark.line + 1}: {message}"


def _check_head(keys: Iterable[str], path: Path) -> None:
    missing = [key for key in REQUIRED if key not in set(keys)]
    if missing:
        raise ConfigError(f"missing {', '.join(missing)}", file=str(path))


def read_terms(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The ``terms`` of a file of rules, normalized."""
    return [normalize_term(str(term)) for term in content.get("terms") or ()]


def compile_patterns(
    rows: Iterable[Mapping[str, Any]], macros: Mapping[str, str], path: Path
) -> tuple[IdentifierPattern, ...]:
    """Formats of identifiers, ``{MACRO}`` replaced by its text.

    Raises
    ------
    ConfigError
        A key is missing, or what stands there is no regular expression or matches nothing at all.
    """
    compiled = []
    for row in rows:
        try:
            name, category, source = (str(row[key]) for key in ("name", "category", "regex"))
        except (KeyError, TypeError) as error:
            raise ConfigError("a format has name, category and regex", file=str(path)) from error
        for macro, text in macros.items():
            source = source.replace("{" + macro + "}", text)
        flags = re.NOFLAG if row.get("case", "ignore") == "keep" else re.IGNORECASE
        try:
            regex = re.compile(source, flags | re.MULTILINE)
        except re.error as error:
            raise ConfigError("not a regular expression", file=str(path), key=name) from error
        if regex.search(""):
            raise ConfigError("matches where nothing stands", file=str(path), key=name)
        compiled.append(IdentifierPattern(name, category, regex))
    return tuple(compiled)


def digest_files(roots: Iterable[Path]) -> tuple[str, dict[str, str]]:
    """SHA-256 over names and contents of all files of folders, and the version of each."""
    digest = hashlib.sha256()
    versions = {}
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            raw = path.read_bytes()
            name = path.relative_to(root).as_posix()
            digest.update(f"{name}\0{len(raw)}\0".encode())
            digest.update(raw)
            found = re.search(r"^(?:# )?version: (\S+)", read_text(path), re.MULTILINE)
            versions[name] = found[1] if found else ""
    return digest.hexdigest(), versions
