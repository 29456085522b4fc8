"""Images with made-up text burned into them, and where it stands. Seeded; nobody is meant."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from tests.factories.pixels import chest_picture

KINDS = ("US", "CR", "SC", "colour", "multi-frame")
_FAMILIES = ("SMITH", "GARCIA", "NGUYEN", "KOWALSKI", "Müller", "O'BRIEN", "Rossi", "HANSEN",
             "Yilmaz", "PETROV", "van Dijk", "OKAFOR", "Silva", "TANAKA")  # fmt: skip
_GIVEN = ("JOHN", "Anna", "MARIA", "Peter", "Fatima", "OLE", "Chidi", "YUKI", "Jean-Luc")
_MONTHS = ("Jan", "Feb", "MAR", "Apr", "May", "JUN", "Jul", "Aug", "SEP", "Oct", "Nov", "DEC")
_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf",
          "LiberationSans-Regular.ttf", "NimbusSans-Regular.otf", "NimbusMonoPS-Regular.otf",
          "C059-Roman.otf")  # fmt: skip
_FONT_ROOTS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts")
MARKERS = ("L", "R", "LT", "RT", "LEFT", "RIGHT", "PORTABLE", "AP", "PA", "LAT", "UPRIGHT",
           "SUPINE", "ERECT", "120 kV", "3.2 mAs", "250 mA", "15 cm", "7.5 MHz", "R LAT",
           "AP SUPINE")  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """One text in an image.

    Attributes
    ----------
    text : str
    turns : int
        Quarter turns against the clock.
    frames : tuple of int
        Frames that show it.
    top, left : int
    ink : ndarray of float, shape (rows, columns)
        0 to 1: how much of a pixel is text.
    """

    text: str
    turns: int
    frames: tuple[int, ...]
    top: int
    left: int
    ink: NDArray[np.float64]

    @property
    def place(self) -> tuple[slice, slice]:
        rows, columns = self.ink.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


@lru_cache(maxsize=1)
def font_files() -> tuple[str, ...]:
    """Faces found on this machine; none: the one that Pillow brings."""
    found = {path.name: str(path) for root in _FONT_ROOTS for path in Path(root).rglob("*.[to]tf")}
    return tuple(found[name] for name in _FACES if name in found)


def make_text(dice: random.Random) -> str:
    """A name, a date or a number as devices write them."""
    day, month, year = dice.randrange(1, 29), dice.randrange(12), dice.randrange(1930, 2025)
    family, given = dice.choice(_FAMILIES), dice.choice(_GIVEN)
    return dice.choice([
        f"{family}^{given}", f"{family}, {given}", f"{given} {family}", f"Dr. {family}",
        f"{day:02}.{month + 1:02}.{year}", f"{year}-{month + 1:02}-{day:02}",
        f"{month + 1:02}/{day:02}/{year}", f"{day:02} {_MONTHS[month]} {year}",
        f"ID {dice.randrange(10**6, 10**8)}", f"MRN{dice.randrange(10**5, 10**7)}",
        f"ACC: {dice.randrange(10**6, 10**8)}", f"{dice.choice('ABCDEFGH')}{dice.randrange(10**7)}",
        f"DOB {day:02}{_MONTHS[month]}{year}",
    ])  # fmt: skip


def draw(text: str, size_px: int, turns: int, dice: random.Random) -> NDArray[np.float64]:
    """Ink of a text in a font of so many pixels (cap height about 0.7 of it)."""
    files = font_files()
    font = (
        ImageFont.truetype(dice.choice(files), size_px)
        if files
        else ImageFont.load_default(size_px)
    )
    left, top, right, bottom = (round(end) for end in font.getbbox(text))
    picture = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(picture).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.rot90(np.asarray(picture, np.float64) / 255, turns)


def _levels(kind: str, seed: int) -> NDArray[np.float64]:
    """Grey levels 0 to 255 without text, shape (frames, rows, columns)."""
    noise = np.random.default_rng(seed)
    if kind == "CR":
        return chest_picture(800, 720, bits=8, seed=seed)[None].astype(np.float64)
    if kind == "SC":
        screen = np.full((1, 480, 640), noise.integers(0, 200), np.float64)
        screen[:, 100:420, 200:520] = chest_picture(320, 320, bits=8, seed=seed)
        return screen
    frames = 3 if kind == "multi-frame" else 1
    rows, columns = 480, 640
    y, x = np.mgrid[0:rows, 0:columns]
    fan = np.abs(x - columns / 2) < 0.1 * columns + 0.4 * columns * y / rows
    grain = noise.normal(size=(2, frames, rows // 3 + 1, columns // 3 + 1))
    speckle = np.hypot(*grain).repeat(3, axis=1).repeat(3, axis=2)[:, :rows, :columns]
    return np.clip(26 * speckle, 0, 255) * fan * (y < 0.93 * rows)


def make_image(
    kind: str, texts: Sequence[str], *, seed: int, size_px: int = 16, contrast: float = 40.0
) -> tuple[Dataset, Dataset, list[Planted]]:
    """An image with texts at random places, the same without, and what stands where.

    The texts turn by a quarter from one to the next. Each is brighter than 95 of 100 pixels
    under it by `contrast` grey levels of 256 at least, or darker where that is impossible.
    """
    dice = random.Random(f"{kind} {seed} {size_px} {contrast}")
    clean = _levels(kind, seed)
    levels = clean.copy()
    taken = np.zeros(levels.shape[1:], bool)
    planted = []
    for number, text in enumerate(texts):
        turns = (seed + number) % 4
        ink = draw(text, size_px, turns, dice)
        place = _find_place(ink.shape, taken, size_px, dice)
        frames = tuple(range(len(levels)))
        if kind == "multi-frame" and number % 2:
            frames = (dice.randrange(len(levels)),)
        each = Planted(text, turns, frames, *place, ink)
        under = levels[(slice(None), *each.place)]
        low, high = np.percentile(under, [5, 95])
        value = high + contrast if high + contrast <= 255 else max(low - contrast, 0)
        for frame in frames:
            levels[(frame, *each.place)] = under[frame] * (1 - ink) + value * ink
        taken[each.place] = True
        planted.append(each)
    return _store(kind, levels, seed), _store(kind, clean, seed), planted


def _find_place(
    shape: tuple[int, ...], taken: NDArray[np.bool_], size_px: int, dice: random.Random
) -> tuple[int, int]:
    """A free place, with a line of room around it."""
    for _ in range(5000):
        top = dice.randrange(2, taken.shape[0] - shape[0] - 2)
        left = dice.randrange(2, taken.shape[1] - shape[1] - 2)
        rows = slice(max(0, top - size_px), top + shape[0] + size_px)
        columns = slice(max(0, left - size_px), left + shape[1] + size_px)
        if not taken[rows, columns].any():
            return top, left
    raise ValueError("no room for so many texts")


def _store(kind: str, levels: NDArray[np.float64], seed: int) -> Dataset:
    """Levels as the samples of a data set."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[kind, str(seed)])
    dataset.Modality = {"CR": "CR", "SC": "OT", "colour": "OT"}.get(kind, "US")
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Rows, dataset.Columns = levels.shape[1:]
    if len(levels) > 1:
        dataset.NumberOfFrames = len(levels)
    dataset.PixelRepresentation, bits = 0, 12 if kind == "CR" else 8
    dataset.BitsAllocated = 16 if kind == "CR" else 8
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    samples, photometric = _encode(kind, np.round(levels), seed)
    dataset.SamplesPerPixel = 3 if samples.ndim == 4 else 1
    dataset.PhotometricInterpretation = photometric
    if samples.ndim == 4:
        dataset.PlanarConfiguration = 0
    if photometric == "PALETTE COLOR":
        for colour, factor in (("Red", 256), ("Green", 256), ("Blue", 200)):
            table = (np.arange(256) * factor).astype("<u2")
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    raw = samples.tobytes()
    dataset.add_new("PixelData", "OW" if bits > 8 else "OB", raw + b"\0" * (len(raw) % 2))
    return dataset


def _encode(kind: str, levels: NDArray[np.float64], seed: int) -> tuple[NDArray[np.generic], str]:
    """Stored samples and their photometric interpretation; kinds take turns by seed."""
    if kind == "CR":
        scaled = np.round(levels * (4095 / 255))
        if seed % 2:
            return (4095 - scaled).astype(np.uint16), "MONOCHROME1"
        return scaled.astype(np.uint16), "MONOCHROME2"
    grey = levels.astype(np.uint8)
    if kind == "SC":
        return grey, "MONOCHROME2"
    if kind == "colour" and seed % 3 == 0:
        return grey, "PALETTE COLOR"
    if kind == "colour" and seed % 3 == 1:
        other = np.full_like(grey, 128)
        return np.stack([grey, other, other], axis=-1), "YBR_FULL"
    tint = np.array([1.0, 1.0, 0.4 if kind == "colour" else 1.0])
    return (grey[..., None] * tint).astype(np.uint8), "RGB"
