"""Free text outside reports: every attribute of Clean Descriptors is cleaned where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from tests import factories
from tests.acceptance.figures import record
from updp_node.documents import text_cleaner
from updp_node.header import deidentify
from updp_node.line import make_line
from updp_node.reading import read_source
from updp_node.standard import confidentiality_rows
from updp_node.subject import ProjectKey, UidMap

PERSON = factories.patient()
_SURNAME = PERSON.name.split("^", maxsplit=1)[0]
_LONG = (f"Small left pleural effusion, seen with Mr. {_SURNAME}, MRN {PERSON.patient_id}, by Dr. "
         f"{PERSON.referring.split('^')[0]}")  # fmt: skip
_SAID = {"SH": f"{_SURNAME} AP", "LO": f"Left effusion {_SURNAME}"}
_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_IDENTIFIES = frozenset({"RequestingService"})  # a certain hit: the whole value is an identifier
_GONE = frozenset({"Occupation"})  # the profiles' own override


def _keywords() -> list[tuple[str, str]]:
    return [
        (row.keyword, row.vr) for row in confidentiality_rows()
        if row.options.get("Clean Descriptors") == "C" and row.vr in _TEXT
        and tag_for_keyword(row.keyword)
        and row.keyword not in _IDENTIFIES | _GONE
    ]  # fmt: skip


@pytest.mark.parametrize("profile", ["pixel-passthrough", "midi-b", "research-longitudinal"])
def test_every_free_text_attribute_keeps_its_words_without_the_names(
    profile: str, tmp_path: Path
) -> None:
    line = make_line(profile, key=ProjectKey(b"k" * 32), project="T", pseudonym="{project}-{code}")
    source = factories.ct_series(1, rows=16)[0]
    for keyword, vr in _keywords():
        setattr(source, keyword, _SAID.get(vr, _LONG))
    path = factories.write(source, tmp_path / "source.dcm")
    header = read_source(path, with_pixels=False)
    subject = line.subject_of(header)
    cleaner = text_cleaner(header, (), line, subject)
    made = deidentify(
        read_source(path), line.rules, subject, UidMap(subject, "d"), clean_text=cleaner
    )
    kept = [keyword for keyword, _ in _keywords() if _says(made, keyword)]
    lost = [keyword for keyword, _ in _keywords() if keyword in made and not _says(made, keyword)]
    told = [text for text in factories.canaries(PERSON)
            if any(text in str(made.get(keyword, "")) for keyword, _ in _keywords())]  # fmt: skip
    assert (told, lost) == ([], [])
    assert len(kept) > 110
    record("reports", f"{profile}: free-text attributes cleaned in place", len(kept),
           f"of {len(_keywords())}")  # fmt: skip


def _says(made: Dataset, keyword: str) -> bool:
    value = str(made.get(keyword, ""))
    return "ffusion" in value or "AP" in value
