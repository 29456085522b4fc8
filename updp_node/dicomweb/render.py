"""Frames as people see them: JPEG and PNG.

References
----------
PS3.18 8.3.5, 10.4.1.1.3 (rendered resources); PS3.4 N.2 (order of the transformations);
PS3.3 C.11.1 (modality), C.11.2 (values of interest), C.7.6.16.2 (functional groups).
"""

from __future__ import annotations

import io
import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.tag import Tag
from pydicom.uid import UID

from updp_node.dicomweb.elements import PIXEL_DATA, Path
from updp_node.dicomweb.faults import WebError
from updp_node.dicomweb.multipart import read_spans
from updp_node.dicomweb.pixels import LAYOUT, Image, find_frames, read_bits, read_image
from updp_node.dicomweb.view import View, Viewport, Window
from updp_node.errors import InstanceError
from updp_node.pixels.frames import decode
from updp_node.research.files import StoredFile

_SHOWN = LAYOUT | frozenset(
    {
        0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00281056, 0x00283000, 0x00283010,
        0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203, 0x20500020,
        0x00280120, 0x00280121,
    }
)  # fmt: skip
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_GROUPS = (0x00289132, 0x00289145)  # Frame VOI LUT, Pixel Value Transformation
_MOST_SAMPLES = 40_000_000
_LONGEST_TABLE = 1 << 17
_ROWS_AT_ONCE = 256
_WORKERS = ThreadPoolExecutor(2, "render")  # few: each may need a hundred megabytes
_FAULTS = (
    ArithmeticError, AttributeError, IndexError, KeyError, NotImplementedError, OSError,
    TypeError, ValueError,
)  # fmt: skip


def read_for_display(stored: StoredFile, frame: int) -> Image:
    """The image with all that the display of one frame needs.

    Raises
    ------
    WebError
        406: nothing to show; 404: no such frame.
    InstanceError
        ``released-file-unreadable``.
    """
    tops: tuple[Path, ...] = ((_SHARED, 1), (_PER_FRAME, frame))
    items = [(*top, group, 1) for top in tops for group in _GROUPS]
    image = read_image(stored, wanted=_SHOWN, items=items)
    if image is None:
        raise WebError(406, "the instance has no image to show")
    require_frame(image, frame)
    return image


def require_frame(image: Image, frame: int) -> None:
    """Refuse a frame that the image has not (404)."""
    if not 1 <= frame <= image.frames:
        raise WebError(404, "the instance has no such frame")


def render(stored: StoredFile, frame: int, view: View, media_type: str) -> bytes:
    """One frame as a picture.

    Parameters
    ----------
    stored : StoredFile
    frame : int
        From 1.
    view : View
    media_type : str
        ``image/jpeg`` or ``image/png``.

    Raises
    ------
    WebError
        404, 406, 413: no such frame, nothing to show, larger than is rendered.
    """
    return _WORKERS.submit(_render, stored, frame, view, media_type).result()


def _render(stored: StoredFile, frame: int, view: View, media_type: str) -> bytes:
    image = read_for_display(stored, frame)
    try:
        shown = _show(image.header, _decode(image, frame), view.window)
        picture = _place(Picture.fromarray(shown), view.viewport)
        return _encode(picture, view.quality, media_type)
    except (InstanceError, *_FAULTS) as error:
        raise WebError(406, "the image cannot be shown") from error


def decode_frame(image: Image, frame: int) -> NDArray[Any]:
    """One frame, decoded; YBR becomes RGB, and samples of a pixel lie together.

    Raises
    ------
    InstanceError
        ``undecodable-pixels``.
    WebError
        413: larger than is decoded here.
    """
    return _WORKERS.submit(_decode, image, frame).result()


def _decode(image: Image, frame: int) -> NDArray[Any]:
    header = image.header
    samples = int(header.get("SamplesPerPixel") or 1)
    if int(header.get("Rows") or 0) * int(header.get("Columns") or 0) * samples > _MOST_SAMPLES:
        raise WebError(413, "the image is larger than is decoded here")
    source = Dataset({Tag(tag): header[tag] for tag in LAYOUT if tag in header})
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = UID(image.stored.transfer_syntax_uid)
    source.NumberOfFrames = 1
    raw = frame_bytes(image, frame)
    if image.is_encapsulated:
        raw = encapsulate([raw], has_bot=False)
    source[image.pixels.tag] = _pixel_element(image, raw)
    return np.asarray(decode(source)[0])


def frame_bytes(image: Image, frame: int) -> bytes:
    """The bytes of one frame as stored."""
    if not image.is_encapsulated and image.frame_bits % 8:
        return read_bits(image, frame)
    (spans,) = find_frames(image, [frame])
    return b"".join(read_spans(image.stored.path, spans))


def _pixel_element(image: Image, raw: bytes) -> Any:
    if image.pixels.tag not in PIXEL_DATA:
        raise InstanceError("undecodable-pixels", "not pixel data")
    element = DataElement(image.pixels.tag, image.pixels.vr, raw + b"\0" * (len(raw) % 2))
    element.is_undefined_length = image.is_encapsulated
    return element


