"""De-identification profiles: policy as data, read from YAML.

A profile composes the Basic Application Level Confidentiality Profile with options by their
PS3.15 names, and adds what the standard leaves to the site: overrides, each with a reason, the
range of the date shift, and what happens to pixels and reports.

References
----------
PS3.15 Annex E.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydicom.datadict import tag_for_keyword

from updp_node.config import packaged_policy
from updp_node.config.limits import Release
from updp_node.errors import ConfigError
from updp_node.standard import OPTION_CODES

FULL_DATES = "Retain Longitudinal Temporal Information With Full Dates"
MODIFIED_DATES = "Retain Longitudinal Temporal Information With Modified Dates"

_FACES = "Clean Recognizable Visual Features"
_PIXEL_OPTIONS = frozenset({"Clean Pixel Data", _FACES})

Action = Literal[
    "D", "Z", "X", "K", "C", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"
]  # fmt: skip
_ELEMENT = re.compile(r"([0-9A-Fa-f]{3}[13579BDFbdf]),(?:xx)?([0-9A-Fa-f]{2})")


class _Strict(BaseModel):
    """A key that is not known refuses to start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Dates(_Strict):
    """Range of the whole-day shift of one subject, both ends included."""

    shift_days: tuple[int, int] = (-365, -1)

    @field_validator("shift_days")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if value[0] > value[1]:
            raise ValueError("the smaller number of days comes first")
        return value


class Override(_Strict):
    """One site decision: which attributes, which action, and why.

    Exactly one of `keyword`, `regex` (over whole keywords) and `creator` with `element`
    (``0043,27``: group and low byte of a private element) names the attributes.
    """

    keyword: str | None = None
    regex: str | None = None
    creator: str | None = None
    element: str | None = None
    action: Action
    why: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _one_target(self) -> Override:
        if sum(part is not None for part in (self.keyword, self.regex, self.creator)) != 1:
            raise ValueError("name one of keyword, regex, or creator with element")
        if (self.creator is None) != (self.element is None):
            raise ValueError("creator and element go together")
        if self.keyword is not None and tag_for_keyword(self.keyword) is None:
            raise ValueError("the keyword is not in the dictionary")
        if self.element is not None and not _ELEMENT.fullmatch(self.element):
            raise ValueError("a private element is written GGGG,EE or GGGG,xxEE, GGGG odd")
        if self.regex is not None:
            _compiles(self.regex)
        return self

    @property
    def private_element(self) -> tuple[int, int]:
        """Group and low byte of the private element."""
        match = _ELEMENT.fullmatch(self.element or "")
        if match is None:
            raise ValueError("not an override of a private element")
        return int(match[1], 16), int(match[2], 16)


class Optimize(_Strict):
    """How the prompt of a counterpart is searched (`updp_node.pixels.optimization`)."""

    report_weight: Annotated[float, Field(ge=0, le=100)] = 1.0
    max_terms: Annotated[int, Field(ge=1, le=32)] = 8
    beam_width: Annotated[int, Field(ge=1, le=4096)] = 64
    iterations: Annotated[int, Field(ge=1, le=3000)] = 200
    patience: Annotated[int, Field(ge=1, le=3000)] = 50
    unstated: Literal["leave_out", "optimize"] = "leave_out"


class Anonymity(_Strict):
    """How many people must share a prompt (`updp_node.pixels.anonymity`)."""

    gate: Literal["k_map", "k_released", "none"] = "k_map"
    k_min: Annotated[int, Field(ge=2, le=1000)] = 5
    rare: Literal["generalize", "wait", "refuse"] = "generalize"

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> Anonymity:
        if self.gate == "k_map" and self.rare == "wait":
            raise ValueError("a public population does not grow: a rare prompt would wait forever")
        if self.gate == "k_released" and self.rare == "refuse":
            raise ValueError("the first subjects would be refused, and so every one after them")
        return self


class Pixels(_Strict):
    """What happens to pixels; the pixel stage and the assembly read it."""

    chest_frontal: Literal["synthesize", "clean", "keep", "drop", "quarantine"] = "quarantine"
    chest_other: Literal["drop", "quarantine", "clean", "keep"] = "quarantine"
    other_images: Literal["quarantine", "clean", "keep", "drop"] = "quarantine"
    beside_counterpart: Literal["drop", "quarantine"] = "drop"
    model: str = "default"
    max_candidates: Annotated[int, Field(ge=1, le=64)] = 16
    solver: Literal["beam", "pez", "none"] = "beam"
    optimize: Optimize = Optimize()
    anonymity: Anonymity = Anonymity()


