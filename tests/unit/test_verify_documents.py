"""Text inside encapsulated documents is searched as it reads."""

from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset

from tests import factories
from updp_node.errors import InstanceError
from updp_node.verify import Allowances, read_evidence
from updp_node.verify.documents import search_document
from updp_node.verify.wanted import arrange

WANTED = arrange(read_evidence([factories.chest_cr(rows=8, columns=8)]), Allowances())


def kinds(content: bytes, kind: str = "application/pdf") -> set[str]:
    made = Dataset()
    made.MIMETypeOfEncapsulatedDocument = kind
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    return {hit.kind for hit in search_document(made, WANTED)}


def pdf(page: str, *, title: str = "Letter", note: str = "", pack: bool = True) -> bytes:
    """A PDF of one page, its content stream compressed."""
    stream = page.encode("latin-1")
    packed = zlib.compress(stream) if pack else stream
    how = "/Filter/FlateDecode" if pack else ""
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Annots[6 0 R]"
        b"/Resources<</Font<</F1 <</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        f"<</Length {len(packed)}{how}>>stream\n".encode() + packed + b"\nendstream",
        f"<</Title({title})>>".encode("latin-1"),
        f"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/Contents({note})>>".encode("latin-1"),
    ]  # fmt: skip
    out, places = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, part in enumerate(parts, start=1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + part + b"\nendobj\n")
    start = out.tell()
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    out.write(f"xref\n0 7\n0000000000 65535 f \n{rows}trailer<</Root 1 0 R/Info 5 0 R/Size 7>>\n"
              f"startxref\n{start}\n%%EOF\n".encode())  # fmt: skip
    return out.getvalue()


def show(text: str) -> str:
    return f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"


def test_a_document_without_identifiers_passes() -> None:
    assert kinds(pdf(show("The lungs are clear."))) == set()
    assert list(search_document(Dataset(), WANTED)) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Zebediahn Qvistorpe", "name"), ("MRN 773-820-1946", "code"), ("23 June 1951", "date"),
     ("Wexmoorton Royal Infirmary", "place")],
)  # fmt: skip
def test_an_identifier_is_found_in_a_compressed_page(text: str, kind: str) -> None:
    document = pdf(show(text))
    assert text.encode() not in document
    assert kind in kinds(document)


def test_an_identifier_is_found_where_letters_stand_apart() -> None:
    spread = "BT /F1 12 Tf 72 720 Td [(Q v) -250 (is t o) -250 (r p e)] TJ ET"
    assert "name" in kinds(pdf(spread))


def test_an_identifier_is_found_in_properties_and_notes() -> None:
    assert "name" in kinds(pdf(show("clear"), title="for Qvistorpe"))
    assert "name" in kinds(pdf(show("clear"), note="ask Drommelhart"))


def test_an_identifier_is_found_in_a_scanned_page() -> None:
    page = Image.new("L", (700, 200), 255)
    ink = np.asarray(page).copy()
    cv2.putText(ink, "QVISTORPE ZEBEDIAHN", (30, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 2)
    scan = io.BytesIO()
    Image.fromarray(ink).save(scan, format="PDF")
    assert b"QVISTORPE" not in scan.getvalue()
    assert "name" in kinds(scan.getvalue())


def test_a_document_that_cannot_be_read_is_refused() -> None:
    for content in (b"%PDF-1.7 broken", pdf(show("clear"))[:200]):
        with pytest.raises(InstanceError, match="unreadable-document"):
            kinds(content)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<?xml version='1.0'?><a><given>Zebediahn</given><family>Qvistorpe</family></a>", "name"),
        (b"<id root='1' extension='7738201946'/>", "code"),
        ("<?xml version='1.0' encoding='UTF-16'?><n>Qvistorpe</n>".encode("utf-16"), "name"),
        (b"<n>Q&#118;istorpe</n>", "name"), (b"<n>Qvis<b>torpe</b></n>", "name"),
        (b"<birthTime value='19510623'/>", "date"),
    ],
)  # fmt: skip
def test_an_identifier_is_found_in_clinical_documents(content: bytes, kind: str) -> None:
    assert kind in kinds(content, "text/XML")


def test_markup_without_identifiers_passes() -> None:
    assert kinds(b"<section><title>Findings</title><text>Clear lungs</text></section>",
                 "text/XML") == set()  # fmt: skip


@pytest.mark.parametrize("kind", ["model/stl", "model/obj", "application/zip", "video/mp4", ""])
def test_a_document_of_a_kind_that_is_not_read_is_refused(kind: str) -> None:
    with pytest.raises(InstanceError, match="unreadable-document"):
        kinds(b"PK\x03\x04 packed", kind)


def test_markup_is_read_whatever_kind_it_says_to_be() -> None:
    assert "name" in kinds(b" <n>Qvistorpe</n>", "model/x3d+xml")
