"""Content items outside the SR tree, by concept name: every row of Table E.3.4-1, every option.

The items stand in the Acquisition Context of an MR image (PS3.3 C.7.6.14), whose action is C
under Clean Structured Content (PS3.15 E.3.4).
"""

from __future__ import annotations

from functools import lru_cache

import pytest
from pydicom.dataset import Dataset

from tests.factories.modules import code, fill
from tests.oracle.tables import FULL, MODIFIED, content_rows
from tests.oracle.values import canary, clean, moved
from updp_node.header import CompiledProfile, Profile, compile_profile, deidentify
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
STRUCTURED = "Clean Structured Content"
COLUMNS = {
    "Retain UIDs": "retain_uids",
    "Retain Device Identity": "retain_device_identity",
    "Retain Institution Identity": "retain_institution_identity",
    "Retain Patient Characteristics": "retain_patient_characteristics",
    FULL: "retain_longitudinal_full_dates",
    MODIFIED: "retain_longitudinal_modified_dates",
    "Clean Descriptors": "clean_descriptors",
}
CASES = {
    "TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time", "UIDREF": "UID",
    "DATETIME": "DateTime",
}  # fmt: skip
UNLISTED = ("99001", "99QV")


@lru_cache
def _rules(option: str) -> CompiledProfile:
    options = (STRUCTURED, option) if option else (STRUCTURED,)
    return compile_profile(Profile(name="t", version="1", options=options, times="keep"))


def _value(kind: str, number: int) -> dict[str, object]:
    if kind in {"TEXT", "PNAME"}:
        return {CASES[kind]: canary(number)}
    if kind in CASES:
        values = {"DATE": "20110203", "TIME": "040506", "UIDREF": f"1.2.826.0.{number}",
                  "DATETIME": "20110203040506"}  # fmt: skip
        return {CASES[kind]: values[kind]}
    if kind in {"IMAGE", "COMPOSITE", "WAVEFORM"}:
        reference = {"ReferencedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
                     "ReferencedSOPInstanceUID": f"1.2.826.0.{number}"}  # fmt: skip
        return {"ReferencedSOPSequence": [fill(Dataset(), dict(reference))]}
    if kind == "CODE":
        return {"ConceptCodeSequence": [code("M", "DCM", "Male")]}
    return {"NumericValue": str(number)} if kind == "NUM" else {}


def _item(row: dict[str, str], number: int) -> Dataset:
    concept = code(row["code"], row["scheme"][:16], row["meaning"][:64])
    return fill(Dataset(), {"ValueType": row["value_type"], "ConceptNameCodeSequence": [concept],
                            **_value(row["value_type"], number)})  # fmt: skip


@pytest.mark.parametrize("option", ["", *COLUMNS])
def test_every_content_item_is_treated_by_its_concept(option: str) -> None:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    source.StudyInstanceUID = source.SeriesInstanceUID = source.SOPInstanceUID = "1.2.3"
    rows = [row for row in content_rows() if len(row["scheme"]) <= 16]
    unlisted = {"code": UNLISTED[0], "scheme": UNLISTED[1], "meaning": "x", "value_type": "TEXT"}
    source.AcquisitionContextSequence = [
        _item(row, 1000 + number) for number, row in enumerate([*rows, unlisted])
    ]
    rules = _rules(option)
    out = deidentify(source, rules, SUBJECT, UidMap(SUBJECT, "d"), clean_text=clean)
    left: dict[tuple[str, str, str], Dataset] = {}
    for item in out.AcquisitionContextSequence:
        concept = item.ConceptNameCodeSequence[0]
        key = (concept.CodeValue, concept.CodingSchemeDesignator, item.ValueType)
        assert key not in left
        left[key] = item
    faults = []
    for number, row in enumerate(rows):
        item = left.pop((row["code"], row["scheme"], row["value_type"]), None)
        faults.append(_fault(row, option, _item(row, 1000 + number), item))
    assert [fault for fault in faults if fault] == []
    assert [key[0] for key in left] == [UNLISTED[0]]
    # an item that the table does not list: its text by the rule of Text Value (0040,A160)
    expected = "word" if option == "Clean Descriptors" else "REMOVED"
    assert left[(*UNLISTED, "TEXT")].TextValue == expected


def _fault(row: dict[str, str], option: str, source: Dataset, item: Dataset | None) -> str:
    action = (row[COLUMNS[option]] if option else "") or row["basic"]
    name = f"{row['meaning']} ({row['value_type']}) {action}"
    if action.startswith("X"):
        return f"{name}: stays" if item is not None else ""
    if item is None:
        return f"{name}: is gone"
    keyword = CASES.get(row["value_type"])
    if keyword is None:
        same = _uid_of(item) == _uid_of(source)
        return f"{name}: reference" if same != (option == "Retain UIDs") and _uid_of(item) else ""
    old, new = str(source[keyword].value), str(item.get(keyword, ""))
    kind = item[keyword].VR if keyword in item else ""
    wanted = {"K": old, "C": moved(old, kind, SUBJECT.shift_days, "keep")
              if kind in {"DA", "DT", "TM"} else clean(old)}  # fmt: skip
    if action in wanted:
        return "" if new == wanted[action] else f"{name}: {keyword} is not as it should be"
    return f"{name}: no dummy" if new in {"", old} else ""


def _uid_of(item: Dataset) -> str:
    references = item.get("ReferencedSOPSequence") or []
    return str(references[0].ReferencedSOPInstanceUID) if references else ""