class Report(_Strict):
    """How the text stage replaces, in which languages, and whether images wait for their report."""

    replacement: Literal["surrogate", "category"] = "category"
    wait: bool = True
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    other_languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], ...] = ()
    unread_language: Literal["quarantine", "read"] = "quarantine"
    site_lexicons: str | None = None


class Documents(_Strict):
    """What happens to encapsulated documents; every kind not named here is quarantined."""

    cda: Literal["quarantine", "clean"] = "quarantine"
    pdf: Literal["quarantine", "text"] = "quarantine"


class Profile(_Strict):
    """One de-identification profile as its file states it.

    References
    ----------
    PS3.15 E.2 (Basic Profile) and E.3 (options).
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    version: str
    description: str = ""
    options: tuple[str, ...] = ()
    dates: Dates = Dates()
    times: Literal["keep", "coarsen", "remove"] = "remove"
    overrides: tuple[Override, ...] = ()
    pixels: Pixels = Pixels()
    report: Report = Report()
    documents: Documents = Documents()
    unlisted: Literal["X"] = "X"
    unknown_sop_class: Literal["quarantine", "keep"] = "quarantine"
    other_objects: Literal["quarantine", "keep"] = "quarantine"
    release: Release | None = None  # read by `updp-node evaluate`; changes nothing that leaves

    @model_validator(mode="after")
    def _cleans_what_it_claims(self) -> Profile:
        kinds = {name: getattr(self.pixels, name)
                 for name in ("chest_frontal", "chest_other", "other_images")}  # fmt: skip
        kept = [name for name, action in kinds.items() if action == "keep"]
        if kept and set(self.options) & _PIXEL_OPTIONS:
            raise ValueError(
                f"pixels.{kept[0]}: keep contradicts the option to clean pixels: kept pixels are "
                "not looked through for burned-in text or faces"
            )
        if kinds["other_images"] == "clean" and _FACES in self.options:
            raise ValueError(
                f"pixels.other_images: clean contradicts the option {_FACES}: it takes out text "
                "and leaves faces"
            )
        return self

    @field_validator("options")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowed = set(OPTION_CODES) - {"Basic Profile"}
        if unknown := [name for name in value if name not in allowed]:
            raise ValueError(f"no option of PS3.15 Annex E: {unknown}; known: {sorted(allowed)}")
        if len(set(value)) != len(value):
            raise ValueError("an option is named twice")
        if FULL_DATES in value and MODIFIED_DATES in value:
            raise ValueError("full dates and modified dates exclude each other")
        return value


def load_profile(name_or_path: str | Path, search: Sequence[Path] = ()) -> Profile:
    """Read a profile by name or path.

    Parameters
    ----------
    name_or_path : str or pathlib.Path
        ``basic``, or a path that ends in ``.yaml`` or ``.yml`` (relative ones are looked up in
        the search folders too).
    search : sequence of pathlib.Path
        Folders asked before the profiles that come with the node, e.g. ``profiles/`` beside
        the configuration file.

    Raises
    ------
    ConfigError
        No such profile, or a key that is wrong; names file and key.
    """
    path = _find(Path(name_or_path), [*search, *packaged_folders()])
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError("the profile cannot be read as YAML", file=str(path)) from error
    if not isinstance(loaded, dict):
        raise ConfigError("a profile is a mapping of keys", file=str(path))
    try:
        return Profile.model_validate(loaded)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(str(first["msg"]), file=str(path), key=key or None) from error


def packaged_folders() -> tuple[Path, ...]:
    """Where the profiles that come with the node lie: in the wheel or a checkout."""
    return (packaged_policy(),)


def _find(wanted: Path, folders: Sequence[Path]) -> Path:
    if wanted.suffix in {".yaml", ".yml"}:
        candidates = [wanted, *(folder / wanted for folder in folders)]
    else:
        candidates = [folder / f"{wanted}{end}" for folder in folders for end in (".yaml", ".yml")]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked = ", ".join(str(folder) for folder in folders)
    raise ConfigError(f"no profile of this name in {looked}", key=str(wanted))


def _compiles(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError("the regular expression cannot be compiled") from error
