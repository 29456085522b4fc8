"""Build the list of words of published terminologies: diseases, drugs, terms of DICOM.

Run from the repository root; the first argument is the folder of sources of
`tools.build_lexicons`, the second one with two unpacked wheels of PyPI, simple-icd-10-cm 1.5.0
and drug-named-entity-recognition 2.0.9::

    python -m tools.build_terminology ../shared/data/lexicons WHEELS

A word that is also somebody's name or a town's part is left out: here a capital never names.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import pickle
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom.datadict import DicomDictionary
from pydicom.sr._concepts_dict import concepts

from tools.build_lexicons import TARGET, read_census, write

_ICD = "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml"
_DRUGS = "drug_named_entity_recognition/drug_ner_dictionary.pkl.bz2"
_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST = 4


class _PlainUnpickler(pickle.Unpickler):
    """Reads words and tables of words; refuses every class."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} in a list of words")


def build(source: Path, wheels: Path) -> None:
    """Collect the words, leave names out, write the list."""
    found = {word for text in _texts(wheels) for word in _WORD.findall(text)}
    words = {word for word in found if len(word) >= _SHORTEST and word.isascii()}
    words -= _names(source) | _listed()
    write(TARGET / "whitelist" / "terminology_words.txt.gz", sorted(words),
          category="word of a terminology",
          source="ICD-10-CM (April 2026, PyPI simple-icd-10-cm 1.5.0), drugs of MedlinePlus and "
                 "DrugBank Open Data (PyPI drug-named-entity-recognition 2.0.9), PS3.6 and PS3.16 "
                 "(PyPI pydicom 3.0.2)",
          licence="public domain; CC0; MIT; MIT")  # fmt: skip


def _texts(wheels: Path) -> Iterator[str]:
    """Titles and notes of ICD-10-CM, drugs as they are called, meanings of DICOM's concepts.

    Of ICD-10-CM only what it writes small: a capital there may be somebody's, *Miller-Dieker*.
    """
    for element in ET.parse(wheels / _ICD).iter():  # noqa: S314 - a file of the operator's
        if element.tag in {"desc", "note"} and element.text:
            yield " ".join(word for word in _WORD.findall(element.text) if word.islower())
    drugs = _PlainUnpickler(io.BytesIO(bz2.decompress((wheels / _DRUGS).read_bytes()))).load()
    brands = drugs["drug_variant_to_variant_data"]
    yield from (name.lower() for name in drugs["drug_canonical_to_data"])
    yield from (name.lower() for name, facts in brands.items() if facts.get("is_brand"))
    for scheme in concepts.values():
        for meanings in scheme.values():
            yield from (meaning.lower() for meaning, _ in meanings.values())
    yield from (row[2].lower() for row in DicomDictionary.values())


def _names(source: Path) -> set[str]:
    """All that somebody is called by, and all parts of towns' names."""
    census = source / "us_census_1990"
    names: set[str] = set()
    for file in ("dist.all.last.gz", "dist.female.first", "dist.male.first"):
        names.update(read_census(census / file))
    with (source / "geonames" / "cities.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            names.update(_WORD.findall(row["name"].lower()))
    for path in (TARGET / "blacklist").glob("*.txt.gz"):
        names.update(_WORD.findall(gzip.decompress(path.read_bytes()).decode().lower()))
    return names


def _listed() -> set[str]:
    """What the other lists of words hold."""
    paths = (TARGET / "whitelist").glob("*_words.txt*")
    own = [path for path in paths if not path.name.startswith("terminology")]
    read = (gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in own)
    return {line for text in read for line in text.decode().splitlines()}


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]))