def _show(header: Dataset, frame: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    """The frame in 8 bits, grey or RGB."""
    if header.get("PhotometricInterpretation") == "PALETTE COLOR":
        frame = apply_color_lut(frame, header)
    if frame.ndim == 3:
        return _to_bytes(frame[..., :3])
    low, high = (frame.min(), frame.max())
    if frame.dtype.kind not in "iu" or int(high) - int(low) > _LONGEST_TABLE:
        return _shade(frame, header, window)
    stored = np.arange(int(low), int(high) + 1).astype(frame.dtype)
    table = _shade(stored, header, window)
    shown = np.empty(frame.shape, np.uint8)
    for top in range(0, len(frame), _ROWS_AT_ONCE):  # indices take eight bytes each
        rows = slice(top, top + _ROWS_AT_ONCE)
        shown[rows] = table[frame[rows].astype(np.int64) - int(low)]
    return shown


def _shade(values: NDArray[Any], header: Dataset, window: Window | None) -> NDArray[np.uint8]:
    """Stored values in 8 bits: modality, values of interest, presentation."""
    values = _rescale(values, header)
    grey = _apply_window(values, window) if window else _apply_voi(values, header)
    is_white_first = header.get("PhotometricInterpretation") == "MONOCHROME1"
    if is_white_first or header.get("PresentationLUTShape") == "INVERSE":
        grey = np.subtract(255, grey, dtype=np.uint8)
    return grey


def _rescale(frame: NDArray[Any], header: Dataset) -> NDArray[Any]:
    """Modality values, in single precision: half the memory of what pydicom gives."""
    if "ModalityLUTSequence" in header:
        return np.asarray(apply_modality_lut(frame, header))
    slope, intercept = _first(header.get("RescaleSlope")), _first(header.get("RescaleIntercept"))
    if slope is None or intercept is None or (slope, intercept) == (1.0, 0.0):
        return frame
    values = frame.astype(np.float32)
    values *= np.float32(slope)
    values += np.float32(intercept)
    return values


def _to_bytes(frame: NDArray[Any]) -> NDArray[np.uint8]:
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame)
    top = np.iinfo(frame.dtype).max if frame.dtype.kind in "iu" else 1.0
    return np.round(frame.astype(np.float32) / top * 255).astype(np.uint8)


def _apply_voi(values: NDArray[Any], header: Dataset) -> NDArray[np.uint8]:
    if "VOILUTSequence" in header:
        whole = values if values.dtype.kind in "iu" else np.round(values).astype(np.int32)
        return _stretch(np.asarray(apply_voi_lut(whole, header)))
    centre, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    if centre is None or width is None or width < 1:
        return _stretch(values)
    return _apply_window(values, Window(centre, width, header.get("VOILUTFunction") or "LINEAR"))


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    return float(value[0] if hasattr(value, "__getitem__") else value)


def _stretch(values: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(np.min(values)), float(np.max(values))
    if high <= low:
        return np.zeros(values.shape, dtype=np.uint8)
    return _scale(values, low, high - low)


def _apply_window(values: NDArray[Any], window: Window) -> NDArray[np.uint8]:
    """PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT)."""
    centre, width = window.centre, window.width
    if window.function == "SIGMOID":
        power = np.clip(-4.0 * (values.astype(np.float32) - centre) / width, -60.0, 60.0)
        grey: NDArray[np.uint8] = np.round(255.0 / (1.0 + np.exp(power))).astype(np.uint8)
        return grey
    if window.function == "LINEAR_EXACT":
        return _scale(values, centre - width / 2, width)
    return _scale(values, centre - 0.5 - (width - 1) / 2, max(width - 1, 1e-6))


def _scale(values: NDArray[Any], low: float, span: float) -> NDArray[np.uint8]:
    scaled = values.astype(np.float32)
    scaled -= np.float32(low)
    scaled *= np.float32(255.0 / span)
    np.clip(scaled, 0, 255, out=scaled)
    return np.round(scaled, out=scaled).astype(np.uint8)


def _place(picture: Picture.Image, viewport: Viewport | None) -> Picture.Image:
    if viewport is None:
        return picture
    picture = _crop(picture, viewport.region)
    ratio = min(viewport.width / picture.width, viewport.height / picture.height)
    size = max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio))
    return picture.resize(size, Picture.Resampling.BILINEAR)


def _crop(picture: Picture.Image, region: tuple[float | None, ...]) -> Picture.Image:
    if not region:
        return picture
    left, top = (at or 0.0 for at in region[:2])
    width = region[2] if region[2] is not None else picture.width - left
    height = region[3] if region[3] is not None else picture.height - top
    right, bottom = (min(left + abs(width), picture.width), min(top + abs(height), picture.height))
    if right - left < 1 or bottom - top < 1:
        raise WebError(400, "the region of viewport lies beside the image")
    picture = picture.crop((int(left), int(top), math.ceil(right), math.ceil(bottom)))
    if width < 0:
        picture = picture.transpose(Picture.Transpose.FLIP_LEFT_RIGHT)
    if height < 0:
        picture = picture.transpose(Picture.Transpose.FLIP_TOP_BOTTOM)
    return picture


def _encode(picture: Picture.Image, quality: int, media_type: str) -> bytes:
    encoded = io.BytesIO()
    if media_type == "image/png":
        picture.save(encoded, "PNG")
    else:
        picture.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()
