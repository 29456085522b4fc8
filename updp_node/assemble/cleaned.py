"""Images whose burned-in text was painted over."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence

from updp_node.assemble.image import assemble_kept
from updp_node.assemble.provenance import Provenance, copy_header, stamp
from updp_node.assemble.samples import strip_native
from updp_node.errors import InstanceError
from updp_node.model import CleanedPixels
from updp_node.standard import OPTION_CODES

_SAID = "Burned-in text painted over"
_SAID_OF_LOSSY = "Burned-in text painted over after decompression of lossy compressed pixels"
_OFFSET_TABLES = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_LONGEST_TEXT = 1024


def assemble_cleaned(
    header: Dataset, source: Dataset, cleaned: CleanedPixels | None, provenance: Provenance
) -> Dataset:
    """Make the instance of an image that was looked through for burned-in text.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; its pixel data are the source's own.
    source : pydicom.Dataset
    cleaned : CleanedPixels or None
        None where nothing was painted over: the pixel data stay as they are.
    provenance : Provenance

    Returns
    -------
    pydicom.Dataset
        Where something was painted over, its pixel data are native, little endian.

    Raises
    ------
    InstanceError
        ``pixel-metadata-unsearched``, ``undecodable-pixels``.

    References
    ----------
    PS3.15 E.3.1; PS3.16 CID 7050 (113101); PS3.3 C.7.6.1.1.2 (Image Type), C.7.6.1.1.5 (lossy
    compression: once lossy, always lossy).
    """
    if cleaned is None:
        made = assemble_kept(header, source, provenance)
    else:
        made = copy_header(header)
        _set_samples(made, cleaned)
        _describe(made, cleaned)
        stamp(made, provenance)
    made.BurnedInAnnotation = "NO"
    _add_code(made)
    return made


def _set_samples(made: Dataset, cleaned: CleanedPixels) -> None:
    """Native samples of the source's own kind; only the colour transform may be undone."""
    for keyword in _OFFSET_TABLES:
        if keyword in made:
            del made[keyword]
    keyword = next(each for each in _PIXELS if each in made)
    tag = made[keyword].tag
    samples = cleaned.samples
    if keyword == "PixelData":
        made.PhotometricInterpretation = cleaned.photometric_interpretation
        if samples.ndim == 4:
            made.PlanarConfiguration = 0
        raw, vr = _encode(made, samples)
    else:
        kind, vr = ("<f4", "OF") if keyword == "FloatPixelData" else ("<f8", "OD")
        raw = samples.astype(kind).tobytes()
    element = DataElement(tag, vr, raw + b"\0" * (len(raw) % 2))
    if keyword == "PixelData":
        element = DataElement(tag, vr, strip_native(made, element, big=False))
    made[keyword] = element


def _encode(made: Dataset, samples: NDArray[Any]) -> tuple[bytes, str]:
    try:
        allocated = int(made.BitsAllocated)
        if allocated == 1:
            return pack_bits(samples.astype(np.uint8), pad=False), "OB"
        if allocated not in {8, 16, 32, 64}:
            raise InstanceError("undecodable-pixels", "(0028,0100)")
        kind = "i" if made.get("PixelRepresentation") == 1 else "u"
        encoded = samples.astype(f"<{kind}{allocated // 8}", copy=False).tobytes()
    except (AttributeError, TypeError, ValueError) as error:
        raise InstanceError("undecodable-pixels", type(error).__name__) from None
    return encoded, "OB" if allocated == 8 else "OW"


def _describe(made: Dataset, cleaned: CleanedPixels) -> None:
    """Say in the header that pixels were changed."""
    _derive(made, "ImageType")
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for item in made.get(groups) or ():
            for frame in item:
                if frame.VR == "SQ":
                    for each in frame.value:
                        _derive(each, "FrameType")
    if cleaned.is_from_lossy:
        made.LossyImageCompression = "01"
    said = _SAID_OF_LOSSY if cleaned.is_from_lossy else _SAID
    before = str(made.get("DerivationDescription") or "")
    made.DerivationDescription = (f"{before}; {said}" if before else said)[-_LONGEST_TEXT:]


def _derive(item: Dataset, keyword: str) -> None:
    """Value 1 DERIVED, the other values as they were."""
    if keyword not in item and keyword != "ImageType":
        return
    values = item.get(keyword) or ["DERIVED", "PRIMARY"]
    values = [values] if isinstance(values, str) else list(values)
    setattr(item, keyword, ["DERIVED", *values[1:]])


def _add_code(made: Dataset) -> None:
    """Clean Pixel Data Option among the codes of what was done, whatever the profile claims."""
    value, meaning = OPTION_CODES["Clean Pixel Data"]
    items = list(made.get("DeidentificationMethodCodeSequence") or ())
    if any(str(item.get("CodeValue")) == value for item in items):
        return
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    made.DeidentificationMethodCodeSequence = Sequence([*items, item])
