"""What the site decides about text in pixels: device regions and words that may stay.

Both are data below the folders of the profiles; a site's files add to those of the node.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from updp_node.errors import ConfigError
from updp_node.pixels.ocr import digest_reader

REGIONS_FILE = "pixels/device-regions.yaml"
HARMLESS_FILE = "pixels/burned-in-harmless.yaml"
_NUMBER = re.compile(r"[+-]?\d{1,4}(?:[.,]\d{1,3})?")
_JOINED = re.compile(r"([+-]?\d{1,4}(?:[.,]\d{1,3})?)([^\d\s].*)")
_SIDES = frozenset("LR")
_LONG_TERM = 6
_AROUND = ".,;:|()[]<>*'\"`_-=^~·"

Rectangle = tuple[int, int, int, int]
Outside = Literal["mask", "search"]
Section = TypeVar("Section", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Device(_Strict):
    """Where one device writes into images of one size.

    Attributes
    ----------
    manufacturer, model : str
        As in the header; upper and lower case and runs of blanks do not count.
    rows, columns : int
    mask : tuple of Rectangle
        Left, top, right, bottom; right and bottom are not included.
    outside_regions : str or None
        What happens outside the ultrasound regions; None: as for every device.
    """

    manufacturer: str
    model: str
    rows: Annotated[int, Field(ge=1)]
    columns: Annotated[int, Field(ge=1)]
    mask: tuple[Rectangle, ...] = ()
    outside_regions: Outside | None = None
    why: Annotated[str, Field(min_length=3)]

    @field_validator("mask")
    @classmethod
    def _has_area(cls, value: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        for left, top, right, bottom in value:
            if not (0 <= left < right and 0 <= top < bottom):
                raise ValueError("a rectangle is [left, top, right, bottom], from 0")
        return value


class Ultrasound(_Strict):
    """What happens outside the rectangles of Sequence of Ultrasound Regions (0018,6011)."""

    outside_regions: Outside = "mask"


class _Regions(_Strict):
    ultrasound: Ultrasound | None = None
    devices: tuple[Device, ...] = ()


class _Harmless(_Strict):
    terms: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What stays and what goes without being looked at.

    Attributes
    ----------
    devices : tuple of Device
    outside_regions : str
        ``mask`` or ``search``.
    terms, labels, units : frozenset of str
        Upper case.
    sha256 : str
        Over all of it and the weights of the reader: part of the profile digest.
    """

    devices: tuple[Device, ...]
    outside_regions: Outside
    terms: frozenset[str]
    labels: frozenset[str]
    units: frozenset[str]
    sha256: str

    def is_harmless(self, text: str) -> bool:
        """Whether every word of a line may stay; a number needs its unit or its label."""
        words = [word for word in map(_trim, text.upper().split()) if word]
        number_may_follow = False
        for index, word in enumerate(words):
            follows = words[index + 1] if index + 1 < len(words) else ""
            if not self._may_stay(word, follows, labelled=number_may_follow):
                return False
            number_may_follow = word in self.labels
        return bool(words)

    def _may_stay(self, word: str, follows: str, *, labelled: bool) -> bool:
        if word in self.terms or word in self.labels or word in self.units:
            return True
        if self._is_joined(word) or self._is_clipped(word):
            return True
        if _NUMBER.fullmatch(word):
            return labelled or follows in self.units
        joined = _JOINED.fullmatch(word)
        if joined is not None:
            return _trim(joined[2]) in self.units
        label, _, number = word.replace(":", "=").partition("=")
        return label in self.labels and (not number or _NUMBER.fullmatch(number) is not None)

    def _is_joined(self, word: str) -> bool:
        """Two terms read without the blank between: a side and a term, or two longer ones."""
        return any(
            (at >= 2 or word[:at] in _SIDES)
            and len(word) - at >= 2
            and {word[:at], word[at:]} <= self.terms
            for at in range(1, len(word))
        )

    def _is_clipped(self, word: str) -> bool:
        """A long term whose first or last letter was not seen."""
        return len(word) >= _LONG_TERM - 1 and any(
            len(term) >= _LONG_TERM and word in (term[1:], term[:-1]) for term in self.terms
        )


def load_cleaning(folders: Sequence[Path]) -> Cleaning:
    """Read device regions and harmless words.

    Parameters
    ----------
    folders : sequence of pathlib.Path
        Folders of profiles, those of the site first, as profiles are looked up.

    Raises
    ------
    ConfigError
        A file cannot be used; names file and key.
    """
    regions = [_read(folder / REGIONS_FILE, _Regions) for folder in folders]
    words = [_read(folder / HARMLESS_FILE, _Harmless) for folder in folders]
    said = [each.ultrasound for each in regions if each.ultrasound is not None]
    devices = tuple(device for each in regions for device in each.devices)
    ultrasound = said[0] if said else Ultrasound()
    terms, labels, units = (
        frozenset(word.upper() for each in words for word in getattr(each, kind))
        for kind in ("terms", "labels", "units")
    )
    parts = [
        digest_reader(), ultrasound.model_dump_json(),
        *(device.model_dump_json(exclude={"why"}) for device in devices),
        *(" ".join(sorted(each)) for each in (terms, labels, units)),
    ]  # fmt: skip
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return Cleaning(devices, ultrasound.outside_regions, terms, labels, units, digest)


def _trim(word: str) -> str:
    return word.strip(_AROUND)


def _read(path: Path, section: type[Section]) -> Section:
    """One file, or nothing where it is absent."""
    if not path.is_file():
        return section()
    try:
        return section.model_validate(_load(path) or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(str(first["msg"]), file=str(path), key=key or None) from error


@lru_cache(maxsize=8)
def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError("cannot be read as YAML", file=str(path)) from error
