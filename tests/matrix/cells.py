"""One cell of the matrix: an object in a character set and a transfer syntax, down the line."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array

from tests.factories import SOURCE_ROOT, Patient
from tests.factories.people import plant
from tests.matrix import syntaxes
from tests.matrix.charsets import CHARACTER_SETS, CODECS, declare
from tests.matrix.images import IMAGES
from tests.matrix.objects import OBJECTS
from updp_node.errors import InstanceError
from updp_node.line import Line, make_line
from updp_node.pipeline import ExamineTask, ReleaseTask, examine, release_instance
from updp_node.subject import ProjectKey
from updp_node.verify.conformance import compare_conformance

KINDS = IMAGES | OBJECTS
REFUSED = {
    "Encapsulated PDF": {"encapsulated-document"},
    "Encapsulated CDA": {"encapsulated-document"},
    "Raw Data": {"unclaimed-object"},
}
"""Objects that the profile of the matrix may refuse, and the reasons that it may give."""
_RETAINED = ("institution", "institution_address", "department")
_PROFILE = Path(__file__).with_name("matrix.yaml")


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of object, a character set, a transfer syntax."""

    kind: str
    character_set: str = "ISO_IR 192"
    syntax: str = "Explicit VR Little Endian"

    def __str__(self) -> str:
        return f"{self.kind}, {self.character_set}, {self.syntax}"


def all_cells() -> list[Cell]:
    """Every pair of kind, character set and transfer syntax that can be."""
    persons = CHARACTER_SETS["ISO_IR 192"].patient
    fits = {kind: make(persons) for kind, make in KINDS.items()}
    cells = [Cell(kind, name) for kind in KINDS for name in CHARACTER_SETS]
    cells += [
        Cell(kind, syntax=syntax)
        for kind in KINDS
        for syntax in syntaxes.SYNTAXES
        if syntaxes.applies(syntax, fits[kind])
    ]
    cells += [Cell("CT", name, syntax) for name in CHARACTER_SETS for syntax in syntaxes.SYNTAXES]
    return list(dict.fromkeys(cells))


@lru_cache(maxsize=1)
def line() -> Line:
    return make_line(
        str(_PROFILE), key=ProjectKey(bytes(range(32))), project="M", pseudonym="{project}-{code}"
    )


def run(cell: Cell, folder: Path) -> list[str]:
    """Take a cell down the line; what is wrong with what came out, in words.

    An `InstanceError` is wrong too, unless the profile may refuse the kind.
    """
    person = CHARACTER_SETS[cell.character_set].patient
    source = declare(KINDS[cell.kind](person), cell.character_set)
    path = syntaxes.write(source, folder / "source.dcm", cell.syntax)
    try:
        examined = examine(ExamineTask(path, line()))
        task = ReleaseTask(
            path=path, line=line(), action=examined.action, generation=1, folder=folder,
            created=datetime(2026, 1, 1, tzinfo=UTC), replace=True,
        )  # fmt: skip
        released = release_instance(task)
    except InstanceError as error:
        return [] if error.code in REFUSED.get(cell.kind, set()) else [f"refused: {error}"]
    output = released.path.read_bytes()
    return [*_leaks(output, person), *_differences(dcmread(path), released.path, person),
            *compare_conformance(path, output)]  # fmt: skip


def canaries_of(person: Patient) -> set[str]:
    """What must not be found: the words of every planted value, retained ones aside."""
    retained = {word for field in _RETAINED for word in plant_of(getattr(person, field))}
    found = {text for text in plant(person) if len(text) > 3 or not text.isascii()}
    found |= {word for name in person.person_names for word in plant_of(name)}
    return {text for text in found if text not in retained and len(text) > 1}


def plant_of(value: str) -> set[str]:
    words = value.replace("^", " ").replace("=", " ").replace(",", " ").split()
    return {value, *(word for word in words if len(word) > 3 or not word.isascii())}


def _leaks(output: bytes, person: Patient) -> Iterator[str]:
    lowered = output.lower()
    if SOURCE_ROOT.encode() in output:
        yield "a source UID"
    for text in canaries_of(person):
        for codec in CODECS:
            try:
                spellings = {each.encode(codec) for each in (text, text.upper(), text.lower())}
            except UnicodeEncodeError:
                continue
            raw = {each.removeprefix(b"\x1b$B").removesuffix(b"\x1b(B") for each in spellings}
            if any(len(each) > 3 and (each in output or each in lowered) for each in raw):
                yield f"a canary of {len(text)} characters in {codec}"
                break


def _differences(source: Dataset, path: Path, person: Patient) -> Iterator[str]:
    """What pydicom and DCMTK read in the output that is not as it was."""
    made = dcmread(path)
    for element in made.iterall():
        _ = element.value
    if made.get("InstitutionName") != person.institution:
        yield "the retained text differs for pydicom"
    if made.get("SpecificCharacterSet") != "ISO_IR 192":
        yield "another character set than ISO_IR 192"
    if "PixelData" in source and not np.array_equal(pixel_array(source), pixel_array(made)):
        yield "the pixels differ"
    shown = subprocess.run(["dcm2xml", str(path)], capture_output=True, check=False)
    if shown.returncode or b"E:" in shown.stderr:
        yield "DCMTK cannot read it"
        return
    places = [each.text for each in ET.fromstring(shown.stdout).iter("element")  # noqa: S314
              if each.get("name") == "InstitutionName"]  # fmt: skip
    if person.institution not in places:
        yield "the retained text differs for DCMTK"
