"""A reading of the standard for the answer key, apart from the node's.

Table E.1-1 under the options of the challenge, Types by highdicom's tables, private elements by
the list of safe ones.

References
----------
PS3.15 Table E.1-1, E.3; PS3.3 Annex A (Types).
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydicom.datadict import dictionary_is_retired, dictionary_keyword, dictionary_VR

OPTIONS = (
    "Clean Descriptors", "Retain Longitudinal Temporal Information With Modified Dates",
    "Retain Patient Characteristics", "Retain Device Identity", "Retain Safe Private",
)  # fmt: skip
"""With Clean Pixel Data the options by which The Cancer Imaging Archive publishes: codes 113101,
113105, 113107, 113108, 113109, 113111 of CID 7050."""

_STANDARD = Path(__file__).parents[2] / "updp_node" / "standard"
_DATES = frozenset({"DA", "DT"})
_TEXTS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_OWN = frozenset(
    "SpecificCharacterSet PatientIdentityRemoved DeidentificationMethod BurnedInAnnotation "
    "DeidentificationMethodCodeSequence LongitudinalTemporalInformationModified VerificationFlag "
    "ContributingEquipmentSequence PrivateDataElementCharacteristicsSequence "
    "DataSetTrailingPadding InstanceCreationDate".split()
)
"""Whoever de-identifies states these anew: their old value need not stay."""
_GRAPHICS = frozenset(
    {"GraphicAnnotationSequence", "OverlayData", "OverlayComments", "IconImageSequence"}
)
_VOCABULARY = ("CodingScheme", "Mapping", "Context")
CONTENT = "ContentSequence"


@lru_cache(maxsize=1)
def table() -> dict[str, tuple[str, dict[str, str]]]:
    """Keyword to action of the Basic Profile and cells of the options."""
    rows = json.loads((_STANDARD / "confidentiality.json").read_text(encoding="utf-8"))
    return {row[2]: (row[6], row[7]) for row in rows}


@lru_cache(maxsize=1)
def safe_private() -> frozenset[tuple[int, int, str]]:
    """Group, low byte of the element and creator of private elements that are known to be safe."""
    rows = json.loads((_STANDARD / "safe_private.json").read_text(encoding="utf-8"))
    return frozenset((row[0], row[1], row[2].strip()) for row in rows)


@lru_cache(maxsize=4096)
def read_action(tag: int) -> str:
    """What becomes of a public attribute: keep, clean, date, time, uid, remove, or own.

    Returns
    -------
    str
        ``own``: the de-identifier writes it anew, or the options do not say.
    """
    try:
        keyword, vr = dictionary_keyword(tag), dictionary_VR(tag)
    except KeyError:
        return "own"
    written_anew = keyword in _OWN or keyword in _GRAPHICS
    if written_anew or tag >> 16 in {0x0002, 0x0004} or not tag & 0xFFFF:
        return "own"
    if vr in _DATES or keyword == CONTENT:
        return "date" if vr in _DATES else "clean"
    return _read_row(keyword, vr) if keyword in table() else _read_unlisted(tag, keyword, vr)


def _read_row(keyword: str, vr: str) -> str:
    """What the options make of an attribute of the table; C before K, as the node has it."""
    basic, cells = table()[keyword]
    found = {cells[option] for option in OPTIONS if option in cells}
    if "C" in found:
        if vr == "TM":
            return "time"
        return "clean" if vr in _TEXTS or vr == "SQ" else "own"
    if "K" in found:
        return "keep"
    return "uid" if "U" in basic else "remove"


def _read_unlisted(tag: int, keyword: str, vr: str) -> str:
    """What the table does not list stays, persons aside; of retired ones nothing is asked."""
    if vr == "UI":
        return "keep" if "Class" in keyword or keyword.startswith(_VOCABULARY) else "uid"
    if vr == "PN":
        return "remove"
    return "own" if dictionary_is_retired(tag) else "keep"


def is_text_vr(vr: str) -> bool:
    """Whether an attribute of this VR holds what somebody may have typed."""
    return vr in _TEXTS


@lru_cache(maxsize=1)
def _types() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    spec = find_spec("highdicom")
    folder = Path(str(spec and spec.origin)).parent / "_standard"
    names = ("sop_class_iod_map", "iod_module_map", "module_attribute_map")
    first, second, third = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names
    )
    return first, second, third


@lru_cache(maxsize=64)
def types_of(sop_class_uid: str) -> dict[tuple[str, ...], str]:
    """Path of keywords to Type in an IOD: mandatory modules first, then the strictest."""
    classes, iods, modules = _types()
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for module in iods.get(classes.get(sop_class_uid, ""), []):
        must = 1 if module["usage"] == "M" else 0
        for row in modules.get(module["key"], []):
            path = (*row["path"], row["keyword"])
            rank = (
                10 * must + {"1": 5, "1C": 4, "2": 3, "2C": 2, "3": 1}.get(row["type"], 0),
                row["type"],
            )
            found[path] = max(found.get(path, (0, "")), rank)
    return {path: kind for path, (_, kind) in found.items()}
