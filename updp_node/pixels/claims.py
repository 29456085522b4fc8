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

from updp_node.errors import InstanceError
from updp_node.pixels.frames import has_pixels
from updp_node.standard import iod_types

_RADIOGRAPH_CLASSES = frozenset(
    {
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
    }
)
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_WITHOUT_BODY = tuple(
    _STORAGE + part
    for part in (
        "88.",  # structured reports and key objects: the text stage makes their content anew
        "11.",  # presentation states
        "104.",  # encapsulated documents: refused by name later on
    )
)
_WITHOUT_BODY_EXACT = frozenset(
    _STORAGE + part
    for part in (
        "66.1", "66.2", "66.3",  # registrations and fiducials
        "67",  # real world value mapping
        "481.4", "481.5", "481.6", "481.7", "481.8", "481.9",  # RT plans and treatment records
    )
)  # fmt: skip
_AUDIO = _STORAGE + "9.4."
_OTHERS = (
    _STORAGE + "9.",  # electrocardiograms, haemodynamic and other waveforms
    _STORAGE + "4.2",  # MR spectroscopy
    _STORAGE + "481.3",  # RT structure sets
    _STORAGE + "78.",  # measurements of lenses, sight and eyes
    _STORAGE + "80.1",  # visual fields
)
_BODY_KEYWORDS = ("WaveformSequence", "SpectroscopyData", "ROIContourSequence")
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


def refuse_unclaimed(source: Dataset, *, keeps_others: bool) -> None:
    """Refuse what shows or sounds of a patient without being pixels, unless the profile keeps it.

    Objects without pixels pass where their SOP Class is on a reviewed list: reports,
    presentation states, registrations, plans. Waveforms, spectra and contours, whatever the
    class that carries them, are kept by ``other_objects: keep`` only; a voice never is. What a
    private or unknown SOP Class holds is for ``unknown_sop_class`` to say.

    Parameters
    ----------
    source : pydicom.Dataset
    keeps_others : bool
        Whether the profile keeps waveforms, spectra, contours and measurements.

    Raises
    ------
    InstanceError
        ``unclaimed-object``.

    References
    ----------
    PS3.4 Table B.5-1; PS3.3 A.34.7 and A.34.9 (audio), C.10.9, C.8.14.4, C.8.8.6.
    """
    uid = str(source.get("SOPClassUID") or "")
    if uid.startswith(_AUDIO) or str(source.get("Modality") or "").strip().upper() == "AU":
        raise InstanceError("unclaimed-object", "(0008,0016) audio")
    if keeps_others and uid.startswith(_OTHERS):
        return
    body = [keyword for keyword in _BODY_KEYWORDS if keyword in source]
    if body and not keeps_others:
        raise InstanceError("unclaimed-object", " ".join(body))
    listed = uid.startswith(_WITHOUT_BODY) or uid in _WITHOUT_BODY_EXACT
    if not (listed or has_pixels(source) or iod_types(uid) is None):
        raise InstanceError("unclaimed-object", "(0008,0016)")
