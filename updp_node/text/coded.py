"""What the standard itself fixes in a content item: codes, enumerated values, templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pydicom.dataset import Dataset

from updp_node.errors import InstanceError
from updp_node.standard.meanings import find_meaning, speaks_vocabulary
from updp_node.standard.uids import is_coding_scheme

# Schemes whose codes are published; a code of any other scheme is free text.
KNOWN_SCHEMES = frozenset(
    "DCM SCT SRT SNM3 99SDM LN UCUM RADLEX FMA NCIt UMLS I10 I10P I9C I9 ICDO3 ICD10CM "
    "MSH ACR BI BARI NCDR NDC RXNORM RFC5646 RFC3066 ISO639_1 ISO639_2 ISO3166_1 "
    "ISO5218_1 C4 C5 HCPCS CTCAE NEU PUBCHEM_CID UBERON MGI ITIS_TSN IBSI MDC UPC POS HL7 "
    "ISO_OID DCMUID IEC61217 CD8 SDM UNS JC8 JJ1017".split()
)
_CODE_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")
CODE_KEYWORDS = (*_CODE_VALUES, "CodingSchemeDesignator", "CodingSchemeVersion")
_LONGEST_MEANING = 64
_TEMPLATE = {
    "MappingResource": re.compile(r"DCMR|SDM|99[A-Z0-9_]{1,14}"),
    "TemplateIdentifier": re.compile(r"[0-9]{1,8}[A-Z]?"),
}
_ENUMERATED: Mapping[str, frozenset[str]] = {
    "RelationshipType": frozenset(
        {"CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "INFERRED FROM",
         "SELECTED FROM", "HAS CONCEPT MOD"}
    ),
    "ContinuityOfContent": frozenset({"SEPARATE", "CONTINUOUS"}),
    "GraphicType": frozenset(
        {"POINT", "MULTIPOINT", "POLYLINE", "POLYGON", "CIRCLE", "ELLIPSE", "ELLIPSOID"}
    ),
    "TemporalRangeType": frozenset(
        {"POINT", "MULTIPOINT", "SEGMENT", "MULTISEGMENT", "BEGIN", "END"}
    ),
    "PixelOriginInterpretation": frozenset({"FRAME", "VOLUME"}),
}  # fmt: skip


def enumerated(source: Dataset, keyword: str) -> str:
    """The value of an attribute, which the standard must know where it enumerates them.

    Raises
    ------
    InstanceError
        ``unknown-value-type``.

    References
    ----------
    PS3.3 C.17.3.1, C.17.3.2.4, C.18.6, C.18.7, C.18.8, C.18.9.
    """
    value = str(source.get(keyword) or "").strip()
    if value and value not in _ENUMERATED[keyword]:
        raise InstanceError("unknown-value-type", keyword)
    return value


def known_template(stated: Dataset) -> Dataset | None:
    """A template's name anew; None where it is not told in the standard's form (PS3.3 C.18.8)."""
    made = Dataset()
    for keyword, form in _TEMPLATE.items():
        value = str(stated.get(keyword) or "")
        if not form.fullmatch(value):
            return None
        setattr(made, keyword, value)
    return made


def rewrite_code(
    code: Dataset, clean: Callable[[str], str], tells: Callable[[str], bool]
) -> Dataset:
    """A code anew, without identifiers.

    The meaning of a published code stays as written where it is made of the vocabulary's words
    alone; else it becomes the published one. What no vocabulary publishes is cleaned as text.

    Parameters
    ----------
    clean : callable
        Text to text without identifiers.
    tells : callable
        Whether a text holds an identifier of the header.

    References
    ----------
    PS3.3 Table 8.8-1 (Code Sequence Macro).
    """
    made = Dataset()
    published = str(code.get("CodingSchemeDesignator") or "") in KNOWN_SCHEMES
    for keyword in CODE_KEYWORDS:
        if keyword in code:
            value = str(code[keyword].value or "")
            free = not published or " " in value.strip() or tells(value)
            setattr(made, keyword, clean(value) if free and value else value)
    if uid := _scheme_uid(code):
        made.CodingSchemeUID = uid
    if "CodeMeaning" in code:
        text, meaning = str(code.CodeMeaning or ""), published_meaning(code)
        if meaning and not (speaks_vocabulary(text) and not tells(text)):
            text = meaning
        elif not meaning and text:
            text = clean(text)[:_LONGEST_MEANING]
        made.CodeMeaning = text
    return made


def published_meaning(code: Dataset) -> str | None:
    """The meaning that the vocabulary of a code gives it."""
    scheme = str(code.get("CodingSchemeDesignator") or "")
    stated = (str(code.get(keyword) or "") for keyword in _CODE_VALUES)
    return next((found for value in stated if (found := find_meaning(scheme, value))), None)


def _scheme_uid(code: Dataset) -> str:
    """Coding Scheme UID (0008,010C) where it is a published scheme's; else empty (PS3.3 8.2)."""
    value = str(code.get("CodingSchemeUID") or "").strip()
    return value if is_coding_scheme(value) else ""


def code_of(item: Dataset) -> tuple[str, str]:
    """Code value and scheme of the concept name of a content item."""
    names = item.get("ConceptNameCodeSequence") or []
    if not names:
        return "", ""
    first = names[0]
    value = first.get("CodeValue") or first.get("LongCodeValue") or first.get("URNCodeValue") or ""
    return str(value), str(first.get("CodingSchemeDesignator") or "")
