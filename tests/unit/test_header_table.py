"""Every row of Table E.1-1 under every option, at two depths, judged by its effect."""

from __future__ import annotations

from functools import lru_cache

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from updp_node.header import CompiledProfile, Profile, compile_profile, deidentify
from updp_node.standard import OPTION_CODES, ConfidentialityRow, attribute_type
from updp_node.standard import confidentiality_rows as rows
from updp_node.subject import ProjectKey, UidMap, identify_subject

CT = "1.2.840.10008.5.1.4.1.1.2"
SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
OPTIONS = ["", *(name for name in OPTION_CODES if name != "Basic Profile")]
# Filled in by the stage, left to the text stage, or no part of a data set
SPECIAL = {"ContentSequence", "EncapsulatedDocument", "CurveData", "OverlayData"}
SAMPLES = {
    "AE": "CANARY{}", "AS": "042Y", "CS": "CANARY{}", "DA": "20110203", "DS": "7.5",
    "DT": "20110203040506", "IS": "7", "LO": "Canary{} text", "LT": "Canary{} text",
    "PN": "Canary{}^Name", "SH": "Canary{}", "ST": "Canary{} text", "TM": "040506",
    "UC": "Canary{} text", "UI": "1.2.3.{}", "UR": "http://canary{}.test/", "UT": "Canary{} text",
}  # fmt: skip


def _clean(text: str) -> str:
    return text.replace("Canary", "word ").replace("CANARY", "WORD ")


@lru_cache
def _compiled(option: str) -> CompiledProfile:
    options = [option] if option else []
    return compile_profile(
        Profile.model_validate({"name": "t", "version": "1", "options": options, "times": "keep"})
    )


def _value(row: ConfidentialityRow, number: int) -> object:
    vr = dictionary_VR(tag_for_keyword(row.keyword) or 0)
    if vr in SAMPLES:
        return SAMPLES[vr].format(number)
    if vr == "SQ":
        item = Dataset()
        item.CodeValue = "C1"
        item.ReferencedSOPInstanceUID = f"1.2.9.{number}"
        return [item]
    return b"Canary%d" % number if vr in {"OB", "UN"} else 7


def _rows() -> list[ConfidentialityRow]:
    return [
        row
        for row in rows()
        if row.keyword not in SPECIAL
        and (tag_for_keyword(row.keyword) or 0) >= 0x00080000
        and not row.tag.startswith(("50xx", "60xx", "gggg", "FFF"))
    ]


def _level() -> Dataset:
    level = Dataset()
    for number, row in enumerate(_rows(), start=1000):
        tag = tag_for_keyword(row.keyword) or 0
        level[tag] = DataElement(tag, dictionary_VR(tag), _value(row, number))
    return level


def _source() -> Dataset:
    """A CT with every attribute of the table, and again in items that no option touches."""
    source = _level()
    source.SOPClassUID = CT
    inner, middle = _level(), Dataset()
    inner.ModalityLUTType = "kept"
    middle.ModalityLUTSequence = [inner]
    source.VOILUTSequence = [middle]
    return source


def _check(
    row: ConfidentialityRow, action: str, kind: str | None, old: Dataset, new: Dataset
) -> str:
    """What is wrong with one attribute of the result, or nothing."""
    here = row.keyword in new
    before = old[row.keyword].value
    after = new[row.keyword].value if here else None
    vr = dictionary_VR(tag_for_keyword(row.keyword) or 0)
    same = here and after == before
    if vr == "SQ":
        return _check_sequence(action, kind, here, after)
    match action:
        case "X":
            wrong = here and (kind not in {"1", "2"} or same)
        case "K":
            wrong = not same
        case "U":
            wrong = not here or not str(after).startswith("2.25.")
        case "C" if vr == "TM":
            wrong = not same
        case "C" if vr in {"DA", "DT"}:
            wrong = not here or same or not after
        case "C" if vr in {"LO", "LT", "SH", "ST", "UC", "UT"}:
            cleaned = here and (str(after).startswith("word ") or row.keyword.startswith("Timez"))
            wrong = not cleaned and not (row.keyword.startswith("Timez") and not here)
        case "D":
            wrong = not here or same or after in {"", None}
        case "Z":
            wrong = not here or same
        case _:
            wrong = same
    return f"{row.keyword} {action} Type {kind}: {'there' if here else 'gone'}" if wrong else ""


def _check_sequence(action: str, kind: str | None, here: bool, after: object) -> str:
    if action == "X":
        return "" if not here or kind in {"1", "2"} else f"sequence stays: {after!r}"[:40]
    if action in {"K", "C", "U"} and not here:
        return f"sequence {action} is gone"
    return "" if "1.2.9." not in str(after) else "a UID of the source stays"


@pytest.mark.parametrize("option", OPTIONS)
def test_every_row_does_what_the_table_says(option: str) -> None:
    source, compiled = _source(), _compiled(option)
    untouched = _source()
    out = deidentify(source, compiled, SUBJECT, UidMap(SUBJECT, "d"), clean_text=_clean)
    assert source == untouched
    faults = []
    inner_old = source.VOILUTSequence[0].ModalityLUTSequence[0]
    inner_new = out.VOILUTSequence[0].ModalityLUTSequence[0]
    for row in _rows():
        action = row.options.get(option, row.basic)
        if option == "Retain UIDs" and action == "K" and row.basic != "U":
            continue  # sequences: their own UIDs stay with this option
        kind = attribute_type(CT, [row.keyword])
        faults.append(_check(row, action, kind, source, out))
        if "/" not in action:
            faults.append(_check(row, action, None, inner_old, inner_new))
    assert [fault for fault in faults if fault] == []
    assert inner_new.ModalityLUTType == "kept"


def test_nothing_of_the_source_stays_without_an_option() -> None:
    out = deidentify(_source(), _compiled(""), SUBJECT, UidMap(SUBJECT, "d"), clean_text=None)
    assert "Canary" not in str(out)
    assert "CANARY" not in str(out)
    assert "20110203" not in str(out)
