"""Add names from all over the world to the lexicons, from the locales that Faker carries.

``python tools/build_world_names.py`` writes ``*_world.txt.gz`` beside the census lists: names in
Latin letters, without accents, that no other list and no word list of the language knows.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import faker
from build_lexicons import TARGET, write
from faker.providers import person

from updp_node.text.fold import fold_text
from updp_node.text.lexicon import load_lexicons
from updp_node.text.words import Kind, Vocabulary

SHORTEST = 3
WORD = re.compile(r"[A-Za-z]+")
# Abbreviations, words and endings that some locale writes as a name.
NO_NAMES = frozenset("mapa sai cap tsa ats spa aps adm cmp".split())


def read_names(kind: str) -> set[str]:
    """Words of all names of a kind, such as ``first_names_female``, over all locales."""
    found: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            names = getattr(provider, attribute)
            if re.fullmatch(kind, attribute) and isinstance(names, (tuple, list, dict)):
                found.update(_words(names))
    return found


def _words(names: Iterable[object]) -> Iterator[str]:
    for name in names:
        for word in WORD.findall(fold_text(str(name)).text):
            yield word.lower()


def build() -> None:
    """Write the lists."""
    for path in (TARGET / "blacklist").glob("*_world.txt.gz"):
        path.unlink()
    vocabulary = Vocabulary(load_lexicons())
    head = {"source": f"locales of PyPI Faker {faker.VERSION}", "licence": "MIT"}

    def unknown(names: set[str]) -> list[str]:
        return sorted(
            name for name in names - NO_NAMES
            if len(name) >= SHORTEST and vocabulary.classify(name) is Kind.UNKNOWN
            and re.search("[aeiouy]", name)
        )  # fmt: skip

    female = read_names("first_names?_female\\w*")
    other = read_names("first_\\w+") - female
    last = read_names("(?:last|middle)_\\w+") - female - other
    folder: Path = TARGET / "blacklist"
    write(folder / "given_names_female_world.txt.gz", unknown(female),
          category="given name female", **head)  # fmt: skip
    write(folder / "given_names_male_world.txt.gz", unknown(other),
          category="given name, male or of either sex", **head)  # fmt: skip
    write(folder / "surnames_world.txt.gz", unknown(last), category="surname", **head)


if __name__ == "__main__":
    build()
