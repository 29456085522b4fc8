"""Clean Descriptors with the real text engine: what the table marks C, at every depth.

The oracle's other trials hand the header stage a cleaner of their own; here the text stage acts
as it does on the line (PS3.15 E.3.5).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.figures import record
from tests.oracle.instances import Factory, Planted, read_back, to_dataset, write
from tests.oracle.links import items_in
from tests.oracle.tables import sop_classes
from updp_node.documents import text_cleaner
from updp_node.header import deidentify
from updp_node.line import make_line
from updp_node.subject import ProjectKey, UidMap

TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
OPTION = "Clean Descriptors"
PERSON = factories.patient()
SURNAME = PERSON.name.split("^", maxsplit=1)[0]
LONG = f"CT of the chest without contrast for {SURNAME}, record {PERSON.patient_id}"
TEXTS = {"SH": f"chest {SURNAME}", "LO": f"Chest without contrast for {SURNAME}"}
NAMES_A_PLACE = "RequestingService"  # whose words the engine looks for in all others
WHERE = tuple(sorted(sop_classes())[::17])


def _cleaned(planted: list[Planted]) -> Iterator[Planted]:
    """Attributes of text that the option cleans and that nothing around them removes."""
    for one in planted:
        cells = dict(one.row.cells) if one.row else {}
        if one.vr == "SQ" and (one.row is None or cells.get(OPTION) == "C"):
            for item in one.items:
                yield from _cleaned(item)
        elif cells.get(OPTION) == "C" and one.vr in TEXT_VRS and one.keyword != NAMES_A_PLACE:
            yield one


def _source(sop_class: str) -> tuple[Dataset, int]:
    planted = Factory(sop_class).make()
    listed = list(_cleaned(planted))
    for one in listed:
        one.value = TEXTS.get(one.vr, LONG)
    source = to_dataset(planted)
    source.SOPClassUID, source.SpecificCharacterSet = sop_class, "ISO_IR 192"
    source.PatientName, source.PatientID = PERSON.name, PERSON.patient_id
    source.IssuerOfPatientID = ""
    return read_back(write(source)), len(listed)


@pytest.mark.parametrize("sop_class", WHERE, ids=[sop_classes()[each] for each in WHERE])
def test_cleaned_text_keeps_its_meaning_and_names_nobody(sop_class: str) -> None:
    line = make_line(
        "pixel-passthrough", key=ProjectKey(b"k" * 32), project="T", pseudonym="{code}"
    )
    source, planted = _source(sop_class)
    subject = line.subject_of(source)
    cleaner = text_cleaner(source, (), line, subject)
    out = deidentify(source, line.rules, subject, UidMap(subject, "d"), clean_text=cleaner)
    texts = [
        str(element.value)
        for item in items_in(read_back(write(out)))
        for element in item
        if element.VR in TEXT_VRS
    ]
    assert not [text for text in texts if SURNAME in text or PERSON.patient_id in text]
    kept = sum("chest" in text.lower() for text in texts)
    record("oracle with the text engine", f"cleaned of {planted}, {sop_classes()[sop_class]}", kept,
           "attributes")  # fmt: skip
    assert kept >= 0.99 * planted
