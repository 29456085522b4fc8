"""Parameters of rendered resources: window, viewport, quality.

References
----------
PS3.18 8.3.5.1: Query Parameters for Rendered Resources.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from updp_node.dicomweb.faults import WebError

_QUALITY = 90
_LONGEST = 256
_LARGEST_SIDE = 8192
_LARGEST_NUMBER = 1e12
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})([eE][+-]?\d{1,2})?")
_FUNCTIONS = {
    "linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "linear_exact": "LINEAR_EXACT",
    "sigmoid": "SIGMOID",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """Centre, width and function of a VOI transformation (PS3.3 C.11.2.1.2)."""

    centre: float
    width: float
    function: str = "LINEAR"


@dataclass(frozen=True, slots=True)
class Viewport:
    """Where an image is shown.

    Attributes
    ----------
    width, height : int
        Of the viewport; the image is scaled to fit and keeps its proportions.
    region : tuple of float or None
        Left, top, width and height in the source; a negative size mirrors.
    """

    width: int
    height: int
    region: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """All parameters of a rendering."""

    window: Window | None = None
    viewport: Viewport | None = None
    quality: int = _QUALITY


def read_view(window: str | None, viewport: str | None, quality: str | None) -> View:
    """Read the parameters.

    Raises
    ------
    WebError
        400: malformed or out of range.
    """
    return View(_read_window(window), _read_viewport(viewport), _read_quality(quality))


def _read_window(text: str | None) -> Window | None:
    if text is None:
        return None
    parts = _split(text, "window")
    if len(parts) not in {2, 3}:
        raise WebError(400, "window is centre,width,function")
    function = _FUNCTIONS.get(parts[2].lower()) if len(parts) == 3 else "LINEAR"
    if function is None:
        raise WebError(400, "the function of window is linear, linear-exact or sigmoid")
    centre, width = (_number(part, "window") for part in parts[:2])
    if width < 1 if function == "LINEAR" else width <= 0:
        raise WebError(400, "the width of window is too small")
    return Window(centre, width, function)


def _read_viewport(text: str | None) -> Viewport | None:
    if text is None:
        return None
    parts = _split(text, "viewport")
    if len(parts) not in {2, 6}:
        raise WebError(400, "viewport is width,height or width,height,left,top,width,height")
    width, height = (_number(part, "viewport") for part in parts[:2])
    if not (1 <= width <= _LARGEST_SIDE and 1 <= height <= _LARGEST_SIDE):
        raise WebError(400, "the size of viewport is out of range")
    region = tuple(_number(part, "viewport") if part else None for part in parts[2:])
    if any(size == 0 for size in region[2:]) or any((at or 0) < 0 for at in region[:2]):
        raise WebError(400, "the region of viewport is out of range")
    return Viewport(int(width), int(height), region)


def _read_quality(text: str | None) -> int:
    if text is None:
        return _QUALITY
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 100:
        raise WebError(400, "quality is a number from 1 to 100")
    return int(text)


def _split(text: str, name: str) -> Sequence[str]:
    if len(text) > _LONGEST:
        raise WebError(400, f"{name} is too long")
    return [part.strip() for part in text.split(",")]


def _number(text: str, name: str) -> float:
    if not _NUMBER.fullmatch(text) or abs(float(text)) > _LARGEST_NUMBER:
        raise WebError(400, f"{name} holds something that is no number")
    return float(text)
