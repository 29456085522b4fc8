"""Find and read text in pictures: PP-OCR networks of the rapidocr wheel, run by ONNX Runtime.

Only the weight files of rapidocr are used, by their path and their digest: its own start-up may
fetch models, this cannot. One reader per process, loaded when the first image is looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Picture = NDArray[np.uint8]

WEIGHTS = {
    "PP-OCRv6_det_small.onnx": "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "PP-OCRv6_rec_small.onnx": "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
}
"""Files of rapidocr 3.10.0 and their SHA-256."""
_DETECTION, _RECOGNITION = WEIGHTS
_GRID = 32
_TILE, _OVERLAP = 1024, 96
USUAL, SENSITIVE = (0.3, 0.5), (0.15, 0.25)
_THINNEST, _THICKEST = 3.0, 72.0
_UNCLIP = 1.6
_LINE_HEIGHT, _WIDEST, _NARROWEST = 48, 1600, 64


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of a picture that looks like a line of text.

    Attributes
    ----------
    x, y : float
        Centre, in pixels of the picture.
    width, height : float
        Of the rectangle turned by `angle`, in pixels.
    angle : float
        Degrees, clockwise, as OpenCV has them.
    score : float
        0 to 1: mean of the detector's map within the line.
    """

    x: float
    y: float
    width: float
    height: float
    angle: float
    score: float

    @property
    def thickness(self) -> float:
        """Height of the line across its direction."""
        return min(self.width, self.height)

    def corners(self, along: float = 0.0, across: float = 0.0) -> NDArray[np.float32]:
        """Corners, shape (4, 2), after growing both ways by so many pixels on each side."""
        import cv2  # noqa: PLC0415  # OpenCV: only where pictures are searched

        wide = self.width >= self.height
        grow_x, grow_y = (along, across) if wide else (across, along)
        size = (self.width + 2 * grow_x, self.height + 2 * grow_y)
        return np.asarray(cv2.boxPoints(((self.x, self.y), size, self.angle)), np.float32)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the recognizer makes of a line, and how sure it is (0 to 1)."""

    text: str
    score: float


class Reader:
    """Detector and recognizer of one process.

    Parameters
    ----------
    threads : int
        Threads of each network.

    Raises
    ------
    ConfigError
        The weights are not there, or differ from their digest.
    """

    def __init__(self, *, threads: int = 1) -> None:
        import onnxruntime  # noqa: PLC0415  # half a second, and only where pictures are searched

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._detector, self._recognizer = (
            onnxruntime.InferenceSession(
                _read_weights(name), options, providers=["CPUExecutionProvider"]
            )
            for name in WEIGHTS
        )
        listed = self._recognizer.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *listed, " "]

    def detect(
        self, picture: Picture, *, scale: float = 1.0, turned: bool = False,
        limits: tuple[float, float] = USUAL,
    ) -> list[Line]:  # fmt: skip
        """Lines of text of a picture.

        Parameters
        ----------
        picture : ndarray of uint8, shape (rows, columns, 3)
        scale : float
            The size that the detector sees it at.
        turned : bool
            Look at it turned by 90 degrees.
        limits : tuple of float
            Of the detector's map: what counts as text, and its least mean within a line.

        Returns
        -------
        list of Line
            In pixels of the picture as it is given.
        """
        import cv2  # noqa: PLC0415

        seen = np.ascontiguousarray(np.rot90(picture)) if turned else picture
        if scale != 1:
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
            seen = np.asarray(cv2.resize(seen, None, fx=scale, fy=scale, interpolation=how))
        lines = _find_lines(self._map(seen), scale, limits)
        return [_turn_back(line, picture.shape[1]) for line in lines] if turned else lines

    def read(self, lines: Sequence[Picture]) -> list[Reading]:
        """Read upright lines.

        Parameters
        ----------
        lines : sequence of ndarray of uint8, shape (rows, columns, 3)
        """
        return [self._read(line) for line in lines]

    def _map(self, picture: Picture) -> NDArray[np.float32]:
        """How much each pixel looks like text, tile by tile."""
        rows, columns = picture.shape[:2]
        found = np.zeros((rows, columns), np.float32)
        for top in _starts(rows):
            for left in _starts(columns):
                tile = picture[top : top + _TILE, left : left + _TILE]
                height, width = tile.shape[:2]
                padded = np.zeros((_fit(height), _fit(width), 3), np.uint8)
                padded[:height, :width] = tile
                (made,) = self._detector.run(None, {_input(self._detector): _normalize(padded)})
                area = found[top : top + height, left : left + width]
                np.maximum(area, np.asarray(made)[0, 0, :height, :width], out=area)
        return found

    def _read(self, line: Picture) -> Reading:
        import cv2  # noqa: PLC0415

        wide = round(_LINE_HEIGHT * line.shape[1] / max(line.shape[0], 1))
        size = (int(np.clip(wide, _NARROWEST // 4, _WIDEST)), _LINE_HEIGHT)
        fitted = np.zeros((_LINE_HEIGHT, max(size[0], _NARROWEST), 3), np.uint8) + 127
        fitted[:, : size[0]] = cv2.resize(line, size, interpolation=cv2.INTER_CUBIC)
        (made,) = self._recognizer.run(None, {_input(self._recognizer): _normalize(fitted)})
        steps = np.asarray(made)[0]
        best, sure = steps.argmax(axis=1), steps.max(axis=1)
        fresh = (best != 0) & (best != np.concatenate(([0], best[:-1])))
        if not fresh.any():
            return Reading("", 0.0)
        text = "".join(self._characters[index] for index in best[fresh])
        return Reading(text.strip(), float(sure[fresh].mean()))


@lru_cache(maxsize=1)
def load_reader() -> Reader:
    """The reader of this process."""
    return Reader()


def digest_reader() -> str:
    """SHA-256 over the digests of the weights: what finds and reads text."""
    return hashlib.sha256("\n".join(WEIGHTS.values()).encode()).hexdigest()


def _read_weights(name: str) -> bytes:
    """A weight file of the wheel, its digest found right; rapidocr itself is not imported."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise ConfigError("rapidocr is not installed; it brings the weights that find text")
    path = Path(spec.origin).parent / "models" / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {type(error).__name__}", file=str(path)) from None
    if hashlib.sha256(content).hexdigest() != WEIGHTS[name]:
        raise ConfigError("differs from the digest that the node was built with", file=str(path))
    return content


