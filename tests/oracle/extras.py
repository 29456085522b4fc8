"""What Table E.1-1 covers with one row for many tags, and what a de-identifier has to state.

Private attributes (gggg,eeee), curves (50xx,xxxx), overlays (60xx,3000) and (60xx,4000), group
lengths, and the attributes that tell what was done (PS3.15 E.1.1, E.3.6, E.3.10).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from tests.oracle.tables import CID_7050, FULL, MODIFIED, safe_private
from tests.oracle.values import canary, planted_value

_TEXTS = re.compile(rb"Q[Vv]\d{6}")
_UNSAFE_CREATOR = "QVENDOR PLANTED"
_FIRST = 990_000
_SHOWN = 40
_DATES = frozenset({"DA", "DT", "TM"})


@dataclass(frozen=True)
class PrivateElement:
    """One private element: where it was put, and what it is known by."""

    tag: int
    known_vr: str
    creator: str
    vr: str
    value: object


def plant_private(level: Dataset, number: int = _FIRST) -> list[PrivateElement]:
    """Private blocks of safe elements, of an unknown creator, and of none at all."""
    planted: list[PrivateElement] = []
    blocks: dict[tuple[int, str, str], int] = {}
    chosen = [row for row in safe_private() if row[3] != "SQ"]
    chosen = chosen[:: max(1, len(chosen) // _SHOWN)]
    rows = [(*row, row[3] or "DS") for row in chosen]
    rows += [(*row, "PN" if row[3] else "DA") for row in chosen[:4]]  # of another VR
    rows.append((0x0099, 0x01, _UNSAFE_CREATOR, "LO", "LO"))
    for group, low_byte, creator, known_vr, vr in rows:
        key = (group, creator, vr)
        block = blocks.setdefault(key, 0x10 + len(blocks) * 2)
        level[(group << 16) | block] = DataElement((group << 16) | block, "LO", creator)
        tag = (group << 16) | (block << 8) | low_byte
        value = planted_value("", tag, vr, number)
        level[tag] = DataElement(tag, vr, value)
        planted.append(PrivateElement(tag, known_vr, creator, vr, value))
        number += 2
    level[0x00971001] = DataElement(0x00971001, "LO", f"{canary(number)} without a creator")
    return planted


def plant_repeating(level: Dataset, number: int = _FIRST - 1000) -> None:
    """Curves and overlays of several planes."""
    text = f"{canary(number)} on the plane"
    for group in (0x5000, 0x5002, 0x501E):
        level.add_new((group << 16) | 0x2500, "LO", text)
        level.add_new((group << 16) | 0x3000, "OW", canary(number).encode())
    for group in (0x6000, 0x6002, 0x601E):
        level.add_new((group << 16) | 0x0010, "US", 16)
        level.add_new((group << 16) | 0x1500, "LO", text)
        level.add_new((group << 16) | 0x3000, "OW", canary(number).encode())
        level.add_new((group << 16) | 0x4000, "LT", text)


def plant_group_lengths(level: Dataset) -> None:
    """Group lengths, which pydicom would not write; planted into what was read."""
    for group in (0x0008, 0x0010, 0x0020, 0x0040):
        level[group << 16] = DataElement(group << 16, "UL", 4711)


def judge_group_lengths(out: Dataset) -> Iterator[str]:
    """No group length is left, at any depth."""
    for element in out.values():
        if not element.tag.element:
            yield f"({element.tag.group:04X},0000) is there"
        if element.VR == "SQ":
            for item in out[element.tag].value:
                yield from judge_group_lengths(item)


def judge_leftovers(out: Dataset, kept_canaries: Collection[str], encoded: bytes) -> Iterator[str]:
    """No repeating group, padding or signature, and no canary that no rule kept."""
    for element in out.iterall():
        tag = int(element.tag)
        if tag >> 24 in {0x50, 0x60} or tag >= 0xFFFA0000:
            yield f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is there"
    found = {text.decode() for text in _TEXTS.findall(encoded)}
    for text in sorted(found - set(kept_canaries)):
        yield f"{text} is found in the bytes"


def judge_private(
    planted: list[PrivateElement], out: Dataset, options: Collection[str]
) -> Iterator[str]:
    """Without Retain Safe Private nothing stays; with it what is known by creator and VR."""
    there = {int(tag) for tag in out.keys() if tag.is_private}  # noqa: SIM118
    retained = {one.tag for one in planted if _may_stay(one, options)}
    owners = {
        (tag & 0xFFFF0000) | (tag >> 8 & 0xFF)
        for tag in retained
        if "Retain Safe Private" in options
    }
    for tag in sorted(there - retained - owners):
        yield f"private ({tag >> 16:04X},{tag & 0xFFFF:04X}) stays"
    for tag in sorted((retained | owners) - there):
        yield f"private ({tag >> 16:04X},{tag & 0xFFFF:04X}), known to be safe, is gone"


def kept_private_canaries(planted: list[PrivateElement], options: Collection[str]) -> set[str]:
    """Canaries in private elements that stay."""
    texts = (str(one.value) for one in planted if _may_stay(one, options))
    return {found for text in texts for found in re.findall(r"Q[Vv]\d{6}", text)}


def _may_stay(one: PrivateElement, options: Collection[str]) -> bool:
    if "Retain Safe Private" not in options or one.creator == _UNSAFE_CREATOR:
        return False
    if one.vr != (one.known_vr or one.vr) or one.vr == "PN":
        return False
    return one.vr not in _DATES or bool({FULL, MODIFIED} & set(options))


def judge_statement(
    out: Dataset, options: Collection[str], pseudonym: str, creators: Collection[tuple[int, str]]
) -> Iterator[str]:
    """The attributes that say what was done."""
    if out.get("PatientIdentityRemoved") != "YES":
        yield "(0012,0062) is not YES"
    if not out.get("DeidentificationMethod"):
        yield "(0012,0063) says nothing"
    items = out.get("DeidentificationMethodCodeSequence") or []
    stated = {(item.CodeValue, item.CodingSchemeDesignator) for item in items}
    wanted = {("113100", "DCM"), *((CID_7050[name], "DCM") for name in options)}
    if stated != wanted or len(items) != len(wanted):
        yield f"(0012,0064) says {sorted(stated)}"
    state = "UNMODIFIED" if FULL in options else "MODIFIED" if MODIFIED in options else "REMOVED"
    if out.get("LongitudinalTemporalInformationModified") != state:
        yield f"(0028,0303) is not {state}"
    if out.get("SpecificCharacterSet") != "ISO_IR 192":
        yield "(0008,0005) is not ISO_IR 192"
    if not str(out.PatientID) == str(out.PatientName) == pseudonym:
        yield "patient and pseudonym differ"
    blocks = out.get("PrivateDataElementCharacteristicsSequence") or []
    described = {(item.PrivateGroupReference, item.PrivateCreatorReference) for item in blocks}
    if described != set(creators):
        yield "(0008,0300) does not describe the private blocks that stay"
