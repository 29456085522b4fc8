"""Encapsulated documents as new instances: the de-identified header with a new document.

References
----------
PS3.3 A.45 (Encapsulated Document IODs), C.24.2 (Encapsulated Document module); ISO 32000-2.
"""

from __future__ import annotations

import io
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import Dataset

from updp_node.assemble.provenance import Provenance, copy_header, stamp
from updp_node.errors import InstanceError

if TYPE_CHECKING:
    from pypdf import PdfWriter

_PAGE = (612, 792)
_MARGIN, _SIZE, _LEADING = 54, 9, 12
_COLUMNS = int((_PAGE[0] - 2 * _MARGIN) / (0.6 * _SIZE))  # a Courier glyph is 0.6 em wide
_LINES = (_PAGE[1] - 2 * _MARGIN) // _LEADING
_ENCODING = "cp1252"  # WinAnsiEncoding, ISO 32000-2 Annex D


@dataclass(frozen=True, slots=True)
class NewDocument:
    """What takes the place of an encapsulated document.

    Attributes
    ----------
    content : bytes
    mime_type : str
    instance_id : str
        HL7 Instance Identifier of a clinical document; empty for others.
    """

    content: bytes
    mime_type: str
    instance_id: str = ""


def assemble_document(header: Dataset, document: NewDocument, provenance: Provenance) -> Dataset:
    """Make the new encapsulated document; what was verified was another.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; holds no document.
    document : NewDocument
    provenance : Provenance

    References
    ----------
    PS3.3 C.24.2: Burned In Annotation, HL7 Instance Identifier (Type 1C for CDA).
    """
    made = copy_header(header)
    content = document.content
    made.MIMETypeOfEncapsulatedDocument = document.mime_type
    made.BurnedInAnnotation = "NO"
    made.EncapsulatedDocumentLength = len(content)
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    if "VerificationFlag" in made:
        made.VerificationFlag = "UNVERIFIED"
    if document.instance_id:
        made.HL7InstanceIdentifier = document.instance_id
    if "ListOfMIMETypes" in made:
        del made.ListOfMIMETypes
    stamp(made, provenance)
    return made


def lay_out(text: str) -> bytes:
    """A PDF of nothing but text: one built-in font, no properties, nothing of the source.

    Parameters
    ----------
    text : str
        Pages parted by form feeds.

    Raises
    ------
    InstanceError
        ``document-script``: characters that the built-in fonts do not have.
    """
    from pypdf import PdfWriter  # noqa: PLC0415  # only where there is a document

    writer = PdfWriter()
    for page in _readable(text).split("\f"):
        lines = [part for line in page.splitlines() for part in _wrap(line)]
        for start in range(0, max(len(lines), 1), _LINES):
            _add_page(writer, lines[start : start + _LINES])
    writer.metadata = None
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def _readable(text: str) -> str:
    """Text in characters that the font has; ligatures and the like in their plain letters."""
    plain = "".join(each if _has(each) else unicodedata.normalize("NFKC", each) for each in text)
    plain = plain.replace("\t", "    ")
    missing = sum(not _has(each) for each in plain)
    if missing:
        raise InstanceError("document-script", f"{missing} characters")
    return "".join(each for each in plain if each.isprintable() or each in "\n\f\xa0")


def _has(character: str) -> bool:
    try:
        character.encode(_ENCODING)
    except UnicodeEncodeError:
        return False
    return True


def _wrap(line: str) -> list[str]:
    return textwrap.wrap(line, _COLUMNS, drop_whitespace=False) or [""]


def _add_page(writer: PdfWriter, lines: list[str]) -> None:
    from pypdf.generic import (  # noqa: PLC0415
        DecodedStreamObject,
        DictionaryObject,
        NameObject,
    )

    page = writer.add_blank_page(*_PAGE)
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Courier",
             "/Encoding": "/WinAnsiEncoding"}  # fmt: skip
    font = DictionaryObject({NameObject(key): NameObject(name) for key, name in names.items()})
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    top = _PAGE[1] - _MARGIN
    shown = " T* ".join(f"({_escape(line)}) Tj" for line in lines)
    drawn = f"BT /F1 {_SIZE} Tf {_LEADING} TL {_MARGIN} {top} Td {shown} ET"
    stream = DecodedStreamObject()
    stream.set_data(drawn.encode(_ENCODING))
    page[NameObject("/Contents")] = writer._add_object(stream)


def _escape(line: str) -> str:
    """A literal string (ISO 32000-2, 7.3.4.2)."""
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