def _starts(length: int) -> range:
    """Where tiles begin along one side."""
    return range(0, max(length - _OVERLAP, 1), _TILE - _OVERLAP)


def _fit(length: int) -> int:
    return -(-length // _GRID) * _GRID


def _input(session: InferenceSession) -> str:
    return str(session.get_inputs()[0].name)


def _normalize(picture: Picture) -> NDArray[np.float32]:
    """Values from -1 to 1, channels first, a batch of one."""
    scaled = picture.transpose(2, 0, 1)[None].astype(np.float32)
    return (scaled / np.float32(127.5)) - np.float32(1)


def _find_lines(
    found: NDArray[np.float32], scale: float, limits: tuple[float, float]
) -> list[Line]:
    """Lines in the detector's map, grown back to the text's own size, in unscaled pixels."""
    import cv2  # noqa: PLC0415

    binary = (found > limits[0]).astype(np.uint8)
    outlines, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for outline in outlines:
        (x, y), (width, height), angle = cv2.minAreaRect(outline)
        if not _THINNEST <= min(width, height) <= _THICKEST:
            continue
        left, top, wide, high = cv2.boundingRect(outline)
        mask = np.zeros((high, wide), np.uint8)
        cv2.drawContours(mask, [outline - np.array([left, top])], -1, 1, -1)
        score = float(found[top : top + high, left : left + wide][mask > 0].mean())
        if score < limits[1]:
            continue
        grow = width * height * _UNCLIP / (width + height)
        lines.append(
            Line(
                x / scale, y / scale, (width + grow) / scale, (height + grow) / scale,
                float(angle), score,
            )
        )  # fmt: skip
    return lines


def _turn_back(line: Line, columns: int) -> Line:
    """A line of a picture turned by `numpy.rot90`, in the picture as it was."""
    return Line(columns - 1 - line.y, line.x, line.height, line.width, line.angle, line.score)
