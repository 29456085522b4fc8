"""What a header claims of a radiograph: whether it is of the chest, and frontal.

A claim is True, False, or None where the header does not settle it.
"""

from __future__ import annotations

import re

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
)

_RADIOGRAPH_CLASSES = frozenset(
    {
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
    }
)
_RADIOGRAPH_MODALITIES = frozenset({"CR", "DX", "RG"})
_CHEST_PARTS = frozenset({"CHEST", "THORAX", "LUNG", "LUNGS", "TORAX", "CHEST PA", "CHEST AP"})
_CHEST_REGIONS = frozenset(
    {"51185008", "816094009", "39607008", "43799004", "T-D3000", "T-28000", "T-D3050"}
)
_FRONTAL_VIEWS = frozenset({"PA", "AP"})
_FRONTAL_CODES = frozenset({"399348003", "272479007", "399033003", "R-10206", "R-10214"})
_CHEST_WORDS = re.compile(r"\b(chest|thora(x|kaler|ces)|cxr|lungs?|torax|poumons?|lunge)\b", re.I)
_OTHER_WORDS = re.compile(
    r"\b(spine|ribs?|clavicles?|sternum|shoulders?|scapula|abdomen|hand|foot|knee|hip|pelvis"
    r"|skull|wirbels\w*|rippen|humerus|neck)\b",
    re.I,
)
_LATERAL_WORDS = re.compile(
    r"\b(lat|ll|rl|lateral|lateraal|seitlich|zijdelings|oblique|lao|rao)\b", re.I
)
_FRONTAL_WORDS = re.compile(r"\b(pa|ap|frontal)\b", re.I)


def claims_radiograph(source: Dataset) -> bool:
    """Whether the object is a single-frame grayscale projection radiograph.

    Secondary Captures of radiographs are not: their pixels may be anything.

    References
    ----------
    PS3.4 Table B.5-1; PS3.3 C.7.3.1.1.1 (Modality), C.7.6.3.1.2 (Photometric Interpretation).
    """
    return (
        str(source.get("SOPClassUID")) in _RADIOGRAPH_CLASSES
        and str(source.get("Modality")) in _RADIOGRAPH_MODALITIES
        and str(source.get("PhotometricInterpretation")) in {"MONOCHROME1", "MONOCHROME2"}
        and _is_one_or_absent(source, "SamplesPerPixel")
        and _is_one_or_absent(source, "NumberOfFrames")
    )


def claims_chest(source: Dataset) -> bool | None:
    """Whether the header says chest, says another body part, or says nothing.

    References
    ----------
    PS3.3 10.5 (Anatomic Region), C.7.3.1 (Body Part Examined), PS3.16 CID 4031.
    """
    codes = _read_codes(source, "AnatomicRegionSequence")
    if codes:
        return bool(codes & _CHEST_REGIONS)
    part = " ".join(str(source.get("BodyPartExamined") or "").upper().split())
    if part:
        return part in _CHEST_PARTS
    text = _read_text(
        source, "SeriesDescription", "ProtocolName", "StudyDescription",
        "RequestedProcedureDescription", "PerformedProcedureStepDescription",
    )  # fmt: skip
    chest, other = bool(_CHEST_WORDS.search(text)), bool(_OTHER_WORDS.search(text))
    if chest == other:
        return None
    return chest


def claims_frontal(source: Dataset) -> bool | None:
    """Whether the header says PA or AP, says another view, or says nothing.

    References
    ----------
    PS3.3 C.8.1.1.1 (View Position), C.8.11.5 (View Code Sequence), PS3.16 CID 4010.
    """
    codes = _read_codes(source, "ViewCodeSequence")
    if codes:
        return bool(codes & _FRONTAL_CODES)
    view = str(source.get("ViewPosition") or "").strip().upper()
    if view:
        return view in _FRONTAL_VIEWS
    text = _read_text(source, "SeriesDescription", "ProtocolName")
    frontal, lateral = bool(_FRONTAL_WORDS.search(text)), bool(_LATERAL_WORDS.search(text))
    if frontal == lateral:
        return None
    return frontal


def read_view(source: Dataset) -> str | None:
    """``PA`` or ``AP`` where the header says so, else None."""
    codes = _read_codes(source, "ViewCodeSequence")
    if codes & {"272479007", "R-10214"}:
        return "PA"
    if codes & {"399348003", "R-10206"}:
        return "AP"
    view = str(source.get("ViewPosition") or "").strip().upper()
    return view if view in _FRONTAL_VIEWS else None


def _is_one_or_absent(source: Dataset, keyword: str) -> bool:
    try:
        return int(source.get(keyword) or 1) == 1
    except (TypeError, ValueError):
        return False


def _read_codes(source: Dataset, keyword: str) -> set[str]:
    items = source.get(keyword)
    if not isinstance(items, Sequence):
        return set()
    return {str(item.CodeValue) for item in items if item.get("CodeValue")}


def _read_text(source: Dataset, *keywords: str) -> str:
    """Descriptions as one text; underscores and digits beside letters part words too."""
    joined = " ".join(str(source.get(keyword) or "") for keyword in keywords)
    return re.sub(r"[^a-zA-Z]+", " ", joined)
