"""The oracle's own copy of the tables; written by ``tools/generate_oracle.py``."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from pydicom.datadict import dictionary_VR, tag_for_keyword

FOLDER = Path(__file__).parent / "data"
FULL = "Retain Longitudinal Temporal Information With Full Dates"
MODIFIED = "Retain Longitudinal Temporal Information With Modified Dates"
COLUMNS = {
    "Retain Safe Private": "rtn_safe_priv",
    "Retain UIDs": "rtn_uids",
    "Retain Device Identity": "rtn_dev_id",
    "Retain Institution Identity": "rtn_inst_id",
    "Retain Patient Characteristics": "rtn_pat_chars",
    FULL: "rtn_long_full_dates",
    MODIFIED: "rtn_long_modif_dates",
    "Clean Descriptors": "clean_desc",
    "Clean Structured Content": "clean_struct_cont",
    "Clean Graphics": "clean_graph",
}
CID_7050 = {
    "Clean Pixel Data": "113101",
    "Clean Recognizable Visual Features": "113102",
    "Clean Graphics": "113103",
    "Clean Structured Content": "113104",
    "Clean Descriptors": "113105",
    FULL: "113106",
    MODIFIED: "113107",
    "Retain Patient Characteristics": "113108",
    "Retain Device Identity": "113109",
    "Retain UIDs": "113110",
    "Retain Safe Private": "113111",
    "Retain Institution Identity": "113112",
}
# VRs of PS3.6 where neither the table nor pydicom 3.0.2 has them
_NEWEST_VRS = {
    "NameToUse": "LT", "NameToUseComment": "UT", "PronounComment": "UT",
    "SexParametersForClinicalUseCategoryComment": "UT", "GenderIdentityComment": "UT",
    "SexParametersForClinicalUseCategoryReference": "UR", "EthnicGroups": "UC",
    "MontageName": "LT", "MontageChannelLabel": "LO", "DisplayURI": "UR",
    "DoseCalculationModelName": "LO",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row of Table E.1-1 that has one tag."""

    tag: int
    keyword: str
    vr: str
    basic: str
    cells: tuple[tuple[str, str], ...]


@dataclass
class Branch:
    """What an IOD says of one attribute, by every module that names it at this place."""

    types: set[str] = field(default_factory=set)
    below: dict[str, Branch] = field(default_factory=dict)


@lru_cache(maxsize=1)
def rows() -> dict[str, Row]:
    """Rows of one tag that stand in data sets, by keyword."""
    found = {}
    for line in _read("actions.csv.gz"):
        digits = line["tag"].strip("()").replace(",", "")
        if len(digits) != 8 or "x" in digits or not line["keyword"] or digits < "0008":
            continue
        cells = tuple((name, line[column]) for name, column in COLUMNS.items() if line[column])
        vr = line["vr"] or _NEWEST_VRS.get(line["keyword"], "")
        found[line["keyword"]] = Row(
            int(digits, 16), line["keyword"], vr, line["basic_prof"], cells
        )
    return found


@lru_cache(maxsize=1)
def other_rows() -> tuple[str, ...]:
    """Tags of the rows that `rows` leaves out: groups of one tag's breadth and file meta."""
    kept = {row.tag for row in rows().values()}
    left = []
    for line in _read("actions.csv.gz"):
        digits = line["tag"].strip("()").replace(",", "")
        if len(digits) != 8 or "x" in digits or int(digits, 16) not in kept:
            left.append(line["tag"])
    return tuple(left)


@lru_cache(maxsize=1)
def sop_classes() -> dict[str, str]:
    """SOP Class UID to IOD, for the IODs that have a Patient module."""
    of_patients = {line[1] for line in _lines("types.csv.gz") if line[2] == "patient"}
    classes = (line for line in _lines("types.csv.gz") if line[0] == "class")
    return {line[1]: line[2] for line in classes if line[2] in of_patients}


@lru_cache(maxsize=32)
def branches(sop_class: str) -> Branch:
    """All attributes that the modules of an IOD name, as far as they bear on the table."""
    modules, attributes = _modules()
    root = Branch()
    for module in modules.get(sop_classes()[sop_class], ()):
        for dotted, kind in attributes.get(module, ()):
            here = root
            for step in dotted.split("."):
                here = here.below.setdefault(step, Branch())
            if kind:
                here.types.add(kind)
    return root


@lru_cache(maxsize=1)
def content_rows() -> tuple[dict[str, str], ...]:
    """Rows of Table E.3.4-1: actions on content items by concept name."""
    return tuple(_read("content.csv.gz"))


@lru_cache(maxsize=1)
def safe_private() -> tuple[tuple[int, int, str, str], ...]:
    """Group, low byte of the element, creator, VR (may be empty)."""
    return tuple(
        (int(line["group"], 16), int(line["element_low_byte"], 16), line["private_creator"],
         line["vr"])
        for line in _read("private.csv.gz")
    )  # fmt: skip


def vr_of(keyword: str) -> str:
    """The first VR that the dictionary gives."""
    row = rows().get(keyword)
    known = tag_for_keyword(keyword)
    vr = dictionary_VR(known) if known else row.vr if row else ""
    return (vr or "LO").split(" or ")[0]


def tag_of(keyword: str) -> int:
    """The tag, by the table first."""
    row = rows().get(keyword)
    tag = row.tag if row else tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag


@lru_cache(maxsize=1)
def _modules() -> tuple[dict[str, list[str]], dict[str, list[tuple[str, str]]]]:
    modules: dict[str, list[str]] = {}
    attributes: dict[str, list[tuple[str, str]]] = {}
    for kind, first, second, third in _lines("types.csv.gz"):
        if kind == "module":
            modules.setdefault(first, []).append(second)
        elif kind == "attribute":
            attributes.setdefault(first, []).append((second, third))
    return modules, attributes


def _lines(name: str) -> Iterator[list[str]]:
    content = gzip.decompress((FOLDER / name).read_bytes())
    editions = json.loads((FOLDER / "editions.json").read_text(encoding="ascii"))
    if hashlib.sha256(content).hexdigest() != editions[name]["sha256"]:
        raise ValueError(f"{name} is not the file that was generated")
    yield from csv.reader(content.decode().splitlines())


def _read(name: str) -> Iterator[dict[str, str]]:
    lines = _lines(name)
    header = next(lines)
    for line in lines:
        yield dict(zip(header, line, strict=True))
