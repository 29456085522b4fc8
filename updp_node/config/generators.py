"""A site's own generators: where they lie, and the digest of what an operator approved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from updp_node.config.research import Sha256
from updp_node.config.sections import Name, Section


class DiffusersGenerator(Section):
    """A local diffusers folder, as its approved manifest describes it."""

    name: Name
    type: Literal["diffusers"]
    folder: Path
    manifest: Path
    sha256: Sha256
    device: Literal["cpu", "cuda"] = "cpu"


class ExternalGenerator(Section):
    """A program that is given prompts and seeds and answers with images."""

    name: Name
    type: Literal["external"]
    command: tuple[str, ...] = Field(min_length=1)
    manifest: Path
    sha256: Sha256
    environment: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*=")], ...] = ()
    start_timeout_s: float = Field(default=120, gt=0, le=600)
    timeout_s: float = Field(default=60, gt=0, le=300)

    @model_validator(mode="after")
    def _is_absolute(self) -> Self:
        if not Path(self.command[0]).is_absolute():
            raise ValueError("the command begins with an absolute path")
        return self


SiteModel = Annotated[DiffusersGenerator | ExternalGenerator, Field(discriminator="type")]


def refuse_ambiguous(generators: tuple[SiteModel, ...]) -> None:
    """Each name stands once, and ``default`` is taken.

    Raises
    ------
    ValueError
        Otherwise.
    """
    names = [each.name for each in generators]
    if len(set(names)) != len(names) or "default" in names:
        raise ValueError("generators need names of their own, and default is taken")
