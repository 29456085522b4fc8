"""The text of a PDF, where its text is all that it says.

References
----------
ISO 32000-2: 7.6 (encryption), 7.11.4 (embedded files), 12.7 (forms), 8.9 (images).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from updp_node.errors import InstanceError

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_MOST_PAGES, _MOST_BYTES = 200, 64 * 2**20
_FEWEST_BESIDE_PICTURE = 200
_MOST_UNREAD = 0.02


def read_pdf(content: bytes) -> str:
    """The text of all pages, in reading order, pages parted by form feeds.

    Raises
    ------
    InstanceError
        ``unreadable-document``: damaged, encrypted or too large. ``document-has-images``: a page
        shows a picture and says little beside it. ``document-has-form`` and
        ``document-has-attachment``: content beside the pages. ``document-without-text``: no
        text, or text in characters that cannot be read back.
    """
    from pypdf import PdfReader  # noqa: PLC0415  # only where there is a document

    if len(content) > _MOST_BYTES:
        raise InstanceError("unreadable-document", "too large")
    try:
        reader = PdfReader(io.BytesIO(content))
        _refuse_more_than_pages(reader)
        text = "\f".join(_page_text(page) for page in reader.pages)
    except InstanceError:
        raise
    except Exception as error:  # noqa: BLE001  # pypdf raises what it likes on odd documents
        raise InstanceError("unreadable-document", type(error).__name__) from None
    unread = sum(not (each.isprintable() or each.isspace()) or each == "\ufffd" for each in text)
    if not text.strip() or unread > _MOST_UNREAD * len(text):
        raise InstanceError("document-without-text", f"{unread} of {len(text)} unreadable")
    return text


def read_pdf_language(content: bytes) -> str:
    """The language tag of a PDF's catalogue; empty where it has none or cannot be read.

    References
    ----------
    ISO 32000-2: 14.9.2 (natural language specification).
    """
    from pypdf import PdfReader  # noqa: PLC0415  # only where there is a document

    try:
        return str(PdfReader(io.BytesIO(content)).root_object.get("/Lang") or "")
    except Exception:  # noqa: BLE001  # `read_pdf` says what is wrong with it
        return ""


def _refuse_more_than_pages(reader: PdfReader) -> None:
    if reader.is_encrypted or len(reader.pages) > _MOST_PAGES:
        raise InstanceError("unreadable-document", "encrypted or too long")
    root = reader.root_object
    if reader.get_fields() or reader.xfa:
        raise InstanceError("document-has-form")
    if reader.attachments or "/AF" in root or "/Collection" in root:
        raise InstanceError("document-has-attachment")


def _page_text(page: PageObject) -> str:
    for note in page.get("/Annots") or []:
        if note.get_object().get("/Subtype") == "/FileAttachment":
            raise InstanceError("document-has-attachment")
    text = page.extract_text()
    if len(page.images) and len(text.strip()) < _FEWEST_BESIDE_PICTURE:
        raise InstanceError("document-has-images")
    return text
