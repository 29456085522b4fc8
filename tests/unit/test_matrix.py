"""A slice of the matrix; the whole of it is an acceptance test."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.charset import convert_encodings, decode_bytes, encode_string

from tests.matrix.cells import Cell, all_cells, run
from tests.matrix.charsets import CHARACTER_SETS
from tests.matrix.syntaxes import SYNTAXES

pytestmark = pytest.mark.filterwarnings("ignore")

SLICE = [
    *(Cell("CT", name) for name in list(CHARACTER_SETS)[::3]),
    *(Cell("US multi-frame", syntax=syntax) for syntax in list(SYNTAXES)[1::3]),
    *(Cell(kind) for kind in ("DX", "Enhanced MR", "Key Object", "Presentation State",
                              "Segmentation", "RT Plan", "12-lead ECG")),
]  # fmt: skip


@pytest.mark.parametrize("cell", SLICE, ids=str)
def test_a_cell_of_the_matrix_is_released_clean_and_unharmed(cell: Cell, tmp_path: Path) -> None:
    assert run(cell, tmp_path) == []


def test_the_matrix_has_every_pair() -> None:
    cells = set(all_cells())
    assert set(SLICE) <= cells
    assert len(cells) > 1000


def test_character_sets_that_pydicom_lacks_are_read_and_written() -> None:
    for terms, text, raw in (
        (["", "ISO 2022 IR 58"], "张小东", b"\x1b$)A\xd5\xc5\xd0\xa1\xb6\xab"),
        (["ISO_IR 203"], "Œuvre", b"\xbcuvre"),
    ):
        encodings = convert_encodings(terms)
        assert encode_string(text, encodings) == raw
        assert decode_bytes(raw, encodings, set()) == text
