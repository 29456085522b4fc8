"""Where the elements of a sound file stand, as pydicom sees them."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

_DEFLATED = b"1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True)
class Spot:
    """Start, value and end of a top-level element, as offsets in the file."""

    tag: int
    start: int
    value: int
    end: int
    is_explicit: bool


def find_elements(raw: bytes) -> list[Spot]:
    """Top-level elements of defined length; none in a file that is deflated or unreadable."""
    if _DEFLATED in raw[: meta_end(raw)]:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(io.BytesIO(raw), force=True, stop_before_pixels=True)
        elements = list(dataset.values())
    except Exception:  # noqa: BLE001  # what was damaged once before may be anything
        return []
    spots = []
    for element in elements:
        if not isinstance(element, RawDataElement) or element.length >= len(raw):
            continue
        head = 12 if element.VR is not None and element.VR in EXPLICIT_VR_LENGTH_32 else 8
        value = element.value_tell
        spots.append(
            Spot(
                int(element.tag), value - head, value, value + element.length,
                element.VR is not None,
            )
        )  # fmt: skip
    return spots


def meta_end(raw: bytes) -> int:
    """Where the data set begins."""
    if raw[128:132] != b"DICM" or raw[132:138] != b"\x02\x00\x00\x00UL":
        return 0
    return min(144 + int.from_bytes(raw[140:144], "little"), len(raw))


def insert(raw: bytes, block: bytes) -> bytes:
    """A block of elements in the place that its first tag has; one that is there is replaced.

    The block is explicit little endian, whatever the file is.
    """
    tag = int.from_bytes(block[:2], "little") << 16 | int.from_bytes(block[2:4], "little")
    spots = find_elements(raw)
    at = until = meta_end(raw)
    for spot in spots:
        if spot.tag == tag:
            at, until = spot.start, spot.end
        elif spot.tag < tag:
            at = until = spot.end
    return raw[:at] + block + raw[until:]
