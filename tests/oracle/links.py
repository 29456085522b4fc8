"""Whether the references between the released objects of one subject resolve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from pydicom.dataset import Dataset

_LEVELS = ("SOPInstanceUID", "FrameOfReferenceUID", "StudyInstanceUID", "SeriesInstanceUID")
POINTERS = {
    "ReferencedSOPInstanceUID": "SOPInstanceUID",
    "SOPInstanceUIDOfConcatenationSource": "SOPInstanceUID",
    "ReferencedFrameOfReferenceUID": "FrameOfReferenceUID",
    **{keyword: keyword for keyword in _LEVELS},
}
_STUDY_CLASSES = ("1.2.840.10008.3.1.2.3.1", "1.2.840.10008.3.1.2.3.2")
_STANDARD = "1.2.840.10008."


def items_in(dataset: Dataset) -> Iterator[Dataset]:
    """The data set and every item in it."""
    yield dataset
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from items_in(item)


def uids_in(dataset: Dataset, keywords: Collection[str]) -> Iterator[tuple[str, str]]:
    """Keyword and value of the UIDs of a data set, at every depth."""
    for item in items_in(dataset):
        for element in item:
            if element.VR == "UI" and element.keyword in keywords and element.value:
                values = element.value if element.VM > 1 else [element.value]
                yield from ((element.keyword, str(value)) for value in values)


def identifying_uids(datasets: Iterable[Dataset]) -> set[str]:
    """All UIDs that name no class, syntax or vocabulary of the standard."""
    found: set[str] = set()
    for dataset in datasets:
        for item in items_in(dataset):
            for element in item:
                if element.VR == "UI" and element.value and "Class" not in element.keyword:
                    found.update(str(element.value).strip("[]").replace("'", "").split(", "))
    return {uid for uid in found if not uid.startswith(_STANDARD)}


def count_resolved(outputs: Collection[Dataset]) -> int:
    """Count the pointers to instances of the subject.

    Raises
    ------
    AssertionError
        A pointer points nowhere, or names another class than that of its instance.
    """
    there = {keyword: {str(out.get(keyword, "")) for out in outputs} for keyword in _LEVELS}
    classes = {str(out.SOPInstanceUID): str(out.SOPClassUID) for out in outputs}
    resolved = 0
    for out in outputs:
        for item in items_in(out):
            for keyword, kind in POINTERS.items():
                uid = str(item.get(keyword, ""))
                if not uid or item is out:
                    continue
                named = str(item.get("ReferencedSOPClassUID", ""))
                wanted = "StudyInstanceUID" if named in _STUDY_CLASSES else kind
                assert uid in there[wanted], f"{out.Modality}: {keyword} points nowhere"
                assert named in {"", *_STUDY_CLASSES, classes.get(uid, named)}
                resolved += wanted == "SOPInstanceUID"
    return resolved


def pair_uids(source: Dataset, out: Dataset, pairs: dict[str, set[str]]) -> None:
    """Collect what became of each UID of the source, place by place."""
    for element in source:
        if element.tag not in out:
            continue
        if element.VR == "SQ":
            for old, new in zip(element.value, out[element.tag].value, strict=False):
                pair_uids(old, new, pairs)
        elif element.VR == "UI" and "Class" not in element.keyword:
            pairs.setdefault(str(element.value), set()).add(str(out[element.tag].value))
