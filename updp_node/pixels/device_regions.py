"""Areas that go without being looked at: outside the ultrasound regions, and by device.

References
----------
PS3.3 C.8.5.5 (US Region Calibration: Region Location Min X0 and so on, both ends included).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from updp_node.errors import InstanceError
from updp_node.pixels.cleaning import Cleaning, Device

_ENDS = (
    "RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1",
)  # fmt: skip


def find_areas(source: Dataset, cleaning: Cleaning) -> list[NDArray[np.bool_]]:
    """Areas of every frame that are painted over whatever they show.

    Parameters
    ----------
    source : pydicom.Dataset
    cleaning : Cleaning

    Returns
    -------
    list of ndarray of bool, shape (rows, columns)

    Raises
    ------
    InstanceError
        ``ultrasound-regions``: a rectangle of (0018,6011) that is incomplete, or none of them lies
        in the image.
    """
    rows, columns = int(source.Rows), int(source.Columns)
    devices = [each for each in cleaning.devices if _is_of(each, source, rows, columns)]
    areas = []
    for device in devices:
        for left, top, right, bottom in device.mask:
            area = np.zeros((rows, columns), bool)
            area[top:bottom, left:right] = True
            areas.append(area)
    said = [each.outside_regions for each in devices if each.outside_regions is not None]
    outside = said[0] if said else cleaning.outside_regions
    if outside == "mask" and _is_ultrasound(source):
        areas.append(~_inside_regions(source, rows, columns))
    return [area for area in areas if area.any()]


def _is_ultrasound(source: Dataset) -> bool:
    """An object with regions: only ultrasound IODs have them (PS3.3 A.6, A.7)."""
    return bool(source.get("SequenceOfUltrasoundRegions"))


def _is_of(device: Device, source: Dataset, rows: int, columns: int) -> bool:
    return (
        (device.rows, device.columns) == (rows, columns)
        and _fold(device.manufacturer) == _fold(source.get("Manufacturer"))
        and _fold(device.model) == _fold(source.get("ManufacturerModelName"))
    )


def _fold(text: object) -> str:
    return " ".join(str(text or "").casefold().split())


def _inside_regions(source: Dataset, rows: int, columns: int) -> NDArray[np.bool_]:
    inside = np.zeros((rows, columns), bool)
    for item in source.SequenceOfUltrasoundRegions:
        try:
            left, top, right, bottom = (int(item[keyword].value) for keyword in _ENDS)
        except (KeyError, TypeError, ValueError):
            raise InstanceError("ultrasound-regions", "(0018,6011)") from None
        inside[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = True
    if not inside.any():
        raise InstanceError("ultrasound-regions", "(0018,6011)")
    return inside
