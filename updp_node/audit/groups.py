"""k-anonymity of what recipients hold: how many patients share a prompt, or header attributes.

A patient is a pseudonym of a project. What an attribute tells of him is the set of its values
over all his objects; patients with equal sets are one group. Groups are told by size alone.

References
----------
L. Sweeney, "k-anonymity: a model for protecting privacy", 2002.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from updp_node.evaluation.figure import Figure, Section, not_measured
from updp_node.evaluation.statistics import clopper_pearson

_S = Section.RELEASES
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "age": ("PatientAge",),
    "sex": ("PatientSex",),
    "dates": ("StudyDate",),
    "device": ("Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber"),
    "institution": ("InstitutionName", "InstitutionalDepartmentName"),
}
"""What a recipient may know of a person he looks for, and where an object would say it."""

COMBINATIONS: tuple[tuple[str, ...], ...] = (
    ("age",), ("sex",), ("device",), ("institution",), ("dates",), ("age", "sex"),
    ("age", "sex", "device", "institution"), tuple(ATTRIBUTES),
)  # fmt: skip
_BINS = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, None))
_SMALLEST = 10
Signature = tuple[frozenset[str], ...]


@dataclass(slots=True)
class Characteristics:
    """What the released objects say of each patient; never leaves the process.

    Attributes
    ----------
    patients : dict
        (project, pseudonym) to attribute to its values.
    objects : int
        Read so far.
    unreadable : int
        Files that could not be read.
    """

    patients: dict[tuple[str, str], dict[str, set[str]]] = field(default_factory=dict)
    objects: int = 0
    unreadable: int = 0

    def add(self, project: str, source: Dataset) -> None:
        """Take one released object in."""
        self.objects += 1
        pseudonym = str(source.get("PatientID") or "")
        known = self.patients.setdefault((project, pseudonym), {name: set() for name in ATTRIBUTES})
        for name, keywords in ATTRIBUTES.items():
            values = [str(source.get(keyword) or "") for keyword in keywords]
            if any(values):
                known[name].add("\n".join(values))


def read_characteristics(
    files: Iterable[tuple[str, str]], root: Path, advance: Callable[[], None] = lambda: None
) -> Characteristics:
    """Read the headers of released files.

    Parameters
    ----------
    files : iterable of (str, str)
        Project, and file relative to `root`.
    root : pathlib.Path
        The released zone.
    """
    wanted = ["PatientID", *(keyword for each in ATTRIBUTES.values() for keyword in each)]
    found = Characteristics()
    for project, file in files:
        path = root / file
        try:
            if not path.resolve().is_relative_to(root.resolve()):
                raise ValueError("outside")
            found.add(project, dcmread(path, stop_before_pixels=True, specific_tags=wanted))
        except (OSError, InvalidDicomError, ValueError, KeyError, NotImplementedError):
            found.unreadable += 1
        advance()
    return found


def measure_groups(found: Characteristics) -> Iterator[Figure]:
    """Groups by each attribute and by several together; those no object holds are told so."""
    yield Figure("audit.objects", _S, "Released objects read", found.objects)
    if found.unreadable:
        yield Figure("audit.unreadable", _S, "Released objects that could not be read",
                     found.unreadable, why="they are in no group")  # fmt: skip
    kept = [name for name in ATTRIBUTES if any(each[name] for each in found.patients.values())]
    for names in COMBINATIONS:
        held = tuple(name for name in names if name in kept)
        title = ", ".join(names)
        if not held or (len(names) > 1 and len(held) < 2):  # a pair of which one is left is above
            why = (
                "no released object holds it" if len(names) == 1 else "at most one of them is kept"
            )
            yield not_measured(_key("k", title), _S, f"Smallest group by {title}", why)
            continue
        signatures = Counter(
            (project, *(frozenset(values[name]) for name in held))
            for (project, _), values in found.patients.items()
        )
        note = "" if held == names else f"kept of them: {', '.join(held)}"
        yield from describe_groups(title, sorted(signatures.values()), note)


def describe_groups(title: str, sizes: Sequence[int], note: str = "") -> Iterator[Figure]:
    """Smallest group, patients alone in theirs, and patients by the size of their group.

    Parameters
    ----------
    sizes : sequence of int
        Of every group, smallest first.
    """
    patients = sum(sizes)
    smallest = ", ".join(map(str, sizes[:_SMALLEST]))
    yield Figure(_key("k", title), _S, f"Smallest group by {title}", sizes[0], n=patients,
                 unit="patients", why=note,
                 detail={"groups": len(sizes), "sizes of the smallest": smallest})  # fmt: skip
    alone = sum(size for size in sizes if size == 1)
    yield Figure(_key("alone", title), _S, f"Patients alone in their group by {title}",
                 alone / patients, *clopper_pearson(alone, patients), n=patients, unit="patients",
                 detail={"count": alone})  # fmt: skip
    for low, high in _BINS:
        count = sum(size for size in sizes if low <= size <= (high or size))
        arm = str(low) if low == high else f"{low} to {high}" if high else f"{low} or more"
        yield Figure(f"{_key('groups', title)}.{low}", _S, f"Patients by size of group: {title}",
                     count, arm=arm)  # fmt: skip


def _key(kind: str, title: str) -> str:
    return f"audit.{kind}.{title.replace(', ', '-')}"
