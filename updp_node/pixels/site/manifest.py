"""The manifest of a site's generator: what an operator looked at and approved.

The configuration names the SHA-256 of the manifest's bytes; the manifest names that of every
file. So one changed byte, in either, refuses to start.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from updp_node.config.sections import Name, Section
from updp_node.errors import ConfigError
from updp_node.pixels.site.strict import UntrustedFileError, read_yaml
from updp_node.pixels.vocabulary import NO_FINDING, Vocabulary

BANDS = ("adult", "child")
VIEWS = frozenset({"PA view", "AP view"})
MIN_TRAINING_IMAGES = 100
MAX_FINDINGS = 12
_PLACEHOLDER = re.compile(r"__|\[|\]|\*|XXX|[^ -~]")

Count = Annotated[int, Field(ge=MIN_TRAINING_IMAGES)]


class ApprovedFile(Section):
    """Size and digest of a file."""

    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Terms(Section):
    """The rendered vocabulary, as `updp_node.pixels.vocabulary.Vocabulary` reads it."""

    terms: tuple[str, ...] = Field(min_length=2)
    views: dict[str, tuple[str, ...]]
    findings: dict[str, tuple[str, ...]]
    synonyms: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, Count]

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        bands = tuple(self.findings)
        if not bands or set(bands) - set(BANDS) or set(self.views) != set(bands):
            raise ValueError("findings and views need the same bands, of adult and child")
        drawn = {term for terms in self.findings.values() for term in terms}
        views = {term for terms in self.views.values() for term in terms}
        if views - VIEWS:
            raise ValueError("views are PA view and AP view")
        if any(NO_FINDING not in terms for terms in self.findings.values()):
            raise ValueError(f"every band needs the finding {NO_FINDING}")
        if any(len(terms) > MAX_FINDINGS + 1 for terms in self.findings.values()):
            raise ValueError(f"more than {MAX_FINDINGS} findings in a band")
        if len(set(self.terms)) != len(self.terms) or set(self.terms) != {*bands, *views, *drawn}:
            raise ValueError("terms are the bands, views and findings, each once")
        if set(self.counts) != set(self.terms):
            raise ValueError("counts need the training images of every term")
        if set(self.synonyms.values()) - drawn:
            raise ValueError("synonyms lead to findings")
        return self


class Sampling(Section):
    """How an image is drawn."""

    steps: int = Field(ge=1, le=200)
    guidance: float = Field(ge=0, le=30)
    rows: int = Field(ge=256, le=2048, multiple_of=32)
    columns: int = Field(ge=256, le=2048, multiple_of=32)


class Manifest(Section):
    """What an operator approved.

    Attributes
    ----------
    files : dict of str to ApprovedFile
        Below the folder; of an external generator, absolute paths.
    words : dict of str to str
        What the text encoder is told for each term.
    template : str
        ``{terms}`` is replaced by the words, joined by commas.
    near_copy : str
        Nobody but its maker has the training images of a site's model.
    """

    format: Literal[1]
    name: Name
    kind: Literal["diffusers", "external"]
    pipeline: str = ""
    components: dict[str, str] = Field(default_factory=dict)
    files: dict[str, ApprovedFile] = Field(min_length=1)
    lora_scale: float = Field(default=1.0, ge=0, le=4)
    licence: str = Field(min_length=2)
    notes: str = ""
    vocabulary: Terms
    words: dict[str, str]
    template: str = "frontal chest radiograph, {terms}"
    negative: str = ""
    sampling: Sampling
    near_copy: Literal["not tested"]
    approved_by: str = Field(min_length=2)
    approved_on: date

    @field_validator("words")
    @classmethod
    def _hold_no_placeholder(cls, words: dict[str, str]) -> dict[str, str]:
        """De-identification marks are among the most memorized tokens (arXiv 2502.07516)."""
        for text in words.values():
            if not text.strip() or len(text) > 80 or _PLACEHOLDER.search(text):
                raise ValueError("words are short, plain, and hold no placeholder")
        return words

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if set(self.words) != set(self.vocabulary.terms):
            raise ValueError("words need an entry for every term")
        if len(set(self.words.values())) != len(self.words):
            raise ValueError("two terms have the same words")
        if self.template.count("{terms}") != 1 or _PLACEHOLDER.search(self.template):
            raise ValueError("the template holds {terms} once, and no placeholder")
        if self.kind == "diffusers" and not self.pipeline:
            raise ValueError("a diffusers folder needs its pipeline")
        paths = [PurePosixPath(path) for path in self.files]
        outside = self.kind == "external"
        if any(".." in path.parts or path.is_absolute() is not outside for path in paths):
            raise ValueError("files lie below the folder; those of a program are absolute")
        return self

    def read_vocabulary(self) -> Vocabulary:
        """The vocabulary that prompts are made of."""
        return Vocabulary.read({"vocabulary": self.vocabulary.model_dump()})

    def write_text(self, terms: tuple[str, ...]) -> str:
        """What the text encoder is told for a prompt: the operator's words and nothing else."""
        return self.template.replace("{terms}", ", ".join(self.words[term] for term in terms))


def read_manifest(path: Path) -> tuple[Manifest, str]:
    """Read a manifest and the SHA-256 of its bytes.

    Raises
    ------
    ConfigError
        It cannot be read, or lacks something that an operator must fill in.
    """
    try:
        content = path.read_bytes()
        raw: Any = read_yaml(content)
    except OSError as error:
        raise ConfigError(f"cannot be read: {type(error).__name__}", file=str(path)) from None
    except UntrustedFileError as error:
        raise ConfigError(str(error), file=str(path)) from None
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise ConfigError(first["msg"], file=str(path), key=key) from None
    return manifest, hashlib.sha256(content).hexdigest()
