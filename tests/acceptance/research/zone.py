"""A maker of released zones: files, a ledger, nothing else. All is given by a seed."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset

from tests.acceptance.research.attributes import Series, Study, fill_instance
from tests.acceptance.research.people import Person, make_person
from tests.acceptance.research.pictures import compressed_picture, native_picture

PROJECTS = ("alpha", "beta")
RELEASED_AT = 1_763_625_600.0


@dataclass
class Zone:
    """What was made below ``released/``."""

    released: Path
    lines: list[dict[str, object]] = field(default_factory=list)

    def path_of(self, uid: str) -> Path:
        return self.released / file_of(uid)

    def add(self, instance: Dataset, syntax: str, project: str, supersedes: str | None) -> None:
        """Write an instance and its line of the ledger."""
        uid = str(instance.SOPInstanceUID)
        path = self.path_of(uid)
        path.parent.mkdir(parents=True, exist_ok=True)
        instance.file_meta = FileMetaDataset()
        instance.file_meta.TransferSyntaxUID = syntax
        instance.preamble = bytes(128)
        pydicom.dcmwrite(path, instance, enforce_file_format=True)
        self.lines.append(
            {
                "sop_instance_uid": uid, "project": project, "file": file_of(uid),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "released_at": RELEASED_AT, "supersedes": supersedes,
            }
        )  # fmt: skip

    def write_ledger(self) -> None:
        text = "".join(json.dumps(line) + "\n" for line in self.lines)
        (self.released / "ledger.jsonl").write_text(text, encoding="utf-8")


def file_of(uid: str) -> str:
    """Where a released instance lies, relative to the zone."""
    return f"files/{hashlib.sha256(uid.encode()).hexdigest()[:2]}/{uid}.dcm"


def make_uid(*parts: object) -> str:
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def make_zone(released: Path, *, studies: int = 300, seed: int = 3, big: bool = True) -> Zone:
    """Make a zone of two projects; a fifth of the studies belongs to the second.

    Parameters
    ----------
    big : bool
        One instance of 150 MB in the first study.
    """
    zone, random_ = Zone(released), random.Random(seed)
    people: dict[str, list[Person]] = {project: [] for project in PROJECTS}
    for number in range(studies):
        project = PROJECTS[number % 5 == 4]
        known = people[project]
        if not known or random_.random() < 0.6:
            known.append(make_person(len(known), project, random_))
        _add_study(zone, Study.make(random_.choice(known), number, project, random_), random_)
        if big and number == 0:
            _add_big(zone, random_)
    zone.write_ledger()
    return zone


def _add_study(zone: Zone, study: Study, random_: random.Random) -> None:
    images: list[Dataset] = []
    for number in range(random_.choices((1, 2, 3, 4), (4, 3, 2, 1))[0]):
        series = Series.make(study, number, random_)
        for position in range(random_.choices((1, 2, 3, 6), (3, 3, 2, 2))[0]):
            instance = fill_instance(series, position, images, random_)
            picture = _picture(series, random_)
            syntax = picture.syntax if picture else "1.2.840.10008.1.2.1"
            if picture:
                instance.update(picture.attributes)
                images.append(instance)
            _add_generations(zone, instance, syntax, study.project, random_)


def _picture(series: Series, random_: random.Random):
    if not series.has_pixels:
        return None
    if random_.random() < 0.12:
        return compressed_picture(random_.randrange(100))
    return native_picture(random_)


def _add_generations(
    zone: Zone, instance: Dataset, syntax: str, project: str, random_: random.Random
) -> None:
    """An instance with the generations that it replaces, if any."""
    older = None
    newest = str(instance.SOPInstanceUID)
    for generation in range(random_.choices((0, 1, 2), (94, 4, 2))[0]):
        instance.SOPInstanceUID = f"{newest[:50]}.{generation + 1}"
        zone.add(instance, syntax, project, older)
        older = str(instance.SOPInstanceUID)
    instance.SOPInstanceUID = newest
    zone.add(instance, syntax, project, older)


def _add_big(zone: Zone, random_: random.Random) -> None:
    """A study of its own with one instance of 150 MB."""
    person = make_person(9000, PROJECTS[0], random_)
    study = Study.make(person, 9000, PROJECTS[0], random_)
    series = Series.make(study, 0, random_, modality="XA")
    instance = fill_instance(series, 0, [], random_)
    picture = native_picture(random_, big=True)
    instance.update(picture.attributes)
    zone.add(instance, picture.syntax, PROJECTS[0], None)
