"""The text of encapsulated documents: PDF, CDA and plain text, searched as it reads.

The bytes of a document are searched with all others; a PDF hides its text from that search
by compression, by fonts with their own codes and in scanned pages, markup by character
references.

References
----------
PS3.3 C.24.2 (Encapsulated Document module); ISO 32000-2.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import Dataset

from updp_node.errors import InstanceError
from updp_node.verify.ocr import read_picture
from updp_node.verify.search import Hit
from updp_node.verify.wanted import Wanted
from updp_node.verify.words import fold_both

if TYPE_CHECKING:
    from pypdf import PdfReader

_PLACE = "(0042,0011)"
_MOST_PAGES, _MOST_PICTURES, _MOST_BYTES = 1000, 100, 256 * 2**20
_SHORTEST = 9
_MARKUP = re.compile(r"<[^>]*>")
_SCRIPTS = re.compile(r"(?is)<!--.*?-->|<\?.*?\?>")
_TEXT_TYPES = ("text/", "application/xml", "application/json", "application/hl7", "application/rtf")


def search_document(made: Dataset, wanted: Wanted) -> Iterator[Hit]:
    """Hits in the text of an encapsulated document, if there is one.

    Parameters
    ----------
    made : pydicom.Dataset
        As read back from the encoded bytes.
    wanted : Wanted

    Raises
    ------
    InstanceError
        ``unreadable-document``: a PDF that is encrypted, damaged or too large to be searched;
        a kind of document that is neither PDF nor text.
    """
    content = made.get("EncapsulatedDocument")
    if not content:
        return
    kind = str(made.get("MIMETypeOfEncapsulatedDocument") or "").lower()
    for text in _texts(bytes(content), kind):
        for folded in fold_both(text):
            kinds = set(wanted.judge(folded, is_name=False, has_dates=True))
            kinds.update(wanted.judge_read(folded, shortest=_SHORTEST))
            yield from (Hit(_PLACE, each) for each in sorted(kinds))


def _texts(content: bytes, kind: str) -> Iterator[str]:
    if b"%PDF-" in content[:1024] or "pdf" in kind:
        yield from _pdf_texts(content)
    elif kind.startswith(_TEXT_TYPES) or content.lstrip()[:1] == b"<":
        yield from _markup_texts(content)
    else:
        raise InstanceError("unreadable-document", f"{_PLACE} is of a kind that is not read")


def _markup_texts(content: bytes) -> Iterator[str]:
    """The whole text with its tags, whose attributes tell too, and what is read between them."""
    text = html.unescape(_decode(content.rstrip(b"\0")))
    yield text
    if "<" in text:
        yield _MARKUP.sub(" ", _SCRIPTS.sub(" ", text))
        yield _MARKUP.sub("", _SCRIPTS.sub("", text))


def _decode(content: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    declared = re.search(rb"encoding=[\"']([\w.-]+)[\"']", content[:200])
    for encoding in (declared[1].decode("ascii") if declared else "utf-8", "utf-8"):
        try:
            return content.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")


def _pdf_texts(content: bytes) -> Iterator[str]:
    """Pages, properties, notes, forms, outlines and attachments of a PDF."""
    from pypdf import PdfReader  # noqa: PLC0415  # only where there is a document

    if len(content) > _MOST_BYTES:
        raise InstanceError("unreadable-document", f"{_PLACE} is too large")
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted or len(reader.pages) > _MOST_PAGES:
            raise InstanceError("unreadable-document", f"{_PLACE} is encrypted or too long")
        yield from (page.extract_text() for page in reader.pages)
        yield from _strings(reader)
        yield from _scanned(reader)
    except InstanceError:
        raise
    except Exception as error:  # noqa: BLE001  # pypdf raises what it likes on odd documents
        raise InstanceError("unreadable-document", f"{_PLACE} {type(error).__name__}") from None


def _scanned(reader: PdfReader) -> Iterator[str]:
    """What is read in the pictures of the pages, each once."""
    seen: set[bytes] = set()
    for page in reader.pages:
        for image in page.images:
            digest = hashlib.sha256(image.data).digest()
            if digest in seen or image.image is None:
                continue
            seen.add(digest)
            if len(seen) > _MOST_PICTURES:
                raise InstanceError("unreadable-document", f"{_PLACE} has too many pictures")
            yield from read_picture(np.asarray(image.image.convert("RGB")))


def _strings(reader: PdfReader) -> Iterator[str]:
    """Every string of every object, and every stream that is text once it is unpacked."""
    from pypdf.generic import IndirectObject  # noqa: PLC0415

    yield " ".join(_inside(dict(reader.trailer), depth=0))
    for generation, numbers in reader.xref.items():
        for number in numbers:
            yield " ".join(
                _inside(reader.get_object(IndirectObject(number, generation, reader)), depth=0)
            )
    for number in reader.xref_objStm:
        yield " ".join(_inside(reader.get_object(IndirectObject(number, 0, reader)), depth=0))


_DEEPEST = 20


def _inside(value: Any, depth: int) -> Iterator[str]:
    """Strings of a PDF object; references are not followed, each object is visited itself."""
    from pypdf.generic import (  # noqa: PLC0415
        ByteStringObject,
        IndirectObject,
        StreamObject,
        TextStringObject,
    )

    if isinstance(value, IndirectObject) or depth > _DEEPEST:
        return
    if isinstance(value, TextStringObject):
        yield str(value)
    elif isinstance(value, ByteStringObject):
        yield bytes(value).decode("latin-1")
    elif isinstance(value, dict):
        for key in value:
            yield from _inside(value.raw_get(key) if hasattr(value, "raw_get") else value[key],
                               depth + 1)  # fmt: skip
        if isinstance(value, StreamObject) and value.get("/Subtype") != "/Image":
            yield _readable(value.get_data())
    elif isinstance(value, list):
        for each in value:
            yield from _inside(each, depth + 1)


_RUNS = re.compile(rb"[\x20-\x7e\xa0-\xff]{4,}")


def _readable(raw: bytes) -> str:
    """What of a stream is text: metadata, attachments, code; fonts give a few runs."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return " ".join(run.decode("latin-1") for run in _RUNS.findall(raw))
