"""Build the lists of eponyms, products, abbreviations and labels out of plain lists.

Run from the repository root: ``python -m tools.build_vocabulary SOURCES``, the folder of sources
of `tools.build_lexicons`. The plain lists lie in ``tools/vocabulary``, one item a line and for
eponyms ``name<TAB>head,head``, all written for this project from general knowledge. What somebody
or a town is called by goes into no list of single words: it is known in its phrase alone, before
its head (*Koos grade*), or before a grade (*Koos 2*).
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from tools.build_lexicons import TARGET, read_census, write

_PART = re.compile(r"[^\W\d_]+")
_HEAD = {"source": "written for this project, from general knowledge", "licence": "Apache-2.0"}
_GRADED = frozenset(
    "grade grades grading classification score scores scale type stage staging system criteria "
    "category index formula model".split()
)
_DOUBTFUL = frozenset(
    "method model chart charts table tables reference standard standards repair surgery technique "
    "joint hip knee view views position plate bed line lines system study test scale set group "
    "protocol report center clinic method hand head eye foot card".split()
)
"""Heads that stand beside somebody's name as well: "the Miller report"."""
_COMMON = 1_500
"""So many of the commonest surnames stand before a number as names: *ward Jones 4*."""
_LEAST = 3


def build(source: Path) -> None:
    """Read the plain lists and write those of the pack."""
    folder = Path(__file__).parent / "vocabulary"
    names = _names()
    white = TARGET / "whitelist"
    eponyms = dict(_pairs(folder / "eponyms.txt.gz"))
    heads = frozenset(yaml.safe_load((white / "eponyms.yaml").read_text("utf-8"))["heads"])
    write(white / "eponym_more_phrases.txt.gz", sorted(_eponyms(eponyms, names, heads)),
          category="eponym", **_HEAD)  # fmt: skip
    common = set(list(read_census(source / "us_census_1990" / "dist.all.last.gz"))[:_COMMON])
    graded = {name for name, every in eponyms.items()
              if name.isalpha() and _GRADED & every and name not in common}  # fmt: skip
    write(TARGET / "context" / "graded_eponyms.txt.gz", sorted(graded),
          category="eponym before a grade", **_HEAD)  # fmt: skip
    known = _listed("*_words.txt*", without=("history_words", "product_words", "clinical_more"))
    ours = names | known
    phrases = [_parts(line) for name in ("products", "roles", "sections")
               for line in _lines(folder / f"{name}.txt.gz")]  # fmt: skip
    houses = _houses()
    several = {" ".join(parts) for parts in phrases if len(parts) > 1 and parts[-1] not in houses}
    write(white / "product_phrases.txt.gz", sorted(several), category="product, role or title",
          **_HEAD)  # fmt: skip
    for name, sources, kind in (
        ("product_words", ("products",), "product"),
        ("clinical_more_words", ("clinical_more", "sections"), "clinical word"),
        ("history_words", ("phrases_home", "roles", "labels"), "word of histories and labels"),
    ):
        words = {word for source in sources for line in _lines(folder / f"{source}.txt.gz")
                 for word in _single(line, source)}  # fmt: skip
        write(white / f"{name}.txt.gz", sorted(words - ours), category=kind, **_HEAD)
        ours |= words
    write(TARGET / "context" / "harmless_codes.txt.gz", _lines(folder / "codes.txt.gz"),
          category="code of a stage, a device model, a vessel", **_HEAD)  # fmt: skip
    written = {line for name in ("abbreviations", "credentials") for line in
               _lines(folder / f"{name}.txt.gz")}  # fmt: skip
    write(TARGET / "context" / "abbreviations.txt.gz",
          sorted({part for line in written for part in re.findall(r"[^\W\d_]{2,}", line)
                  if len(part) > _LEAST - 1 or part.isupper()}
                 - {"BASHTI", "HAR", "CSN", "FIN"}),
          category="abbreviation, as it is written", **_HEAD)  # fmt: skip


def _eponyms(
    eponyms: dict[str, frozenset[str]], names: frozenset[str], known: frozenset[str]
) -> Iterator[str]:
    """Rare names alone; what people are called by too with each head that is not known anyway."""
    for name, heads in eponyms.items():
        parts = _parts(name)
        if not parts or (len(parts) == 1 and len(parts[0]) < _LEAST):
            continue
        rare = not names.intersection(parts) and max(map(len, parts)) > _LEAST
        if rare and (len(parts) > 1 or not _is_word(parts[0])):
            yield " ".join(parts)
            continue
        for head in heads:
            follow = _parts(head)
            if not rare and follow[:1] and follow[0] in _DOUBTFUL and len(parts) == 1:
                continue
            if follow and (len(parts) > 1 or follow[0] not in known):
                yield " ".join([*parts, *follow])


def _houses() -> frozenset[str]:
    """Words that end the name of an institution: *residential home* is a part of one."""
    context = TARGET / "context"
    closed = yaml.safe_load((context / "closed.yaml").read_text("utf-8"))
    places = yaml.safe_load((context / "places.yaml").read_text("utf-8"))
    return frozenset(closed["heads"]) | {term.split()[-1] for term in places["facility"]}


def _single(line: str, source: str) -> Iterator[str]:
    """Words of a line that may stand alone: of a product only where it is one word."""
    parts = _parts(line)
    if source in {"products", "clinical_more", "phrases_home"} and len(parts) > 1:
        return
    yield from (part for part in parts if len(part) >= _LEAST and part.isascii())


def _is_word(word: str) -> bool:
    return word in _listed("english_words.txt*")


def _names() -> frozenset[str]:
    """All that somebody, or a town, is called by."""
    folders = (TARGET / "blacklist", TARGET / "context")
    lists = [path for folder in folders for path in folder.glob("*.txt.gz")
             if path.name not in {
                 "graded_eponyms.txt.gz", "abbreviations.txt.gz", "harmless_codes.txt.gz"}
             and not path.name.startswith("hospitals")]  # fmt: skip
    return frozenset(part for path in lists for line in _lines(path) for part in _parts(line))


_CACHE: dict[str, frozenset[str]] = {}


def _listed(pattern: str, without: Iterable[str] = ()) -> frozenset[str]:
    if pattern not in _CACHE:
        paths = [path for path in (TARGET / "whitelist").glob(pattern)
                 if not any(path.name.startswith(name) for name in without)]  # fmt: skip
        _CACHE[pattern] = frozenset(line for path in paths for line in _lines(path))
    return _CACHE[pattern]


def _pairs(path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    for line in _lines(path):
        name, _, heads = line.partition("\t")
        yield name.strip(), frozenset(head.strip() for head in heads.split(",") if head.strip())


def _lines(path: Path) -> list[str]:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    return [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("# ")
    ]


def _parts(term: str) -> list[str]:
    """Words of a term as the engine compares them."""
    return _PART.findall(term.lower().replace("'s", ""))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
