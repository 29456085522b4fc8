"""Specific character sets in, ISO_IR 192 out."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from updp_node.header import Profile, compile_profile, deidentify
from updp_node.subject import ProjectKey, UidMap, identify_subject

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
RULES = compile_profile(Profile.model_validate({"name": "t", "version": "1"}))


def _source() -> Dataset:
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    source.SOPInstanceUID = "1.2.3.4"
    source.StudyInstanceUID = "1.2.3.5"
    source.SeriesInstanceUID = "1.2.3.6"
    return source


def _stage(source: Dataset) -> Dataset:
    return deidentify(source, RULES, SUBJECT, UidMap(SUBJECT, "digest"), clean_text=None)


def _written(source: Dataset) -> Dataset:
    buffer = BytesIO()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(buffer, source, enforce_file_format=True)
    return dcmread(BytesIO(buffer.getvalue()))


CHARACTER_SETS = [
    ("ISO_IR 100", "Größe", "latin-1"),
    ("ISO_IR 101", "Łódź", "iso8859_2"),
    ("ISO_IR 144", "Люкceмбypг", "iso8859_5"),
    ("ISO_IR 126", "Διονυσιος", "iso8859_7"),
    ("ISO_IR 127", "قباني", "iso8859_6"),
    ("ISO_IR 138", "שרון", "iso8859_8"),
    ("ISO_IR 148", "çavuşoğlu", "iso8859_9"),
    ("ISO_IR 166", "ภาพ", "tis_620"),
    ("ISO_IR 192", "王小东", "utf-8"),
    ("GB18030", "王小东", "gb18030"),
    ("GBK", "王小东", "gbk"),
    ("\\ISO 2022 IR 87", "\x1b$B;3ED\x1b(B", None),
    ("ISO 2022 IR 13\\ISO 2022 IR 87", "\x1b$B;3ED\x1b(J", None),
    ("\\ISO 2022 IR 149", "\x1b$)C\xb1\xe8", None),
    ("\\ISO 2022 IR 100", "Buc\x1b-A^J\xe9r\xf4me", None),
]


@pytest.mark.parametrize(("term", "text", "codec"), CHARACTER_SETS)
def test_text_of_every_character_set_becomes_utf_8(term: str, text: str, codec: str | None) -> None:
    raw = text.encode(codec or "latin-1")
    expected = text if codec else pydicom.charset.decode_bytes(
        raw, pydicom.charset.convert_encodings(term.split("\\")), {0x5C}
    )  # fmt: skip
    source = _source()
    for tag, vr, value in ((0x00080005, "CS", term.encode()), (0x00081090, "LO", raw)):
        source[tag] = RawDataElement(pydicom.tag.Tag(tag), vr, len(value), value, 0, False, True)
    written = _written(_stage(source))
    assert written.SpecificCharacterSet == "ISO_IR 192"
    assert written.ManufacturerModelName == expected


def test_text_that_no_declared_character_set_explains_is_removed() -> None:
    source = _source()
    value = b"\xff\xfe\xe4bc"
    source[0x00081090] = RawDataElement(
        pydicom.tag.Tag(0x00081090), "LO", len(value), value, 0, False, True
    )
    assert "ManufacturerModelName" not in _stage(source)


def test_a_character_set_of_an_item_counts_for_the_item() -> None:
    source, item = _source(), Dataset()
    for where, term, value in ((source, b"ISO_IR 100", "Größe".encode("latin-1")),
                               (item, b"ISO_IR 144", "Проба".encode("iso8859_5"))):  # fmt: skip
        text = 0x00081090 if where is source else 0x00283004
        for tag, vr, content in ((0x00080005, "CS", term), (text, "LO", value)):
            where[tag] = RawDataElement(
                pydicom.tag.Tag(tag), vr, len(content), content, 0, False, True
            )
    source.VOILUTSequence = [item]
    written = _written(_stage(source))
    assert written.ManufacturerModelName == "Größe"
    assert written.VOILUTSequence[0].ModalityLUTType == "Проба"
    assert "SpecificCharacterSet" not in written.VOILUTSequence[0]
